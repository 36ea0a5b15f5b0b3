"""Options and arguments that several commands have."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from batch_avatar.planning.order import Order
from batch_avatar.planning.packing import MAX_INPUTS

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES = click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
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
        help="Render changed scripts, however many there are, and those of which only the look changed.",
    ),
    click.option(
        "--allow-long", is_flag=True, help="Send scripts that are predicted to be cut by the service, at 20 minutes."
    ),
    click.option(
        "--keep-changed", is_flag=True, help="Leave archived scripts of which only the look changed as they are."
    ),
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

FOLDERS = (
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
)


def folder_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what is read of folders; the command gets them as `choice`."""

    @wraps(command)
    def chosen(*args: Any, recursive: bool, include: tuple[str, ...], exclude: tuple[str, ...], **options: Any) -> Any:
        from batch_avatar.scripts.folders import FolderChoice

        return command(*args, choice=FolderChoice(recursive=recursive, include=include, exclude=exclude), **options)

    for option in reversed(FOLDERS):
        chosen = option(chosen)
    return chosen


def sending_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how scripts are sent; the command gets `pack` and `order`."""
    for option in reversed(SENDING):
        command = option(command)
    return command


def permit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what may be paid for again; the command gets them as `**permitted`."""
    for option in reversed(PERMITS):
        command = option(command)
    return command
