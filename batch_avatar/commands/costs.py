"""`batch-avatar costs`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import click

from batch_avatar.commands.terminal.options import JSON
from batch_avatar.commands.terminal.running import fails_clearly, output, run_async
from batch_avatar.commands.terminal.saying import say, say_json, say_pieces
from batch_avatar.errors import InputError
from batch_avatar.settings import load_settings

if TYPE_CHECKING:
    from batch_avatar.costs.facts import Billed
    from batch_avatar.settings import Settings


@click.command()
@click.option(
    "--by",
    metavar="KEY,...",
    help="A row for each day, month, resource, avatar, voice, folder or run; several keys with commas; month, if "
    "neither this nor --column is given.",
)
@click.option("--since", metavar="DATE", help="From this day on, in UTC, e.g. 2026-11-01.")
@click.option("--until", metavar="DATE", help="Up to this day, and with it.")
@click.option("--column", metavar="NAME", help="A row for each value of a column that --keep-columns kept.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for spreadsheets.")
@JSON
@fails_clearly
def costs(
    by: str | None, *, since: str | None, until: str | None, column: str | None, as_csv: bool, as_json: bool
) -> None:
    """Show what archived videos were billed, and failed attempts as far as their jobs told.

    One listing of the archive tells it. Money is shown where BATCH_AVATAR_PRICES is set. Exit codes: 0 shown; 2 an
    option or a setting is wrong, or there is no archive; 3 access refused.
    """
    from batch_avatar.costs import grouping, tables

    if as_csv and as_json:
        raise InputError("--csv and --json exclude each other")
    keys = grouping.check_keys(by if by is not None else "" if column else "month", column)
    first, last = _day("--since", since), _day("--until", until)
    settings = load_settings()
    prices = settings.prices
    billed = grouping.within(run_async(_billed(settings)), first, last)
    rows, total = grouping.grouped(billed, keys, prices), grouping.summed(("total",), billed, prices)
    if as_json:
        say_json(tables.as_json(keys, rows, total, prices))
        return
    if as_csv:
        say_pieces(tables.as_csv(keys, rows, prices).removesuffix("\r\n"))
        return
    if not billed:
        say("nothing is archived there" + (" in these days" if since or until else ""))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(tables.header(keys, prices)):
        table.add_column(name, justify="left" if number < len(keys) else "right")
    for row in rows:
        table.add_row(*row.values, *tables.text_cells(row, prices))
    table.add_section()
    table.add_row("total", *[""] * (len(keys) - 1), *tables.text_cells(total, prices))
    output().print(table)
    for text in tables.remarks(total, prices):
        say(text)


async def _billed(settings: Settings) -> list[Billed]:
    from batch_avatar.costs.reading import read_costs
    from batch_avatar.rendering.connect import open_existing_archive

    async with open_existing_archive(settings) as c:
        return await c.control(read_costs, c.archive)


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text} is no day; write it as 2026-11-30") from None
