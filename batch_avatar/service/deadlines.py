"""How long a job may take, by the service's own clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batch_avatar.models import JobStatus

if TYPE_CHECKING:
    from datetime import datetime

    from batch_avatar.models import SynthesisJob


@dataclass
class Deadlines:
    """Deadlines in seconds from a job's creation. Outages do not count, as no job could be worked on then."""

    start_seconds: float
    job_seconds: float
    outages: list[tuple[datetime, float]] = field(default_factory=list)
    """For each outage, when it ended and how many seconds it took."""

    def overdue(self, job: SynthesisJob) -> str | None:
        """Return, in words, which deadline an unfinished job has passed; None if none."""
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
