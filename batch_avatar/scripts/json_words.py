"""Say in plain words where a text is not JSON. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import name as shown

if TYPE_CHECKING:
    from json import JSONDecodeError

SHOWN = 20
"""Characters of the text that the words repeat."""
_WORD = re.compile(r"[^\W\d]\w{0,40}")
_OTHER_QUOTES = "'`´‘’‚“”„«»"
_MEANT = {"True": "true", "False": "false", "None": "null", "undefined": "null", "nil": "null"}
_COMMENTS = ("//", "/*", "#")


def why_not_json(text: str, error: JSONDecodeError) -> str:
    """Return what is wrong where the decoder stopped, without its place."""
    at = error.pos
    before, rest = text[:at].rstrip()[-1:], text[at : at + SHOWN].lstrip()
    if error.msg.startswith("Unterminated string"):
        return "a quotation mark opens a text here that is never closed on this line"
    if error.msg.startswith("Invalid control character"):
        return r"a text holds a line break or a tab; write \n or \t in its place"
    if error.msg.startswith("Invalid \\"):
        return "a backslash stands in a text; write it twice"
    if not rest:
        return "it ends too early; a } or ] or a value is missing"
    return _not_a_value(before, rest) or f"{_expected(error.msg)} before {shown(rest)}"


def why_more(rest: str) -> str:
    """Return what is wrong with a text that goes on after its value."""
    rest = rest.strip()
    if rest == ",":
        return "a comma too many at its end"
    if rest.startswith(_COMMENTS):
        return _COMMENT
    if rest.startswith(("{", ",")):
        return "more than one object; write each on a line of its own"
    return f"something follows the end of the object: {shown(rest[:SHOWN])}"


_COMMENT = "a comment, which JSON has none of; delete it"


def _not_a_value(before: str, rest: str) -> str | None:
    """Return what stands where a value or a name should stand; None if a sign between them is missing."""
    if rest[0] == ",":
        return "a comma too many"
    if before == "," and rest[0] in "}]":
        return f"a comma too many before {rest[0]}"
    if rest[0] in _OTHER_QUOTES:
        return f'{rest[0]} is no quotation mark of JSON; write " in its place'
    if rest.startswith(_COMMENTS):
        return _COMMENT
    word = _WORD.match(rest)
    if word is None or before not in ("", "{", "[", ",", ":"):
        return None
    meant = _MEANT.get(word[0])
    return f"{word[0]} is no word of JSON; write {meant}" if meant else f"{shown(word[0])} needs quotation marks"


def _expected(message: str) -> str:
    """Return what the decoder missed, by its message (Python's `json.decoder`)."""
    if "','" in message:
        return "a comma is missing"
    if "':'" in message:
        return "a colon is missing"
    if "property name" in message:
        return "a name in quotation marks is missing"
    return "a value is missing"
