"""Parse JSON and TOML that people write: any text gives a value or one reason, with little time and memory."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, NoReturn

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.json_words import why_more, why_not_json

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_DIGITS = 100
"""Of a whole number, a choice. Python itself refuses those of more than 4,300, and converts them in quadratic time."""
MOST_DOTS = 100
"""On one line of TOML, a choice. A dotted key takes time and memory with the square of its parts."""


class Malformed(Exception):
    """Why a text is not JSON or TOML, and where in the text that is found, from 1. Some reasons have no column."""

    def __init__(self, reason: str, line: int = 1, column: int | None = None) -> None:
        super().__init__(reason, line, column)
        self.reason, self.line, self.column = reason, line, column


class _Unusable(Exception):
    """Why a value that is JSON is not taken."""


def parse_json(text: str) -> Any:
    """Return the value that the text says.

    Raises:
        Malformed: it is not JSON, or too deep, has a name twice, or numbers that mean nothing.
    """
    value, end = next_json(text)
    if end != len(text):
        raise Malformed(why_more(text[end:]), *_place(text, end))
    return value


def next_json(text: str, start: int = 0) -> tuple[Any, int]:
    """Return the first value from there on, and where the next thing after it begins. Raises as `parse_json` does."""
    at = _end_of_blank(text, start)
    try:
        value, end = _JSON.raw_decode(text, at)
    except RecursionError:
        raise Malformed("nested too deeply", _place(text, at)[0]) from None
    except _Unusable as error:
        raise Malformed(str(error), _place(text, at)[0]) from None
    except json.JSONDecodeError as error:
        raise Malformed(why_not_json(text, error), error.lineno, error.colno) from None
    return value, _end_of_blank(text, end)


def list_items(text: str, start: int) -> Iterator[tuple[Any, int]]:
    """Yield each value of a list that is the whole rest of the text, and where it begins, from after the bracket on.

    Only one value at a time is in memory. Raises as `parse_json` does.
    """
    at = _end_of_blank(text, start)
    while text[at : at + 1] != "]":
        value, end = next_json(text, at)
        yield value, at
        at = end
        match text[at : at + 1]:
            case ",":
                at = _end_of_blank(text, at + 1)
                if text[at : at + 1] == "]":
                    raise Malformed("a comma too many before ]", *_place(text, at))
            case "]":
                pass
            case "":
                raise Malformed("it ends too early; a ] is missing", *_place(text, at))
            case other:
                raise Malformed(f"a comma is missing before {shown(other)}", *_place(text, at))
    end = _end_of_blank(text, at + 1)
    if end != len(text):
        raise Malformed(why_more(text[end:]), *_place(text, end))


def parse_toml(text: str) -> dict[str, Any]:
    """Return the table that the text says.

    Raises:
        Malformed: it is not TOML, or too deep, or has numbers that mean nothing.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MOST_DOTS:  # keys never go over several lines
            raise Malformed(f"a line with more than {MOST_DOTS} dots; write a long text in several lines", number)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise Malformed(str(error), int(found[1]) if found else 1) from None
    except ValueError:  # only the conversion of digits raises it
        raise Malformed("a number has too many digits") from None


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise _Unusable(f"a number has {len(digits):,} digits")
    return int(digits)


def _no_number(name: str) -> NoReturn:
    raise _Unusable(f"{name} is no number of JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in members if names.count(name) > 1)
        raise _Unusable(f"{shown(twice)} is given twice; delete one of them")
    return members


def _end_of_blank(text: str, start: int) -> int:
    blank = _BLANK.match(text, start)
    return blank.end() if blank else start


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


_BLANK = re.compile(r"[ \t\r\n]*")
_JSON = json.JSONDecoder(parse_int=_whole, parse_constant=_no_number, object_pairs_hook=_distinct)
