"""The shape of a create request: members, types and ranges as 2024-08-01 specifies them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from batch_avatar.emulator.jobs.ssml import Voice, read_voices

_KINDS = {"plaintext": "PlainText", "ssml": "SSML"}
Kind = Annotated[
    Literal["PlainText", "SSML"],
    BeforeValidator(lambda value: _KINDS.get(value.lower(), value) if isinstance(value, str) else value),
]
Name = Annotated[str, Field(min_length=1)]
Number = int | float
"""Stays as it was sent, because it is shown again (I)."""
LONGEST_TTL_HOURS = 744
"""D: 31 days."""
LARGEST_BITRATE_KBPS = 100_000
"""Assumed: no limit is documented. It is 50 times the default."""


class Member(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel)

    def sent(self) -> dict[str, Any]:
        """Return only the members that were sent, for the view of the job."""
        return self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)


class Input(Member):
    content: Name


class SynthesisConfig(Member):
    voice: Name | None = None
    style: str | None = None
    rate: str | None = None
    pitch: str | None = None
    volume: str | None = None


class Corner(Member):
    x: Number
    y: Number


class Pair(Member):
    """Both are optional (D)."""

    x: Number | None = None
    y: Number | None = None


class VideoCrop(Member):
    top_left: Corner
    bottom_right: Corner


class Scene(Member):
    """Placement and movement of a photo avatar; rotations in radians."""

    zoom: Number | None = Field(default=None, gt=0)
    position_x: Number | None = Field(default=None, ge=-1, le=1)
    position_y: Number | None = Field(default=None, ge=-1, le=1)
    rotation_x: Number | None = Field(default=None, ge=-math.pi, le=math.pi)
    rotation_y: Number | None = Field(default=None, ge=-math.pi, le=math.pi)
    rotation_z: Number | None = Field(default=None, ge=-math.pi, le=math.pi)
    amplitude: Number | None = Field(default=None, gt=0, le=1)


class Properties(Member):
    time_to_live_in_hours: int = Field(default=LONGEST_TTL_HOURS, ge=1, le=LONGEST_TTL_HOURS)
    """The service's smallest value is unknown; see the option `smallest_ttl_hours`."""
    destination_container_url: str | None = None
    destination_path: str | None = None


class AvatarConfig(Member):
    talking_avatar_character: Name
    talking_avatar_style: str | None = None
    customized: bool = False
    photo_avatar_base_model: str | None = None
    use_built_in_voice: bool = False
    scene: Scene | None = None
    video_format: Literal["mp4", "webm"] = "mp4"
    video_codec: Literal["h264", "hevc", "vp9", "av1"] = "hevc"
    bitrate_kbps: int = Field(default=2000, ge=1, le=LARGEST_BITRATE_KBPS)
    subtitle_type: Literal["soft_embedded", "hard_embedded", "external_file", "none"] = "soft_embedded"
    background_color: str | None = Field(default=None, pattern=r"^(#[0-9a-fA-F]{8}|transparent)$")
    background_image: str | None = None
    video_crop: VideoCrop | None = None
    avatar_position: Pair | None = None
    avatar_size: Pair | None = None
    resolution: Pair | None = None

    @property
    def subtitles(self) -> Literal["soft_embedded", "hard_embedded", "external_file", "none"]:
        """The subtitles that are made: a built-in voice has none, embedded or external (D)."""
        return "none" if self.use_built_in_voice else self.subtitle_type

    @property
    def transparent(self) -> bool:
        """Whether the background is transparent: named so, or a colour with alpha 00."""
        colour = (self.background_color or "#FFFFFFFF").lower()
        return colour == "transparent" or colour.endswith("00")


class SynthesisRequest(Member):
    input_kind: Kind
    inputs: list[Input] = Field(min_length=1, max_length=1000)
    description: str | None = None
    synthesis_config: SynthesisConfig | None = None
    custom_voices: dict[str, str] = Field(default_factory=dict)
    properties: Properties = Properties()
    avatar_config: AvatarConfig

    @property
    def voice(self) -> str | None:
        """The voice that is set outside the text, if any."""
        return self.synthesis_config.voice if self.synthesis_config else None

    @cached_property
    def voices(self) -> tuple[Voice, ...]:
        """The voices that speak. They are cached because every read of the job needs them."""
        if self.input_kind == "PlainText":
            return (Voice(self.voice, has_embedding=False),) if self.voice else ()
        built_in = self.avatar_config.use_built_in_voice
        return tuple(voice for item in self.inputs for voice in read_voices(item.content, built_in=built_in))

    @property
    def voice_kind(self) -> Literal["neural", "customNeural", "hdNeural"]:
        """The kind of voice that the characters are billed as; `hdNeural` was seen with an HD voice (O).

        If several kinds speak, all characters are billed as one of them (U): custom before HD before neural.
        """
        declared = {name.lower() for name in self.custom_voices}
        names = [voice.name.lower() for voice in self.voices]
        if declared.intersection(names):
            return "customNeural"
        return "hdNeural" if any("dragonhd" in name for name in names) else "neural"
