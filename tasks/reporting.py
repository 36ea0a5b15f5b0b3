"""What a flow run shows in the Prefect UI: its progress, a table, a report, and its final state."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from batch_avatar.errors import ManifestError
from batch_avatar.models import OutcomeKind
from batch_avatar.rendering.progress import Phase, Progress
from batch_avatar.safe_text.sinks import markdown, name, table_cell
from tasks.asking import NoAnswer, answer
from tasks.events import emit_outcome, emit_throttled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Sequence
    from uuid import UUID

    from prefect.client.schemas.objects import State

    from batch_avatar.clock import Clock
    from batch_avatar.errors import InputError
    from batch_avatar.models import Outcome
    from batch_avatar.rendering.progress import Event
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.rendering.run import Run

UPDATE_SECONDS = 3.0
"""An update costs the server about 8 ms (measured with Prefect 3.9), so there is not one per event."""
TABLE_ROWS = 10_000  # they take 128 ms, measured; the report blob has all rows
NAMED_FAILURES = 50  # in the report; nobody reads on beyond that, and the table has all
R = TypeVar("R")
NEXT_STEP = {
    "input": "mend the script and run again",
    "job": "`batch-avatar failed replay` sends it again",
    "lost": "it was paid for and is gone: run with rerender_lost to pay again",
    "changed": "run with accept_changes to render it, or, if only its look changed, with keep_changed to leave it",
    "long": "split it, or run with allow_long",
    "access": "mend the key or role, and run again",
}
"""What to do next, by failure class. After all other failures another run continues where this one ended."""


@asynccontextmanager
async def told_to_prefect(run: Run) -> AsyncIterator[None]:
    """Show the run's progress and emit its events while inside."""
    progress = ProgressArtifact(run.connections.clock)
    await progress.start()
    listeners = (progress, emit_outcome)
    run.listeners.extend(listeners)
    for resource in run.connections.resources.values():
        resource.listeners.append(emit_throttled)
    try:
        yield
    finally:
        for listener in listeners:
            run.listeners.remove(listener)
        for resource in run.connections.resources.values():
            resource.listeners.remove(emit_throttled)
        await progress.finish()


class ProgressArtifact:
    """A listener for a run's events that keeps one progress artifact up to date."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._progress = Progress(clock)
        self._artifact_id: UUID | None = None
        self._next_update = 0.0
        self._writing = False
        self._update: asyncio.Task[None] | None = None

    async def start(self) -> None:
        made = acreate_progress_artifact(progress=0.0, key="progress", description="starting")
        self._artifact_id = await show("the progress", made)

    def __call__(self, event: Event) -> None:
        self._progress(event)
        if self._update is None or self._update.done():
            self._update = asyncio.create_task(self._write_soon())

    async def finish(self) -> None:
        if self._update is not None:
            if not self._writing:  # an update on its way must not arrive after the last one
                self._update.cancel()
            await asyncio.wait([self._update])
        await self._write()

    async def _write_soon(self) -> None:
        """Wait until the next update is due, then write all that has come in by then."""
        await self._clock.sleep(self._next_update - self._clock.monotonic())
        self._next_update = self._clock.monotonic() + UPDATE_SECONDS
        self._writing = True
        await self._write()
        self._writing = False

    async def _write(self) -> None:
        if self._artifact_id is None:
            return
        counts = self._progress.counts()
        text = ", ".join(f"{counts[phase]} {phase}" for phase in Phase if counts[phase])
        share = 100.0 * self._progress.share
        update = aupdate_progress_artifact(self._artifact_id, progress=share, description=text or "no scripts")
        await show("the progress", update)


async def show(what: str, artifact: Awaitable[R]) -> R | None:
    """Make or update an artifact. If that fails, only warn: the work matters more than a picture of it."""
    try:
        return await answer(artifact)
    except NoAnswer as error:
        get_run_logger().warning("%s cannot be shown in Prefect: %s", what, error)
        return None


async def publish_report(report: BatchReport, *, remarks: Sequence[str] = ()) -> None:
    """Show a table with a row for each script (how it ended, where its video is, what went wrong) and a page of sums.

    `remarks`: paragraphs of Markdown at the end of the page.
    """
    summary = summary_of(report)
    rows = [_row(outcome) for outcome in report.outcomes[:TABLE_ROWS]]
    await show("the table of scripts", acreate_table_artifact(table=rows, key="scripts", description=summary))
    page = page_of(report, remarks)
    await show("the report", acreate_markdown_artifact(markdown=page, key="report", description=summary))


async def refused(error: InputError) -> State[None]:
    """Return the state that ends a flow run before anything was sent; a table then has all faults of the scripts."""
    if isinstance(error, ManifestError):
        rows = [{"fault": table_cell(fault)} for fault in error.faults[:TABLE_ROWS]]
        table = acreate_table_artifact(table=rows, key="faults", description=f"{len(error.faults):,} faults")
        await show("the table of faults", table)
    return Failed(message=f"{error} - nothing was sent")


def _row(outcome: Outcome) -> dict[str, object]:
    error = outcome.error
    return {
        "script": table_cell(outcome.script_id),
        "outcome": str(outcome.outcome),
        "seconds billed": outcome.billed_seconds or "",
        "characters billed": outcome.billed_characters or "",
        "video folder": table_cell(outcome.blob_prefix),
        "error": table_cell(f"{error.failure_class}: {error.message}" if error else outcome.note),
        "job": table_cell(outcome.job_id),
    }


def page_of(report: BatchReport, remarks: Sequence[str] = ()) -> str:
    """Return the report as Markdown: sums, what is missing and what to do about it, what to look at. Pure."""
    counts = {
        "archived": report.archived,
        "archived before": report.skipped,
        "failed": report.failed,
        "unfinished": report.unfinished,
        "**scripts**": report.scripts,
        "seconds of video billed": report.billed_seconds,
        "characters billed": report.billed_characters,
    }
    lines = ["| | |", "|---|--:|", *(f"| {name} | {count:,} |" for name, count in counts.items())]
    place = f"`_runs/{report.run}/report.json`"
    why = f"The report could not be written to {place}: {markdown(report.unwritten)}. The table has all outcomes."
    lines += ["", why if report.unwritten else f"All outcomes: blob {place}."]
    missing = [one for one in report.outcomes if one.outcome in (OutcomeKind.FAILED, OutcomeKind.UNFINISHED)]
    if missing:
        lines += ["", *_missing(missing)]
    if notes := [f"- {markdown(one.script_id)}: {markdown(one.note)}" for one in report.outcomes if one.note]:
        lines += ["", "## To look at", "", *notes[:NAMED_FAILURES]]
    for remark in remarks:
        lines += ["", remark]
    return "\n".join(lines)


def _missing(outcomes: Sequence[Outcome]) -> list[str]:
    kinds = Counter((one.error.failure_class, one.error.code) for one in outcomes if one.error)
    lines = ["## Not archived", "", "| class | code | scripts | what to do |", "|---|---|--:|---|"]
    for (failure_class, code), count in kinds.most_common():
        step = NEXT_STEP.get(failure_class, "run again: it goes on where this run ended")
        lines.append(f"| {failure_class} | {markdown(code)} | {count:,} | {step} |")
    lines += ["", "| script | outcome | why | job |", "|---|---|---|---|"]
    for one in outcomes[:NAMED_FAILURES]:
        why = one.error.message if one.error else ""
        lines.append(f"| {markdown(one.script_id)} | {one.outcome} | {markdown(why)} | {markdown(one.job_id)} |")
    if len(outcomes) > NAMED_FAILURES:
        lines.append(f"\nand {len(outcomes) - NAMED_FAILURES:,} more, see the table.")
    return lines


def summary_of(report: BatchReport) -> str:
    return (
        f"{report.counts} of {report.scripts}; billed {report.billed_seconds} s of video and "
        f"{report.billed_characters} characters"
    )


def final_state(report: BatchReport) -> State[None]:
    """Return the flow run's final state, which is green only when every script is archived."""
    if report.all_archived:
        return Completed(message=summary_of(report))
    first = next((outcome for outcome in report.outcomes if outcome.error is not None), None)
    reason = f"; first: {name(first.script_id)}: {first.error.message}" if first and first.error else ""
    return Failed(message=summary_of(report) + reason)
