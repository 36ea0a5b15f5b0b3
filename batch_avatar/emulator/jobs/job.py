"""One job: what was requested, what rendering produced, and its status."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from batch_avatar.emulator.faults import AbortJob, EndJob, FailJob, JobAction, StickJob

if TYPE_CHECKING:
    from batch_avatar.emulator.jobs.preview_request import PreviewBody
    from batch_avatar.emulator.jobs.request import SynthesisRequest
    from batch_avatar.emulator.options import Generation

Status = str
"""NotStarted, Running, Succeeded, Failed (D), or what a fault rule ends a job with."""
Removal = Literal["deleted", "expired", "replaced"]
Failure = tuple[str, str]
"""Code and message."""
TERMINAL: frozenset[Status] = frozenset({"Succeeded", "Failed"})

ABORTED = "Aborted"
"""The only failure code seen in public, with its message (O)."""
ABORTED_MESSAGE = "This job is aborted due to timeout."


def content_key(content: str) -> str:
    """Name an input by its content: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class OutputBlob:
    """One blob that a job wrote. `role` is video, subtitle or summary."""

    role: Literal["video", "subtitle", "summary"]
    name: str
    """Blob name inside its container."""
    size_bytes: int
    sha256: str
    duration_milliseconds: int = 0


@dataclass(frozen=True)
class RenderedInput:
    """The result of one input of a job."""

    content: str
    """The `content_key` of its content."""
    milliseconds: int = 0
    """Length of what was rendered, whether it was kept or not."""
    characters: int = 0
    video: OutputBlob | None = None
    """None if the video was not kept."""
    failure: Failure | None = None


@dataclass(frozen=True)
class Rendered:
    """The result of rendering a job; the renderer sets it once. Sums are cached because every read needs them."""

    at: datetime
    blobs: tuple[OutputBlob, ...]
    """All blobs that were written; the summary, if there is one, comes last."""
    inputs: tuple[RenderedInput, ...] = ()
    """All inputs, in their order; empty if the job was never rendered."""
    failure: Failure | None = None
    """Set if the job can only fail."""
    counts_all: bool = False
    """Whether the size that the job tells is that of all blobs, and not only of the videos."""

    @cached_property
    def videos(self) -> tuple[OutputBlob, ...]:
        """The videos, in input order."""
        return tuple(blob for blob in self.blobs if blob.role == "video")

    @cached_property
    def characters(self) -> int:
        """Characters of all inputs that were rendered."""
        return sum(one.characters for one in self.inputs)

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Milliseconds of each input."""
        return tuple(one.milliseconds for one in self.inputs)

    @cached_property
    def duration_milliseconds(self) -> int:
        """Length of all videos together, whether they were kept or not."""
        return sum(self.lengths)

    @cached_property
    def size_bytes(self) -> int:
        """The size that the job tells."""
        return sum(blob.size_bytes for blob in (self.blobs if self.counts_all else self.videos))

    @cached_property
    def succeeded_count(self) -> int:
        """Number of inputs that were rendered without a failure, whether their videos were kept or not."""
        return sum(one.failure is None for one in self.inputs)

    def blob(self, role: str) -> OutputBlob | None:
        """Return the first blob with this role."""
        return next((blob for blob in self.blobs if blob.role == role), None)


@dataclass
class Job:
    """One accepted create. Mutable; the store's lock guards it."""

    id: str
    name: str
    """The client's name for the job: its id, or in 3.1-preview1 its display name."""
    internal_id: str
    operation_id: str
    incarnation: int
    """Number of earlier jobs with the same name."""
    request: SynthesisRequest
    created: datetime
    preview: PreviewBody | None = None
    """The body of a 3.1-preview1 create; `request` is then its translation."""
    fault: JobAction | None = None
    created_shown: Literal["right", "year_one"] | float = "right"
    """As the option of that name."""
    destination_expires: datetime | None = None
    """When the signature for the user's container expires, in service time."""
    held: bool = field(init=False)
    """Whether rendering waits for a release: a stuck job must leave nothing in the user's container."""
    status: Status = "NotStarted"
    last_action: datetime = field(init=False)
    reads: int = 0
    rendered: Rendered | None = None
    released_at: datetime | None = None
    first_reported_terminal: datetime | None = None
    """When a read first showed a client that the job is terminal."""
    removed: Removal | None = None
    links: dict[str, str] | None = None
    """The links of the first read, if links are minted only once."""

    def __post_init__(self) -> None:
        self.last_action = self.created
        if isinstance(self.fault, StickJob) and self.fault.release_after_seconds is not None:
            self.released_at = self.created + timedelta(seconds=self.fault.release_after_seconds)
        self.held = isinstance(self.fault, StickJob) and bool(self.request.properties.destination_container_url)

    @property
    def generation(self) -> Generation:
        """The generation whose paths show this job."""
        return "2024" if self.preview is None else "3.1"

    @property
    def terminal(self) -> bool:
        """Whether the job's status will not change any more."""
        return self.is_end(self.status)

    def is_end(self, status: Status) -> bool:
        """Return whether a job with this status will not change any more."""
        return status in TERMINAL or (self.odd is not None and status == self.odd.status)

    @property
    def odd(self) -> EndJob | None:
        """The fault that ends the job with another status, if there is one."""
        return self.fault if isinstance(self.fault, EndJob) else None

    @property
    def end(self) -> Status:
        """The status with which the job ends."""
        if self.odd is not None:
            return self.odd.status
        return "Failed" if self.failure else "Succeeded"

    @property
    def shows_outcome(self) -> bool:
        """Whether the job shows what it made: it has succeeded, or has ended with another status all the same."""
        return self.status == "Succeeded" or (self.odd is not None and self.terminal)

    @property
    def shown_created(self) -> datetime:
        """The creation time that the job shows."""
        if self.created_shown == "right":
            return self.created
        if self.created_shown == "year_one":
            return datetime(1, 1, 1, tzinfo=UTC)
        return self.created + timedelta(seconds=float(self.created_shown))

    @property
    def aborted(self) -> bool:
        """Whether a fault lets the job time out in the queue."""
        return isinstance(self.fault, AbortJob)

    @property
    def failure(self) -> Failure | None:
        """Code and message with which the job fails; None if it does not fail."""
        if isinstance(self.fault, AbortJob):
            return (ABORTED, ABORTED_MESSAGE)
        if isinstance(self.fault, FailJob):
            return (self.fault.code, self.fault.message)
        return self.rendered.failure if self.rendered else None

    @property
    def expires(self) -> datetime:
        """When the service removes the terminal job (D: last action + time to live)."""
        if self.preview is not None:
            return self.last_action + self.preview.properties.life
        return self.last_action + timedelta(hours=self.request.properties.time_to_live_in_hours)
