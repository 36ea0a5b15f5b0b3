"""The values that travel. Frozen; strict for what a person writes, lenient for what the service sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated, Literal
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from batch_avatar.forms import for_forms


class Written(BaseModel):
    """Written by a person: an unknown member is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Received(BaseModel):
    """Read back from the service or the archive: an unknown member is news, not a mistake."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _folded(*values: str) -> BeforeValidator:
    """Accept any case of the listed values, as the service does."""
    spelled = {value.lower(): value for value in values}
    return BeforeValidator(lambda value: spelled.get(value.lower(), value) if isinstance(value, str) else value)


InputKind = Annotated[Literal["PlainText", "SSML"], _folded("PlainText", "SSML")]
VideoFormat = Annotated[Literal["mp4", "webm"], _folded("mp4", "webm")]
VideoCodec = Annotated[Literal["h264", "hevc", "vp9", "av1"], _folded("h264", "hevc", "vp9", "av1")]
SubtitleType = Annotated[
    Literal["soft_embedded", "hard_embedded", "external_file", "none"],
    _folded("soft_embedded", "hard_embedded", "external_file", "none"),
]


class Point(Written):
    x: float
    y: float


class VideoCrop(Written):
    """A rectangle in pixels of the 1920x1080 frame."""

    top_left: Point
    bottom_right: Point


class Scene(Written):
    """Where a photo avatar sits and how much it moves; rotations in radians."""

    zoom: float | None = Field(default=None, gt=0)
    position_x: float | None = Field(default=None, ge=-1, le=1)
    position_y: float | None = Field(default=None, ge=-1, le=1)
    rotation_x: float | None = Field(default=None, ge=-3.1416, le=3.1416)
    rotation_y: float | None = Field(default=None, ge=-3.1416, le=3.1416)
    rotation_z: float | None = Field(default=None, ge=-3.1416, le=3.1416)
    amplitude: float | None = Field(default=None, gt=0, le=1)


class Item(Written):
    """What is spoken, under which name; apart from `Properties` so that forms ask for it first."""

    script_id: Annotated[str, AfterValidator(partial(normalize, "NFC"))] = Field(
        min_length=1, max_length=200, description="Your name for it, e.g. fire-drill; names the video's folder."
    )
    input_kind: InputKind = Field(default="PlainText", description="PlainText or SSML.")
    content: str = Field(min_length=1, description="What is spoken.")


class Properties(Written):
    """Every property of a request, in snake_case; unset means the service's or our default.

    Source: the properties page of batch avatar synthesis (2/2026), the 2024-08-01 specification, and the table of
    standard avatars (commit b31f33b of their documentation).
    """

    description: str | None = Field(default=None, description="A note for people; kept with the job.")
    voice: str | None = Field(
        default=None,
        min_length=1,
        description="Voice name, e.g. en-US-AvaMultilingualNeural. PlainText needs it.",
    )
    style: str | None = Field(default=None, description="Speaking style of the voice, e.g. cheerful (PlainText only).")
    rate: str | None = Field(default=None, description="SSML prosody rate, e.g. -5% (PlainText only).")
    pitch: str | None = Field(default=None, description="SSML prosody pitch, e.g. +2st (PlainText only).")
    volume: str | None = Field(default=None, description="SSML prosody volume, e.g. soft (PlainText only).")
    custom_voices: dict[str, str] | None = Field(
        default=None, description="Custom voice names and their deployment ids."
    )
    talking_avatar_character: str | None = Field(
        default=None,
        min_length=1,
        description="Avatar: harry, jeff, lisa, lori, max, meg; or the name of a photo avatar or of a custom model.",
    )
    talking_avatar_style: str | None = Field(
        default=None,
        description="Pose and dress; standard video avatars need it. lisa: casual-sitting, graceful-sitting, "
        "graceful-standing, technical-sitting, technical-standing; harry: business, casual, youthful; jeff: business, "
        "formal; lori: casual, formal, graceful; max and meg: business, casual, formal.",
    )
    customized: bool | None = Field(default=None, description="True for a custom avatar.")
    photo_avatar_base_model: Literal["vasa-1"] | None = Field(
        default=None, description="vasa-1 for any photo avatar; leave empty for video avatars."
    )
    scene: Scene | None = Field(default=None, description="Placement of a photo avatar.")
    use_built_in_voice: bool | None = Field(default=None, description="Use the voice a custom avatar was trained with.")
    video_format: VideoFormat | None = Field(default=None, description="mp4, or webm for transparency.")
    video_codec: VideoCodec | None = Field(
        default=None, description="h264 plays everywhere and is our default in mp4; hevc, vp9, av1."
    )
    bitrate_kbps: int | None = Field(default=None, gt=0, description="Video bit rate; the service's default is 2000.")
    subtitle_type: SubtitleType | None = Field(
        default=None, description="How subtitles are delivered; the service embeds them softly unless told otherwise."
    )
    background_color: str | None = Field(default=None, description="#RRGGBBAA, e.g. #FFFFFFFF; or transparent.")
    background_image: str | None = Field(default=None, description="https link of a still picture.")
    video_crop: VideoCrop | None = Field(default=None, description="Part of the 1920x1080 frame to keep.")
    avatar_position: Point | None = Field(default=None, description="In the specification only, without prose.")
    avatar_size: Point | None = Field(default=None, description="In the specification only, without prose.")
    resolution: Point | None = Field(default=None, description="In the specification only, without prose.")
    time_to_live_in_hours: int | None = Field(
        default=None, ge=1, le=744, description="How long the service keeps the job after its last change."
    )
    destination_container_url: SecretStr | None = Field(
        default=None,
        description="Container with a service SAS that the service writes to instead of its own.",
    )
    destination_path: str | None = Field(default=None, description="Folder in that container.")


class Script(Properties, Item):
    """One item to be spoken, and how it shall look."""

    model_config = ConfigDict(json_schema_extra=for_forms)


class JobStatus(StrEnum):
    """The four documented statuses; the decoder keeps other strings and they mean "not terminal"."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class SynthesisJob(Received):
    """A job as the service shows it at `observed_at` (the service's own clock).

    `service_id` is the id the service knows it by. Links are secrets: used at once, stored nowhere.
    """

    service_id: str
    resource: str = ""
    """The host that showed it."""
    display_name: str | None = None
    """Only where the service chooses the ids (3.1-preview1): what we called it."""
    internal_id: str | None = None
    status: str
    description: str | None = None
    created_at: datetime | None = None
    last_action_at: datetime | None = None
    observed_at: datetime
    time_to_live_hours: float | None = None
    subtitle_type: str | None = None
    size_bytes: int | None = None
    duration_milliseconds: int | None = None
    billing: dict[str, int] = Field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None
    result_link: SecretStr | None = None
    summary_link: SecretStr | None = None
    subtitle_link: SecretStr | None = None

    @property
    def job_id(self) -> str:
        """Our name for it, whichever way the service carries it."""
        return self.display_name or self.service_id

    @property
    def born(self) -> datetime:
        """What jobs of one name are told apart by, the older first; one without a time is older than all."""
        return self.created_at or datetime.min.replace(tzinfo=UTC)

    @property
    def expires_at(self) -> datetime | None:
        """When the service deletes it: last action and time to live together, once it has ended (documented)."""
        if not self.terminal or self.last_action_at is None or self.time_to_live_hours is None:
            return None
        try:
            return self.last_action_at + timedelta(hours=self.time_to_live_hours)
        except (OverflowError, ValueError):
            return None

    @property
    def terminal(self) -> bool:
        return self.status in (JobStatus.SUCCEEDED, JobStatus.FAILED)

    @property
    def age_seconds(self) -> float:
        """Seconds since creation by the service's clock; 0 where the service tells no creation time."""
        return max(0.0, (self.observed_at - self.created_at).total_seconds()) if self.created_at else 0.0

    @property
    def billed_seconds(self) -> int:
        return sum(count for name, count in self.billing.items() if name.endswith("Seconds"))

    @property
    def billed_characters(self) -> int:
        return sum(count for name, count in self.billing.items() if name.endswith("Characters"))


class JobRef(Received):
    """A job that exists or is about to: enough to find it again, nothing secret.

    `resource`: the host that has it; empty where there is only one. `input`: which input of a pack it is, from 1; 0 for
    a job of its own.
    """

    script_id: str
    content_id: str
    attempt: int
    job_id: str
    service_id: str
    resource: str = ""
    input: int = 0


class FailureFacts(Received):
    """What went wrong, in the words of reports and dead letters."""

    failure_class: str = Field(serialization_alias="class", validation_alias="class")
    code: str
    message: str


class Permits(Written):
    """What a person allows a run to pay for again; without them, what was decided stays decided."""

    revision: int = Field(default=0, ge=0, le=999)
    """Wanted re-renders: every script shall be archived at this revision. Asking twice for one is asking once."""
    retry_failed: bool = False
    """Send again what has a dead letter."""
    rerender_lost: bool = False
    """Send again what was paid for and is gone, and what has a receipt but no video."""
    accept_changes: bool = False
    """Render changed scripts, however many they are."""


class OutcomeKind(StrEnum):
    ARCHIVED = "archived"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNFINISHED = "unfinished"


class Outcome(Received):
    """How one script ended in this run, and what was billed for it in this run."""

    script_id: str
    job_id: str | None = None
    outcome: OutcomeKind
    blob_prefix: str | None = None
    error: FailureFacts | None = None
    note: str | None = None
    """What a person should know although it is archived, e.g. a doubtful video or a missing side file."""
    billed_seconds: int = 0
    billed_characters: int = 0
