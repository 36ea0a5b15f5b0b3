"""A create body of 3.1-preview1, with its own members and limits, and its translation into a request of 2024.

Source: batch-synthesis-properties-avatar.md of MicrosoftDocs/azure-docs, 11/2023.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.jobs.request import (
    LARGEST_BITRATE_KBPS,
    Kind,
    Member,
    Name,
    SynthesisConfig,
    SynthesisRequest,
    VideoCrop,
)
from batch_avatar.emulator.jobs.validation import check_request, decode

if TYPE_CHECKING:
    from batch_avatar.emulator.options import EmulatorOptions

LONGEST_LIFE = timedelta(days=31)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_OF_THE_JOB = frozenset({"timeToLive", "destinationContainerUrl"})


def read_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of days, hours, minutes and seconds.

    It is unknown whether the service also accepts weeks, months and years.

    Raises:
        ValueError: the text is another kind of duration, or none.
    """
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError("it must be an ISO 8601 duration like P31D or PT12H")
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    try:
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return timedelta.max


def _check_life(text: str) -> str:
    if not timedelta() < read_duration(text) <= LONGEST_LIFE:
        raise ValueError("it must be above zero and at most P31D")
    return text


class PreviewInput(Member):
    text: Name


class PreviewProperties(Member):
    """Settings of the job and of the avatar, in one flat object."""

    time_to_live: Annotated[str, AfterValidator(_check_life)] = "P31D"
    destination_container_url: str | None = None
    talking_avatar_character: Name
    talking_avatar_style: str | None = None
    customized: bool = False
    video_format: Literal["mp4", "webm"] = "mp4"
    video_codec: Literal["h264", "hevc", "vp9"] = "hevc"
    k_bitrate: int = Field(default=2000, ge=1, le=LARGEST_BITRATE_KBPS)
    subtitle_type: Literal["soft_embedded", "hard_embedded", "external_file", "none"] = "soft_embedded"
    background_color: str | None = Field(default=None, pattern=r"^(#[0-9a-fA-F]{8}|transparent|white)$")
    """D; `white` is from the samples of that time (O)."""
    video_crop: VideoCrop | None = None

    @property
    def life(self) -> timedelta:
        """How long the service keeps the job after its end."""
        return read_duration(self.time_to_live)


class PreviewBody(Member):
    display_name: Name
    """Need not be unique (D)."""
    description: str | None = None
    text_type: Kind
    inputs: list[PreviewInput] = Field(min_length=1, max_length=1000)
    synthesis_config: SynthesisConfig | None = None
    custom_voices: dict[str, str] = Field(default_factory=dict)
    custom_properties: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=256)]], Field(max_length=10)
        ]
        | None
    ) = None
    properties: PreviewProperties

    def translate(self) -> SynthesisRequest:
        """Return this request in the members of 2024.

        A custom avatar's style, which is optional here (D), is dropped: 2024 has no member for it.
        """
        sent = self.properties.sent()
        avatar: dict[str, Any] = {name: value for name, value in sent.items() if name not in _OF_THE_JOB}
        if "kBitrate" in avatar:
            avatar["bitrateKbps"] = avatar.pop("kBitrate")
        if avatar.get("backgroundColor") == "white":
            avatar["backgroundColor"] = "#FFFFFFFF"
        if self.properties.customized:
            avatar.pop("talkingAvatarStyle", None)
        return SynthesisRequest.model_validate(
            {
                "inputKind": self.text_type,
                "inputs": [{"content": item.text} for item in self.inputs],
                "description": self.description,
                "synthesisConfig": self.synthesis_config.sent() if self.synthesis_config else None,
                "customVoices": self.custom_voices,
                "properties": {"destinationContainerUrl": self.properties.destination_container_url},
                "avatarConfig": avatar,
            }
        )


def parse_preview(body: bytes, options: EmulatorOptions) -> tuple[PreviewBody, SynthesisRequest]:
    """Decode and check a create body as strictly as a body of 2024."""
    try:
        decoded = decode(PreviewBody, body, options)
        request = decoded.translate()
        check_request(request, options)
    except ApiError as error:
        raise _reword(error) from error
    return decoded, request


def _reword(error: ApiError) -> ApiError:
    """Name the members as the client wrote them. A faulty body gets the code InvalidPayload (O: issue 1813)."""
    target = (error.target or "").replace("avatarConfig.", "properties.").replace(".content", ".text")
    message = error.message.replace("when inputKind is", "when textType is")
    return ApiError(error.status, "InvalidPayload", message, target=target or None)


def read_display_name(body: bytes) -> str | None:
    """Return the display name in a body that has not been checked yet; None if there is none."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        return None
    name = raw.get("displayName") if isinstance(raw, dict) else None
    return name if isinstance(name, str) else None
