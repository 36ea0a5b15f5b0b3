"""Fan-out over child flow runs: the batch is cut into shards that lie in the archive, and a child is given a name.

So parameters stay small, children need no file of the parent's machine, and a parent that starts over finds the same
shards. A child that dies loses nothing: the next run of the batch continues from claims and receipts.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Failed

from batch_avatar import planning
from batch_avatar.connect import open_connections
from batch_avatar.errors import ArchiveUnavailable, BatchAvatarError, InputError
from batch_avatar.identity import signed_properties
from batch_avatar.manifest import check_scripts
from batch_avatar.models import FailureFacts, Outcome, OutcomeKind, Script
from batch_avatar.outcomes import build_report, settled
from batch_avatar.plan_item import PlanState
from batch_avatar.progress import Event, Phase
from batch_avatar.report import BatchReport
from batch_avatar.wire import wire_for
from tasks.rendering import run_name
from tasks.reporting import ProgressArtifact, final_state, publish_report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from prefect.client.schemas.objects import FlowRun, State

    from batch_avatar.connections import Connections
    from batch_avatar.dispatch import Order
    from batch_avatar.models import Permits
    from batch_avatar.settings import Settings

CHILD_DEPLOYMENT = "render-batch/ad-hoc"
CHILD_QUEUE = "shards"
"""Not the parent's: children that wait behind their parents in one queue would never start."""
LOOK_SECONDS = 5.0  # between two looks at all children together, one request each


async def render_as_child_runs(
    settings: Settings, scripts: Sequence[Script], *, scripts_per_run: int, permits: Permits, order: Order, pack: int
) -> State[None]:
    """Start a child run per shard, wait for all of them, and report on the whole batch."""
    if signed := sorted({name for script in scripts for name in signed_properties(script)}):
        return Failed(message=f"{', '.join(signed)}: holds a signature; render without scripts_per_run")
    async with open_connections(settings, run=run_name()) as c:
        progress = ProgressArtifact(c.clock)
        await progress.start()
        c.listeners.append(progress)
        for script in scripts:
            c.tell(Event(script.script_id, Phase.WAITING))
        c.permits = permits
        try:
            refused = await _refuse_changes(c, scripts)
        except BatchAvatarError as error:  # service or archive cannot be read: a message, not a stack trace
            return Failed(message=str(error), data=error)
        shards = await _cut(c, [script for script in scripts if script.script_id not in refused], scripts_per_run)
        try:
            accepted = permits.model_copy(update={"accept_changes": True})  # decided here, for all shards together
            options = {**accepted.model_dump(), "order": order.value, "pack": pack}
            children = {name: await _start(name, options) for name in shards}
        except ObjectNotFound:
            return Failed(message=f"scripts_per_run needs the deployment {CHILD_DEPLOYMENT}: prefect deploy --all")
        reports = await _collect(c, children)
        report = await _sum_up(c, scripts, reports, refused)
        c.report = report
        try:
            await c.control(c.archive.write_run_document, c.run, "report.json", report.to_json())
        except BatchAvatarError as error:
            get_run_logger().warning("the report cannot be written to the archive: %s", error)
        await progress.finish()
        c.listeners.remove(progress)
        await publish_report(report)
    return final_state(report)


async def read_shard(settings: Settings, shard: str) -> Sequence[Script]:
    """The scripts of a shard that a parent run has written, named `<run>/<number>`.

    Raises:
        InputError: there is none of that name.
    """
    run, _, number = shard.partition("/")
    async with open_connections(settings, run=run_name()) as c:
        text = await c.control(c.archive.read_run_document, run, f"shards/{number}.jsonl")
    if text is None:
        raise InputError(f"there is no shard {shard} in the archive")
    scripts = (Script.model_validate_json(line) for line in text.split("\n"))  # U+2028 ends no line of JSON
    return check_scripts(scripts, defaults={}, wire=wire_for(settings.api_version))


async def _refuse_changes(c: Connections, scripts: Sequence[Script]) -> dict[str, Outcome]:
    """The outcomes of changed scripts, where they are more than may be rendered without a word."""
    items = (await planning.plan(scripts)).items
    changed = [item for item in items if item.state is PlanState.CHANGED and item.failure is not None]
    outcomes = [settled(item, prefix=c.archive.prefix_of(item.ref())) for item in changed]
    return {outcome.script_id: outcome for outcome in outcomes if outcome is not None}


async def _cut(c: Connections, scripts: Sequence[Script], size: int) -> list[str]:
    """The shards' names; written once, so that a parent that starts over cuts nothing anew."""
    written = await c.control(c.archive.read_run_document, c.run, "shards.json")
    if written is not None:
        return [str(name) for name in json.loads(written)]
    names = []
    for number, start in enumerate(range(0, len(scripts), size), start=1):
        lines = [script.model_dump_json(exclude_unset=True) for script in scripts[start : start + size]]
        await c.control(c.archive.write_run_document, c.run, f"shards/{number:04d}.jsonl", "\n".join(lines))
        names.append(f"{c.run}/{number:04d}")
    await c.control(c.archive.write_run_document, c.run, "shards.json", json.dumps(names))
    return names


async def _start(shard: str, options: dict[str, Any]) -> FlowRun:
    """One child run per shard and per life of the parent: idempotency keys are unique for ever."""
    return await arun_deployment(
        CHILD_DEPLOYMENT,
        parameters={"shard": shard, **options},
        flow_run_name=f"render shard {shard}",
        timeout=0,
        idempotency_key=f"{flow_run.id}:{shard}:{flow_run.run_count}",
        work_queue_name=CHILD_QUEUE,
    )


async def _collect(c: Connections, children: dict[str, FlowRun]) -> list[BatchReport]:
    """Look at all unfinished children with one request at a time, until none is left; read each one's report."""
    reports: list[BatchReport] = []
    left: dict[UUID, str] = {child.id: shard for shard, child in children.items()}
    async with get_client() as client:
        while left:
            await c.clock.sleep(LOOK_SECONDS)
            asked = list(left)[:200]
            wanted = FlowRunFilter(id=FlowRunFilterId(any_=asked))
            try:
                known = await client.read_flow_runs(flow_run_filter=wanted, limit=200)
            except httpx.HTTPError as error:
                get_run_logger().warning("the child runs cannot be read, will ask again: %r", error)
                continue
            for gone in set(asked) - {child.id for child in known}:
                get_run_logger().warning("child run %s was deleted", gone)
                del left[gone]
            for child in known:
                if child.state is None or not child.state.is_final():
                    continue
                try:
                    text = await c.control(c.archive.read_run_document, f"flow-{child.id}", "report.json")
                    report = BatchReport.model_validate_json(text) if text is not None else None
                except ArchiveUnavailable:
                    continue  # at the next look
                except (BatchAvatarError, ValueError) as error:
                    get_run_logger().warning("the report of %s cannot be read: %s", child.name, error)
                    report = None
                del left[child.id]
                if report is not None:
                    reports.append(report)
                    for outcome in report.outcomes:
                        c.tell(Event(outcome.script_id, Phase(outcome.outcome.value), outcome.job_id))
    return reports


async def _sum_up(
    c: Connections, scripts: Sequence[Script], reports: Sequence[BatchReport], refused: dict[str, Outcome]
) -> BatchReport:
    """One report; scripts of children that died without one are looked up in the archive."""
    outcomes = refused | {outcome.script_id: outcome for report in reports for outcome in report.outcomes}
    silent = [script for script in scripts if script.script_id not in outcomes]
    planned = {item.script_id: item for item in (await planning.plan(silent)).items} if silent else {}
    unreported = FailureFacts.model_validate(
        {"class": "stopped", "code": "ChildRunEnded", "message": "its child run ended without a report; run again"}
    )
    completed = []
    for script in scripts:
        outcome = outcomes.get(script.script_id)
        if outcome is None:
            item = planned[script.script_id]
            archived = item.state is PlanState.ARCHIVED
            outcome = Outcome(
                script_id=script.script_id,
                job_id=item.ref().job_id,
                outcome=OutcomeKind.ARCHIVED if archived else OutcomeKind.UNFINISHED,
                error=None if archived else unreported,
            )
        completed.append(outcome)
    billed = {
        "billed_seconds": sum(report.billed_seconds for report in reports),
        "billed_characters": sum(report.billed_characters for report in reports),
    }
    return build_report(c.run, completed).model_copy(update=billed)
