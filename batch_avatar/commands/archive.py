"""`batch-avatar archive verify|fetch|repair`."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from unicodedata import normalize

import click

from batch_avatar.commands.terminal.options import JSON
from batch_avatar.commands.terminal.running import EXIT_NOT_ARCHIVED, fails_clearly, output, progress_console, run_async
from batch_avatar.commands.terminal.saying import say_json
from batch_avatar.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from batch_avatar.archive.check import Checked, Unmatched
    from batch_avatar.archive.fetch import Fetched
    from batch_avatar.archive.index import Key
    from batch_avatar.archive.repair import Repaired
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.settings import Settings

T = TypeVar("T")

TELL_SECONDS = 10.0
"""Time between two lines of progress where there is no terminal. A choice, so that a log shows that work goes on."""


@click.group()
def archive() -> None:
    """Check, repair and copy what is archived. The Speech service is not contacted."""


@archive.command()
@click.option("--quick", is_flag=True, help="Compare sizes and recorded digests only; read no video.")
@JSON
@fails_clearly
def verify(quick: bool, as_json: bool) -> int:
    """Compare the archive with its receipts; read every byte.

    Exit codes: 0 all is well; 1 something is lost, damaged or unreadable; 3 access refused.
    """
    settings = load_settings()
    checked, unmatched = run_async(_verify(settings, quick=quick))
    if as_json:
        say_json(_as_json(checked, unmatched))
    else:
        _print_checked(output(), settings, checked, quick=quick)
        _print_told(output(), checked, unmatched)
    return EXIT_NOT_ARCHIVED if any(item.faults for item in checked) else 0


@archive.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("script_ids", nargs=-1, metavar="[SCRIPT_ID]...")
@click.option("--all", "everything", is_flag=True, help="Older versions too, each in FOLDER/<script_id>/<content_id>.")
@fails_clearly
def fetch(folder: Path, script_ids: tuple[str, ...], everything: bool) -> int:
    """Copy archived videos to a local folder.

    Each video goes to FOLDER/<script_id> with its summary, subtitles and receipt; of several versions, the newest is
    copied. Files that are there already are kept, and a copy that broke off is continued.

    Exit codes: 0 all is there; 1 something is missing; 2 no such script; 3 access refused.
    """
    wanted = [normalize("NFC", script_id) for script_id in script_ids]
    fetched = run_async(_fetch(load_settings(), folder, wanted, everything=everything))
    _print_fetched(output(), fetched)
    return EXIT_NOT_ARCHIVED if any(item.failure for item in fetched) else 0


@archive.command()
@fails_clearly
def repair() -> None:
    """Give a damaged archive its id back.

    The id is restored from the claims and receipts that carry it. Where none does, as in archives of the first
    versions, a new id is written, and a script is then known by what it says and its revision. Nothing else is changed,
    and what is in order stays as it is.

    Exit codes: 0 the archive has its id; 1 somebody else repairs it, or the storage does not answer; 2 there is no
    archive; 3 access refused.
    """
    settings = load_settings()
    repaired = run_async(_repair(settings))
    about, where = repaired.about, f"container {settings.container}, folder /{settings.prefix}"
    if not repaired.changed:
        text = f"the archive in {where} is in order; its id is {about.archive_id}"
    elif repaired.telling:
        text = (
            f"the archive in {where} has its id {about.archive_id} again, which most of its claims and receipts carry"
        )
    else:
        text = (
            f"the archive in {where} has the new id {about.archive_id}, because none of its {repaired.records} claims "
            "and receipts carries one; `batch-avatar plan SOURCE...` shows what is known of your scripts"
        )
    _print_line(output(), text)
    if about.earlier_ids:
        _print_line(
            output(), f"some claims and receipts carry other ids, and count as well: {', '.join(about.earlier_ids)}"
        )


async def _repair(settings: Settings) -> Repaired:
    from batch_avatar.rendering.connect import open_connections

    async with open_connections(settings, create_archive=False, open_archive=False) as c:
        return await c.control(c.archive.repair)


async def _verify(settings: Settings, *, quick: bool) -> tuple[list[Checked], Unmatched]:
    from batch_avatar.archive.check import check_receipt, find_unmatched
    from batch_avatar.rendering.connect import open_existing_archive

    def told(item: Checked | None) -> list[str]:
        return [f"{fault.name}: {fault.text}" for fault in item.faults] if item else []

    async with open_existing_archive(settings) as c:
        index = await c.control(c.archive.index)
        check = partial(check_receipt, c.archive, quick=quick, stopping=c.stopping)
        found = await _for_each(c, sorted(index.receipts), check, told)
    return [item for item in found if item is not None], find_unmatched(index)


async def _fetch(settings: Settings, folder: Path, script_ids: Sequence[str], *, everything: bool) -> list[Fetched]:
    from batch_avatar.archive.fetch import choose_receipts, fetch_receipt
    from batch_avatar.rendering.connect import open_existing_archive

    def told(item: Fetched) -> list[str]:
        what = item.failure or (f"{item.moved_bytes:,} bytes fetched" if item.files else "")
        return [f"{item.script_id}: {what}"] if what else []

    async with open_existing_archive(settings) as c:
        index = await c.control(c.archive.index, script_ids or None)
        keys = choose_receipts(index, script_ids, everything=everything)
        bring = partial(fetch_receipt, c.archive, folder=folder, by_content=everything, stopping=c.stopping)
        return await _for_each(c, keys, bring, told)


async def _for_each(
    c: Connections, keys: Sequence[Key], work: Callable[[Key], T], lines_about: Callable[[T], list[str]]
) -> list[T]:
    """Do blocking work for each key in the transfer threads. Return the results in the order of the keys."""
    with _showing(progress_console(), c, len(keys)) as tell:

        async def one(key: Key) -> T:
            result = await c.transfer(work, key)
            tell(lines_about(result))
            return result

        return await asyncio.gather(*(one(key) for key in keys))


@contextmanager
def _showing(console: Console, c: Connections, total: int) -> Iterator[Callable[[list[str]], None]]:
    """Show progress. Yield a function to call once per finished key, with lines for the reader, if there are any."""
    from rich.progress import Progress

    done, told_at = 0, c.clock.monotonic()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)

        def tell(lines: list[str]) -> None:
            nonlocal done, told_at
            done += 1
            bar.advance(task)
            for line in lines:
                console.print(line, soft_wrap=True)
            if not console.is_terminal and c.clock.monotonic() - told_at > TELL_SECONDS:
                told_at = c.clock.monotonic()
                console.print(f"{done:,} of {total:,} done")

        yield tell


def _as_json(checked: Sequence[Checked], unmatched: Unmatched) -> dict[str, Any]:
    receipts = []
    for item in checked:
        faults = [asdict(fault) | {"next_step": fault.next_step} for fault in item.faults]
        receipts.append(asdict(item) | {"faults": faults})
    return {
        "receipts": receipts,
        "videos_without_receipt": unmatched.videos,
        "claims_without_receipt": unmatched.claims,
        "dead_letters": unmatched.dead_letters,
    }


def _print_checked(console: Console, settings: Settings, checked: Sequence[Checked], *, quick: bool) -> None:
    """Print the faults with what to do about them, and the sums."""
    faults = [(item, fault) for item in checked for fault in item.faults]
    rows = [(item.script_id, f"{fault.name}: {fault.text}", fault.next_step) for item, fault in faults]
    _print_rows(console, ("script", "what is wrong", "what to do next"), rows)
    if faults:
        _print_line(console, f"all of these are in container {settings.container}, folder /{settings.prefix}")
    faulty = sum(bool(item.faults) for item in checked)
    count = sum(item.bytes_read for item in checked)
    how = "by their properties alone" if quick else f"{count:,} bytes read"
    _print_line(console, f"{len(checked)} receipts: {len(checked) - faulty} in order, {faulty} with faults, {how}")


def _print_told(console: Console, checked: Sequence[Checked], unmatched: Unmatched) -> None:
    """Print what is good to know although it is no fault of the archive."""
    doubtful = [f"{item.script_id} ({', '.join(item.doubtful)})" for item in checked if item.doubtful]
    offline = [name for item in checked for name in item.archive_tier]
    missing = [f"{item.script_id} ({', '.join(item.missing)})" for item in checked if item.missing]
    for told, names in (
        ("doubtful videos, kept as they came", doubtful),
        ("archived without a side file", missing),
        ("in the tier Archive, to be read only after their tier is changed", offline),
        ("videos without a receipt, which the next render of the script writes", unmatched.videos),
    ):
        if names:
            _print_line(console, f"{told}: {_listed(names)}")
    if unmatched.claims:
        _print_line(console, f"claims without a receipt, in flight or lost (`plan` tells): {unmatched.claims}")
    if unmatched.dead_letters:
        _print_line(console, f"dead letters: {unmatched.dead_letters}")


def _print_fetched(console: Console, fetched: Sequence[Fetched]) -> None:
    failed = [(item.script_id, item.failure) for item in fetched if item.failure]
    _print_rows(console, ("script", "what is wrong"), failed)
    if failed:
        _print_line(console, "`batch-avatar archive verify` tells what to do about what the archive lacks")
    moved = sum(item.files > 0 for item in fetched)
    _print_line(
        console,
        f"{moved} fetched, {len(fetched) - len(failed) - moved} already there, {len(failed)} failed, "
        f"{sum(item.moved_bytes for item in fetched):,} bytes",
    )


def _print_rows(console: Console, titles: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
    from rich.table import Table

    from batch_avatar.commands.terminal.console import MANY

    if not rows:
        return
    table = Table(*titles, box=None, pad_edge=False)
    for row in rows[:MANY]:
        table.add_row(*(cell or "" for cell in row))
    console.print(table)
    if len(rows) > MANY:
        _print_line(console, f"... and {len(rows) - MANY} more")


def _print_line(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True)


def _listed(names: Sequence[str]) -> str:
    from batch_avatar.commands.terminal.console import MANY

    more = f" and {len(names) - MANY} more" if len(names) > MANY else ""
    return f"{len(names)}: {', '.join(names[:MANY])}{more}"
