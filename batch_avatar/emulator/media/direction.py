"""In which order the letters of a line stand, when some are read from the right.

Source: Unicode Standard Annex 9, the rules for text without embeddings, isolates and paired brackets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from unicodedata import bidirectional

_NUMBERS = {"EN", "AN"}
_LETTERS = {"L", "R", "AL"}
_STRONG = {"L": "L", "R": "R", "AL": "R", "EN": "R", "AN": "R"}  # what neutral characters see beside them (N1)


@dataclass(frozen=True)
class Stretch:
    """Characters `start` to `end` of a line, all read in one direction."""

    start: int
    end: int
    leftward: bool


def reads_leftward(text: str) -> bool:
    """Return whether the first letter belongs to a script that is read from the right (rules P2, P3)."""
    return next((kind != "L" for kind in map(bidirectional, text) if kind in _LETTERS), False)


def order(line: str, *, leftward: bool) -> list[Stretch]:
    """Return the stretches of a line from left to right, as a text stands that is read leftward or not."""
    base = int(leftward)
    kinds = _settle_neutrals(_settle_numbers([bidirectional(character) for character in line], base), base)
    levels = [_level(kind, base) for kind in kinds]
    runs = []
    for level, members in groupby(range(len(levels)), key=levels.__getitem__):
        inside = list(members)
        runs.append((level, Stretch(inside[0], inside[-1] + 1, leftward=level % 2 == 1)))
    for level in range(max(levels, default=0), 0, -1):  # L2
        runs = [run for row in _rows(runs, level) for run in row]
    return [stretch for _, stretch in runs]


def _rows(runs: Sequence[tuple[int, Stretch]], level: int) -> Iterator[list[tuple[int, Stretch]]]:
    """Turn round each row of neighbours that have at least this level."""
    for high, members in groupby(runs, key=lambda run: run[0] >= level):
        row = list(members)
        yield row[::-1] if high else row


def _level(kind: str, base: int) -> int:
    """I1 and I2."""
    if kind in _NUMBERS:
        return 2
    if kind == "R":
        return 1
    return 2 * base


def _settle_numbers(kinds: Sequence[str], base: int) -> list[str]:
    """W1 to W7: marks follow their letter, digits the letter before them, signs the number that they belong to."""
    settled = _follow_letters(kinds)
    for place in range(1, len(settled) - 1):
        left, kind, right = settled[place - 1 : place + 2]
        if left == right and ((kind == "CS" and left in _NUMBERS) or (kind == "ES" and left == "EN")):
            settled[place] = left
    settled = _join_signs(_join_signs(settled)[::-1])[::-1]  # on either side of a number
    letter = "R" if base else "L"
    for place, kind in enumerate(settled):
        if kind in _LETTERS:
            letter = settled[place] = _STRONG[kind]
        elif kind == "EN" and letter == "L":
            settled[place] = "L"
    return settled


def _follow_letters(kinds: Sequence[str]) -> list[str]:
    """W1 and W2."""
    settled: list[str] = []
    letter = ""
    for kind in kinds:
        if kind == "NSM":
            settled.append(settled[-1] if settled else "ON")
        elif kind == "EN" and letter == "AL":
            settled.append("AN")
        else:
            letter = kind if kind in _LETTERS else letter
            settled.append(kind)
    return settled


def _join_signs(kinds: Sequence[str]) -> list[str]:
    """W5: let signs of per cent and currency belong to the number before them."""
    settled: list[str] = []
    for kind in kinds:
        settled.append("EN" if kind == "ET" and settled and settled[-1] == "EN" else kind)
    return settled


def _settle_neutrals(kinds: Sequence[str], base: int) -> list[str]:
    """N1 and N2: what stands between two letters of one direction is read with them, all else as the whole text."""
    own = "R" if base else "L"
    settled: list[str] = []
    before = own
    for neutral, members in groupby(kinds, key=lambda kind: kind not in _STRONG):
        row = list(members)
        if neutral:
            after = _STRONG.get(kinds[len(settled) + len(row)], own) if len(settled) + len(row) < len(kinds) else own
            row = [before if before == after else own] * len(row)
        else:
            before = _STRONG[row[-1]]
        settled += row
    return settled
