"""Compare the avatar of a script with the catalogue. What the catalogue does not know is only warned of. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from batch_avatar.catalog.avatars import (
    characters,
    characters_that_stay,
    find_character,
    find_photo,
    find_style,
    photo_avatars,
    styles_that_stay,
    withdrawal,
)
from batch_avatar.catalog.near import fold, near
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from batch_avatar.catalog.avatars import Character
    from batch_avatar.models import Script
    from batch_avatar.scripts.findings import Finding

OWN = "for an avatar of your own set customized"


def meant(name: str, names: Iterable[str]) -> str:
    """Return the question for the name that was probably meant, as it continues a message; else nothing."""
    likely = _near(name, tuple(names))
    return f"; did you mean {likely}?" if likely else ""


@lru_cache(maxsize=1000)
def _near(name: str, names: tuple[str, ...]) -> str | None:
    """Remember the answer, because many scripts have one look."""
    return near(name, names)


def check_avatar(script: Script, today: date) -> Iterator[Finding]:
    """Say what the catalogue does not know of the avatar, and when it is withdrawn. Custom avatars are not in it."""
    name = script.talking_avatar_character
    if script.customized and script.talking_avatar_style:
        yield found("style-unused", "a custom avatar has no styles, so talking_avatar_style is not sent; leave it out")
    if script.customized or not name:
        return
    if script.photo_avatar_base_model is not None:
        yield from _check_photo(name, script.photo_avatar_base_model, script.talking_avatar_style)
    else:
        yield from _check_video_avatar(name, script.talking_avatar_style, today)


def _check_photo(name: str, base_model: str, style: str | None) -> Iterator[Finding]:
    known = {photos.base_model: photos for photos in photo_avatars()}
    if known and (of_model := known.get(fold(base_model))) is None:
        question = meant(base_model, known)
        yield found("base-model-unknown", f"no photo_avatar_base_model {shown(base_model)} is known here{question}")
    elif known and of_model is not None:
        if fold(name) not in of_model.names:
            other = find_photo(name)
            more = f"it is one of {other.base_model}" if other else f"{OWN}{meant(name, of_model.names)}"
            yield found("avatar-unknown", f"{shown(name)} is no photo avatar of {of_model.base_model}; {more}")
        elif not of_model.in_batch:
            yield found("photo-not-in-batch", f"{shown(name)} is not rendered by batch synthesis, as far as is known")
    if style:
        yield found("style-unused", "a photo avatar has no styles, so talking_avatar_style is not sent; leave it out")


def _check_video_avatar(name: str, style: str | None, today: date) -> Iterator[Finding]:
    if not characters():  # the file is broken, which was told
        return
    character = find_character(name)
    if character is None:
        if (photos := find_photo(name)) is not None:
            model = photos.base_model
            yield found(
                "base-model-missing", f"{shown(name)} is a photo avatar; set photo_avatar_base_model to {model}"
            )
        else:
            question = meant(name, characters_that_stay(today))
            yield found("avatar-unknown", f"no standard avatar {shown(name)} is known here; {OWN}{question}")
        return
    if find_style(character, style) is None:
        yield _style_fault(character, style, today)
    if (ending := check_withdrawal(character, style, today)) is not None:
        yield ending


def check_withdrawal(character: Character, style: str | None, today: date) -> Finding | None:
    """Say when the avatar in this style is withdrawn, and what to use then, if that is soon or has been."""
    ends = withdrawal(character.name, style, today, [character])
    if ends is None or not ends.soon:
        return None
    what = character.name if character.withdrawn or not style else f"{character.name} {fold(style)}"
    instead = f"; use {ends.instead}" if ends.instead else ""
    return found("avatar-withdrawn", f"{what} {'was' if ends.over else 'is'} withdrawn in {ends.month}{instead}")


def _style_fault(character: Character, style: str | None, today: date) -> Finding:
    staying = styles_that_stay(character, today)
    has = f"; it has {', '.join(staying)}" if staying else ""
    if not style:
        return found("style-missing", f"{character.name} without talking_avatar_style{has}")
    none = "" if character.style_names() else "; it has none, so write unset as talking_avatar_style"
    return found("style-unknown", f"{character.name} has no style {shown(style)}{none or meant(style, staying) or has}")
