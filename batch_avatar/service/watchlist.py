"""Who waits for which job, and how they are told."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from batch_avatar.errors import BatchAvatarError, JobNotFound, StillRunning

if TYPE_CHECKING:
    import asyncio
    from datetime import datetime

    from batch_avatar.models import SynthesisJob

PATIENCE = 2
"""How often in a row a job must be absent by GET before that is believed; a list lags behind creates (seen)."""

MISSES = 2
"""Looks in a row that miss a job with a prediction before it is asked for by name: a list shows a new job late, and
a delete between two pages moves one out of sight. Without a prediction it may have ended, and one is enough."""


CREATE_TIME = timedelta(seconds=60)
"""A job that no look has shown yet is dated by the answer to its create; the request takes less than this before."""


@dataclass(eq=False)
class Waiter:
    future: asyncio.Future[SynthesisJob]
    closes_at: float


@dataclass
class Watched:
    """A job, whoever waits for it, and how often in a row looks missed it and it was absent by name."""

    waiters: list[Waiter]
    created_at: datetime
    dated: bool
    """Whether that is about right; otherwise it is when the job came to be watched."""
    expected_seconds: float | None = None
    last: SynthesisJob | None = None
    misses: int = 0
    absences: int = 0

    @property
    def suspect(self) -> bool:
        return self.misses >= (MISSES if self.expected_seconds else 1)

    @property
    def not_before(self) -> datetime | None:
        """The earliest that it can have been created; None where it may be any age."""
        if not self.dated:
            return None
        return self.created_at if self.last else self.created_at - CREATE_TIME

    def see(self, job: SynthesisJob) -> bool:
        """As the service shows it now; whether its status is news."""
        news = self.last is None or self.last.status != job.status
        self.last, self.misses, self.absences = job, 0, 0
        if job.created_at is not None:
            self.created_at, self.dated = job.created_at, True
        return news


class Watchlist(dict[str, Watched]):
    """Jobs by their service id; one is on it for as long as somebody waits for it."""

    def settle(self, service_id: str, waiters: list[Waiter], end: SynthesisJob | Exception) -> None:
        for waiter in list(waiters):
            self.forget(service_id, waiter)
            if waiter.future.done():  # cancelled in the meantime
                continue
            if isinstance(end, Exception):
                mine = copy(end) if isinstance(end, BatchAvatarError) else end  # each fills in what it is about
                waiter.future.set_exception(mine)
            else:
                waiter.future.set_result(end)

    def settle_all(self, error: Exception) -> None:
        for service_id, watched in list(self.items()):
            self.settle(service_id, watched.waiters, error)

    def forget(self, service_id: str, waiter: Waiter) -> None:
        """The poller looks only for what somebody waits for."""
        watched = self.get(service_id)
        if watched is not None and waiter in watched.waiters:
            watched.waiters.remove(waiter)
            if not watched.waiters:
                del self[service_id]

    def close_windows(self, now: float) -> list[str]:
        """End whoever has waited long enough, or for a job that is gone; the jobs whose last window closed."""
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
