"""The child flow runs of a batch that is spread: start them, wait for them, read their reports, and cancel them.

A parent that starts over, on any machine, goes on with the children that it has. It renders a shard itself if no worker
takes the child, so a single worker with a limit of 1 does not wait for itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.deployments import arun_deployment
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Cancelled, Cancelling
from prefect.utilities.urls import url_for

from batch_avatar.errors import ArchiveUnavailable, BatchAvatarError
from batch_avatar.rendering.progress import Event, Phase
from batch_avatar.rendering.report import BatchReport
from batch_avatar.rendering.runner import render_scripts
from tasks.reporting import cell, summary_of
from tasks.shared_pace import Kinds
from tasks.steps import task_chain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from uuid import UUID

    from prefect import Flow
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, State

    from batch_avatar.models import Permits, Script
    from batch_avatar.planning.order import Order
    from batch_avatar.rendering.run import Run

logger = logging.getLogger("batch_avatar.children")
"""As in `tasks.steps`; a hook has no flow run whose logger it could use."""

CHILD_DEPLOYMENT = "render-batch/ad-hoc"
CHILD_QUEUE = "shards"
"""Not the parent's queue, so that child runs can have another priority and machines of their own."""
LOOK_SECONDS = 5.0  # between two looks; each look reads all children with one request
ALONE_SECONDS = 30.0
"""If no child is at work for so long, no worker will take one: workers ask every 10 s, and a process starts in 5 s."""
PAGE = 200  # the server's own limit
CRASHED_SECONDS = 60.0
"""An automation schedules a crashed child again within seconds; after this long it will not."""


class MissingDeployment(Exception):
    """The server has no deployment to start children from."""


class Children:
    """The children of this flow run."""

    def __init__(
        self,
        run: Run,
        *,
        permits: Permits,
        order: Order,
        pack: int,
        read: Callable[[str], Awaitable[Sequence[Script]]],
        still_wanted: Callable[[], Awaitable[None]],
    ) -> None:
        self._run = run
        self._c = run.connections
        self._permits = permits
        self._order = order
        self._pack = pack
        self._read = read
        self._still_wanted = still_wanted
        self._reports: dict[str, BatchReport | None] = {}
        self._runs: dict[str, FlowRun] = {}

    async def render(self, shards: Sequence[str]) -> list[BatchReport]:
        """Start a run for each shard that has none, and wait for all. Return the reports of those that wrote one.

        Raises:
            MissingDeployment: the server has no deployment to start them from.
        """
        async with get_client() as client:
            known = {run.parameters.get("shard"): run for run in await _children_of(client, flow_run.id)}
            for shard in shards:
                before = known.get(shard)
                if before is not None:
                    await self._look(shard, before)
                done = before is not None and (self._reports.get(shard) is not None or not self._is_dead(before))
                self._runs[shard] = before if before is not None and done else await self._start(shard)
                if not done:
                    self._reports.pop(shard, None)
            await self._wait(client)
        return [report for report in self._reports.values() if report is not None]

    async def _start(self, shard: str) -> FlowRun:
        """Start a child run for a shard, one per start of the parent, because idempotency keys are unique for ever."""
        options = {**self._permits.model_dump(), "order": self._order.value, "pack": self._pack}
        try:
            run: FlowRun = await arun_deployment(
                CHILD_DEPLOYMENT,
                parameters={"shard": shard, **options},
                flow_run_name=f"render shard {shard}",
                timeout=0,
                idempotency_key=f"{flow_run.id}:{shard}:{flow_run.run_count}",
                work_queue_name=CHILD_QUEUE,
            )
        except ObjectNotFound:
            text = f"scripts_per_run needs the deployment {CHILD_DEPLOYMENT}: prefect deploy --all"
            raise MissingDeployment(text) from None
        return run

    async def _wait(self, client: PrefectClient) -> None:
        """Wait until every child has ended; each look reads all of them with one request."""
        somebody_works = self._c.clock.monotonic()
        unasked, unread = Kinds(), Kinds()
        while left := [shard for shard in self._runs if shard not in self._reports]:
            await self._c.clock.sleep(LOOK_SECONDS)
            try:
                await self._still_wanted()
            except Exception as error:  # noqa: BLE001 - no answer means that it is wanted
                if unasked.is_new(error):
                    logger.warning("it cannot be asked whether this run is still wanted: %r", error)
            try:
                seen = {run.id: run for run in await _children_of(client, flow_run.id)}
            except Exception as error:  # noqa: BLE001 - whatever answers, a proxy's page too, must not end the run
                if unread.is_new(error):
                    logger.warning("the child runs cannot be read, will ask again: %r", error)
                continue
            for shard in left:
                await self._look(shard, seen.get(self._runs[shard].id))
            waiting = [shard for shard in left if shard not in self._reports]
            if any(not _waits(self._runs[shard].state) for shard in waiting) or len(waiting) < len(left):
                somebody_works = self._c.clock.monotonic()
            elif waiting and self._c.clock.monotonic() - somebody_works >= ALONE_SECONDS:
                await self._render_here(client, waiting[0])

    async def _look(self, shard: str, run: FlowRun | None) -> None:
        if run is None:
            logger.warning("child run %s was deleted", self._runs[shard].name)
            self._reports[shard] = None
            return
        self._runs[shard] = run
        if not self._is_dead(run):
            return
        try:
            text = await self._c.control(self._c.archive.read_run_document, f"flow-{run.id}", "report.json")
            report = BatchReport.model_validate_json(text) if text is not None else None
        except ArchiveUnavailable:
            return  # it is read at the next look
        except (BatchAvatarError, ValueError) as error:
            logger.warning("the report of %s cannot be read: %s", run.name, error)
            report = None
        self._reports[shard] = report
        for outcome in report.outcomes if report is not None else ():
            self._run.tell(Event(outcome.script_id, Phase(outcome.outcome.value), outcome.job_id))

    def _is_dead(self, run: FlowRun) -> bool:
        """Return whether the run has ended for good; one that has just crashed may be scheduled again in a moment."""
        if run.state is None or not run.state.is_final():
            return False
        age = self._c.clock.now() - run.state.timestamp
        return not run.state.is_crashed() or age.total_seconds() >= CRASHED_SECONDS

    async def _render_here(self, client: PrefectClient, shard: str) -> None:
        """Render a shard in this run because no worker takes its child run. If one still does, claims decide."""
        run = self._runs[shard]
        here: State[None] = Cancelled(message="no worker took it; its parent renders the shard")
        try:
            await client.set_flow_run_state(run.id, here)
        except (httpx.HTTPError, ObjectNotFound) as error:
            logger.warning("%s cannot be taken over for now: %r", run.name, error)
            return
        logger.info("no worker takes %s, so it is rendered here", run.name)
        self._runs[shard] = run.model_copy(update={"state": here})
        self._reports[shard] = None
        try:
            scripts = await self._read(shard)
            self._reports[shard] = await render_scripts(
                scripts, task_chain(), permits=self._permits, order=self._order, pack=self._pack, publish=_not_yet
            )
        except BatchAvatarError as error:
            logger.error("the shard %s cannot be rendered: %s", shard, error)  # noqa: TRY400 - it says it all

    def links(self) -> str:
        """Return a table of the children, in Markdown."""
        lines = ["## Child runs", "", "| shard | run | state | |", "|---|---|---|---|"]
        for shard, run in self._runs.items():
            report = self._reports.get(shard)
            state = run.state.name if run.state else ""
            link = f"[{cell(run.name)}]({url_for(run) or ''})"
            lines.append(
                f"| {shard.rpartition('/')[2]} | {link} | {state} | {summary_of(report) if report else 'no report'} |"
            )
        return "\n".join(lines)


async def cancel_children(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - a hook
    """Cancel the children of a flow run that is cancelled; a hook of the flow."""
    await cancel_children_of(flow_run.id)


async def cancel_children_of(parent: UUID | str | None) -> None:
    """Cancel every child of this parent that has not ended."""
    async with get_client() as client:
        for child in await _children_of(client, parent):
            if child.state is None or not child.state.is_final():
                try:
                    await client.set_flow_run_state(child.id, Cancelling(message="its parent was cancelled"))
                except (httpx.HTTPError, ObjectNotFound) as error:  # the others must still be cancelled
                    logger.warning("%s cannot be cancelled: %r", child.name, error)


async def _children_of(client: PrefectClient, parent: UUID | str | None) -> list[FlowRun]:
    """Return the children of this parent, the oldest first."""
    wanted = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[parent]))
    found: list[FlowRun] = []
    while len(page := await client.read_flow_runs(flow_run_filter=wanted, limit=PAGE, offset=len(found))) == PAGE:
        found += page
    return sorted([*found, *page], key=lambda run: (run.created is not None, run.created))


async def _not_yet(_report: BatchReport) -> None:
    """Publish nothing, because a shard's report is not the batch's."""


def _waits(state: State[Any] | None) -> bool:
    """Return whether no worker has taken the run yet."""
    return state is None or state.is_scheduled()
