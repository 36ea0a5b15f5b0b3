"""No pattern over foreign text takes more than linear time: a bound on the patterns themselves, without a clock."""

from __future__ import annotations

import importlib
import pkgutil
import re
from re import _constants as codes
from re import _parser as parser

import pytest

import batch_avatar

AT_ONE_PLACE = {
    "csv_table._SAID",
    "script_file._DECLARED",
    "predictor._RATE",
    "predictor._TIME",
    "identity._JOB_ID",
    "voices._ATTRIBUTE",
    "settings.CONTAINER_NAME",
    "links._NAME",
    "links._NUMBER",
    "members._ID",
    "metadata._PLAIN",
}
"""Patterns that begin at one given place of a text (`match`, `fullmatch`), so that an end of theirs is sought once."""
OF_SHORT_TEXTS = {"messages._NUMBERED", "messages._QUOTED"}
"""Patterns whose text is cut before to some hundred characters."""


def patterns():
    """Every pattern of a module of the core, by its name."""
    found = {}
    for info in pkgutil.walk_packages(batch_avatar.__path__, "batch_avatar."):
        if not info.name.startswith(("batch_avatar.emulator", "batch_avatar.commands")):
            for name, value in vars(importlib.import_module(info.name)).items():
                several = value if isinstance(value, tuple) else (value,)
                flat = [inner for one in several for inner in (one if isinstance(one, tuple) else (one,))]
                for number, one in enumerate(flat):
                    short = f"{info.name.rpartition('.')[2]}.{name}"
                    if isinstance(one, re.Pattern) and short not in AT_ONE_PLACE | OF_SHORT_TEXTS:
                        found[f"{short}.{number}"] = one
    return found


def repeats(items):
    """Yield each repeat without an upper bound, and what it repeats."""
    for code, value in items:
        match code:
            case codes.MAX_REPEAT | codes.MIN_REPEAT:
                if value[1] is codes.MAXREPEAT:
                    yield value[2]
                yield from repeats(value[2])
            case codes.SUBPATTERN:
                yield from repeats(value[-1])
            case codes.BRANCH:
                for branch in value[1]:
                    yield from repeats(branch)


def may_take(items, character):
    """Return whether any of the repeated items may match this character, in either case."""
    return any(_takes(code, value, ord(one)) for one in (character.lower(), character.upper()) for code, value in items)


def _takes(code, value, point):
    match code:
        case codes.LITERAL:
            return value == point
        case codes.NOT_LITERAL:
            return value != point
        case codes.RANGE:
            return value[0] <= point <= value[1]
        case codes.CATEGORY:
            return bool(re.match({codes.CATEGORY_WORD: r"\w", codes.CATEGORY_SPACE: r"\s"}.get(value, "."), chr(point)))
        case codes.IN:
            negated = value[0][0] is codes.NEGATE
            return negated != any(_takes(*one, point) for one in value[negated:])
    return True  # more than one character


def superlinear(pattern):
    """Return why the pattern may read a character of a text for more than a bounded number of attempts; or None.

    An attempt that begins at each place of a text is bounded if it ends at the next place where one may begin, or if
    it cannot fail once it has begun to repeat: then the next attempt begins where it ended.
    """
    parsed = list(parser.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
    for repeated in repeats(parsed):
        if any(True for _ in repeats(repeated)):
            return "a repeat inside a repeat"
    last_code, last = parsed[-1]
    without_fail = last_code is codes.MAX_REPEAT and last[0] <= 1
    inside = parsed[:-1] if without_fail else parsed
    first_code, first = parsed[0]
    for repeated in repeats(inside):
        if first_code is not codes.LITERAL:
            return "a repeat, and any character may begin a match"
        if may_take(repeated, chr(first)):
            return f"a repeat takes {chr(first)!r}, with which a match begins"
    return None


@pytest.mark.parametrize("name", patterns())
def test_a_pattern_reads_each_character_for_a_bounded_number_of_attempts(name):
    assert superlinear(patterns()[name]) is None


@pytest.mark.parametrize(
    "pattern", [r"<voice\b[^>]*?\bname=", r"<[^>]*>", r"(a+)+b", r"\s+$", r"a.*b", r"[a-z]+="], ids=str
)
def test_the_bound_finds_patterns_that_are_quadratic(pattern):
    assert superlinear(re.compile(pattern)) is not None
