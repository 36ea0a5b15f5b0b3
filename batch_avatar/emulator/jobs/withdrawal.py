"""What becomes of a create that names an avatar which is not available any more. Pure.

Whether the service refuses it or renders another one is not documented; the words of the refusal are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from batch_avatar.emulator.errors import bad_request
from batch_avatar.emulator.jobs import catalog

if TYPE_CHECKING:
    from datetime import datetime

    from batch_avatar.emulator.jobs.preview_request import PreviewBody, PreviewProperties
    from batch_avatar.emulator.jobs.request import AvatarConfig, SynthesisRequest
    from batch_avatar.emulator.options import EmulatorOptions

    _Settings = TypeVar("_Settings", AvatarConfig, PreviewProperties)


def settle_withdrawn(request: SynthesisRequest, options: EmulatorOptions, now: datetime) -> SynthesisRequest:
    """Return the request as it is rendered, or raise `ApiError` if its avatar is withdrawn and is not replaced."""
    config = request.avatar_config
    if config.photo_avatar_base_model is not None:
        return request
    return request.model_copy(update={"avatar_config": _settle(config, options, now, "avatarConfig")})


def settle_withdrawn_preview(
    asked: tuple[PreviewBody, SynthesisRequest], options: EmulatorOptions, now: datetime
) -> tuple[PreviewBody, SynthesisRequest]:
    """Do the same with a create of 3.1-preview1 and its translation."""
    body, _ = asked
    settled = body.model_copy(update={"properties": _settle(body.properties, options, now, "properties")})
    return settled, settled.translate()


def _settle(settings: _Settings, options: EmulatorOptions, now: datetime, place: str) -> _Settings:
    character, style = settings.talking_avatar_character, settings.talking_avatar_style
    today = options.withdrawals_as_of or now.date()
    if settings.customized or not catalog.is_withdrawn(character, style, today):
        return settings
    if options.withdrawn_avatars == "substitute":
        other, its_style = catalog.SUBSTITUTE
        return settings.model_copy(update={"talking_avatar_character": other, "talking_avatar_style": its_style})
    named = " ".join(filter(None, (character, style)))
    raise bad_request(f"The avatar {named} is not available any more.", target=f"{place}.talkingAvatarCharacter")
