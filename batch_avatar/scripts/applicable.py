"""Say which properties cannot apply to a script, so that a default that does not fit it is not sent. Pure.

Source: the properties page of batch avatar synthesis (2/2026). `synthesisConfig` is for plain text only; a style is of
standard video avatars, a scene of photo avatars; the voice of a custom video avatar takes the place of any other, and
gets no subtitles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from batch_avatar.models import Script

PROSODY = ("style", "rate", "pitch", "volume")


def inapplicable(script: Script) -> frozenset[str]:
    """Return the names of properties that cannot apply to such a script, whether it has them or not."""
    photo = script.photo_avatar_base_model is not None
    may_have_voice = bool(script.customized) and not photo
    names: set[str] = set()
    if script.input_kind == "SSML":
        names.update(("voice", *PROSODY))
    if photo or script.customized:
        names.add("talking_avatar_style")
    if not photo:
        names.add("scene")
    if not may_have_voice:
        names.add("use_built_in_voice")
    elif script.use_built_in_voice:
        names.update(("voice", "subtitle_type"))
    if script.destination_container_url is None:
        names.add("destination_path")
    return frozenset(names)


def without_inapplicable(script: Script, *, but: Collection[str] = ()) -> Script:
    """Return the script without what cannot apply to it; `but`: what stays all the same."""
    names = [name for name in inapplicable(script).difference(but) if getattr(script, name) is not None]
    return script.model_copy(update=dict.fromkeys(names)) if names else script
