"""The standard avatars that the service has, read from `avatars.toml`, and the codecs of each container.

Names here are in lower case. A style without a name is the character without a style.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

_READ: dict[str, Any] = tomllib.loads(Path(__file__).with_name("avatars.toml").read_text(encoding="utf-8"))

GESTURES: dict[str, dict[str, frozenset[str]]] = {
    character: {style: frozenset(gestures.split()) for style, gestures in styles.items()}
    for character, styles in _READ["video"].items()
}
"""Gestures by character and style."""
STYLES: dict[str, frozenset[str]] = {character: frozenset(styles) for character, styles in GESTURES.items()}
PHOTO_CHARACTERS = frozenset(_READ["photo"].split())
PHOTO_BASE_MODEL: str = _READ["photo_base_model"]
SUBSTITUTE: tuple[str, str] = (_READ["substitute"]["character"], _READ["substitute"]["style"])
"""Character and style that take the place of a withdrawn avatar, if the service replaces it."""
WITHDRAWN: dict[str, dict[str, date]] = _READ["withdrawn"]
"""The first day without it, by character and style; the style `*` is all of them."""

CODECS: dict[str, frozenset[str]] = {
    "mp4": frozenset({"h264", "hevc", "av1"}),
    "webm": frozenset({"vp9", "av1"}),
}
PHOTO_CODECS = frozenset({"h264", "hevc", "vp9"})


def is_withdrawn(character: str, style: str | None, today: date) -> bool:
    """Return whether a standard video avatar is not available any more."""
    ends = WITHDRAWN.get(character.lower(), {})
    since = ends.get("*") or ends.get((style or "").lower())
    return since is not None and since <= today
