"""Regions of Azure, by their identifiers such as `westeurope`, and what of the service each has."""

from __future__ import annotations

from functools import cache

from batch_avatar.catalog.files import Entry, Name, Strict, load
from batch_avatar.catalog.near import fold


class Region(Entry):
    """A region that has batch avatars. What is not known is None."""

    name: Name
    batch_avatar: bool
    voice_sync: bool
    hd_voices: bool
    mai_voices: bool | None = None
    limited_capacity: bool = False


class _File(Strict):
    regions: tuple[Region, ...] = ()


FILES: dict[str, type[Strict]] = {"regions.toml": _File}


@cache
def regions() -> tuple[Region, ...]:
    """Return the regions that we know something of; empty if the file is broken."""
    return load("regions.toml", _File).regions


def find_region(name: str) -> Region | None:
    """Return the region; None if we know nothing of it."""
    return next((region for region in regions() if region.name == fold(name)), None)


def batch_avatar_regions() -> tuple[str, ...]:
    """Return the identifiers of the regions that have batch avatars."""
    return tuple(region.name for region in regions() if region.batch_avatar)
