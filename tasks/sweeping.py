"""Sweep as task runs, with one table of what was found."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prefect.artifacts import acreate_table_artifact
from prefect.states import Completed, Failed

from batch_avatar.errors import BatchAvatarError
from batch_avatar.rendering.connect import open_existing_archive
from batch_avatar.rendering.run import begin_run
from batch_avatar.safe_text.sinks import markdown, table_cell
from batch_avatar.upkeep.sweep import sweep, sweep_rows
from tasks.rendering import run_name
from tasks.reporting import show
from tasks.steps import task_chain
from tasks.wanted import watching_wanted

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from batch_avatar.settings import Settings


async def sweep_as_task_runs(settings: Settings, *, dry_run: bool) -> State[None]:
    """Sweep, show a table, and return the state to end the flow run with: failed if something could not be done."""
    try:
        async with watching_wanted() as wanted, open_existing_archive(settings) as c:
            with begin_run(c, run_name()):
                try:
                    report = await sweep(task_chain(), dry_run=dry_run)
                except asyncio.CancelledError:
                    return wanted.end("stopped; the next sweep goes on")
    except BatchAvatarError as error:  # service or archive cannot be read: a message, not a stack trace
        return Failed(message=str(error), data=error)
    counts = ", ".join(f"{count} to {action}" for action, count in report.counts().items()) or "no jobs of ours"
    summary = f"{counts}; {report.foreign} jobs of others left alone" + ("; nothing was done" if dry_run else "")
    if report.unread:
        summary += f"; the jobs of {', '.join(report.unread)} cannot be read"
    rows = [{column: table_cell(text) for column, text in row.items()} for row in sweep_rows(report)]
    about = "\n\n".join([summary, *(f"Archived with {markdown(text)}" for text in report.withdrawn)])
    table = acreate_table_artifact(table=rows, key="jobs", description=about)
    await show("the table of jobs", table)
    if report.clean:
        return Completed(message=summary)
    failed = sum(bool(item.error) for item in report.items)
    return Failed(message=f"{summary}; {failed} could not be done, see the table" if failed else summary)
