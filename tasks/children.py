"""The child flow runs of a batch that is spread: start them, wait for them, read their reports, and cancel them.

A parent that starts over, on any machine, goes on with the children that it has. It renders a shard itself if no worker
takes the child, so a single worker with a limit of 1 does not wait for itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from prefect.client.orchestration import get_client
from prefect.deployments import arun_deployment
from prefect.runtime import flow_run
from prefect.states import Cancelled, Cancelling
from prefect.utilities.urls import url_for

from batch_avatar.errors import ArchiveUnavailable, BatchAvatarError
from batch_avatar.models import FailureFacts
from batch_avatar.planning.budget import Budget
from batch_avatar.rendering.outcomes import facts_of
from batch_avatar.rendering.progress import Event, Phase
from batch_avatar.rendering.report import BatchReport
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.safe_text.sinks import markdown
from tasks.asking import NoAnswer, answer, read_children, set_state, shard_of
from tasks.patience import PrefectRefuses, Question
from tasks.reporting import summary_of
from tasks.steps import task_chain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from uuid import UUID

    from prefect import Flow
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, State

    from batch_avatar.models import Script
    from batch_avatar.planning.options import RenderOptions
    from batch_avatar.rendering.run import Run

logger = logging.getLogger("batch_avatar.children")
"""As in `tasks.steps`; a hook has no flow run whose logger it could use."""

CHILD_DEPLOYMENT = "render-batch/ad-hoc"
CHILD_QUEUE = "shards"
"""Not the parent's queue, so that child runs can have another priority and machines of their own."""
LOOK_SECONDS = 5.0  # between two looks; each look reads all children with one request
ALONE_SECONDS = 30.0
"""If no child is at work for so long, no worker will take one: workers ask every 10 s, and a process starts in 5 s."""
START_SECONDS = 60.0  # for a child run; Prefect's client needs some requests, which a busy server answers in seconds
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
        options: RenderOptions,
        limits: Mapping[str, Budget],
        read: Callable[[str], Awaitable[Sequence[Script]]],
        still_wanted: Callable[[], Awaitable[None]],
    ) -> None:
        self._run = run
        self._c = run.connections
        self._options = options
        self._limits = limits  # what each shard may spend
        self._taken: Budget | None = None  # what the shards that are rendered here may spend
        self._read = read
        self._still_wanted = still_wanted
        self._reports: dict[str, BatchReport | None] = {}
        self._runs: dict[str, FlowRun] = {}
        self._missed: set[str] = set()  # shards whose run the last look did not see
        self._no_deployment = False  # whether the last start said so
        self._reading = Question(self._c.clock, "the child runs cannot be read", vital=True)
        self._taking_over = Question(self._c.clock, "a child run that nobody takes cannot be taken over", vital=True)
        self._starting = Question(self._c.clock, "a child run cannot be started", vital=False)  # then it renders here
        self._still = Question(self._c.clock, "it cannot be asked whether this run is still wanted", vital=False)
        self.unreported = FailureFacts.model_validate(
            {"class": "stopped", "code": "ChildRunEnded", "message": "its child run ended without a report; run again"}
        )
        """Why there is no report of the scripts of which `render` returned none."""

    async def render(self, shards: Sequence[str]) -> list[BatchReport]:
        """Start a run for each shard that has none, and wait for all. Return the reports of those that wrote one.

        Raises:
            MissingDeployment: the server has no deployment to start them from.
        """
        async with get_client() as client:
            try:
                await self._render(client, shards)
            except PrefectRefuses as error:
                logger.error("%s", error)  # noqa: TRY400 - it says it all
                self.unreported = facts_of(error)
        return [report for report in self._reports.values() if report is not None]

    async def _render(self, client: PrefectClient, shards: Sequence[str]) -> None:
        while (known := await self._read_children(client)) is None:  # else it might start what it has
            await self._pause()
        for shard in shards:
            before = {shard_of(run): run for run in known}.get(shard)
            if before is None:
                continue
            await self._look(shard, before)
            if self._is_dead(before) and self._reports.get(shard) is None:  # it is started anew
                self._reports.pop(shard, None)
                self._runs.pop(shard)
        await self._wait(client, shards)

    async def _start(self, client: PrefectClient, shard: str) -> bool:
        """Start a child run for a shard, one per start of the parent, because idempotency keys are unique for ever.

        Return whether it is there now. Else it is tried again, with the same key.
        """
        try:
            run = await answer(self._started(client, shard), seconds=START_SECONDS)
        except NoAnswer as error:
            if error.gone and self._no_deployment:
                text = f"scripts_per_run needs the deployment {CHILD_DEPLOYMENT}: prefect deploy --all"
                raise MissingDeployment(text) from None
            self._no_deployment = error.gone
            self._starting.failed(error)
            return False
        self._no_deployment = False
        self._runs[shard] = run
        return True

    async def _started(self, client: PrefectClient, shard: str) -> FlowRun:
        run: FlowRun = await arun_deployment(
            CHILD_DEPLOYMENT,
            client=client,
            parameters={"shard": shard, **self._options_of(shard).as_parameters()},
            flow_run_name=f"render shard {shard}",
            timeout=0,
            idempotency_key=f"{flow_run.id}:{shard}:{flow_run.run_count}",
            work_queue_name=CHILD_QUEUE,
        )
        if shard_of(run) != shard:
            raise ValueError(f"asked for a run for {shard}, it answered with {run.name}")
        return run

    def _options_of(self, shard: str) -> RenderOptions:
        return self._options.within(self._limits.get(shard, Budget()))

    async def _wait(self, client: PrefectClient, shards: Sequence[str]) -> None:
        """Wait until every shard has ended; each look reads all children with one request."""
        somebody_works = self._c.clock.monotonic()
        while left := [shard for shard in shards if shard not in self._reports]:
            for shard in left:
                if shard not in self._runs and not await self._start(client, shard):
                    break
            await self._pause()
            known = await self._read_children(client)
            if known is not None:
                seen = {run.id: run for run in known}
                for shard in left:
                    if shard in self._runs:
                        await self._look(shard, seen.get(self._runs[shard].id))
            waiting = [shard for shard in left if shard not in self._reports]
            if any(not self._waits(shard) for shard in waiting) or len(waiting) < len(left):
                somebody_works = self._c.clock.monotonic()
            elif waiting and self._c.clock.monotonic() - somebody_works >= ALONE_SECONDS:
                await self._render_here(client, waiting[0])

    async def _pause(self) -> None:
        """Wait until the next look, and end here if this run is not wanted any more."""
        await self._c.clock.sleep(LOOK_SECONDS)
        try:
            await self._still_wanted()
        except Exception as error:  # noqa: BLE001 - no answer means that it is wanted
            self._still.failed(error)

    async def _read_children(self, client: PrefectClient) -> list[FlowRun] | None:
        """Return all child runs; None if the server does not tell them."""
        try:
            known = await read_children(client, flow_run.id)
        except NoAnswer as error:
            self._reading.failed(error)
            return None
        self._reading.answered()
        return known

    def _waits(self, shard: str) -> bool:
        """Return whether no worker has taken the shard's run yet, as far as is known."""
        run = self._runs.get(shard)
        return run is None or (run.state is not None and run.state.is_scheduled())

    async def _look(self, shard: str, run: FlowRun | None) -> None:
        if run is None:
            if shard in self._missed:  # one list without it may be a mistake
                logger.warning("child run %s was deleted", self._runs[shard].name)
                self._reports[shard] = None
            self._missed.add(shard)
            return
        self._missed.discard(shard)
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
        if shard in self._runs and not await self._take_over(client, self._runs[shard]):
            return
        logger.info("no worker takes %s, so it is rendered here", shard)
        self._reports[shard] = None
        try:
            scripts = await self._read(shard)
            limit = self._options_of(shard).budget
            self._taken = self._taken.plus(limit) if self._taken is not None else limit
            wanted = self._options.within(self._taken).keywords()
            self._reports[shard] = await render_scripts(scripts, task_chain(), publish=_not_yet, **wanted)
        except BatchAvatarError as error:
            logger.error("the shard %s cannot be rendered: %s", shard, error)  # noqa: TRY400 - it says it all

    async def _take_over(self, client: PrefectClient, run: FlowRun) -> bool:
        """Cancel a child's run, and return whether the server says that this is done."""
        mine: State[None] = Cancelled(message="no worker took it; its parent renders the shard")
        try:
            state = await set_state(client, run.id, mine)
        except NoAnswer as error:
            self._taking_over.failed(error)
            return False
        self._taking_over.answered()
        if not state.is_cancelled():
            self._taking_over.failed(ValueError(f"{run.name} is {state.name}"))
            return False
        self._runs[shard_of(run)] = run.model_copy(update={"state": state})
        return True

    def links(self) -> str:
        """Return a table of the children, in Markdown."""
        lines = ["## Child runs", "", "| shard | run | state | |", "|---|---|---|---|"]
        for shard, run in self._runs.items():
            report = self._reports.get(shard)
            state = markdown(run.state.name if run.state else "")
            link = f"[{markdown(run.name)}]({url_for(run) or ''})"
            lines.append(
                f"| {shard.rpartition('/')[2]} | {link} | {state} | {summary_of(report) if report else 'no report'} |"
            )
        return "\n".join(lines)


async def cancel_children(flow: Flow[..., Any], flow_run: FlowRun, state: State[Any]) -> None:  # noqa: ARG001 - a hook
    """Cancel the children of a flow run that is cancelled; a hook of the flow."""
    await cancel_children_of(flow_run.id)


async def cancel_children_of(parent: UUID | str | None) -> None:
    """Cancel every child of this parent that has not ended. A child that is missed asks for its parent by itself.

    Whoever runs a child ends it when it is `Cancelling`. One that does not run yet has nobody to end it, and would stay
    so (Prefect 3.8, the runner skips runs whose process it does not know): it is `Cancelled` at once, so its process,
    if one is about to start, is told to end. If it has begun meanwhile, it learns so before its next create.
    """
    async with get_client() as client:
        try:
            children = await read_children(client, parent)
        except NoAnswer as error:
            logger.warning("the child runs cannot be read, so they end by themselves, before they send more: %s", error)
            return
        for child in children:
            if child.state is None or not child.state.is_final():
                runs = child.state is not None and child.state.is_running()
                state: State[Any] = (Cancelling if runs else Cancelled)(message="its parent was cancelled")
                try:
                    await set_state(client, child.id, state)
                except NoAnswer as error:  # the others must still be cancelled
                    logger.warning("%s cannot be cancelled: %s", child.name, error)


async def _not_yet(_report: BatchReport) -> None:
    """Publish nothing, because a shard's report is not the batch's."""
