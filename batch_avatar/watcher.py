"""One poller per resource and process: it lists the jobs and wakes whoever waits for one of them.

The only module that loops over waiting for the service. A job that the list misses is asked for by name before
anything is believed about it, and an error of the poll never fails a job.
"""

from __future__ import annotations

import asyncio
import logging
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from batch_avatar.errors import (
    AccessRefused,
    BatchAvatarError,
    JobNotFound,
    JobOverdue,
    ServiceError,
    StillRunning,
)
from batch_avatar.models import JobStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from batch_avatar.client import AvatarClient
    from batch_avatar.clock import Clock
    from batch_avatar.models import SynthesisJob

logger = logging.getLogger(__name__)

PATIENCE = 2
"""How often in a row a job must be absent by GET before that is believed; a list lags behind creates (seen)."""


MOST_CONFIRMED = 100  # jobs asked for by name in one round; a list that misses more than that is no help anyway


OUTAGE_SHARE = 0.25  # of an outage passes between two looks whether it is over, at most OUTAGE_POLL_SECONDS
OUTAGE_POLL_SECONDS = 600.0


@dataclass
class Deadlines:
    """Seconds from the job's creation, by the service's own clock. Outages do not count: nobody could have worked."""

    start_seconds: float
    job_seconds: float
    outages: list[tuple[datetime, float]] = field(default_factory=list)
    """When each ended, and how many seconds it took."""

    def overdue(self, job: SynthesisJob) -> str | None:
        """In words, which deadline an unfinished job has passed."""
        if job.terminal:
            return None
        age = job.age_seconds - self._excused_seconds(job)
        if job.status == JobStatus.NOT_STARTED and age > self.start_seconds:
            return f"still NotStarted {age:.0f} s after its creation (deadline {self.start_seconds:.0f} s)"
        if age > self.job_seconds:
            return f"still {job.status} {age:.0f} s after its creation (deadline {self.job_seconds:.0f} s)"
        return None

    def _excused_seconds(self, job: SynthesisJob) -> float:
        if job.created_at is None:
            return 0.0
        return sum(max(0.0, min(took, (end - job.created_at).total_seconds())) for end, took in self.outages)


@dataclass(eq=False)
class _Waiter:
    future: asyncio.Future[SynthesisJob]
    closes_at: float


@dataclass
class _Watched:
    """A job, whoever waits for it, and how often in a row it was absent by name."""

    waiters: list[_Waiter]
    last: SynthesisJob | None = None
    listed: bool = True
    absences: int = 0


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
    ) -> None:
        self._client = client
        self._clock = clock
        self._interval = poll_interval_seconds
        self._deadlines = deadlines
        self._run = run
        self._on_change = on_change
        self._watched: dict[str, _Watched] = {}
        self._askers: list[asyncio.Future[bool]] = []
        self._down_since: float | None = None
        self._poller: asyncio.Task[None] | None = None

    async def wait(self, service_id: str, *, window_seconds: float) -> SynthesisJob:
        """The job once it has ended.

        Raises:
            StillRunning: the window closed first; wait again.
            JobOverdue: a deadline passed; the job may still finish.
            JobNotFound: the service does not know the job (any more).
            AccessRefused: the service does not let us look.
        """
        future: asyncio.Future[SynthesisJob] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(future, self._clock.monotonic() + window_seconds)
        self._watched.setdefault(service_id, _Watched([])).waiters.append(waiter)
        self._start()
        try:
            return await future
        finally:
            self._forget(service_id, waiter)

    async def answering(self) -> bool:
        """Wait until the job list can be read; True where that was an outage, False where it went at the next look.

        Raises:
            AccessRefused: the service does not let us look.
        """
        asker: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._askers.append(asker)
        self._start()
        return await asker

    @property
    def down(self) -> bool:
        """Whether the last look at the list failed."""
        return self._down_since is not None

    def _start(self) -> None:
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="job watcher")

    async def close(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
        for watched in list(self._watched.values()):
            for waiter in watched.waiters:
                waiter.future.cancel()
        for asker in self._askers:
            asker.cancel()

    async def _poll(self) -> None:
        while self._watched or self._askers:
            await self._clock.sleep(self._pause_seconds())
            try:
                jobs = await self._run(self._list, dict(self._watched))
                self._answered()
                for job in jobs:
                    self._note(job)
                missed = [name for name, job in self._watched.items() if not job.listed]
                missed.sort(key=lambda name: self._watched[name].last is not None)  # the never seen ones first
                del missed[MOST_CONFIRMED:]
                for found in await asyncio.gather(*(self._run(self._confirm, name) for name in missed)):
                    if found is not None:
                        self._note(found)
            except AccessRefused as error:
                self._fail_all(error)
            except ServiceError as error:
                if self._down_since is None:
                    self._down_since = self._clock.monotonic()
                    logger.warning("the job list cannot be read, will ask again: %s", error)
            except Exception as error:
                logger.exception("the watcher broke by a mistake of this program")
                self._fail_all(error)
            self._close_windows()

    def _pause_seconds(self) -> float:
        """Until the next look; in an outage in proportion to how long it has lasted."""
        if self._down_since is None:
            return self._interval
        lasted = self._clock.monotonic() - self._down_since
        return max(self._interval, min(OUTAGE_SHARE * lasted, OUTAGE_POLL_SECONDS))

    def _answered(self) -> None:
        """The list could be read: whoever waited for that goes on, and the deadlines are moved by what was lost."""
        was_down, self._down_since = self._down_since, None
        if was_down is not None:
            took = self._clock.monotonic() - was_down + self._interval
            self._deadlines.outages.append((self._clock.now(), took))
            logger.warning("the job list can be read again after %.0f s", took)
        askers, self._askers = self._askers, []
        for asker in askers:
            if not asker.done():
                asker.set_result(was_down is not None)

    def _list(self, watched: dict[str, _Watched]) -> list[SynthesisJob]:
        """Blocking: the waited-for jobs in the list, newest first, as far as it needs to be read."""
        missing = set(watched)
        found: list[SynthesisJob] = []
        oldest = min((w.last.created_at for w in watched.values() if w.last and w.last.created_at), default=None)
        known = all(job.last for job in watched.values())
        pages = 0
        try:
            for page in self._client.list_pages():
                pages += 1
                found.extend(job for job in page.jobs if job.service_id in missing)
                missing -= {job.service_id for job in page.jobs}
                past = page.jobs[-1].created_at if page.jobs else None
                if not missing or (known and oldest and past and past < oldest - timedelta(seconds=1)):
                    break
        except ServiceError as error:
            if not pages or isinstance(error, AccessRefused):
                raise
            logger.warning("the job list breaks off after page %d: %s", pages, error)
        for name, job in watched.items():
            job.listed = name not in missing
        return found

    def _confirm(self, service_id: str) -> SynthesisJob | None:
        """Blocking: a job that the list misses, by name."""
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
        if watched.last is None or watched.last.status != job.status:
            self._on_change(job)
        watched.last, watched.absences = job, 0
        if job.terminal:
            self._settle(job.service_id, watched.waiters, job)
        elif reason := self._deadlines.overdue(job):
            self._settle(job.service_id, watched.waiters, JobOverdue(reason, job=job))

    def _close_windows(self) -> None:
        now = self._clock.monotonic()
        for service_id, watched in list(self._watched.items()):
            if watched.absences >= PATIENCE:
                gone = JobNotFound("the service does not know the job", job_id=service_id)
                self._settle(service_id, watched.waiters, gone)
                continue
            seen = watched.last.status if watched.last else "never"
            late = [waiter for waiter in watched.waiters if now >= waiter.closes_at]
            self._settle(service_id, late, StillRunning(f"not ended yet, last seen {seen}", job_id=service_id))

    def _fail_all(self, error: Exception) -> None:
        for service_id, watched in list(self._watched.items()):
            self._settle(service_id, watched.waiters, error)
        askers, self._askers = self._askers, []
        for asker in askers:
            if not asker.done():
                asker.set_exception(copy(error) if isinstance(error, BatchAvatarError) else error)

    def _settle(self, service_id: str, waiters: list[_Waiter], end: SynthesisJob | Exception) -> None:
        for waiter in list(waiters):
            self._forget(service_id, waiter)
            if waiter.future.done():  # cancelled in the meantime
                continue
            if isinstance(end, Exception):
                mine = copy(end) if isinstance(end, BatchAvatarError) else end  # each fills in what it is about
                waiter.future.set_exception(mine)
            else:
                waiter.future.set_result(end)

    def _forget(self, service_id: str, waiter: _Waiter) -> None:
        """The poller looks only for what somebody waits for."""
        watched = self._watched.get(service_id)
        if watched is not None and waiter in watched.waiters:
            watched.waiters.remove(waiter)
            if not watched.waiters:
                del self._watched[service_id]
