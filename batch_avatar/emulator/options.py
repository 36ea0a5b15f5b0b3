"""Every switch of the emulator, hostile by default.

Marks say where a behaviour is from: D documented, O observed by users, I inferred from examples, U unknown
(the default is then the reading hardest on a client). `docs/emulator-differences.md` tells the same as a table.
"""

from __future__ import annotations

import secrets
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from batch_avatar.emulator.faults import FaultRule

GA = "2024-08-01"
PREVIEW = "2024-04-15-preview"
PREVIEW_1 = "3.1-preview1"
"""Not a query parameter but a part of the path (D)."""

Generation = Literal["2024", "3.1"]
"""Paths and members: those of the two api-versions of 2024 are the same, those of 3.1-preview1 are others."""


class Progression(BaseModel):
    """How a job moves from NotStarted to its end. Spans are in service seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["at_once", "after_reads", "after_seconds"] = "after_seconds"
    reads: int = Field(default=2, ge=1)
    """after_reads: the read (GET or list) of a job that first finds it terminal."""
    start_delay_seconds: float = Field(default=1.0, ge=0)
    """after_seconds: how long a job stays NotStarted."""
    overhead_seconds: float = Field(default=2.0, ge=0)
    seconds_per_video_second: float = Field(default=1.7, ge=0)
    """O: 87 s of video took about 150 s; 2.5 s took 3.6 s."""
    lognormal_mean_seconds: float | None = Field(default=None, gt=0)
    """When set, the run time is drawn from a log-normal law and the video's length plays no part."""
    lognormal_cv: float = Field(default=0.6, gt=0)
    """Standard deviation over mean of that law."""
    inputs: Literal["sequential", "parallel"] = "sequential"
    """U: whether the inputs of one job are rendered one after another or all at once (the longest one then counts)."""
    noise_cv: float = Field(default=0.0, ge=0)
    """When above 0, the run time is multiplied by a log-normal factor with mean 1 and this standard deviation."""

    @classmethod
    def at_once(cls) -> Self:
        """Terminal at the first read after the media is written."""
        return cls(kind="at_once")

    @classmethod
    def after_reads(cls, reads: int) -> Self:
        """Terminal at the given read; before it NotStarted, then Running."""
        return cls(kind="after_reads", reads=reads)

    @classmethod
    def after_seconds(
        cls,
        *,
        start_delay: float = 1.0,
        overhead: float = 2.0,
        per_video_second: float = 1.7,
        inputs: Literal["sequential", "parallel"] = "sequential",
        noise_cv: float = 0.0,
    ) -> Self:
        """Terminal after `start_delay + overhead + per_video_second * length` service seconds."""
        return cls(
            kind="after_seconds",
            start_delay_seconds=start_delay,
            overhead_seconds=overhead,
            seconds_per_video_second=per_video_second,
            inputs=inputs,
            noise_cv=noise_cv,
        )

    @classmethod
    def lognormal(cls, *, mean_seconds: float = 148.0, cv: float = 0.6, start_delay: float = 1.0) -> Self:
        """Terminal after a drawn run time; seed, job id and incarnation decide the draw."""
        return cls(
            kind="after_seconds",
            start_delay_seconds=start_delay,
            lognormal_mean_seconds=mean_seconds,
            lognormal_cv=cv,
        )


class EmulatorOptions(BaseModel):
    """What the service is, and which reading of each open question it plays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Access
    key: str = Field(default_factory=lambda: secrets.token_hex(16), min_length=1, repr=False)
    """The resource's key, for `Ocp-Apim-Subscription-Key` (D)."""
    bearer_token: str | None = Field(default=None, repr=False)
    """When set, `Authorization: Bearer <this>` is accepted too (D: plain Bearer)."""
    api_versions: tuple[str, ...] = (GA, PREVIEW, PREVIEW_1)
    """Another version in the query is refused with 400 (U); paths that none of them has are 404."""

    # Time
    time_scale: float = Field(default=1.0, gt=0)
    """Service seconds per real second."""
    stepped_clock: bool = False
    """Service time moves only by `advance`."""
    seed: int = 0
    """For fault probabilities and drawn run times."""
    progression: Progression = Progression()

    # Limits
    creates_per_minute: int = Field(default=2, ge=0)
    """D: 2 a minute on S0, counted on the service clock; 0 = unlimited. Only creates count (O)."""
    refused_creates_count: bool = True
    """U: a create refused with 400 or 409 spends the allowance as well; one refused with 429 does not."""
    active_jobs_limit: int = Field(default=200, ge=0)
    """D: jobs that are not terminal, per resource; 0 = unlimited."""
    active_jobs_refusal: Literal["429", "400"] = "429"
    """U for 2024-08-01; 3.1-preview1 always says 400 (D in its audio docs)."""
    body_limit_bytes: int = Field(default=500 * 1024, ge=1)
    """D: 500 kilobytes."""
    oversize_status: Literal[400, 413] = 400
    """U."""
    page_size_limit: int = Field(default=100, ge=1)
    """D: default and largest page."""
    oversized_page: Literal["refuse", "clamp"] = "refuse"
    """U: old audio docs refuse with 400."""
    max_video_minutes: float = Field(default=20.0, gt=0)
    """D; that a longer one makes the job fail is U."""

    # Open questions
    repeat_put: Literal["conflict", "existing", "replace", "bad_request"] = "conflict"
    """U, 409 seen by one client: 409 | 201 with the old job | 201 and a new, newly billed job | 400.
    Nothing of the kind in 3.1-preview1: each POST makes a job (D: names need not be unique)."""
    operation_id_replay: Literal["first_result", "as_new"] = "first_result"
    """Identical repeat with the same Operation-Id (U); with another body it is always 400 (D)."""
    delete_unfinished: Literal["refuse", "accept"] = "refuse"
    """U; the old audio docs refuse with 400."""
    get_absent: Literal[404, 204] = 404
    """U; the audio docs list both."""
    delete_absent: Literal[204, 404] = 204
    """U; the audio docs list both."""
    list_lag_seconds: float = Field(default=2.0, ge=0)
    """U: service seconds until the list shows a new job; GET shows it at once."""
    unknown_members: Literal["ignore", "refuse"] = "ignore"
    """O: clients send old members; whether they are ignored or refused is U."""
    delete_destination_blobs: bool = True
    """U: whether a delete takes the blobs in the user's own container too (one reading of the docs)."""
    destination_jobs_stick: bool = False
    """O, issue 2644: jobs with the user's own container never leave NotStarted; `release` frees them."""
    partial_failure: Literal["failed", "succeeded"] = "failed"
    """U: how a job ends of whose inputs some failed; when all did, it is Failed."""
    partial_outputs: Literal["dropped", "kept"] = "dropped"
    """U: whether the videos of its good inputs are there when such a job ended Failed."""
    bill_failed_jobs: bool = True
    """U: a job that failed after rendering is billed (and counted apart in the stats)."""
    custom_avatars: tuple[str, ...] | None = None
    """Names of custom avatars the resource has; None = any name exists."""

    # Outputs
    media: Literal["real", "minimal", "shared"] = "minimal"
    """real: playable; minimal: right containers with the right length, no pictures; shared: one minimal blob,
    stored once and copied by the storage for every job (for moving large files)."""
    minimal_size_bytes: int = Field(default=4096, ge=1024)
    """Size of a minimal or shared video."""
    minimal_characters_per_second: float = Field(default=15.0, gt=0)
    video_width: int = Field(default=640, ge=16)
    video_height: int = Field(default=360, ge=16)
    """Pixels; the service's own are 1920x1080 (D)."""
    vary_bytes: bool = True
    """U: two renders of one text differ in their bytes."""
    content_md5: bool = False
    """U: whether output blobs carry Content-MD5."""
    link_lifetime_seconds: float = Field(default=72 * 3600.0, gt=0)
    """O: 72 h and 5 minutes measured. Service seconds."""
    links_minted: Literal["per_read", "once"] = "per_read"
    """I: signature times differ from read to read."""
    storage_front: bool = False
    """Mint links through a forwarder that can play download faults and records which headers came."""
    render_threads: int = Field(default=2, ge=1)

    faults: tuple[FaultRule, ...] = ()
    """The rules at the start; `set_faults` replaces them."""
    request_log_size: int = Field(default=20_000, ge=1)
