"""One function for each place where people read text: a line, a terminal, Markdown, the cell of a table. Pure.

In all of them a text from outside is seen as text: it ends no line, moves no cursor, reverses no letters, sets no
title, loads no picture and becomes no link.
"""

from __future__ import annotations

import re

from batch_avatar.safe_text.bounds import LOG_LINE, MESSAGE, NAME, bounded
from batch_avatar.safe_text.redaction import redact

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters: escape sequences begin with one of them
    "\u2028\u2029"  # other ends of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides and isolates
    "\u200b\u2060-\u2064\ufeff\ufff9-\ufffb"  # what has no width, but for the joiners that scripts and emoji need
    "\ud800-\udfff]"  # halves of surrogate pairs, which no encoding has
)
"""Characters that are not seen, or change how others are seen (Unicode Standard Annex 9 and 14)."""
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_MARKUP = re.compile(
    r"[`*<|~]|\\(?=[!-/:-@\[-`{-~])|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])|&(?=[#\w]{1,32};)", re.IGNORECASE
)
"""What has a meaning in Markdown and HTML, and only where it has one, as the escapes are seen where none is read."""
_FIRST = re.compile(r"\A[-+=>#]|(?<=\A[0-9])[.)]|(?<=\A[0-9][0-9])[.)]")
"""What makes a list, a quote or a title of a line."""
_ADDRESS = re.compile(r"://|www\.|@\w", re.IGNORECASE)
"""What GitHub's Markdown makes a link of by itself. Some readers do so after they have read the escapes."""


def foreign(text: str, most: int = MESSAGE) -> str:
    """Return a text from outside as it is kept: without secrets and not too long. Every reader calls this first.

    Of half a surrogate pair, which JSON can hold, a question mark is left.
    """
    return bounded(redact(text.encode("utf-8", "replace").decode()), most)


def visible(text: str) -> str:
    r"""Return the text with escapes, such as \x1b, in place of characters that are not seen."""
    return _HIDDEN.sub(_escaped, text)


def line(text: str, most: int = MESSAGE) -> str:
    """Return the text as a part of one line, e.g. of a message, of the name of a run or of a state."""
    return bounded(visible(redact(text)), most)


def name(text: str) -> str:
    """Return a name, e.g. of a script or file, as a part of one line."""
    return line(text, NAME)


def log_line(text: str) -> str:
    """Return the text as one line of a log."""
    return line(text, LOG_LINE)


def terminal(text: str) -> str:
    """Return lines for a terminal. Line ends stay: whoever puts a text into lines has made it a `line` before."""
    return "\n".join(visible(part) for part in redact(text).split("\n"))


def markdown(text: str | None, most: int = MESSAGE) -> str:
    """Return the text as it is read in Markdown, also in a table there: markup is escaped, addresses are code."""
    words = [_as_text(word) for word in line(text or "", most).split()]
    return _FIRST.sub(r"\\\g<0>", " ".join(words))


def table_cell(text: str | None) -> str:
    """Return the text as the cell of a table artifact.

    One of Prefect's two UIs reads cells as Markdown, and the other shows them as they are (Prefect 3.8).
    """
    return markdown(text)


def _as_text(word: str) -> str:
    if _ADDRESS.search(word):
        code = word.replace("`", "'").replace("|", r"\|")
        return f"`{code}`"
    return _MARKUP.sub(r"\\\g<0>", word)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    point = ord(character)
    return _NAMED.get(character) or (f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}")  # noqa: PLR2004 - bytes
