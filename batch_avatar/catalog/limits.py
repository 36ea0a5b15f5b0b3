"""Limits of the service. Each is also known where it is kept; the catalogue says where it comes from."""

from __future__ import annotations

from functools import cache

from batch_avatar.catalog.files import Entry, Name, Strict, load


class Limit(Entry):
    """A number that the service does not go beyond, with its unit in `name`."""

    name: Name
    value: int
    raised_on_request: bool = False


class _File(Strict):
    limits: tuple[Limit, ...] = ()


FILES: dict[str, type[Strict]] = {"limits.toml": _File}


@cache
def limits() -> tuple[Limit, ...]:
    """Return all limits; empty if the file is broken."""
    return load("limits.toml", _File).limits


def limit(name: str) -> int | None:
    """Return one limit, such as `video-minutes`; None if it is not known."""
    return next((one.value for one in limits() if one.name == name), None)
