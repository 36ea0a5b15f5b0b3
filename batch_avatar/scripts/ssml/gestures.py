"""Compare the gestures of a script with those that its avatar has. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.catalog.avatars import find_character, find_style
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.avatars import meant
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from batch_avatar.models import Script
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.ssml.reading import Element

PREFIX = "gesture."


def check_gestures(elements: Iterable[Element], script: Script) -> Iterator[Finding]:
    """Say which gestures the avatar does not have: the service leaves them out without a word.

    Custom avatars have gestures of their own, and of avatars or styles that are not known here nothing is known.
    """
    if script.customized:
        return
    for element in elements:
        mark = element.attributes.get("mark", "").strip()
        if element.name == "bookmark" and mark.lower().startswith(PREFIX):
            yield from _check_gesture(mark, element.line, script)


def _check_gesture(mark: str, line: int, script: Script) -> Iterator[Finding]:
    if script.photo_avatar_base_model is not None:
        yield found("gesture-unknown", f"photo avatars have no gestures, so {shown(mark)} is left out", line)
        return
    character = find_character(script.talking_avatar_character or "")
    style = find_style(character, script.talking_avatar_style) if character else None
    if character is None or style is None or mark in {PREFIX + name for name in style.gestures}:
        return
    gesture = mark[len(PREFIX) :]
    has = f"; it has {', '.join(style.gestures)}" if style.gestures else "; it has none"
    question = meant(gesture, style.gestures)
    who = f"{character.name} {style.name}".strip()
    yield found("gesture-unknown", f"{who} has no gesture {shown(gesture)}{has}{question}", line)
