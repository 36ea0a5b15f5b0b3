"""Every switch of the emulator. The defaults are hostile to clients.

Letters mark the source of a behaviour: D is documented, O was observed by users, I is inferred from examples, and U is
unknown (the default is then the reading that is hardest on a client). `docs/emulator-differences.md` lists the same
as tables. Other modules of the emulator use these letters too.
"""

from __future__ import annotations

import secrets
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from batch_avatar.emulator.faults import FaultRule

GA = "2024-08-01"
PREVIEW = "2024-04-15-preview"
PREVIEW_1 = "3.1-preview1"
"""This version stands in the path, not in a query parameter (D)."""

Generation = Literal["2024", "3.1"]
"""Versions with the same paths and members: both api-versions of 2024, or 3.1-preview1."""


class Progression(BaseModel):
    """How a job moves from NotStarted to its end. Spans are in service seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["at_once", "after_reads", "after_seconds"] = "after_seconds"
    reads: int = Field(default=2, ge=1)
    """after_reads: which read of a job (GET or list) is the first that finds it terminal."""
    start_delay_seconds: float = Field(default=1.0, ge=0)
    """after_seconds: time that a job stays NotStarted."""
    overhead_seconds: float = Field(default=2.0, ge=0)
    seconds_per_video_second: float = Field(default=1.7, ge=0)
    """O: 87 s of video took about 150 s; 2.5 s took 3.6 s."""
    lognormal_mean_seconds: float | None = Field(default=None, gt=0)
    """When set, the run time is drawn from a log-normal distribution and does not depend on the video's length."""
    lognormal_cv: float = Field(default=0.6, gt=0)
    """Coefficient of variation of that distribution: standard deviation divided by mean."""
    inputs: Literal["sequential", "parallel"] = "sequential"
    """U: whether the inputs of one job are rendered one after another, or all at once (the longest one then counts)."""
    noise_cv: float = Field(default=0.0, ge=0)
    """When above 0, the run time is multiplied by a log-normal factor with mean 1 and this standard deviation."""

    @classmethod
    def at_once(cls) -> Self:
        """Let a job be terminal at the first read after its media is written."""
        return cls(kind="at_once")

    @classmethod
    def after_reads(cls, reads: int) -> Self:
        """Let a job be terminal at the given read; earlier reads find it NotStarted, then Running."""
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
        """Let a job be terminal after `start_delay + overhead + per_video_second * length` service seconds."""
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
        """Let a job be terminal after a drawn run time. Seed, job name and incarnation decide the draw."""
        return cls(
            kind="after_seconds",
            start_delay_seconds=start_delay,
            lognormal_mean_seconds=mean_seconds,
            lognormal_cv=cv,
        )


class EmulatorOptions(BaseModel):
    """How the emulated service behaves, and which answer it assumes for each open question."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # Access
    key: str = Field(default_factory=lambda: secrets.token_hex(16), min_length=1, repr=False)
    """The resource's key, for `Ocp-Apim-Subscription-Key` (D)."""
    bearer_token: str | None = Field(default=None, repr=False)
    """When set, `Authorization: Bearer <this>` is accepted too (D: plain Bearer)."""
    bearer_role: Literal["speech_user", "none"] = "speech_user"
    """O: an identity without a role that has the data actions is refused with 401 and `PermissionDenied`."""
    tier: Literal["S0", "F0"] = "S0"
    """O: a free resource refuses everything with 403; the docs say 400."""
    api_versions: tuple[str, ...] = (GA, PREVIEW, PREVIEW_1)
    """Versions that are served. Another version in the query is refused with 400 (U); a path that belongs to none of
    them is 404."""

    # Time
    time_scale: float = Field(default=1.0, gt=0)
    """Service seconds per real second."""
    stepped_clock: bool = False
    """Whether service time moves only by `advance`."""
    date_off_seconds: float = 0.0
    """How far the `Date` of answers is off from service time, as seen by clients whose own clock is wrong."""
    seed: int = 0
    """Seed of fault probabilities and drawn run times."""
    progression: Progression = Progression()

    # Limits
    creates_per_minute: int = Field(default=2, ge=0)
    """D: 2 a minute on S0, counted by the service clock; 0 = unlimited. Only creates count (O)."""
    limited_requests: Literal["creates", "all"] = "creates"
    """O: only creates count towards that limit; one client says so. U: whether reads and deletes do, in one bucket."""
    refused_creates_count: bool = True
    """U: whether a create refused for another reason (400, 409) uses up the allowance too. One that this limit refuses
    with 429 never does."""
    active_jobs_limit: int = Field(default=200, ge=0)
    """D: how many jobs of a resource may be unfinished at once; 0 = unlimited."""
    active_jobs_refusal: Literal["429", "400"] = "429"
    """U for 2024-08-01. 3.1-preview1 always answers 400 (D in its audio docs)."""
    body_limit_bytes: int = Field(default=500 * 1024, ge=1)
    """D: 500 kilobytes."""
    oversize_status: Literal[400, 413] = 400
    """U: status for a body that is too large."""
    page_size_limit: int = Field(default=100, ge=1)
    """D: default and largest size of a page."""
    oversized_page: Literal["refuse", "clamp"] = "refuse"
    """U: the old audio docs refuse a larger page with 400."""
    max_video_minutes: float = Field(default=20.0, gt=0)
    """D: the length of the longest video."""
    long_videos: Literal["cut", "failed"] = "cut"
    """What becomes of a longer one: it is cut there (O, one client), or makes its job fail (U)."""

    # Open questions
    repeat_put: Literal["conflict", "existing", "replace", "bad_request"] = "conflict"
    """U, but one client has seen 409. What a PUT of an existing id does: 409 | 201 with the old job | 201 with a new
    job that is billed again | 400. 3.1-preview1 has no such case: each POST makes a job (D: names need not be unique).
    """
    operation_id_replay: Literal["first_result", "as_new"] = "first_result"
    """U: what an identical repeat with the same Operation-Id gets. With another body it is always 400 (D)."""
    delete_unfinished: Literal["refuse", "accept"] = "refuse"
    """U; the old audio docs refuse it with 400."""
    get_absent: Literal[404, 204] = 404
    """U: status for a GET of an absent job. The audio docs list both."""
    delete_absent: Literal[204, 404] = 204
    """U: status for a delete of an absent job. The audio docs list both."""
    created_shown: Literal["right", "year_one"] | float = "right"
    """U: whether the creation time that jobs show is right, the year 1, or so many seconds off, as with local time."""
    list_lag_seconds: float = Field(default=2.0, ge=0)
    """U: service seconds until the list shows a new job. GET shows it at once."""
    bad_version_status: Literal[400, 404] = 400
    """U: status for a request whose api-version is missing or unknown."""
    smallest_ttl_hours: int = Field(default=1, ge=1, le=744)
    """U: the shortest time to live that a create may ask for."""
    ttl_out_of_range: Literal["refuse", "clamp"] = "refuse"
    """U: whether a create with another time to live is refused with 400, or gets the nearest one."""
    codec_mismatch: Literal["refuse", "substitute"] = "refuse"
    """U: whether a codec that its container cannot hold is refused with 400, or h264 in mp4 and vp9 in webm take its
    place, which the job then names."""
    unknown_members: Literal["ignore", "refuse"] = "ignore"
    """O: clients send old members. Whether they are ignored or refused is U."""
    delete_destination_blobs: bool = True
    """U: whether a delete also removes the blobs in the user's own container (one reading of the docs)."""
    destination_jobs_stick: bool = False
    """O, issue 2644: jobs that write into the user's own container stay NotStarted until `release` frees them."""
    partial_failure: Literal["failed", "succeeded"] = "failed"
    """U: how a job ends when some of its inputs failed. When all of them failed, it is Failed."""
    partial_outputs: Literal["dropped", "kept"] = "dropped"
    """U: whether the videos of the good inputs exist when such a job ended Failed."""
    bill_failed_jobs: bool = True
    """U: whether a job that failed after rendering is billed. The stats count it separately."""
    withdrawn_avatars: Literal["refused", "substitute"] = "refused"
    """U: whether a create that names a withdrawn avatar is refused with 400, or renders another one, which the job and
    its summary then name."""
    withdrawals_as_of: date | None = None
    """The day for which it is judged what is withdrawn; None: the day of service time."""
    custom_avatars: tuple[str, ...] | None = None
    """Names of the custom avatars that the resource has; None accepts any name."""

    # Outputs
    media: Literal["real", "minimal", "shared"] = "minimal"
    """real: playable videos; minimal: correct containers with the right length but without pictures; shared: one
    minimal video that is stored once and copied by the storage for every job (for tests that move large files)."""
    minimal_size_bytes: int = Field(default=4096, ge=1024)
    """Size of one minimal or shared video."""
    minimal_characters_per_second: float = Field(default=15.0, gt=0)
    video_width: int = Field(default=640, ge=16)
    video_height: int = Field(default=360, ge=16)
    """Pixels. The service's own videos have 1920x1080 (D)."""
    summary_texts: Literal["whole", "sentences", "absent"] = "whole"
    """`texts` in the summary: the input as one (D), split into sentences, or missing (U)."""
    size_in_bytes: Literal["videos", "all_outputs"] = "videos"
    """U: what `sizeInBytes` (`audioSize` in 3.1-preview1) counts."""
    vary_bytes: bool = True
    """U: whether two renders of one text differ in their bytes."""
    content_md5: bool = False
    """U: whether output blobs carry Content-MD5."""
    link_lifetime_seconds: float = Field(default=72 * 3600.0, gt=0)
    """Service seconds. O: 72 h and 5 minutes were measured."""
    links_minted: Literal["per_read", "once"] = "per_read"
    """I: the times in the signatures differ from read to read."""
    storage_front: bool = False
    """Whether links lead through a forwarder, which can play download faults and records the headers of each request.
    """
    storage_certificate: str | None = None
    """File of the authority that signed the certificate of a storage with https; None: the usual authorities."""
    render_threads: int = Field(default=2, ge=1)

    faults: tuple[FaultRule, ...] = ()
    """The fault rules at the start; `set_faults` replaces them."""
    request_log_size: int = Field(default=20_000, ge=1)
