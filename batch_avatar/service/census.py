"""Which unfinished jobs the resource has, and whose they are. Most listings read only a part of the job list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from batch_avatar.clock import Clock
    from batch_avatar.models import SynthesisJob

DEEP_LOOK_SECONDS = 300.0
"""Between two listings that read down to the oldest job of others. Reading a deep list costs many requests, so it is
done rarely; until then a slot that such a job has freed stays unused."""

MARK_SECONDS = 300.0  # from create to wait: the time between two steps of a flow engine, with room for a slow server


class Census:
    """The unfinished jobs. A job that a listing did not reach counts as unfinished until another listing reaches it.

    Jobs of others older than `stuck_seconds` are left out: they never end, and whether they still take up a slot is not
    documented. If they do, the service refuses a create, and admission learns from that.
    """

    def __init__(self, clock: Clock, *, stuck_seconds: float) -> None:
        self._clock = clock
        self._stuck_seconds = stuck_seconds
        self._unfinished: dict[str, SynthesisJob] = {}
        self._marks: dict[str, datetime] = {}
        self._ahead = timedelta()  # how far the service's clock is ahead of ours
        self._deep_at = clock.monotonic()

    def now(self) -> datetime:
        """Return the time by the service's clock."""
        return self._clock.now() + self._ahead

    def mark(self, service_id: str) -> None:
        """Mark a job as ours although nobody waits for it yet."""
        self._marks[service_id] = self.now()

    def unmark(self, service_id: str) -> None:
        self._marks.pop(service_id, None)

    def created_at(self, service_id: str) -> datetime | None:
        """Return when the job was created, by the service's clock; None if that is not known.

        For a job that no listing has shown yet the time is a little late.
        """
        job = self._unfinished.get(service_id)
        return job.created_at if job else self._marks.get(service_id)

    def keep_time(self, observed_at: datetime) -> None:
        """Note what the service's clock shows now."""
        self._ahead = observed_at - self._clock.now()

    def see(self, jobs: Iterable[SynthesisJob], *, down_to: datetime | None, watched: Container[str]) -> None:
        """Take in the newest jobs of the list. `down_to`: creation of the oldest one read, None for the whole list."""
        listed = {job.service_id: job for job in jobs}
        deepest = self._deepest(watched)
        if deepest is None or down_to is None or down_to < deepest:
            self._deep_at = self._clock.monotonic()
        unread = {
            name: job
            for name, job in self._unfinished.items()
            if down_to and (job.created_at is None or job.created_at <= down_to)
        }
        self._unfinished = {name: job for name, job in (unread | listed).items() if not job.ended}

    def others(self, watched: Container[str]) -> set[str]:
        """Return the jobs that are neither watched, marked nor stuck."""
        since = self.now() - timedelta(seconds=MARK_SECONDS)
        self._marks = {name: at for name, at in self._marks.items() if at > since}
        return {
            name
            for name, job in self._unfinished.items()
            if name not in watched and name not in self._marks and not self._stuck(job)
        }

    def deep_look(self, watched: Container[str]) -> datetime | None:
        """Return the creation of the oldest job of others, if it is time to read that far down."""
        due = self._clock.monotonic() >= self._deep_at + DEEP_LOOK_SECONDS
        return self._deepest(watched) if due else None

    def _deepest(self, watched: Container[str]) -> datetime | None:
        jobs = (self._unfinished[name] for name in self.others(watched))
        return min((job.created_at for job in jobs if job.created_at), default=None)

    def _stuck(self, job: SynthesisJob) -> bool:
        return job.created_at is not None and (self.now() - job.created_at).total_seconds() > self._stuck_seconds
