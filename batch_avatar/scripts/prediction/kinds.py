"""Which kinds of avatar and voice a script uses, as prices tell them apart. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batch_avatar.catalog.prices import AvatarKind, VoiceKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from batch_avatar.models import Script

_HD = re.compile(r"[:-]dragonhd", re.IGNORECASE)
"""In both spellings, en-US-Ava:DragonHDLatestNeural and en-US-Ava-DragonHDOmniLatestNeural (text-to-speech.md)."""


def avatar_kind(script: Script) -> AvatarKind:
    """Return the kind of the script's avatar."""
    return avatar_kind_by(photo=script.photo_avatar_base_model is not None, customized=bool(script.customized))


def avatar_kind_by(*, photo: bool, customized: bool) -> AvatarKind:
    """Return the kind of an avatar of which this is known."""
    if photo:
        return AvatarKind.CUSTOM_PHOTO if customized else AvatarKind.PHOTO
    return AvatarKind.CUSTOM if customized else AvatarKind.STANDARD


def voice_kind(voice: str, custom_voices: Collection[str] = ()) -> VoiceKind:
    """Return the kind of the voice. `custom_voices`: the names of a script's custom voices, in any case."""
    if voice.lower() in {name.lower() for name in custom_voices}:
        return VoiceKind.CUSTOM
    return VoiceKind.HD if _HD.search(voice) else VoiceKind.NEURAL
