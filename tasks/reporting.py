"""What a flow run shows in the Prefect UI: one progress artifact, one table, and its final state."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prefect.artifacts import acreate_progress_artifact, acreate_table_artifact, aupdate_progress_artifact
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from batch_avatar.progress import Phase, Progress

if TYPE_CHECKING:
    from uuid import UUID

    from prefect.client.schemas.objects import State

    from batch_avatar.clock import Clock
    from batch_avatar.progress import Event
    from batch_avatar.report import BatchReport

UPDATE_SECONDS = 3.0
"""An update costs the server about 8 ms (measured with Prefect 3.9), so not one per event."""
TABLE_ROWS = 10_000  # 128 ms, measured; the report blob has them all


class ProgressArtifact:
    """A listener for a run's events that keeps one progress artifact up to date."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._progress = Progress(clock)
        self._artifact_id: UUID | None = None
        self._next_update = 0.0
        self._update: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._artifact_id = await acreate_progress_artifact(progress=0.0, key="progress", description="starting")

    def __call__(self, event: Event) -> None:
        self._progress(event)
        now = self._clock.monotonic()
        if now >= self._next_update and (self._update is None or self._update.done()):
            self._next_update = now + UPDATE_SECONDS
            self._update = asyncio.create_task(self._write())

    async def finish(self) -> None:
        if self._update is not None:
            await self._update
        await self._write()

    async def _write(self) -> None:
        if self._artifact_id is None:
            return
        try:
            await self._update_artifact(self._artifact_id)
        except Exception:  # noqa: BLE001 - whatever the API says, videos matter more than a picture of them
            get_run_logger().warning("the progress artifact cannot be updated", exc_info=True)

    async def _update_artifact(self, artifact_id: UUID) -> None:
        counts, total = self._progress.counts(), self._progress.total
        text = ", ".join(f"{counts[phase]} {phase}" for phase in Phase if counts[phase])
        share = 100.0 * self._progress.ended / total if total else 100.0
        await aupdate_progress_artifact(artifact_id, progress=share, description=text or "no scripts")


async def publish_report(report: BatchReport) -> None:
    """One row per script: how it ended, where its video is, what went wrong."""
    rows = [
        {
            "script": outcome.script_id,
            "outcome": str(outcome.outcome),
            "job": outcome.job_id or "",
            "video folder": outcome.blob_prefix or "",
            "error": f"{outcome.error.failure_class}: {outcome.error.message}" if outcome.error else "",
        }
        for outcome in report.outcomes[:TABLE_ROWS]
    ]
    await acreate_table_artifact(table=rows, key="scripts", description=summary_of(report))


def summary_of(report: BatchReport) -> str:
    return (
        f"{report.archived} archived, {report.skipped} archived before, {report.failed} failed, "
        f"{report.unfinished} unfinished of {report.scripts}; billed {report.billed_seconds} s of video and "
        f"{report.billed_characters} characters"
    )


def final_state(report: BatchReport) -> State[None]:
    """Green only when every script is archived."""
    if report.all_archived:
        return Completed(message=summary_of(report))
    first = next((outcome for outcome in report.outcomes if outcome.error is not None), None)
    reason = f"; first: {first.script_id}: {first.error.message}" if first and first.error else ""
    return Failed(message=summary_of(report) + reason)
