"""What people choose of how their sources are read, the same for command line and flows. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from batch_avatar.errors import InputError


@dataclass(frozen=True)
class SourceChoice:
    """How sources are read. Patterns are those of a .gitignore, from the folder that is the source.

    `recursive`: sub folders as well. `include`: files of folders that are read although they are of another kind than
    *.txt, *.ssml and *.xml. `exclude`: what is left out of folders. `encoding`: of texts and tables that are not UTF-8.
    `columns`: the property for each column of a table that has another name. `ignore_columns`: columns that are not
    read; `ignore_unknown`: nor those that are no property. `keep_columns`: columns that are kept beside the video.
    `by_heading`: a document is one script for each top heading. `template`: the file of a template, which each row of
    the table `rows` fills; `id_column`: the column that names these scripts.
    """

    recursive: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    encoding: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    ignore_columns: tuple[str, ...] = ()
    ignore_unknown: bool = False
    keep_columns: tuple[str, ...] = ()
    by_heading: bool = False
    template: str | None = None
    rows: str | None = None
    id_column: str | None = None

    def filling(self) -> tuple[str, str] | None:
        """Return the template and the table that fills it; None if no template is chosen.

        Raises:
            InputError: one of the two is missing, or only the column of the ids is chosen.
        """
        if self.template and self.rows:
            return self.template, self.rows
        if self.template or self.rows:
            given, wanted = ("template", "rows") if self.template else ("rows", "template")
            raise InputError(f"a template and rows go together: {given} is given, and {wanted} is not")
        if self.id_column:
            raise InputError(
                f"id_column is for a template with rows; of another table say `--column {self.id_column}=script_id`"
            )
        return None

    def as_parameters(self) -> dict[str, Any]:
        """Return it as parameters of a flow."""
        given = asdict(self) | {"columns": dict(self.columns)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
