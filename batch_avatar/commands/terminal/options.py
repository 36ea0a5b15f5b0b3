"""Options and arguments that several commands have."""

from __future__ import annotations

from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from batch_avatar.planning.order import Order
from batch_avatar.planning.packing import MAX_INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SOURCES = click.argument("sources", nargs=-1, metavar="SOURCE...")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else there.")
PERMITS = (
    click.option(
        "--again",
        "revision",
        type=click.IntRange(0, 999),
        default=0,
        metavar="N",
        help="Render archived scripts again, as revision N; once per N, so repeating the command costs nothing.",
    ),
    click.option("--retry-failed", is_flag=True, help="Send again what failed for good; it may be billed again."),
    click.option("--rerender-lost", is_flag=True, help="Send again what was paid for and is lost, or has no video."),
    click.option(
        "--accept-changes",
        is_flag=True,
        help="Render changed scripts, however many there are, and those whose text is the same.",
    ),
    click.option(
        "--allow-long", is_flag=True, help="Send scripts that are predicted to be cut by the service, at 20 minutes."
    ),
    click.option("--keep-changed", is_flag=True, help="Leave archived scripts whose text is the same as they are."),
)


def _pack_size(_context: click.Context, _option: click.Parameter, value: str) -> int:
    """Return the given number of scripts, or 0 for `auto`."""
    if value == "auto":
        return 0
    if not value.isdecimal() or not 1 <= int(value) <= MAX_INPUTS:
        raise click.BadParameter(f"{value} is neither auto nor a number from 1 to {MAX_INPUTS}")
    return int(value)


SENDING = (
    click.option(
        "--pack",
        metavar="N|auto",
        callback=_pack_size,
        default="1",
        show_default=True,
        help="Send up to N scripts in one job; auto chooses what is fastest. Needs a staging container.",
    ),
    click.option(
        "--order",
        type=click.Choice([order.value for order in Order]),
        default=Order.LONGEST.value,
        show_default=True,
        help="longest: the longest predicted video first, so that no long one starts late; manifest: as given.",
    ),
)

BUDGET = (
    click.option(
        "--max-minutes",
        type=click.FloatRange(min=0),
        metavar="N",
        help="Create no more jobs than for N minutes of video, as predicted; run again for the rest.",
    ),
    click.option(
        "--max-cost",
        type=click.FloatRange(min=0),
        metavar="AMOUNT",
        help="Create no more jobs than cost AMOUNT, as predicted, in the currency of BATCH_AVATAR_PRICES.",
    ),
    click.option("--max-jobs", type=click.IntRange(min=0), metavar="N", help="Create no more than N jobs."),
)


def _columns(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return each column's name and property."""
    pairs = [tuple(part.strip() for part in text.rpartition("=")) for text in given]
    for text, (name, _, member) in zip(given, pairs, strict=True):
        if not name or not member:
            raise click.BadParameter(f"{text} is not NAME=PROPERTY, as in Text=content")
    return tuple((name, member) for name, _, member in pairs)


def _names(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of lists with commas."""
    return tuple(name.strip() for text in given for name in text.split(",") if name.strip())


ID_COLUMN = click.option(
    "--id-column", metavar="NAME", help="The column of the table that names the scripts; script_id, if not said."
)
CHOOSING = (
    click.option(
        "--recursive", is_flag=True, help="Read sub folders as well; the path below SOURCE is the id, as in hr/welcome."
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Of a folder, read also files of other kinds that fit, e.g. '*.csv'; repeatable.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Of a folder, leave out what fits, as in a .gitignore; repeatable. It decides before .batchavatarignore.",
    ),
    click.option(
        "--encoding",
        metavar="NAME",
        help="The encoding of texts and tables that are neither UTF-8 nor UTF-16, e.g. windows-1252.",
    ),
    click.option(
        "--column",
        "columns",
        multiple=True,
        metavar="NAME=PROPERTY",
        callback=_columns,
        help="Read a table's column NAME as PROPERTY, e.g. Text=content; repeatable.",
    ),
    click.option(
        "--ignore-columns",
        multiple=True,
        metavar="NAME,...",
        callback=_names,
        help="Do not read these columns of tables; repeatable.",
    ),
    click.option("--ignore-unknown", is_flag=True, help="Do not read columns of tables that are no property."),
    click.option(
        "--keep-columns",
        multiple=True,
        metavar="NAME,...",
        callback=_names,
        help="Keep these columns of tables beside the videos, in receipts and reports; repeatable.",
    ),
    click.option(
        "--template", metavar="FILE", help="Fill this template, e.g. welcome.ssml.j2, with each row of --rows."
    ),
    click.option("--rows", metavar="TABLE", help="The table whose rows fill the template, e.g. people.xlsx."),
    ID_COLUMN,
    click.option(
        "--by-heading", is_flag=True, help="Of a document, make each top heading a script of its own, not all one."
    ),
)


def choosing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how sources are read; the command gets them as `choice`."""

    @wraps(command)
    def chosen(*args: Any, **options: Any) -> Any:
        from batch_avatar.scripts.choice import SourceChoice

        named = {field.name: options.pop(field.name) for field in fields(SourceChoice) if field.name in options}
        choice = SourceChoice(**named)
        if options.get("sources") == () and not (choice.template or choice.rows):
            raise click.UsageError("Name a SOURCE, such as a folder of scripts; or a --template with --rows.")
        return command(*args, choice=choice, **options)

    return with_options(chosen, CHOOSING)


def render_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a run that `plan` and `render` share; the command gets them as `options`, `RenderOptions`."""

    @wraps(command)
    def wanted(*args: Any, **given: Any) -> Any:
        from batch_avatar.planning.budget import Budget
        from batch_avatar.planning.options import RenderOptions
        from batch_avatar.planning.permits import Permits

        budget = {name: given.pop(name) for name in Budget.model_fields}
        permits = {name: given.pop(name) for name in Permits.model_fields}
        options = RenderOptions(
            permits=Permits.model_validate(permits),
            order=Order(given.pop("order")),
            pack=given.pop("pack"),
            budget=Budget.model_validate(budget),
        )
        return command(*args, options=options, **given)

    return with_options(wanted, (*SENDING, *BUDGET, *PERMITS))


def with_options(
    command: Callable[..., Any], options: Sequence[Callable[[Callable[..., Any]], Callable[..., Any]]]
) -> Callable[..., Any]:
    """Add these options to a command; its help lists them in this order."""
    for option in reversed(options):
        command = option(command)
    return command
