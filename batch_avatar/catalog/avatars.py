"""Standard avatars: video avatars with their styles and gestures, and photo avatars. Names are compared in any case."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from batch_avatar.catalog.files import MONTH, Entry, Name, Names, Strict, load
from batch_avatar.catalog.near import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

SOON_DAYS = 60


class Ending(Entry):
    """An entry that may end. `withdrawn` is the month, such as 2026-12, in which the service takes it away."""

    withdrawn: Annotated[str, Field(pattern=MONTH)] | None = None
    instead: str = ""
    """What to use then, in words."""


class Style(Ending):
    """A style of a character; the style without a name is the character as it is rendered without a style."""

    name: Name | Annotated[str, Field(max_length=0)]
    gestures: Names = ()


class Character(Ending):
    """A standard video avatar."""

    name: Name
    styles: Annotated[tuple[Style, ...], Field(min_length=1)]

    def style_names(self) -> tuple[str, ...]:
        """Return the names of the styles, without the one that has none."""
        return tuple(style.name for style in self.styles if style.name)


class Photos(Entry):
    """The photo avatars of one base model. `regions` is empty where it is offered wherever avatars are."""

    base_model: Name
    in_batch: bool
    names: Names
    regions: Names = ()


class Withdrawal(NamedTuple):
    """That something is taken away."""

    month: str
    """Such as 2026-12. The service names no day, so it may be the first."""
    over: bool
    """The month is over."""
    soon: bool
    """It begins in 60 days or fewer, or has begun."""
    instead: str
    """What to use then, in words; may be empty."""


class _VideoFile(Strict):
    characters: tuple[Character, ...] = ()


class _PhotoFile(Strict):
    photos: tuple[Photos, ...] = ()


FILES: dict[str, type[Strict]] = {"characters.toml": _VideoFile, "photo_avatars.toml": _PhotoFile}


@cache
def characters() -> tuple[Character, ...]:
    """Return all standard video avatars, also those that are withdrawn; empty if the file is broken."""
    return load("characters.toml", _VideoFile).characters


@cache
def photo_avatars() -> tuple[Photos, ...]:
    """Return all photo avatars, by base model; empty if the file is broken."""
    return load("photo_avatars.toml", _PhotoFile).photos


def find_character(name: str, among: Iterable[Character] | None = None) -> Character | None:
    """Return the standard video avatar of this name; None if we know none."""
    known = characters() if among is None else among
    return next((character for character in known if character.name == fold(name)), None)


def find_style(character: Character, style: str | None) -> Style | None:
    """Return the character's style; without a name, how it is rendered without a style. None if we know none."""
    return next((one for one in character.styles if one.name == fold(style or "")), None)


def find_photo(name: str) -> Photos | None:
    """Return the photo avatars that this one belongs to, with their base model; None if we know none of this name."""
    return next((photos for photos in photo_avatars() if fold(name) in photos.names), None)


def withdrawal(
    character: str, style: str | None, today: date, among: Iterable[Character] | None = None
) -> Withdrawal | None:
    """Return when a standard video avatar in this style is withdrawn; None if no end is known, or no such avatar."""
    known = find_character(character, among)
    if known is None:
        return None
    for entry in (known, find_style(known, style)):
        if entry is not None and entry.withdrawn is not None:
            return _withdrawal(entry.withdrawn, entry.instead, today)
    return None


def styles_that_stay(character: Character, today: date) -> tuple[str, ...]:
    """Return the names of the styles that are neither withdrawn nor soon will be: what may be suggested."""
    found = {name: withdrawal(character.name, name, today, [character]) for name in character.style_names()}
    return tuple(name for name, ends in found.items() if ends is None or not ends.soon)


def characters_that_stay(today: date) -> tuple[str, ...]:
    """Return the names of the standard video avatars that may be suggested, in some style or without."""
    return tuple(
        one.name
        for one in characters()
        if any(
            ends is None or not ends.soon
            for style in one.styles
            for ends in [withdrawal(one.name, style.name, today, [one])]
        )
    )


def styles_for_good() -> dict[str, tuple[str, ...]]:
    """Return the standard video avatars of which no end is known, with such styles: for texts that are written once."""
    return {
        one.name: tuple(style.name for style in one.styles if style.name and style.withdrawn is None)
        for one in characters()
        if one.withdrawn is None
    }


def _withdrawal(month: str, instead: str, today: date) -> Withdrawal:
    begins = date.fromisoformat(f"{month}-01")
    over = (today.year, today.month) > (begins.year, begins.month)
    return Withdrawal(month, over, (begins - today).days <= SOON_DAYS, instead)
