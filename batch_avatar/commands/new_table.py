"""`batch-avatar new-table`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import click

from batch_avatar.commands.terminal.options import ID_COLUMN
from batch_avatar.commands.terminal.running import fails_clearly
from batch_avatar.commands.terminal.saying import say
from batch_avatar.errors import InputError
from batch_avatar.safe_text.sinks import name as shown

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command(name="new-table")
@click.argument("table", metavar="TABLE.csv")
@click.option("--template", required=True, metavar="FILE", help="The template, e.g. welcome.ssml.j2.")
@ID_COLUMN
@fails_clearly
def new_table(table: str, template: str, id_column: str | None) -> None:
    """Write an empty table with the columns of a template, to be filled in and given to --rows.

    The first column names the scripts. A file that exists is left as it is.
    """
    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.templates.file import read_template
    from batch_avatar.scripts.templates.rows import columns_of_table

    if Path(table).suffix.lower() != ".csv":
        raise InputError(f"{shown(table)}: only .csv is written; every spreadsheet program opens it")
    columns = columns_of_table(read_template(Path(template), SourceChoice()), id_column)
    try:
        _write_header(Path(table), columns)
    except FileExistsError:
        raise InputError(f"{shown(table)} exists, and is left as it is; name another file") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown(table)} cannot be written: {getattr(error, 'strerror', error)}") from None
    say(f"{shown(table)}: {', '.join(map(shown, columns))}")


def _write_header(path: Path, columns: Sequence[str]) -> None:
    """Write a new file, with the mark by which Excel knows UTF-8."""
    with path.open("x", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerow(columns)
