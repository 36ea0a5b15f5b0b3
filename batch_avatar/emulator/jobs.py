"""One job and the pure decision where it stands at a moment of service time."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple

from batch_avatar.emulator.faults import AbortJob, FailJob, JobAction, StickJob

if TYPE_CHECKING:
    from batch_avatar.emulator.options import Generation, Progression
    from batch_avatar.emulator.preview import PreviewBody
    from batch_avatar.emulator.request import SynthesisRequest

Status = Literal["NotStarted", "Running", "Succeeded", "Failed"]
Removal = Literal["deleted", "expired", "replaced"]
TERMINAL: frozenset[Status] = frozenset({"Succeeded", "Failed"})

ABORTED = "Aborted"
"""The only failure code seen in public, with its message (O)."""
ABORTED_MESSAGE = "This job is aborted due to timeout."


@dataclass(frozen=True)
class OutputBlob:
    """One blob that a job wrote. `role` is video, subtitle or summary."""

    role: Literal["video", "subtitle", "summary"]
    name: str
    """Inside its container."""
    size_bytes: int
    sha256: str
    duration_milliseconds: int = 0


@dataclass(frozen=True)
class Rendered:
    """What rendering a job came to; set once, by the renderer."""

    at: datetime
    blobs: tuple[OutputBlob, ...]
    characters: int = 0
    failure: tuple[str, str] | None = None
    """Code and message when the job can only fail."""
    attempted_milliseconds: int = 0
    """Length of everything rendered, kept or not."""

    @property
    def videos(self) -> tuple[OutputBlob, ...]:
        """The videos, in input order."""
        return tuple(blob for blob in self.blobs if blob.role == "video")

    @property
    def duration_milliseconds(self) -> int:
        """Length of all videos together, kept or not."""
        return self.attempted_milliseconds

    def blob(self, role: str) -> OutputBlob | None:
        """Give the first blob of a role."""
        return next((blob for blob in self.blobs if blob.role == role), None)


@dataclass
class Job:
    """One accepted create. Mutable; the store's lock guards it."""

    id: str
    name: str
    """What its client calls it: the id, or in 3.1-preview1 the display name."""
    internal_id: str
    operation_id: str
    incarnation: int
    """How many jobs with this name came before."""
    request: SynthesisRequest
    created: datetime
    preview: PreviewBody | None = None
    """What a 3.1-preview1 create said; `request` is then its translation."""
    fault: JobAction | None = None
    status: Status = "NotStarted"
    last_action: datetime = field(init=False)
    reads: int = 0
    rendered: Rendered | None = None
    released_at: datetime | None = None
    first_reported_terminal: datetime | None = None
    """When a read first told a client that the job is terminal."""
    removed: Removal | None = None
    links: dict[str, str] | None = None
    """Links kept from the first read, when they are minted once."""

    def __post_init__(self) -> None:
        self.last_action = self.created
        if isinstance(self.fault, StickJob) and self.fault.release_after_seconds is not None:
            self.released_at = self.created + timedelta(seconds=self.fault.release_after_seconds)

    @property
    def generation(self) -> Generation:
        """Whose paths show it."""
        return "2024" if self.preview is None else "3.1"

    @property
    def terminal(self) -> bool:
        """Whether no further change will come."""
        return self.status in TERMINAL

    @property
    def aborted(self) -> bool:
        """Whether it is chosen to time out in the queue."""
        return isinstance(self.fault, AbortJob)

    @property
    def failure(self) -> tuple[str, str] | None:
        """Code and message with which it fails, if it does."""
        if isinstance(self.fault, AbortJob):
            return (ABORTED, ABORTED_MESSAGE)
        if isinstance(self.fault, FailJob):
            return (self.fault.code, self.fault.message)
        return self.rendered.failure if self.rendered else None

    @property
    def expires(self) -> datetime:
        """When a terminal job is removed (D: last action + time to live)."""
        if self.preview is not None:
            return self.last_action + self.preview.properties.life
        return self.last_action + timedelta(hours=self.request.properties.time_to_live_in_hours)


class Standing(NamedTuple):
    """A status and since when."""

    status: Status
    since: datetime


def decide_standing(job: Job, progression: Progression, seed: int, now: datetime) -> Standing:
    """Tell where a job stands. Reads nothing but its arguments; never moves a job backwards."""
    if job.terminal:
        return Standing(job.status, job.last_action)
    if isinstance(job.fault, AbortJob):
        done = job.created + timedelta(seconds=job.fault.after_seconds)
        return Standing("Failed", done) if now >= done else Standing("NotStarted", job.created)
    if progression.kind == "after_seconds":
        standing = _by_time(job, progression, seed, now)
    else:
        standing = _by_reads(job, progression, now)
    held = isinstance(job.fault, StickJob) and not (job.released_at and now >= job.released_at)
    if isinstance(job.fault, StickJob) and held:
        if job.fault.status == "NotStarted":
            return Standing("NotStarted", job.created)
        if standing.status in TERMINAL:
            return Standing("Running", job.last_action if job.status == "Running" else now)
    return standing


def _end(job: Job) -> Status:
    return "Failed" if job.failure else "Succeeded"


def _latest(*moments: datetime | None) -> datetime:
    return max(moment for moment in moments if moment is not None)


def _by_time(job: Job, progression: Progression, seed: int, now: datetime) -> Standing:
    starts = job.created + timedelta(seconds=progression.start_delay_seconds)
    if isinstance(job.fault, StickJob) and job.fault.status == "NotStarted":
        starts = _latest(starts, job.released_at)
    if now < starts:
        return Standing("NotStarted", job.created)
    if job.rendered is None:
        return Standing("Running", starts)
    ends = _latest(starts + timedelta(seconds=run_seconds(job, progression, seed)), job.rendered.at)
    if isinstance(job.fault, StickJob):
        ends = _latest(ends, job.released_at)
    return Standing(_end(job), ends) if now >= ends else Standing("Running", starts)


def _by_reads(job: Job, progression: Progression, now: datetime) -> Standing:
    """Count only the job's own reads: NotStarted for the first half, then Running, terminal at read N."""
    needed = 0 if progression.kind == "at_once" else progression.reads
    since = job.last_action if job.status == "Running" else now
    if job.reads >= needed and job.rendered is not None:
        return Standing(_end(job), now)
    if job.reads > max(0, (needed - 1) // 2):
        return Standing("Running", since)
    return Standing("NotStarted", job.created)


def run_seconds(job: Job, progression: Progression, seed: int) -> float:
    """Tell how long a rendered job runs, in service seconds."""
    mean = progression.lognormal_mean_seconds
    if mean is not None:
        draw = random.Random(f"{seed}/{job.name}/{job.incarnation}")  # noqa: S311 - reproducible, not secret
        sigma = math.sqrt(math.log(1 + progression.lognormal_cv**2))
        return draw.lognormvariate(math.log(mean) - sigma**2 / 2, sigma)
    length = job.rendered.duration_milliseconds / 1000 if job.rendered else 0.0
    return progression.overhead_seconds + progression.seconds_per_video_second * length
