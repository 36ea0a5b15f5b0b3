"""Scripts of a template: one for each row of a table. What a row lacks is told by row, what a column lacks once."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from batch_avatar.catalog.near import near
from batch_avatar.models import Properties
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import Finding, Place, found
from batch_avatar.scripts.readers.columns import as_text, folded, kept_columns, listed, to_keep
from batch_avatar.scripts.readers.draft import Draft
from batch_avatar.scripts.readers.table import value_of
from batch_avatar.scripts.templates.template import NotFilled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.readers.draft import Named, Reader
    from batch_avatar.scripts.templates.template import Template

ID_COLUMN = "script_id"
"""Where nobody says which column names the scripts."""


def scripts_of_rows(template: Template, columns: Reader) -> Reader:
    """Return a reader of scripts that fills the template with each row. `columns` reads the rows of the table.

    A column that the template uses is text of the script. Others that are properties of a script are read as such, and
    the rest is left out.
    """

    def read(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft | Finding]:
        rows = _Rows(template, choice)
        for part in columns(file, named, choice):
            if isinstance(part, Finding):
                yield part
            else:
                yield from rows.take(part)
        yield from rows.finish()

    return read


def columns_of_table(template: Template, id_column: str | None) -> list[str]:
    """Return the columns that a table for the template needs: the one of the ids, then those that the template uses."""
    first = id_column or ID_COLUMN
    return [first, *(name for name in template.variables if folded(name) != folded(first))]


class _Rows:
    """Fills a template row by row, and notes which columns there are and which are missed."""

    def __init__(self, template: Template, choice: SourceChoice) -> None:
        self._template = template
        self._id_column = choice.id_column or ID_COLUMN
        self._uses = {name: folded(name) for name in template.variables}
        self._kept = to_keep(choice)
        self._choice = choice
        self._source = ""
        self._rows = 0
        self._filled: dict[str, None] = {}
        """The columns in which a row has something, in their order."""
        self._missed: dict[str, list[tuple[Place, str]]] = {}

    def take(self, row: Draft) -> Iterator[Draft | Finding]:
        """Yield the script of a row, or what is wrong with the row; that it lacks something is told at the end."""
        self._rows += 1
        self._source = self._source or row.place.source
        values = {name: cleaned for name, value in row.values.items() if (cleaned := _cleaned(value)) is not None}
        self._filled |= dict.fromkeys(values)
        by_name = {folded(name): value for name, value in values.items()}
        script_id = by_name.get(folded(self._id_column))
        where = (row.place, str(script_id or ""))
        if script_id is None:
            self._missed.setdefault(folded(self._id_column), []).append(where)
        if len(by_name) < len(values):
            yield _twice(list(values)).at(*where)
            return
        try:
            given = {name: by_name[column] for name, column in self._uses.items() if column in by_name}
            content = self._template.fill(given)
        except NotFilled as error:
            for name in error.missing:
                self._missed.setdefault(self._uses.get(name, name), []).append(where)
            if error.reason:
                yield found("template-unfilled", error.reason).at(*where)
            return
        if script_id is not None:
            members = {"script_id": script_id, "input_kind": self._template.input_kind, "content": content}
            yield Draft(row.place, members | self._properties(row) | kept_columns(values, self._kept))

    def finish(self) -> Iterator[Finding]:
        """Yield what is wrong with whole columns, then what single rows lack, then what was left out."""
        names = {folded(name): name for name in self._filled}
        table = Place(self._source)
        lines = {folded(name): line for name, line in self._template.variables.items()}
        for name, places in self._missed.items():
            where = f"{self._template.name}:{lines[name]}" if name in lines else self._template.name
            is_id = name == folded(self._id_column)
            by = "the scripts are named by it" if is_id else f"{where} uses it"
            if name in names or not (is_id or name in lines):
                text = f"column {shown(names.get(name, name))} is empty; {by}{_default(name, lines)}"
                yield from (found("template-unfilled", text).at(*place) for place in places)
            else:
                yield found("template-unfilled", self._nowhere(name, by)).at(table)
        if not self._rows:
            return
        for name, line in lines.items():
            if name not in names and name not in self._missed:
                text = f"{self._template.name}:{line} uses column {shown(name)}, which no row fills"
                yield found("template-default", text + self._meant(name)).at(table)
        yield from (finding.at(table) for finding in self._left_out(names))

    def _properties(self, row: Draft) -> dict[str, Any]:
        """Return the properties of a request that the row gives; null takes away a default, as in JSON."""
        names = Properties.model_fields.keys() - {*self._uses.values(), folded(self._id_column)}
        return {
            name: value_of(name, value) if isinstance(value, str) else value
            for name, value in row.values.items()
            if name in names
        }

    def _nowhere(self, name: str, by: str) -> str:
        option = "" if name != folded(self._id_column) else "; `--id-column NAME` names another"
        has = listed(list(self._filled))
        text = f"no row has anything in a column {shown(name)}, and {by}; filled are {has}"
        return f"{text}{option}{self._meant(name)}"

    def _meant(self, name: str) -> str:
        other = near(name, [folded(column) for column in self._filled])
        return f"; did you mean {shown(other)}?" if other else ""

    def _left_out(self, names: Mapping[str, str]) -> Iterator[Finding]:
        used = {*self._uses.values(), *self._kept, folded(self._id_column), *Properties.model_fields}
        rest = [column for name, column in names.items() if name not in used]
        if rest and not self._choice.ignore_unknown:
            how = "`--keep-columns` keeps them beside the videos, `--ignore-unknown` says nothing of them"
            text = f"{self._template.name} does not use the columns {listed(rest)}; {how}"
            yield found("left-out", text)
        if empty := sorted(self._kept - names.keys()):
            yield found("left-out", f"no row fills the columns to keep: {listed(empty)}")


def _cleaned(value: Any) -> Any:
    """Return a value of a row with numbers as text; None if it is empty."""
    if isinstance(value, dict):
        return {str(name): inner for name, each in value.items() if (inner := _cleaned(each)) is not None} or None
    if isinstance(value, list):
        return [inner for each in value if (inner := _cleaned(each)) is not None] or None
    if isinstance(value, str):
        return value if value.strip() else None
    return as_text(value)


def _twice(names: list[str]) -> Finding:
    first, second = next(
        (one, other) for one in names for other in names if one is not other and folded(one) == folded(other)
    )
    text = f"columns {shown(first)} and {shown(second)} are the same to a template; rename or delete one of them"
    return found("column-twice", text)


def _default(name: str, lines: Mapping[str, int]) -> str:
    return f": fill it, or write {{{{ {shown(name)} | default('...') }}}} there" if name in lines else ""
