"""`batch-avatar sweep`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from batch_avatar.commands.terminal.options import JSON
from batch_avatar.commands.terminal.running import (
    EXIT_NOT_ARCHIVED,
    fails_clearly,
    name_run,
    output,
    progress_console,
    run_async,
)
from batch_avatar.commands.terminal.saying import say, say_json
from batch_avatar.settings import load_settings

if TYPE_CHECKING:
    from batch_avatar.upkeep.sweep import SweepReport


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@JSON
@fails_clearly
def sweep(dry_run: bool, as_json: bool) -> int:
    """Clean up after runs that died: archive, delete or record their jobs. Jobs of others are not touched.

    What has succeeded is archived, what is safe to delete is deleted, and what has failed is recorded. Nothing is
    created, so nothing is billed, and it may run on a schedule. Exit codes: 0 all done; 1 something could not be done;
    3 access refused.
    """
    from batch_avatar.commands.terminal.console import print_sweep
    from batch_avatar.upkeep.sweep import sweep_rows

    progress_console()
    report: SweepReport = run_async(_sweep(dry_run=dry_run))
    for text in report.withdrawn:
        say(f"warning: archived with {text}", err=True)
    if as_json:
        say_json(sweep_rows(report))
    else:
        print_sweep(output(), report)
    return 0 if report.clean else EXIT_NOT_ARCHIVED


async def _sweep(*, dry_run: bool) -> SweepReport:
    from batch_avatar.rendering.connect import open_existing_archive
    from batch_avatar.rendering.retry import plain_chain
    from batch_avatar.rendering.run import begin_run
    from batch_avatar.upkeep.sweep import sweep

    _, name = name_run()
    async with open_existing_archive(load_settings()) as c:
        with begin_run(c, f"sweep-{name}"):
            return await sweep(plain_chain(), dry_run=dry_run)
