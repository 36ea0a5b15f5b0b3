"""What the columns of a table are: under which name each is read, and what is wrong with its header. Pure."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from batch_avatar.catalog.near import near
from batch_avatar.models import Item, Properties
from batch_avatar.safe_text.bounds import some_of
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.findings import Finding

MEMBERS = (*Item.model_fields, "content_file", *Properties.model_fields)
"""What a column can be read as in a table of scripts."""
NEEDED = "script_id, and content or content_file"
MOST_NAMED = 12
"""Columns that a fault names; the others are counted."""
_BETWEEN = re.compile(r"[\s\-_\u200b\u2060\ufeff]+")
"""What stands between the words of a header, or is not seen: blanks of all kinds, and the mark that begins a file."""


class Columns(NamedTuple):
    """The name of each column, in the order of the table.

    A column that has no header has an empty name, and one that is left out by choice has None.
    """

    names: tuple[str | None, ...]

    @property
    def unnamed(self) -> list[int]:
        """The columns without a header, counted from 0."""
        return [number for number, name in enumerate(self.names) if name == ""]

    @property
    def unknown(self) -> list[str]:
        """The names that are no members of a script."""
        return [name for name in self.names if name and name not in MEMBERS]


def folded(header: str) -> str:
    """Return a header as headers are compared: `Script ID`, `SCRIPT_ID` and `script-id` are one."""
    return _BETWEEN.sub("_", header.casefold()).strip("_")


def columns_of(header: Sequence[str], choice: SourceChoice) -> Columns:
    """Return how the columns of this header are read."""
    chosen = {folded(name): member for name, member in choice.columns}
    ignored = {folded(name) for name in choice.ignore_columns}
    return Columns(tuple(None if folded(name) in ignored else _name(name, chosen) for name in header))


def wanted(choice: SourceChoice) -> set[str]:
    """Return the headers that mean something, folded: members of a script, and columns that the choice names."""
    named = (*(name for name, _ in choice.columns), *choice.ignore_columns, *choice.keep_columns)
    return {*MEMBERS, *map(folded, named), *([folded(choice.id_column)] if choice.id_column else [])}


def to_keep(choice: SourceChoice) -> set[str]:
    """Return the columns that are kept beside the video, folded, under the names by which they are read."""
    chosen = {folded(name): member for name, member in choice.columns}
    return {folded(chosen.get(folded(name), name)) for name in choice.keep_columns}


def kept_columns(values: Mapping[str, Any], kept: Collection[str]) -> dict[str, Any]:
    """Return what a row has in the columns that are kept, all as text, as a member of its script; {} if nothing."""
    has = {name: as_text(value) for name, value in values.items() if kept and folded(name) in kept}
    columns = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in has.items()
        if value not in (None, "")
    }
    return {"columns": columns} if columns else {}


def header_faults(header: Sequence[str], columns: Columns, choice: SourceChoice) -> Iterator[Finding]:
    """Yield what is wrong with the header of any table: columns of one name, and chosen columns that it has not."""
    has = {folded(name) for name in header}
    options = [*((_option(name), name) for name, _ in choice.columns)]
    options += [(f"--keep-columns {shown(name)}", name) for name in choice.keep_columns]
    for option, name in options:
        if folded(name) not in has:
            yield found("columns-missing", f"{option}: the table has no such column; it has {listed(header)}")
    seen: dict[str, int] = {}
    for number, column in enumerate(columns.names, start=1):
        if column and seen.setdefault(column, number) != number:
            text = f"columns {seen[column]} and {number} are both {shown(column)}; rename or delete one of them"
            yield found("column-twice", text)


def script_faults(header: Sequence[str], columns: Columns, choice: SourceChoice) -> Iterator[Finding]:
    """Yield what is wrong with the header of a table of scripts: what it needs, and what columns are mapped to."""
    for name, member in choice.columns:
        if member not in MEMBERS:
            text = f"{_option(name)}: {shown(member)} is no property of a script{_meant(member)}"
            yield found("column-unknown", text)
            return
    has = set(columns.names)
    if "script_id" not in has or has.isdisjoint({"content", "content_file"}):
        text = f"the table has the columns {listed(header)}; scripts need {NEEDED}"
        how = "rename columns, or say e.g. `--column Title=script_id` to read the column Title as script_id"
        yield found("columns-missing", f"{text}: {how}")


def unknown_column(name: str, rows: int) -> Finding:
    """Return the fault of a column that is no member of a script, and is filled in so many rows."""
    member = near(folded(name), MEMBERS)
    meant = f"; did you mean {member}? `--column {shlex.quote(f'{name}={member}')}` reads it so" if member else ""
    text = f"column {shown(name)} is no property of a script, and {_rows(rows)}{meant}"
    how = f"`--ignore-columns {shlex.quote(name)}` leaves it out, `--ignore-unknown` all that are no property"
    return found("column-unknown", f"{text}; {how}")


def unnamed_cells(columns: Sequence[int], rows: int) -> Finding:
    """Return the fault of cells under no header, in these columns (from 1), in so many rows."""
    numbers = ", ".join(map(str, columns))
    head = f"column {numbers} has no header" if len(columns) == 1 else f"columns {numbers} have no header"
    how = "name it or empty it; put a text with a separator in it into quotation marks, without a blank before them"
    return found("column-unnamed", f"{head}, and {_rows(rows)}: {how}")


def listed(header: Sequence[str]) -> str:
    """Return the names of a header as part of a fault."""
    names = [shown(name.strip()) for name in header if name.strip()]
    return some_of(names, MOST_NAMED) or "none"


def as_text(value: Any) -> Any:
    """Return a number as text, a whole one without a fraction; any other value as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


def _name(header: str, chosen: dict[str, str]) -> str:
    name = folded(header)
    if name in chosen:
        return chosen[name]
    return name if name in MEMBERS else header.strip().strip("\ufeff")


def _meant(name: str) -> str:
    member = near(folded(name), MEMBERS)
    return f"; did you mean {member}?" if member else ""


def _option(name: str) -> str:
    return f"--column {shown(name)}"


def _rows(number: int) -> str:
    return "1 row has something there" if number == 1 else f"{number:,} rows have something there"
