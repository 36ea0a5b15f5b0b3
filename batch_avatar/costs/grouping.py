"""Sums of what was billed, by day, month, resource, avatar, voice, folder or a column. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.errors import InputError
from batch_avatar.planning.prices import Sum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from batch_avatar.catalog.prices import Prices
    from batch_avatar.costs.facts import Billed

NOT_TOLD = "not told"
KEYS: dict[str, Callable[[Billed], str]] = {
    "day": lambda one: f"{one.at:%Y-%m-%d}" if one.at else "",
    "month": lambda one: f"{one.at:%Y-%m}" if one.at else "",
    "resource": lambda one: one.resource,
    "avatar": lambda one: " ".join(filter(None, (one.avatar, one.style))),
    "voice": lambda one: one.voice or one.voice_kind,
    "folder": lambda one: one.script_id.rpartition("/")[0] or "/",
    "run": lambda one: one.run,
}


@dataclass(frozen=True)
class Row:
    """Sums over the scripts with these values. `*_unknown`: of so many scripts it is not told, and is not in the sum.

    `cost` is None without prices.
    """

    values: tuple[str, ...]
    videos: int
    failed: int
    seconds: int
    seconds_unknown: int
    characters: int
    characters_unknown: int
    cost: Sum | None


def check_keys(by: str, column: str | None) -> list[str]:
    """Return the names of keys in `month,voice`, each once, with the column last.

    Raises:
        InputError: there is no such key.
    """
    names = list(dict.fromkeys(part.strip() for part in by.split(",") if part.strip()))
    for name in names:
        if name not in KEYS:
            raise InputError(f"--by has no {name}; it may be {', '.join(KEYS)}, several with commas between them")
    return names + ([f"column {column}"] if column else [])


def within(billed: Iterable[Billed], since: date | None, until: date | None) -> list[Billed]:
    """Return what was archived, or failed, from the day `since` to the day `until`, both included, in UTC."""
    if since is None and until is None:
        return list(billed)
    days = ((one, one.at.date()) for one in billed if one.at is not None)
    return [one for one, day in days if (since is None or day >= since) and (until is None or day <= until)]


def grouped(billed: Iterable[Billed], by: Sequence[str], prices: Prices | None) -> list[Row]:
    """Return a row for each group, in the order of its values. `by` as `check_keys` returns it."""
    groups: defaultdict[tuple[str, ...], list[Billed]] = defaultdict(list)
    for one in billed:
        groups[tuple(_value(one, name) for name in by)].append(one)
    return [summed(values, groups[values], prices) for values in sorted(groups)]


def summed(values: tuple[str, ...], billed: Sequence[Billed], prices: Prices | None) -> Row:
    """Return the sums over all of these."""
    return Row(
        values=values,
        videos=sum(one.archived for one in billed),
        failed=sum(one.failed for one in billed),
        seconds=sum((one.seconds or 0) + one.failed_seconds for one in billed),
        seconds_unknown=sum(one.seconds is None for one in billed),
        characters=sum((one.characters or 0) + one.failed_characters for one in billed),
        characters_unknown=sum(one.characters is None for one in billed),
        cost=Sum.of(one.cost(prices) for one in billed) if prices else None,
    )


def _value(one: Billed, name: str) -> str:
    if (key := KEYS.get(name)) is not None:
        return key(one) or NOT_TOLD
    if one.columns is None:
        return NOT_TOLD
    return one.columns.get(name.removeprefix("column "), "")
