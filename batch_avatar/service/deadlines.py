"""How long a job may take, by a clock that is believed: our own where it contradicts the service's times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batch_avatar.catalog.regions import batch_avatar_regions
from batch_avatar.models import JobStatus

if TYPE_CHECKING:
    from datetime import datetime

    from batch_avatar.clock import Clock
    from batch_avatar.models import SynthesisJob


@dataclass
class Deadlines:
    """Deadlines in seconds from a job's creation. Outages do not count, as no job could be worked on then.

    A job is never older than our own clock allows: since its create was answered, or since it was first seen here if
    nobody noted that. A creation time of the service can only make it younger, and not younger than nothing.
    """

    start_seconds: float
    job_seconds: float
    clock: Clock
    outages: list[tuple[datetime, float]] = field(default_factory=list)
    """For each outage, when it ended and how many seconds it took."""
    _created: dict[str, datetime] = field(default_factory=dict)

    def note_created(self, service_id: str, at: datetime) -> None:
        """Note when the job's create was answered, by our own clock."""
        self._created[service_id] = at

    def note_seen(self, service_id: str) -> None:
        """Note that the job exists by now, unless it is known since when."""
        self._created.setdefault(service_id, self.clock.now())

    def forget(self, service_id: str) -> None:
        self._created.pop(service_id, None)

    def overdue(self, job: SynthesisJob) -> str | None:
        """Return, in words, which deadline an unfinished job has passed; None if none."""
        if job.terminal:
            return None
        age = self._age_seconds(job)
        if job.status == JobStatus.NOT_STARTED and age > self.start_seconds:
            late = f"still NotStarted {age:.0f} s after its creation (deadline {self.start_seconds:.0f} s)"
            known = batch_avatar_regions()
            return f"{late}; outside of these regions jobs may never start: {', '.join(known)}" if known else late
        if age > self.job_seconds:
            return f"still {job.status} {age:.0f} s after its creation (deadline {self.job_seconds:.0f} s)"
        return None

    def left_seconds(self, job: SynthesisJob) -> float:
        """Return how long until the last deadline of the job, whatever its status; not less than 0."""
        return max(0.0, self.job_seconds - self._age_seconds(job))

    def _age_seconds(self, job: SynthesisJob) -> float:
        """Return the job's age without outages."""
        self.note_seen(job.service_id)
        now = self.clock.now()
        age = max(0.0, (now - self._created[job.service_id]).total_seconds())
        if job.created_at is not None and job.created_at <= job.observed_at:
            age = min(age, job.age_seconds)
        ago = ((now - end).total_seconds() for end, _ in self.outages)
        excused = (max(0.0, min(took, age - since)) for (_, took), since in zip(self.outages, ago, strict=True))
        return age - sum(excused)
