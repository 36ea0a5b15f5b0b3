"""Which gestures of a request have no effect. The service leaves them out without a word (O: speech-sdk issue 2574)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.emulator.jobs import catalog
from batch_avatar.emulator.jobs.ssml import read_marks

if TYPE_CHECKING:
    from batch_avatar.emulator.jobs.request import SynthesisRequest

_PREFIX = "gesture."


def ignored_gestures(request: SynthesisRequest) -> list[str]:
    """Return the names of the gestures that the avatar does not have, in their order.

    Custom avatars, photo avatars and built-in voices have none (D).
    """
    config = request.avatar_config
    known: frozenset[str] = frozenset()
    if not config.customized and config.photo_avatar_base_model is None:
        styles = catalog.GESTURES.get(config.talking_avatar_character.lower(), {})
        known = styles.get((config.talking_avatar_style or "").lower(), known)
    if request.input_kind != "SSML":
        return []
    marks = (mark for item in request.inputs if _PREFIX in item.content for mark in read_marks(item.content))
    asked = [mark.removeprefix(_PREFIX) for mark in marks if mark.startswith(_PREFIX)]
    return [gesture for gesture in asked if gesture not in known]
