"""A job of the simulated service, and how an answer shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from batch_avatar.models import JobStatus, SynthesisJob

if TYPE_CHECKING:
    from datetime import datetime

    from benchmarks.workload import Rendering


@dataclass(eq=False, slots=True)
class SimulatedJob:
    """One job. Times are seconds of the clock; None for an event that has not happened."""

    job_id: str
    description: str
    contents: tuple[str, ...]
    inputs: tuple[Rendering, ...]
    created: datetime
    created_at: float
    starts_at: float
    ends_at: float
    seen_at: float | None = None
    """When an answer first showed the job as terminal."""
    deleted_at: float | None = None

    @property
    def lag_seconds(self) -> float | None:
        """Seconds from the job's end until an answer showed it."""
        return None if self.seen_at is None else max(0.0, self.seen_at - self.ends_at)

    @property
    def billed_seconds(self) -> int:
        return sum(int(rendering.video_seconds) for rendering in self.inputs)

    def shown(self, host: str, observed: datetime, *, running: bool, ended: bool) -> SynthesisJob:
        """Return the job as an answer of this host shows it."""
        acted_at = self.ends_at if ended else self.starts_at if running else self.created_at
        facts: dict[str, object] = {
            "service_id": self.job_id,
            "resource": host,
            "internal_id": f"internal-{self.job_id}",
            "description": self.description,
            "status": JobStatus.RUNNING.value if running else JobStatus.NOT_STARTED.value,
            "created_at": self.created,
            "last_action_at": self.created + timedelta(seconds=acted_at - self.created_at),
            "observed_at": observed.replace(microsecond=0),  # HTTP's Date header has whole seconds
            "time_to_live_hours": 744,
        }
        if ended:
            milliseconds = round(1000 * sum(rendering.video_seconds for rendering in self.inputs))
            facts |= {
                "status": JobStatus.SUCCEEDED.value,
                "duration_milliseconds": milliseconds,
                "size_bytes": 250 * milliseconds,  # the default of 2,000 kbit/s
                "billing": {
                    "talkingAvatarDurationSeconds": self.billed_seconds,
                    "neuralCharacters": sum(rendering.characters for rendering in self.inputs),
                },
                "result_link": SecretStr(f"https://results.invalid/{self.job_id}/0001.mp4"),
                "summary_link": SecretStr(f"https://results.invalid/{self.job_id}/summary.json"),
            }
        return SynthesisJob.model_validate(facts)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A create that was answered with 429, and how many creates had been accepted before it."""

    at: float
    reason: Literal["pace", "slots"]
    accepted_before: int
