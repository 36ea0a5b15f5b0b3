"""Parse JSON and TOML that people write: any text gives a value or one reason, with little time and memory."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, NoReturn

MOST_DIGITS = 100
"""Of a whole number, a choice. Python itself refuses those of more than 4,300, and converts them in quadratic time."""
MOST_DOTS = 100
"""On one line of TOML, a choice. A dotted key takes time and memory with the square of its parts."""


class Malformed(Exception):
    """Why a text is not JSON or TOML, and the line of the text where that is found."""

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason, line)
        self.reason, self.line = reason, line


def parse_json(text: str) -> Any:
    """Return the value that the text says.

    Raises:
        Malformed: it is not JSON, or too deep, or has numbers that mean nothing.
    """
    try:
        return _JSON.decode(text)
    except RecursionError:
        raise Malformed("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Malformed(str(error), error.lineno) from None


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
        raise Malformed(f"a number has {len(digits):,} digits")
    return int(digits)


def _no_number(name: str) -> NoReturn:
    raise Malformed(f"{name} is no number of JSON")


_JSON = json.JSONDecoder(parse_int=_whole, parse_constant=_no_number)
