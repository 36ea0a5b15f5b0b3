"""Keep texts and lists short, and say how much was left out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MESSAGE = 2_000
"""Characters of one message, of ours or from outside. The longest seen of the service have some 300."""
NAME = 300
"""Characters of a name from outside: of a file, a job, a status. A script's id has at most 200."""
LOG_LINE = 10_000
FAULTS = 20
"""Faults that one message lists."""


def bounded(text: str, most: int) -> str:
    """Return the text, cut to about `most` characters; its end then says how many more there were."""
    if len(text) <= most:
        return text
    return f"{text[:most]} ... ({len(text) - most:,} more characters)"


def first_of(lines: Sequence[str], most: int = FAULTS) -> list[str]:
    """Return the first lines, and as the last one how many more there are."""
    left = len(lines) - most
    return [*lines[:most], f"and {left:,} more"] if left > 0 else list(lines)


def some_of(names: Sequence[str], most: int) -> str:
    """Return the first names in one line, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
