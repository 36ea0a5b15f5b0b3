"""One function for each place where people read text: a line, a terminal, Markdown, the cell of a table. Pure.

In all of them a text from outside is seen as text: it ends no line, moves no cursor, reverses no letters, sets no
title, loads no picture and becomes no link.
"""

from __future__ import annotations

import re
from unicodedata import category

from batch_avatar.safe_text.bounds import LOG_LINE, MESSAGE, NAME, bounded
from batch_avatar.safe_text.redaction import redact

_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of control and format characters, halves of surrogate pairs and ends of lines. They are not seen, or they
change how others are seen (Unicode Standard Annex 9, 14 and 44)."""
_SEEN = frozenset(
    "\u200c\u200d"  # the joiners that scripts and emoji need
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"  # over or before numbers
)
"""Format characters that are seen (Unicode's Prepended_Concatenation_Mark), or needed."""
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2065\u3164\uffa0").union(map(chr, range(0xFFF0, 0xFFF9)))
"""Letters and marks that are not shown, and places kept for such ones (Default_Ignorable_Code_Point)."""
_TAGS = range(0xE0000, 0xE1000)
_VARIANTS = range(0xE0100, 0xE01F0)
_SELECTORS = re.compile("(?<=[\ufe00-\ufe0f\U000e0100-\U000e01ef])[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Which look a character has: one behind it is needed, as of emoji; more spell what nobody sees."""
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_MARKUP = re.compile(
    r"[`*<|~]|\\(?=[!-/:-@\[-`{-~])|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:])|&(?=[#\w]{1,32};)", re.IGNORECASE
)
"""What has a meaning in Markdown and HTML, and only where it has one, as the escapes are seen where none is read."""
_FIRST = re.compile(r"\A(?:(?=[-+=>#])|([0-9]{1,9})(?=[.)](?: |\Z)))")
"""What makes a list, a quote or a title of a line. The number of a list has at most nine digits (CommonMark)."""
_ADDRESS = re.compile(r"://|www\.|@\w", re.IGNORECASE)
"""What GitHub's Markdown makes a link of by itself. Some readers do so after they have read the escapes."""


def foreign(text: str, most: int = MESSAGE) -> str:
    """Return a text from outside as it is kept: without secrets and not too long. Every reader calls this first.

    Of half a surrogate pair, which JSON can hold, a question mark is left.
    """
    return bounded(redact(text.encode("utf-8", "replace").decode()), most)


def visible(text: str) -> str:
    r"""Return the text with escapes, such as \x1b, in place of characters that are not seen."""
    if text.isascii() and text.isprintable():
        return text
    return _SELECTORS.sub(lambda found: _escaped(found[0]), text).translate(_shown)


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
    return _FIRST.sub(r"\1\\", " ".join(words))


def table_cell(text: str | None) -> str:
    """Return the text as the cell of a table artifact.

    One of Prefect's two UIs reads cells as Markdown, and the other shows them as they are (Prefect 3.8).
    """
    return markdown(text)


def spreadsheet_cell(text: str) -> str:
    """Return the text as a cell of CSV: what a spreadsheet would take for a formula begins with an apostrophe.

    The characters are those that OWASP's page on CSV injection names.
    """
    shown = line(text)
    return (
        f"'{shown}"
        if shown.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
        else shown
    )


def _as_text(word: str) -> str:
    if _ADDRESS.search(word):
        code = word.replace("`", "'").replace("|", r"\|")
        return f"`{code}`"
    return _MARKUP.sub(r"\\\g<0>", word)


class _Shown(dict[int, str]):
    """How each character is shown, found out when it is first asked for."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        hidden = (
            (category(character) in _STEERING and character not in _SEEN)
            or character in _UNSEEN
            or (point in _TAGS and point not in _VARIANTS)
        )
        self[point] = shown = _escaped(character) if hidden else character
        return shown


_shown = _Shown()


def _escaped(character: str) -> str:
    point = ord(character)
    code = f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"  # noqa: PLR2004 - bytes
    return _NAMED.get(character, code)
