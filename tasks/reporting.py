"""What a flow run shows in the Prefect UI: its progress, a table, a report, and its final state."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prefect.artifacts import (
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from batch_avatar.models import OutcomeKind
from batch_avatar.rendering.progress import Phase, Progress
from tasks.events import emit_outcome, emit_throttled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from uuid import UUID

    from prefect.client.schemas.objects import State

    from batch_avatar.clock import Clock
    from batch_avatar.models import Outcome
    from batch_avatar.rendering.progress import Event
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.rendering.run import Run

UPDATE_SECONDS = 3.0
"""An update costs the server about 8 ms (measured with Prefect 3.9), so there is not one per event."""
TABLE_ROWS = 10_000  # they take 128 ms, measured; the report blob has all rows
NAMED_FAILURES = 50  # in the report; nobody reads on beyond that, and the table has all
NEXT_STEP = {
    "input": "mend the script and run again",
    "job": "`batch-avatar failed replay` sends it again",
    "lost": "it was paid for and is gone: run with rerender_lost to pay again",
    "changed": "run with accept_changes if that is wanted",
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
        self._artifact_id = await acreate_progress_artifact(progress=0.0, key="progress", description="starting")

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
        try:
            await self._update_artifact(self._artifact_id)
        except Exception:  # noqa: BLE001 - whatever the API says, videos matter more than a picture of them
            get_run_logger().warning("the progress artifact cannot be updated", exc_info=True)

    async def _update_artifact(self, artifact_id: UUID) -> None:
        counts = self._progress.counts()
        text = ", ".join(f"{counts[phase]} {phase}" for phase in Phase if counts[phase])
        share = 100.0 * self._progress.share
        await aupdate_progress_artifact(artifact_id, progress=share, description=text or "no scripts")


async def publish_report(report: BatchReport, *, remarks: Sequence[str] = ()) -> None:
    """Show a table with a row for each script (how it ended, where its video is, what went wrong) and a page of sums.

    `remarks`: paragraphs of Markdown at the end of the page.
    """
    summary = summary_of(report)
    rows = [_row(outcome) for outcome in report.outcomes[:TABLE_ROWS]]
    try:
        await acreate_table_artifact(table=rows, key="scripts", description=summary)
        await acreate_markdown_artifact(markdown=page_of(report, remarks), key="report", description=summary)
    except Exception:  # noqa: BLE001 - as above; the archive has the report as well
        get_run_logger().warning("the report cannot be shown", exc_info=True)


def _row(outcome: Outcome) -> dict[str, object]:
    error = outcome.error
    return {
        "script": outcome.script_id,
        "outcome": str(outcome.outcome),
        "seconds billed": outcome.billed_seconds or "",
        "characters billed": outcome.billed_characters or "",
        "video folder": outcome.blob_prefix or "",
        "error": f"{error.failure_class}: {error.message}" if error else outcome.note or "",
        "job": outcome.job_id or "",
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
    lines += ["", f"All outcomes: blob `_runs/{report.run}/report.json`."]
    missing = [one for one in report.outcomes if one.outcome in (OutcomeKind.FAILED, OutcomeKind.UNFINISHED)]
    if missing:
        lines += ["", *_missing(missing)]
    if notes := [f"- {cell(one.script_id)}: {cell(one.note)}" for one in report.outcomes if one.note]:
        lines += ["", "## To look at", "", *notes[:NAMED_FAILURES]]
    for remark in remarks:
        lines += ["", remark]
    return "\n".join(lines)


def _missing(outcomes: Sequence[Outcome]) -> list[str]:
    kinds = Counter((one.error.failure_class, one.error.code) for one in outcomes if one.error)
    lines = ["## Not archived", "", "| class | code | scripts | what to do |", "|---|---|--:|---|"]
    for (failure_class, code), count in kinds.most_common():
        step = NEXT_STEP.get(failure_class, "run again: it goes on where this run ended")
        lines.append(f"| {failure_class} | {cell(code)} | {count:,} | {step} |")
    lines += ["", "| script | outcome | why | job |", "|---|---|---|---|"]
    for one in outcomes[:NAMED_FAILURES]:
        why = one.error.message if one.error else ""
        lines.append(f"| {cell(one.script_id)} | {one.outcome} | {cell(why)} | {cell(one.job_id or '')} |")
    if len(outcomes) > NAMED_FAILURES:
        lines.append(f"\nand {len(outcomes) - NAMED_FAILURES:,} more, see the table.")
    return lines


def cell(text: str | None) -> str:
    """Return the text as the cell of a Markdown table, with all markup escaped."""
    marked = "".join(f"\\{character}" if character in "\\`*_[]<>|#" else character for character in text or "")
    return " ".join(marked.split())


def summary_of(report: BatchReport) -> str:
    return (
        f"{report.archived} archived, {report.skipped} archived before, {report.failed} failed, "
        f"{report.unfinished} unfinished of {report.scripts}; billed {report.billed_seconds} s of video and "
        f"{report.billed_characters} characters"
    )


def final_state(report: BatchReport) -> State[None]:
    """Return the flow run's final state, which is green only when every script is archived."""
    if report.all_archived:
        return Completed(message=summary_of(report))
    first = next((outcome for outcome in report.outcomes if outcome.error is not None), None)
    reason = f"; first: {first.script_id}: {first.error.message}" if first and first.error else ""
    return Failed(message=summary_of(report) + reason)
