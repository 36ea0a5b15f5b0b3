"""Scripts as rows below a header, in whichever file they come."""

from __future__ import annotations

from collections import Counter
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

from batch_avatar.scripts.findings import Finding, Place
from batch_avatar.scripts.parsing import Malformed, parse_json
from batch_avatar.scripts.readers.columns import (
    columns_of,
    folded,
    header_faults,
    kept_columns,
    script_faults,
    to_keep,
    unknown_column,
    unnamed_cells,
)
from batch_avatar.scripts.readers.draft import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.readers.columns import Columns
    from batch_avatar.scripts.readers.draft import Named, Reader

NESTED = ("custom_voices", "scene", "video_crop", "avatar_position", "avatar_size", "resolution", "extra_properties")
"""Members that are written as JSON in their cell."""


class Row(NamedTuple):
    """The cells of a row, as text, and where it begins. Rows may have more or fewer cells than the header."""

    place: Place
    cells: Sequence[str]


class RowReader(Protocol):
    """Reads the rows of one form of table; the first that is not empty is the header."""

    def __call__(self, file: IO[bytes], named: Named, choice: SourceChoice, /) -> Iterator[Row | Finding]:
        """Yield rows and faults in the order of the file. Raises as `Reader` does."""


class Table(NamedTuple):
    """A table below its header. Without rows, it has not even a header."""

    place: Place
    header: Sequence[str]
    columns: Columns
    rows: Iterator[Row | Finding]

    def drafts(self) -> Iterator[Draft | Finding]:
        """Yield what each row has in columns with a header, all as text; an empty cell and an empty row say nothing."""
        names, width, unnamed = self.columns.names, len(self.columns.names), self.columns.unnamed
        first: Place | None = None
        lost: set[int] = set()
        rows_with_lost = 0
        for row in self.rows:
            if isinstance(row, Finding):
                yield row
                continue
            cells = row.cells
            values = {
                name: cell for name, cell in zip(names, cells, strict=False) if name and cell and not cell.isspace()
            }
            if unnamed or len(cells) > width:
                here = {number for number in (*unnamed, *range(width, len(cells))) if _is_filled(cells, number)}
                if here:
                    first, rows_with_lost = first or row.place, rows_with_lost + 1
                    lost |= here
            if values:
                yield Draft(row.place, values)
        if first is not None:
            yield unnamed_cells([number + 1 for number in sorted(lost)], rows_with_lost).at(first)


def open_table(rows: Iterator[Row | Finding], choice: SourceChoice) -> tuple[Table | None, list[Finding]]:
    """Read up to the header. Return the table, or None if there is none or it cannot be read; and what is wrong."""
    faults = []
    for row in rows:
        if isinstance(row, Finding):
            faults.append(row)
        elif any(cell and not cell.isspace() for cell in row.cells):
            columns = columns_of(row.cells, choice)
            wrong = [fault.at(row.place) for fault in header_faults(row.cells, columns, choice)]
            return None if wrong else Table(row.place, row.cells, columns, rows), faults + wrong
    return None, faults


def scripts_of(row_reader: RowReader) -> Reader:
    """Return a reader of scripts: each column is a member of a script, and others are told once each."""

    def read(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft | Finding]:
        table, findings = open_table(row_reader(file, named, choice), choice)
        yield from findings
        if table is None:
            return
        if wrong := [fault.at(table.place) for fault in script_faults(table.header, table.columns, choice)]:
            yield from wrong
            return
        yield from _scripts(table, choice)

    return read


def columns_as_they_are(row_reader: RowReader) -> Reader:
    """Return a reader of all columns of a table, whatever they mean; a draft of it is a row, with text alone."""

    def read(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft | Finding]:
        table, findings = open_table(row_reader(file, named, choice), choice)
        yield from findings
        if table is not None:
            yield from table.drafts()

    return read


def _scripts(table: Table, choice: SourceChoice) -> Iterator[Draft | Finding]:
    kept, filled = to_keep(choice), Counter[str]()
    unknown = [name for name in table.columns.unknown if folded(name) not in kept]
    others = {*table.columns.unknown}
    nested = [name for name in NESTED if name in table.columns.names]
    for part in table.drafts():
        if isinstance(part, Draft) and (others or nested or kept):
            filled.update(name for name in unknown if name in part.values)
            values = {name: value_of(name, text) for name, text in part.values.items() if name not in others}
            if values := values | kept_columns(part.values, kept):
                yield Draft(part.place, values)
        else:
            yield part
    if not choice.ignore_unknown:
        yield from (unknown_column(name, filled[name]).at(table.place) for name in unknown if filled[name])


def value_of(name: str, text: str) -> Any:
    """Return what a cell says of this member; of nested ones what it says in JSON, or the text, which none takes."""
    if name not in NESTED:
        return text
    try:
        return parse_json(text)
    except Malformed:
        return text


def _is_filled(cells: Sequence[str], number: int) -> bool:
    return number < len(cells) and bool(cells[number].strip())
