"""`batch-avatar failed list|show|replay`."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from batch_avatar.commands.terminal.options import JSON
from batch_avatar.commands.terminal.running import (
    fails_clearly,
    name_run,
    output,
    progress_console,
    report_code,
    run_async,
)
from batch_avatar.commands.terminal.saying import say, say_json
from batch_avatar.errors import FailureClass
from batch_avatar.settings import load_settings

if TYPE_CHECKING:
    from batch_avatar.rendering.report import BatchReport

CLASS = click.option(
    "--class",
    "failure_class",
    type=click.Choice([FailureClass.INPUT.value, FailureClass.JOB.value]),
    help="Only these: input (the service refused the script) or job (its jobs failed).",
)


@click.group()
def failed() -> None:
    """Look at scripts that failed for good (dead letters), or send them again; no run does that by itself."""


@failed.command("list")
@CLASS
@JSON
@fails_clearly
def list_failed(failure_class: str | None, as_json: bool) -> None:
    """List the dead letters that still count, one line each."""
    from rich.table import Table

    lines = run_async(_letters((), failure_class))
    if as_json:
        say_json([asdict(line) for line in lines])
        return
    table = Table("script", "class", "code", "job", "when", "message", box=None, pad_edge=False)
    for line in lines:
        when, why = line.written_at[:19], line.message.split(" [")[0]
        table.add_row(line.script_id, line.failure_class, line.code, line.job_id, when, why)
    console = output()
    if lines:
        console.print(table)
    console.print(f"{len(lines)} failed")


@failed.command("show")
@click.argument("name", metavar="SCRIPT_ID|JOB_ID")
@fails_clearly
def show_failed(name: str) -> None:
    """Print a whole dead letter as JSON: the reason, every attempt, and the script."""
    letters = run_async(_whole(name))
    say_json([letter.model_dump(mode="json", by_alias=True) for letter in letters])


@failed.command()
@click.argument("names", nargs=-1, metavar="[SCRIPT_ID...]")
@CLASS
@JSON
@fails_clearly
def replay(names: tuple[str, ...], failure_class: str | None, as_json: bool) -> int:
    """Send failed scripts again, as they were, each as its next attempt; each may be billed again.

    Exit codes: as `batch-avatar render`.
    """
    report, elapsed = run_async(_replay(names, failure_class))
    if report.scripts or as_json:
        from batch_avatar.commands.terminal.console import show_report

        show_report(report, load_settings(), elapsed_seconds=elapsed, as_json=as_json)
    else:
        say("nothing to replay")
    return report_code(report)


async def _letters(names: tuple[str, ...], failure_class: str | None) -> Any:
    from batch_avatar.rendering.connect import open_existing_archive
    from batch_avatar.upkeep.letters import list_letters

    wanted = FailureClass(failure_class) if failure_class else None
    async with open_existing_archive(load_settings()):
        return await list_letters(names=names, failure_class=wanted)


async def _whole(name: str) -> Any:
    from batch_avatar.rendering.connect import open_existing_archive
    from batch_avatar.upkeep.letters import list_letters, read_letters

    async with open_existing_archive(load_settings()):
        return await read_letters(await list_letters(names=[name]))


async def _replay(names: tuple[str, ...], failure_class: str | None) -> tuple[BatchReport, float]:
    from batch_avatar.commands.terminal.console import showing_progress
    from batch_avatar.rendering.connect import open_existing_archive
    from batch_avatar.rendering.retry import plain_chain
    from batch_avatar.rendering.run import begin_run
    from batch_avatar.upkeep.letters import list_letters, read_letters
    from batch_avatar.upkeep.replay import replay_letters

    (clock, name), console = name_run(), progress_console()
    started = clock.monotonic()
    wanted = FailureClass(failure_class) if failure_class else None
    with showing_progress(console, clock) as listener:
        async with open_existing_archive(load_settings()) as c:
            letters = await read_letters(await list_letters(names=names, failure_class=wanted))
            with begin_run(c, name) as run:
                run.listeners.append(listener)
                try:
                    report = await replay_letters(letters, plain_chain())
                except asyncio.CancelledError:
                    if run.report is None:
                        raise
                    report = run.report
    return report, clock.monotonic() - started
