"""Who waits for which job, and how they are told."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from batch_avatar.errors import BatchAvatarError, JobNotFound, StillRunning

if TYPE_CHECKING:
    import asyncio

    from batch_avatar.models import SynthesisJob

PATIENCE = 2
"""So many GETs in a row must miss a job before it counts as gone; a list lags behind creates (seen)."""

MISSES = 2
"""So many listings in a row must miss a job with a prediction before it is read by id: a list shows a new job late, and
a delete between two pages hides one. A job without a prediction may have ended, so one listing is enough."""


CREATE_TIME = timedelta(seconds=60)
"""A job that no listing has shown yet is dated by the answer to its create; the request takes less time than this."""
EARLIEST = datetime.min.replace(tzinfo=UTC) + CREATE_TIME  # the calendar has nothing before; a job may show the year 1


@dataclass(eq=False)
class Waiter:
    future: asyncio.Future[SynthesisJob]
    closes_at: float


@dataclass
class Watched:
    """A job, who waits for it, and how often in a row listings (`misses`) and GETs (`absences`) did not find it."""

    waiters: list[Waiter]
    created_at: datetime
    dated: bool
    """Whether `created_at` is about right; otherwise it is when the wait for the job began."""
    expected_seconds: float | None = None
    last: SynthesisJob | None = None
    misses: int = 0
    absences: int = 0

    @property
    def suspect(self) -> bool:
        return self.misses >= (MISSES if self.expected_seconds else 1)

    @property
    def not_before(self) -> datetime | None:
        """The earliest time at which the job can have been created; None if it may be of any age."""
        if not self.dated:
            return None
        return self.created_at if self.last else max(self.created_at, EARLIEST) - CREATE_TIME

    def see(self, job: SynthesisJob) -> bool:
        """Note the job as the service shows it now. Return whether its status has changed."""
        news = self.last is None or self.last.status != job.status
        self.last, self.misses, self.absences = job, 0, 0
        if job.created_at is not None:
            self.created_at, self.dated = job.created_at, True
        return news


class Watchlist(dict[str, Watched]):
    """Jobs by their service id. A job is on the list for as long as somebody waits for it."""

    def settle(self, service_id: str, waiters: list[Waiter], end: SynthesisJob | Exception) -> None:
        for waiter in list(waiters):
            self.forget(service_id, waiter)
            if waiter.future.done():  # cancelled in the meantime
                continue
            if isinstance(end, Exception):
                mine = copy(end) if isinstance(end, BatchAvatarError) else end  # each waiter fills in its own script
                waiter.future.set_exception(mine)
            else:
                waiter.future.set_result(end)

    def settle_all(self, error: Exception) -> None:
        for service_id, watched in list(self.items()):
            self.settle(service_id, watched.waiters, error)

    def forget(self, service_id: str, waiter: Waiter) -> None:
        """Remove a waiter, and with the last one the job: the poller looks only for jobs that are waited for."""
        watched = self.get(service_id)
        if watched is not None and waiter in watched.waiters:
            watched.waiters.remove(waiter)
            if not watched.waiters:
                del self[service_id]

    def close_windows(self, now: float) -> list[str]:
        """End the waits that lasted long enough or whose job is gone. Return the jobs whose last window closed."""
        closed = []
        for service_id, watched in list(self.items()):
            if watched.absences >= PATIENCE:
                gone = JobNotFound("the service does not know the job", job_id=service_id)
                self.settle(service_id, watched.waiters, gone)
                continue
            seen = watched.last.status if watched.last else "never"
            late = [waiter for waiter in watched.waiters if now >= waiter.closes_at]
            self.settle(service_id, late, StillRunning(f"not ended yet, last seen {seen}", job_id=service_id))
            if late and not watched.waiters:
                closed.append(service_id)
        return closed

    def cancel(self) -> None:
        for watched in list(self.values()):
            for waiter in watched.waiters:
                waiter.future.cancel()
