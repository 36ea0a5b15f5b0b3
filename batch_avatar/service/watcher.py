"""One poller per resource and process: it lists the jobs and wakes everyone who waits for one of them.

The only module that waits for jobs in a loop. A job that a listing misses is read by its id before anything is
concluded from that, and a listing that fails never fails a job. `poll_schedule` decides when to list, `census` counts
the jobs of others.
"""

from __future__ import annotations

import asyncio
import logging
import math
from copy import copy
from typing import TYPE_CHECKING, Any

from batch_avatar.clock import TOLD_SECONDS
from batch_avatar.errors import (
    AccessRefused,
    BatchAvatarError,
    JobNotFound,
    JobOverdue,
    ServiceError,
)
from batch_avatar.service.census import Census
from batch_avatar.service.listing import look_at_list
from batch_avatar.service.poll_schedule import Awaited, Ratios, outage_pause_seconds, pause_seconds
from batch_avatar.service.watchlist import Waiter, Watched, Watchlist

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable
    from datetime import datetime

    from batch_avatar.clock import Clock
    from batch_avatar.models import SynthesisJob
    from batch_avatar.service.client import AvatarClient
    from batch_avatar.service.deadlines import Deadlines
    from batch_avatar.service.listing import Look

logger = logging.getLogger(__name__)

MOST_CONFIRMED = 100  # jobs read by id in one round; a list that misses more is of no use anyway

STUCK_DEADLINES = 2.0  # of our job deadlines after which a job of others counts as stuck: they may allow more time


class Watcher:
    def __init__(
        self,
        *,
        client: AvatarClient,
        clock: Clock,
        poll_interval_seconds: float,
        deadlines: Deadlines,
        run: Callable[..., Awaitable[Any]],
        on_change: Callable[[SynthesisJob], None],
        on_others: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._client = client
        self._clock = clock
        self._interval = poll_interval_seconds
        self._deadlines = deadlines
        self._run = run
        self._on_change = on_change
        self._on_others = on_others
        self._watched = Watchlist()
        self._askers: list[asyncio.Future[bool]] = []
        self._keepers: list[asyncio.Future[bool]] = []
        self._census = Census(clock, stuck_seconds=STUCK_DEADLINES * deadlines.job_seconds)
        self._ratios = Ratios()
        self._pages = 1
        self._down_since: float | None = None
        self._blind_since = 0.0
        self._poller: asyncio.Task[None] | None = None
        self._sleeper: asyncio.Task[None] | None = None
        self._look_at = 0.0

    async def wait(
        self, service_id: str, *, window_seconds: float, expected_seconds: float | None = None
    ) -> SynthesisJob:
        """Return the job once it has ended. `expected_seconds`: predicted, from its creation to its end.

        Raises:
            StillRunning: the window closed first, which the next listing notices; wait again.
            JobOverdue: a deadline passed; the job may still finish.
            JobNotFound: the service does not know the job (any more).
            AccessRefused: the service refuses to list the jobs.
        """
        future: asyncio.Future[SynthesisJob] = asyncio.get_running_loop().create_future()
        waiter = Waiter(future, self._clock.monotonic() + window_seconds)
        watched = self._watch(service_id)
        watched.waiters.append(waiter)
        if expected_seconds and expected_seconds > 0:
            watched.expected_seconds = expected_seconds
        self._deadlines.note_seen(service_id)
        self._look_within(self._pause_for([watched]))
        try:
            return await future
        finally:
            self._watched.forget(service_id, waiter)

    async def answering(self) -> bool:
        """Wait until the job list can be read. Return True after an outage, False if the next listing succeeded.

        Raises:
            AccessRefused: the service refuses to list the jobs.
        """
        asker: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._askers.append(asker)
        self._look_within(self._interval)
        return await asker

    async def looking_while(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Await `waiting` and keep listing, even if nobody waits for a job: others may hold all the slots.

        Raises:
            AccessRefused: the service refuses to list the jobs.
        """
        keeper: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        work = asyncio.create_task(waiting)
        either: list[asyncio.Future[Any]] = [work, keeper]
        self._keepers.append(keeper)
        if not self._watched:
            self._look_within(self._interval)
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            await (work if work.done() else keeper)
        finally:
            self._keepers.remove(keeper)
            keeper.cancel()
            work.cancel()

    def mine(self, service_id: str) -> None:
        """Mark a job that was just created here or will be adopted: it is ours and will be waited for soon."""
        counted = service_id in self._census.others(self._watched)
        self._census.mark(service_id)
        if counted:
            self._tell_others()

    def learn(self, jobs: Iterable[SynthesisJob], *, down_to: datetime | None = None) -> None:
        """Take in a list that was read elsewhere, `down_to` this creation or whole. Call `mine` first for our jobs."""
        self._census.see(jobs, down_to=down_to, watched=self._watched)
        self._tell_others()

    @property
    def down(self) -> bool:
        """Whether the last listing failed."""
        return self._down_since is not None

    async def close(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
        self._watched.cancel()
        for asker in self._askers:
            asker.cancel()

    def _watch(self, service_id: str) -> Watched:
        watched = self._watched.get(service_id)
        if watched is None:
            counted = service_id in self._census.others(self._watched)
            created_at = self._census.created_at(service_id)
            watched = Watched([], created_at or self._census.now(), dated=created_at is not None)
            self._watched[service_id] = watched
            self._census.unmark(service_id)
            if counted:
                self._tell_others()
        return watched

    @property
    def _wanted(self) -> bool:
        return bool(self._watched or self._askers or self._keepers)

    def _tell_others(self) -> None:
        self._on_others(len(self._census.others(self._watched)))

    def _look_within(self, seconds: float) -> None:
        """Start the poller, or make it list earlier than planned. During an outage its plan stays as it is."""
        now = self._clock.monotonic()
        if self._poller is None or self._poller.done():
            self._look_at = max(now + seconds, self._look_at if self.down else 0.0)
            self._poller = asyncio.create_task(self._poll(), name="job watcher")
        elif not self.down and now + seconds < self._look_at:
            self._look_at = now + seconds
            if self._sleeper is not None:
                self._sleeper.cancel()

    async def _poll(self) -> None:
        while self._wanted:
            began = self._clock.monotonic()
            await self._sleep()
            if self._wanted:
                await self._look_and_tell(began)
                for service_id in self._watched.close_windows(self._clock.monotonic()):
                    self._census.mark(service_id)  # another wait for it follows
                self._look_at = self._clock.monotonic() + self._pause_seconds()

    async def _sleep(self) -> None:
        """Sleep until `_look_at`, which may be set to an earlier time meanwhile."""
        while (seconds := self._look_at - self._clock.monotonic()) > 0:
            self._sleeper = asyncio.create_task(self._clock.sleep(seconds), name="pause of the job watcher")
            try:
                await asyncio.wait([self._sleeper])
            finally:
                self._sleeper.cancel()

    async def _look_and_tell(self, began: float) -> None:
        """List the jobs. `began` is when the pause before this began, as an outage may have begun then."""
        try:
            await self._look()
        except AccessRefused as error:
            self._fail_all(error)
        except ServiceError as error:
            if first := self._down_since is None:
                self._down_since, self._blind_since = self._clock.monotonic(), began
            if (pause := self._pause_seconds()) > TOLD_SECONDS or first:
                logger.warning("the job list cannot be read, will ask again in %.0f s: %s", pause, error)
        except Exception as error:
            logger.exception("the watcher broke because of a mistake in this program")
            self._fail_all(error)

    async def _look(self) -> None:
        asked = dict(self._watched)
        deep = self._census.deep_look(self._watched)
        bounds = {name: watched.not_before for name, watched in asked.items()}
        look: Look = await self._run(look_at_list, self._client, bounds, deep)
        self._answered()
        self._pages = look.pages
        if look.jobs:
            self._census.keep_time(look.jobs[-1].observed_at)
        self._census.see(look.jobs, down_to=look.down_to, watched=self._watched)
        self._tell_others()
        for job in look.jobs:
            self._note(job)
        seen = {job.service_id for job in look.jobs}
        for name, watched in asked.items():
            watched.misses = 0 if name in seen else watched.misses + 1
        missed = [name for name, watched in self._watched.items() if watched.suspect]
        missed.sort(key=lambda name: self._watched[name].last is not None)  # those never seen come first
        del missed[MOST_CONFIRMED:]
        for found in await asyncio.gather(*(self._run(self._confirm, name) for name in missed)):
            if found is not None:
                self._note(found)

    def _pause_seconds(self) -> float:
        if self._down_since is not None:
            return outage_pause_seconds(self._clock.monotonic() - self._down_since, interval_seconds=self._interval)
        soon = self._askers or not self._watched
        return min(self._pause_for(self._watched.values()), self._interval if soon else math.inf)

    def _pause_for(self, jobs: Iterable[Watched]) -> float:
        now = self._census.now()
        awaited = [Awaited(max(0.0, (now - w.created_at).total_seconds()), w.expected_seconds) for w in jobs]
        return pause_seconds(awaited, self._ratios.ascending, pages=self._pages, interval_seconds=self._interval)

    def _answered(self) -> None:
        """Release those who wait for a readable list; after an outage, move the deadlines by the time it took."""
        was_down, self._down_since = self._down_since, None
        if was_down is not None:
            took = self._clock.monotonic() - self._blind_since
            self._deadlines.outages.append((self._clock.now(), took))
            logger.warning("the job list can be read again after %.0f s", took)
        askers, self._askers = self._askers, []
        for asker in askers:
            if not asker.done():
                asker.set_result(was_down is not None)

    def _confirm(self, service_id: str) -> SynthesisJob | None:
        """Read a job that the list misses by its id; None if that fails. Blocking."""
        try:
            return self._client.get(service_id)
        except JobNotFound:
            if (watched := self._watched.get(service_id)) is not None:
                watched.absences += 1
        except AccessRefused:
            raise
        except ServiceError as error:
            logger.warning("job %s cannot be read, will ask again: %s", service_id, error)
        return None

    def _note(self, job: SynthesisJob) -> None:
        watched = self._watched.get(job.service_id)
        if watched is None:
            return
        known = watched.last
        if watched.see(job):
            self._on_change(job)
        if job.terminal or (job.odd and known is not None and known.status == job.status):  # an odd end is seen twice
            self._ratios.learn(job, watched.expected_seconds)
            self._watched.settle(job.service_id, watched.waiters, job)
        elif not job.odd and (reason := self._deadlines.overdue(job)):
            self._watched.settle(job.service_id, watched.waiters, JobOverdue(reason, job=job))

    def _fail_all(self, error: Exception) -> None:
        self._watched.settle_all(error)
        askers, self._askers = self._askers, []
        known = isinstance(error, BatchAvatarError)
        ours = error if known else BatchAvatarError("see the log", code=type(error).__name__)
        for asker in (*askers, *self._keepers):
            if not asker.done():
                asker.set_exception(copy(ours))
