"""The name that was probably meant."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 200
"""No name of the service is longer. The comparison takes time with the square of the length."""
ALIKE = 0.6
"""Of 1. `difflib` calls this a good match; `jef` and `jeff` have 0.86, `rowan` and `ren` 0.5."""


def fold(name: str) -> str:
    """Return the name as names are compared: the service takes them in any case."""
    return name.strip().casefold()


def near(name: str, names: Iterable[str]) -> str | None:
    """Return the name that is most like the given one, for "did you mean ...?"; None if none is like it."""
    given = fold(name)
    if not given or len(given) > LONGEST:
        return None
    rated = [(SequenceMatcher(None, given, fold(other)).ratio(), other) for other in names]
    likeness, best = max(rated, default=(0.0, ""), key=lambda one: one[0])
    return best if likeness >= ALIKE else None
