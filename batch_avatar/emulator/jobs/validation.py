"""Strict checks of a create request. Pure: bytes go in, and a request or one `ApiError` comes out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from batch_avatar.emulator.errors import ApiError, bad_request
from batch_avatar.emulator.jobs import catalog
from batch_avatar.emulator.jobs.request import LONGEST_TTL_HOURS, AvatarConfig, SynthesisRequest
from batch_avatar.emulator.jobs.ssml import SsmlError, read_voices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batch_avatar.emulator.jobs.ssml import Voice
    from batch_avatar.emulator.options import EmulatorOptions

_Body = TypeVar("_Body", bound=BaseModel)

# The docs do not allow dots in an id; the OpenAPI pattern does, and a public result link has some.
_ID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{1,62}[a-zA-Z0-9]")
_PROSODY = ("style", "rate", "pitch", "volume")
_STANDARD = re.compile(
    r"[a-z]{2,3}-[a-z]{2,}.*|microsoft server speech text to speech voice \([a-z]{2,3}-[a-z]{2,}.*, \w.*\)",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"(dragon|phoenix)[\w.]*neural", re.IGNORECASE)
"""Base models of personal voices: DragonLatestNeural and its siblings (D: voice-sync-for-avatar.md)."""


def check_id(value: str, *, what: str = "The synthesis id") -> None:
    """Refuse an id that breaks the rule of the OpenAPI document."""
    if not _ID.fullmatch(value):
        raise bad_request(
            f"{what} is invalid: 3 to 64 letters, digits, '-', '_' or '.', first and last a letter or digit.",
            target="id",
        )


def parse_request(body: bytes, options: EmulatorOptions) -> SynthesisRequest:
    """Decode and check a create body of 2024."""
    request = decode(SynthesisRequest, _with_nearest_ttl(body, options), options)
    if options.codec_mismatch == "substitute":
        request = request.model_copy(update={"avatar_config": _with_fitting_codec(request.avatar_config)})
    check_request(request, options)
    return request


def _with_nearest_ttl(body: bytes, options: EmulatorOptions) -> bytes:
    """Return the body with a time to live that is allowed, where one out of range is not refused."""
    if options.ttl_out_of_range == "refuse":
        return body
    try:
        raw = json.loads(body)
        hours = raw["properties"]["timeToLiveInHours"]
    except (ValueError, RecursionError, TypeError, KeyError):
        return body
    if not isinstance(hours, int) or isinstance(hours, bool):
        return body
    raw["properties"]["timeToLiveInHours"] = min(max(hours, options.smallest_ttl_hours), LONGEST_TTL_HOURS)
    return json.dumps(raw).encode()


def _with_fitting_codec(config: AvatarConfig) -> AvatarConfig:
    if config.video_codec in catalog.CODECS[config.video_format]:
        return config
    return config.model_copy(update={"video_codec": {"mp4": "h264", "webm": "vp9"}[config.video_format]})


def decode(model: type[_Body], body: bytes, options: EmulatorOptions) -> _Body:
    """Decode a body and check each member by itself: presence, type and range."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_request("The request body is not valid JSON.") from error
    if not isinstance(raw, dict):
        raise bad_request("The request body must be a JSON object.")
    try:
        decoded = model.model_validate_json(body)
    except ValidationError as error:
        raise _explain(error) from error
    if options.unknown_members == "refuse" and (unknown := _find_unknown(model, raw)):
        raise bad_request(f"The member {unknown[0]} is not known.", target=unknown[0])
    return decoded


def check_request(request: SynthesisRequest, options: EmulatorOptions) -> None:
    """Check whether the members fit together."""
    _check_custom_voices(request)
    _check_inputs(request)
    _check_avatar(request, options)
    _check_video(request.avatar_config)
    _check_properties(request, options)


def _explain(error: ValidationError) -> ApiError:
    """Report the first fault in the words of the one public example: "The inputs is required"."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return bad_request(f"The {where} is required.", target=where)
    return bad_request(f"The {where} is invalid: {first['msg']}.", target=where)


def _find_unknown(model: type[BaseModel], raw: dict[str, Any], prefix: str = "") -> list[str]:
    fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    unknown = [prefix + name for name in raw if name not in fields]
    for name, annotation in fields.items():
        value = raw.get(name)
        for inner in (annotation, *get_args(annotation)):
            if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
                continue
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    unknown += _find_unknown(inner, item, f"{prefix}{name}.")
    return unknown


def _check_inputs(request: SynthesisRequest) -> None:
    if len(request.inputs) > 1 and not request.properties.destination_container_url:
        raise bad_request(
            "Multiple inputs are only supported when destinationContainerUrl is specified.", target="inputs"
        )
    if request.input_kind == "PlainText":
        if not request.voice and not request.avatar_config.use_built_in_voice:
            raise bad_request("The voice is required when inputKind is PlainText.", target="synthesisConfig.voice")
        _check_voices(request.voices, request)
        return
    config = request.synthesis_config
    if config is not None and any(getattr(config, name) for name in _PROSODY):
        raise bad_request(
            "style, rate, pitch and volume are only supported when inputKind is PlainText.",
            target="synthesisConfig",
        )
    for index, item in enumerate(request.inputs):
        try:
            voices = read_voices(item.content, built_in=request.avatar_config.use_built_in_voice)
        except SsmlError as error:
            raise bad_request(f"The SSML is invalid: {error}.", target=f"inputs.{index}.content") from error
        _check_voices(voices, request)


def _check_custom_voices(request: SynthesisRequest) -> None:
    for name, deployment in request.custom_voices.items():
        if not _ID.fullmatch(deployment):
            raise bad_request(f"The deployment id of the voice {name} is invalid.", target=f"customVoices.{name}")


def _check_voices(voices: Iterable[Voice], request: SynthesisRequest) -> None:
    """Refuse a voice that is neither declared, nor named like a standard voice, nor personal."""
    declared = {name.lower() for name in request.custom_voices}
    for name, has_embedding in voices:
        personal = has_embedding and request.avatar_config.customized and _PERSONAL.fullmatch(name)
        if not (not name or name.lower() in declared or _STANDARD.fullmatch(name) or personal):
            raise bad_request(f"The voice {name} is not supported.", target="synthesisConfig.voice")


def _check_avatar(request: SynthesisRequest, options: EmulatorOptions) -> None:
    config = request.avatar_config
    photo = config.photo_avatar_base_model is not None
    if photo and config.photo_avatar_base_model != catalog.PHOTO_BASE_MODEL:
        raise bad_request(
            f"The photoAvatarBaseModel must be {catalog.PHOTO_BASE_MODEL}.",
            target="avatarConfig.photoAvatarBaseModel",
        )
    if config.scene is not None and not photo:
        raise bad_request("The scene is only supported for photo avatars.", target="avatarConfig.scene")
    if config.use_built_in_voice and (photo or not config.customized):
        raise bad_request(
            "useBuiltInVoice is only supported for custom video avatars.", target="avatarConfig.useBuiltInVoice"
        )
    if config.customized:
        known = options.custom_avatars
        if known is not None and config.talking_avatar_character.lower() not in {name.lower() for name in known}:
            raise bad_request(
                "The specified custom avatar model cannot be found.",
                target="avatarConfig.talkingAvatarCharacter",
            )
    else:
        _check_standard(config, photo=photo)
    if (photo or config.customized) and config.talking_avatar_style:
        raise bad_request(
            "The talkingAvatarStyle is only supported for standard video avatars.",
            target="avatarConfig.talkingAvatarStyle",
        )


def _check_standard(config: AvatarConfig, *, photo: bool) -> None:
    character = config.talking_avatar_character.lower()
    known = catalog.PHOTO_CHARACTERS if photo else catalog.STYLES.keys()
    if character not in known:
        raise bad_request(
            f"The avatar character {config.talking_avatar_character} is not supported.",
            target="avatarConfig.talkingAvatarCharacter",
        )
    if photo:
        return
    style = config.talking_avatar_style or ""
    if not style and "" not in catalog.STYLES[character]:
        raise bad_request("The talkingAvatarStyle is required.", target="avatarConfig.talkingAvatarStyle")
    if style.lower() not in catalog.STYLES[character]:
        raise bad_request(
            f"The style {style} is not supported for avatar character {config.talking_avatar_character}.",
            target="avatarConfig.talkingAvatarStyle",
        )


def _check_video(config: AvatarConfig) -> None:
    if config.transparent and (config.video_format, config.video_codec) != ("webm", "vp9"):
        raise bad_request(
            "A transparent background requires videoFormat webm and videoCodec vp9.",
            target="avatarConfig.backgroundColor",
        )
    fits = config.video_codec in catalog.CODECS[config.video_format]
    if config.photo_avatar_base_model is not None:
        fits = fits and config.video_codec in catalog.PHOTO_CODECS
    if not fits:
        raise bad_request(
            f"The videoCodec {config.video_codec} is not supported for videoFormat {config.video_format}.",
            target="avatarConfig.videoCodec",
        )
    if config.background_image is not None:
        if not config.background_image.startswith("https://"):
            raise bad_request("The backgroundImage must be an https URL.", target="avatarConfig.backgroundImage")
        if config.background_color is not None:
            raise bad_request(
                "Specify either backgroundImage or backgroundColor, not both.",
                target="avatarConfig.backgroundImage",
            )
    crop = config.video_crop
    if crop is not None and not (crop.top_left.x < crop.bottom_right.x and crop.top_left.y < crop.bottom_right.y):
        raise bad_request("The videoCrop is empty.", target="avatarConfig.videoCrop")


def _check_properties(request: SynthesisRequest, options: EmulatorOptions) -> None:
    properties = request.properties
    if properties.time_to_live_in_hours < options.smallest_ttl_hours:
        raise bad_request(
            f"The timeToLiveInHours must be at least {options.smallest_ttl_hours}.",
            target="properties.timeToLiveInHours",
        )
    if properties.destination_path is not None and not properties.destination_container_url:
        raise bad_request("The destinationPath requires destinationContainerUrl.", target="properties.destinationPath")
