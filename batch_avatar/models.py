"""The values that are passed around. Frozen; strict about what people write, lenient about what the service sends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Annotated, Literal
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, SecretStr

from batch_avatar.safe_text.redaction import know
from batch_avatar.ui_forms import for_forms


class Written(BaseModel):
    """A value that a person writes: an unknown member is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Received(BaseModel):
    """A value that is read from the service or the archive: an unknown member is new, not a mistake."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _folded(*values: str) -> BeforeValidator:
    """Give the listed values one spelling, and others lower case: the service takes any case."""
    spelled = {value.lower(): value for value in values}
    return BeforeValidator(lambda given: spelled.get(given.lower(), given.lower()) if isinstance(given, str) else given)


InputKind = Annotated[Literal["PlainText", "SSML"], _folded("PlainText", "SSML")]
Choice = Annotated[str, Field(min_length=1), _folded()]
"""One of the values that the service knows. It may know more of them than we do."""


def _signed(value: str | SecretStr | None) -> str | SecretStr | None:
    """Return the link as it is. From now on no text shows its signature."""
    know(value.get_secret_value() if isinstance(value, SecretStr) else value, passing=True)
    return value


Signed = AfterValidator(_signed)


class Point(Written):
    x: float
    y: float


class VideoCrop(Written):
    """A rectangle in pixels of the 1920x1080 frame."""

    top_left: Point
    bottom_right: Point


class Scene(Written):
    """Where a photo avatar sits and how much it moves; rotations are in radians."""

    zoom: float | None = Field(default=None, gt=0)
    position_x: float | None = Field(default=None, ge=-1, le=1)
    position_y: float | None = Field(default=None, ge=-1, le=1)
    rotation_x: float | None = Field(default=None, ge=-3.1416, le=3.1416)
    rotation_y: float | None = Field(default=None, ge=-3.1416, le=3.1416)
    rotation_z: float | None = Field(default=None, ge=-3.1416, le=3.1416)
    amplitude: float | None = Field(default=None, gt=0, le=1)


class Item(Written):
    """A script's name and content. Not part of `Properties`, so that forms ask for these fields first."""

    script_id: Annotated[str, AfterValidator(partial(normalize, "NFC"))] = Field(
        min_length=1,
        max_length=200,
        description="A name for the script, e.g. fire-drill; the folder of its video gets the same name.",
    )
    input_kind: InputKind = Field(default="PlainText", description="PlainText or SSML.")
    content: str = Field(min_length=1, description="What is spoken.")


class Properties(Written):
    """Every property of a request, in snake_case. A property that is not set takes our default or the service's.

    Source: the properties page of batch avatar synthesis (2/2026), the 2024-08-01 specification, and the catalogue.
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
        description="Avatar; or the name of a photo avatar or of a custom model.",
    )
    talking_avatar_style: str | None = Field(
        default=None,
        description="Pose and dress of a standard video avatar.",
    )
    customized: bool | None = Field(default=None, description="True for a custom avatar.")
    photo_avatar_base_model: Choice | None = Field(
        default=None, description="vasa-1 for any photo avatar; leave empty for video avatars."
    )
    scene: Scene | None = Field(default=None, description="Placement of a photo avatar.")
    use_built_in_voice: bool | None = Field(default=None, description="Use the voice a custom avatar was trained with.")
    video_format: Choice | None = Field(default=None, description="mp4, or webm for transparency.")
    video_codec: Choice | None = Field(
        default=None, description="h264 (plays everywhere; our default for mp4), hevc, vp9 or av1."
    )
    bitrate_kbps: int | None = Field(default=None, gt=0, description="Video bit rate; the service's default is 2000.")
    subtitle_type: Choice | None = Field(
        default=None, description="soft_embedded (the service's default), hard_embedded, external_file or none."
    )
    background_color: str | None = Field(default=None, description="#RRGGBBAA, e.g. #FFFFFFFF; or transparent.")
    background_image: Annotated[str | None, Signed] = Field(default=None, description="https link of a still picture.")
    video_crop: VideoCrop | None = Field(default=None, description="Part of the 1920x1080 frame to keep.")
    avatar_position: Point | None = Field(default=None, description="In the specification only, not explained.")
    avatar_size: Point | None = Field(default=None, description="In the specification only, not explained.")
    resolution: Point | None = Field(default=None, description="In the specification only, not explained.")
    time_to_live_in_hours: int | None = Field(
        default=None, ge=1, le=744, description="How long the service keeps the job after its last change."
    )
    destination_container_url: Annotated[SecretStr | None, Signed] = Field(
        default=None,
        description="URL, with a service SAS, of a container that the service writes to instead of its own.",
    )
    destination_path: str | None = Field(default=None, description="Folder in that container.")
    extra_properties: dict[str, dict[str, JsonValue]] | None = Field(
        default=None, description="Members of avatarConfig, synthesisConfig or properties that are not listed here."
    )


class Script(Properties, Item):
    """One script: what is spoken, and how the video looks."""

    model_config = ConfigDict(json_schema_extra=for_forms)

    columns: dict[str, str] | None = Field(
        default=None,
        description="Further facts, such as a department: kept in the archive beside the video, and never sent.",
    )


class JobStatus(StrEnum):
    """The four documented statuses. The decoder keeps any other string, which counts as not terminal."""

    NOT_STARTED = "NotStarted"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class SynthesisJob(Received):
    """A job as the service showed it at `observed_at`, by the service's own clock.

    `service_id` is the id that the service knows it by. Links are secrets: they are used at once and stored nowhere.
    """

    service_id: str
    resource: str = ""
    """The host that showed the job."""
    display_name: str | None = None
    """Our job id; set only where the service chooses the ids (3.1-preview1)."""
    internal_id: str | None = None
    status: str
    description: str | None = None
    created_at: datetime | None = None
    last_action_at: datetime | None = None
    observed_at: datetime
    time_to_live_hours: float | None = None
    subtitle_type: str | None = None
    character: str | None = None
    style: str | None = None
    size_bytes: int | None = None
    duration_milliseconds: int | None = None
    billing: dict[str, int] = Field(default_factory=dict)
    error_code: str | None = None
    error_message: str | None = None
    result_link: SecretStr | None = None
    summary_link: SecretStr | None = None
    subtitle_link: SecretStr | None = None
    unreadable: tuple[str, ...] = ()
    """Members that were not as documented; they are left out."""

    @property
    def job_id(self) -> str:
        """Our id for the job, in whichever field the service carries it."""
        return self.display_name or self.service_id

    @property
    def born(self) -> datetime:
        """The creation time, to find the oldest of jobs with one name. A job without a time counts as the oldest."""
        return self.created_at or datetime.min.replace(tzinfo=UTC)

    @property
    def expires_at(self) -> datetime | None:
        """When the service deletes an ended job: its time to live after its last action (documented)."""
        if not self.ended or self.last_action_at is None or self.time_to_live_hours is None:
            return None
        try:
            return self.last_action_at + timedelta(hours=self.time_to_live_hours)
        except (OverflowError, ValueError):
            return None

    @property
    def terminal(self) -> bool:
        return self.status in (JobStatus.SUCCEEDED, JobStatus.FAILED)

    @property
    def odd(self) -> bool:
        """Whether the job shows a result and has another status than one has with it: `Failed`, or an unknown one."""
        explained = (JobStatus.NOT_STARTED, JobStatus.RUNNING, JobStatus.SUCCEEDED)
        return self.result_link is not None and self.status not in explained

    @property
    def ended(self) -> bool:
        """Whether the job is terminal, or has ended with a result and a status that is not known."""
        return self.terminal or self.odd

    @property
    def age_seconds(self) -> float:
        """Seconds since creation, by the service's clock; 0 where the service gives no creation time."""
        return max(0.0, (self.observed_at - self.created_at).total_seconds()) if self.created_at else 0.0

    @property
    def billed_seconds(self) -> int:
        return sum(count for name, count in self.billing.items() if name.endswith("Seconds"))

    @property
    def billed_characters(self) -> int:
        return sum(count for name, count in self.billing.items() if name.endswith("Characters"))


class JobRef(Received):
    """A job that exists or is about to be created: enough to find it again, and nothing secret.

    `resource` is the host that has the job, empty where there is only one. `input` says which input of a pack the
    script is, from 1; 0 means that the script has a job of its own.
    """

    script_id: str
    content_id: str
    attempt: int
    job_id: str
    service_id: str
    resource: str = ""
    input: int = 0


class FailureFacts(Received):
    """What went wrong, as reports and dead letters say it."""

    failure_class: str = Field(serialization_alias="class", validation_alias="class")
    code: str
    message: str


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
    """What a person should know although the script is archived, e.g. a doubtful video or a missing side file."""
    doubtful: bool = False
    """Archived in this run, and something about the video is not as expected."""
    kept: bool = False
    """Skipped although its look has changed since it was archived, because a person wants that."""
    billed_seconds: int = 0
    billed_characters: int = 0
    columns: dict[str, str] = Field(default_factory=dict)
    """The script's columns that are kept, as they were given to this run."""
