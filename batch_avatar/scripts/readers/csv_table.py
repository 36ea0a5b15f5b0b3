"""Rows of text with separators between their cells: `.csv` and `.tsv`. The header tells the separator."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, takewhile
from typing import IO, TYPE_CHECKING

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.decoding import decoded_lines_at_once
from batch_avatar.scripts.findings import Finding, Place, found
from batch_avatar.scripts.readers.columns import folded, wanted
from batch_avatar.scripts.readers.table import Row
from batch_avatar.scripts.reading import LONGEST_LINE_BYTES
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.readers.draft import Named

SEPARATORS = ",;\t|"
"""Those that programs write. Of equal ones the first counts."""
_SAID = re.compile(r'\A"?sep=(?P<separator>.)"?[\r\n]*\Z', re.IGNORECASE)
"""The line before the header by which Excel is told the separator, and which it reads back."""


class Feed(Iterator[str]):
    """Hands lines to a CSV reader, which keeps a row until it ends. `line`: the number of the last one."""

    def __init__(self, lines: Iterable[str]) -> None:
        parts = (part for line in lines for part in io.StringIO(line, newline=""))  # they may end in CR alone
        self._lines: Iterator[str] = parts
        self._row = io.StringIO()
        self._first = 1
        self.line = 0

    @property
    def row(self) -> str:
        """The lines of the row, as far as they were read."""
        return self._row.getvalue()

    def begin(self) -> int:
        """Begin a row; return the line on which it does."""
        self._row.seek(0)
        self._row.truncate()
        self._first = self.line + 1
        return self._first

    def again(self) -> None:
        """Hand out the lines of the row once more."""
        self._lines = chain(io.StringIO(self.row, newline=""), self._lines)
        self.line = self._first - 1
        self.begin()

    def __next__(self) -> str:
        line = next(self._lines)
        self.line += 1
        self._row.write(line)
        if self._row.tell() > LONGEST_LINE_BYTES:
            raise csv.Error("the row is too long")
        return line


def csv_rows(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Row | Finding]:
    csv.field_size_limit(MAX_BODY_BYTES)  # a longer cell cannot be sent anyway
    feed = Feed(decoded_lines_at_once(file, choice.encoding))
    start, separator = 1, SEPARATORS[0]
    try:
        separator = _separator(feed, choice)
        start = feed.begin()
        for cells in csv.reader(feed, delimiter=separator, strict=True):
            if cells:
                yield Row(Place(named.source, start), cells)
            start = feed.begin()
    except csv.Error:
        line, text = broken_row(feed.row, separator)
        yield found("table-malformed", text).at(Place(named.source, start + line))


def separator_of(header: str, wanted_names: set[str]) -> str:
    """Return what separates the cells of this header: with it most cells are names that mean something, or cells."""

    def fits(separator: str) -> tuple[int, int]:
        cells = next(csv.reader(io.StringIO(header, newline=""), delimiter=separator), [])
        return sum(folded(cell) in wanted_names for cell in cells), len(cells)

    return max(SEPARATORS, key=fits)


def broken_row(text: str, separator: str) -> tuple[int, str]:
    """Return on which line of a row that cannot be read the mistake begins, from 0, and what it is."""
    opened, closed = _quoted_badly(text, separator)
    line = _lines_before(text, opened)
    if closed is not None:
        after = shown(text[closed : closed + 20].strip()) or "a blank"
        reason = f"the quotation mark that begins a cell here is closed before {after}, where the cell should end"
        return line, f"{reason}; a quotation mark that is part of a text is written twice"
    if opened >= 0 and len(text) - opened > MAX_BODY_BYTES:
        return line, f"the cell in quotation marks that opens here has {_too_long(MAX_BODY_BYTES)}; is it ever closed?"
    if len(text) > LONGEST_LINE_BYTES:
        return 0, f"the row has {_too_long(LONGEST_LINE_BYTES)}"
    if opened < 0:
        return 0, f"a cell has {_too_long(MAX_BODY_BYTES)}"
    return line, "a quotation mark opens here and is never closed; close it, or write two if it belongs to the text"


def _too_long(most: int) -> str:
    return f"more than {most:,} characters, which fit into no request"


def _separator(feed: Feed, choice: SourceChoice) -> str:
    """Return what separates cells, by the line that says so or by the header, which is the next in the feed then."""
    feed.begin()
    for line in feed:
        if line.strip():
            break
        feed.begin()
    if said := _SAID.match(feed.row):
        return said["separator"]
    marks = feed.row.count('"')
    while marks % 2 and (line := next(feed, "")):  # a cell of the header may go over several lines
        marks += line.count('"')
    separator = separator_of(feed.row, wanted(choice))
    feed.again()
    return separator


def _quoted_badly(text: str, separator: str) -> tuple[int, int | None]:
    """Return where the faulty cell in quotation marks opens, and what follows its end, None if it has none.

    Without such a cell it opens at -1.
    """
    at = 0
    while True:
        if text[at : at + 1] != '"':
            at = text.find(separator, at) + 1
            if not at:
                return -1, None
            continue
        closing = text.find('"', at + 1)
        while closing >= 0 and text[closing + 1 : closing + 2] == '"':
            closing = text.find('"', closing + 2)
        after = text[closing + 1 : closing + 2]
        if closing < 0:
            return at, None
        if after != separator:
            return (-1, None) if after in ("", "\r", "\n") else (at, closing + 1)
        at = closing + 2


def _lines_before(text: str, position: int) -> int:
    """Return how many lines end before this position."""
    ends = accumulate(map(len, io.StringIO(text, newline="")))
    return sum(1 for _ in takewhile(lambda end: end <= position, ends))
