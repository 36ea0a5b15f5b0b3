"""One poller per resource and process: it lists the jobs and wakes whoever waits for one of them.

The only module that loops over waiting for the service. A job that the list misses is asked for by name before
anything is believed about it, and an error of the poll never fails a job.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

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

    from batch_avatar.client import AvatarClient
    from batch_avatar.clock import Clock
    from batch_avatar.models import SynthesisJob

logger = logging.getLogger(__name__)

PATIENCE = 2
"""How often in a row a job must be absent by GET before that is believed; a list lags behind creates (seen)."""


@dataclass(frozen=True)
class Deadlines:
    """Seconds from the job's creation, by the service's own clock."""

    start_seconds: float
    job_seconds: float

    def overdue(self, job: SynthesisJob) -> str | None:
        """In words, which deadline an unfinished job has passed."""
        if job.terminal:
            return None
        if job.status == JobStatus.NOT_STARTED and job.age_seconds > self.start_seconds:
            return f"still NotStarted {job.age_seconds:.0f} s after its creation (deadline {self.start_seconds:.0f} s)"
        if job.age_seconds > self.job_seconds:
            return f"still {job.status} {job.age_seconds:.0f} s after its creation (deadline {self.job_seconds:.0f} s)"
        return None


@dataclass
class _Waiter:
    future: asyncio.Future[SynthesisJob]
    closes_at: float
    last: SynthesisJob | None = None
    absences: int = 0


class Watcher:
    def __init__(
        self,
        *,
        client: AvatarClient,
        clock: Clock,
        poll_interval_seconds: float,
        deadlines: Deadlines,
        run: Callable[..., Awaitable[list[SynthesisJob]]],
        on_change: Callable[[SynthesisJob], None],
    ) -> None:
        self._client = client
        self._clock = clock
        self._interval = poll_interval_seconds
        self._deadlines = deadlines
        self._run = run
        self._on_change = on_change
        self._waiters: dict[str, _Waiter] = {}
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
        self._waiters[service_id] = _Waiter(future, self._clock.monotonic() + window_seconds)
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll(), name="job watcher")
        try:
            return await future
        finally:
            self._waiters.pop(service_id, None)

    async def close(self) -> None:
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.gather(self._poller, return_exceptions=True)
        for waiter in list(self._waiters.values()):
            waiter.future.cancel()

    async def _poll(self) -> None:
        while self._waiters:
            await self._clock.sleep(self._interval)
            try:
                jobs = await self._run(self._look, dict(self._waiters))
            except AccessRefused as error:
                for service_id in list(self._waiters):
                    self._settle(service_id, error)
                continue
            except ServiceError as error:
                logger.warning("the job list cannot be read, will ask again: %s", error)
                jobs = []
            for job in jobs:
                self._note(job)
            self._close_windows()

    def _look(self, waiters: dict[str, _Waiter]) -> list[SynthesisJob]:
        """Blocking: the waited-for jobs in the list, newest first, and those it misses by name."""
        missing = set(waiters)
        found: list[SynthesisJob] = []
        oldest = min((w.last.created_at for w in waiters.values() if w.last and w.last.created_at), default=None)
        known = all(waiter.last for waiter in waiters.values())
        for page in self._client.list_pages():
            found.extend(job for job in page.jobs if job.service_id in missing)
            missing -= {job.service_id for job in page.jobs}
            past = page.jobs[-1].created_at if page.jobs else None
            if not missing or (known and oldest and past and past < oldest - timedelta(seconds=1)):
                break
        for service_id in sorted(missing):
            try:
                found.append(self._client.get(service_id))
            except JobNotFound:
                waiters[service_id].absences += 1
            except AccessRefused:
                raise
            except ServiceError as error:
                logger.warning("job %s cannot be read, will ask again: %s", service_id, error)
        return found

    def _note(self, job: SynthesisJob) -> None:
        waiter = self._waiters.get(job.service_id)
        if waiter is None:
            return
        if waiter.last is None or waiter.last.status != job.status:
            self._on_change(job)
        waiter.last, waiter.absences = job, 0
        if job.terminal:
            self._settle(job.service_id, job)
        elif reason := self._deadlines.overdue(job):
            self._settle(job.service_id, JobOverdue(reason, job=job))

    def _close_windows(self) -> None:
        now = self._clock.monotonic()
        for service_id, waiter in list(self._waiters.items()):
            if waiter.absences >= PATIENCE:
                self._settle(service_id, JobNotFound("the service does not know the job", job_id=service_id))
            elif now >= waiter.closes_at:
                seen = waiter.last.status if waiter.last else "never"
                self._settle(service_id, StillRunning(f"not ended yet, last seen {seen}", job_id=service_id))

    def _settle(self, service_id: str, end: SynthesisJob | BatchAvatarError) -> None:
        future = self._waiters.pop(service_id).future
        if future.done():  # its waiter was cancelled
            return
        if isinstance(end, BatchAvatarError):
            future.set_exception(end)
        else:
            future.set_result(end)
