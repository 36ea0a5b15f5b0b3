"""Stop a worker without losing a flow run, in two steps for its unit file (batch-avatar-worker.service).

    python -m deployments.drain wait --worker NAME --seconds 600    before the worker is told to stop
    python -m deployments.drain hand-over --worker NAME             after the worker and its processes are gone

`wait` pauses the work pool, so that no worker gets new runs, and lets this worker's runs end. `hand-over` puts the runs
that were cut off back into their queue, where another worker takes them. It resumes the pool if no other worker drains.

Which worker has a run is read from the label that Prefect's worker writes on it before it starts the process. (In 3.8
`infrastructure_pid` is a bare process id and says nothing about the machine.) So no two workers may have the same name.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import httpx
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound
from prefect.states import AwaitingRetry

from batch_avatar.clock import SystemClock
from batch_avatar.commands.terminal.prefect_answers import told
from batch_avatar.commands.terminal.saying import say
from batch_avatar.errors import InputError
from deployments.draining import Drains
from deployments.prefect_server import POOL, TAG, open_client

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, State

    from batch_avatar.clock import Clock

WORKER_LABEL = "prefect.worker.name"
AT_WORK = (StateType.PENDING, StateType.RUNNING)
PAGE = 200  # the server's own limit
LOOK_SECONDS = 3.0  # between two looks at the runs, three requests each
LOOKS = 2  # looks in a row that must find no run: one taken just before the pause gets its label a moment later
ANSWER_SECONDS = 30.0  # for one look, with the tries that Prefect's client makes by itself
SILENCE_SECONDS = 60.0  # a server that restarts is back by then; one that is gone must not hold up a shutdown
HAND_OVER_SECONDS = 60.0  # for all runs: a worker has some tens of them at most, and a request takes 10 to 30 ms
MARGIN_SECONDS = 1800.0  # a drain's note outlives its wait by this: the unit gives three steps 11 minutes at most each
EXIT_INPUT = 2


@dataclass(frozen=True)
class Worker:
    """A worker of a pool, as the server knows it."""

    client: PrefectClient
    name: str
    pool: str = POOL
    page: int = PAGE

    async def runs(self, *states: StateType) -> list[FlowRun]:
        """Return the worker's flow runs of our deployments in these states."""
        of_ours = FlowRunFilter(
            tags=FlowRunFilterTags(all_=[TAG]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
        )
        of_pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[self.pool]))
        found: list[FlowRun] = []
        while True:
            page = await self.client.read_flow_runs(
                flow_run_filter=of_ours,
                work_pool_filter=of_pool,
                sort=FlowRunSort.ID_DESC,
                limit=self.page,
                offset=len(found),
            )
            found += page
            if len(page) < self.page:
                break
        return [run for run in found if run.labels.get(WORKER_LABEL) == self.name]


async def wait(worker: Worker, *, seconds: float, clock: Clock, tell: Callable[[str], None]) -> None:
    """Pause the pool, and wait until no run is left on this worker or the time is up.

    Raises:
        InputError: there is no such pool.
    """
    drains = Drains(worker.client, pool=worker.pool, clock=clock)
    started = answered = clock.monotonic()
    left: list[FlowRun] | None = None
    empty = 0
    while True:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if await drains.enter(worker.name, seconds=seconds + MARGIN_SECONDS):
                    tell(f"work pool {worker.pool}: paused")
                left = await worker.runs(*AT_WORK, StateType.CANCELLING)
        except ObjectNotFound:
            raise InputError(f"there is no work pool {worker.pool}") from None
        except (httpx.HTTPError, TimeoutError) as error:
            if clock.monotonic() - answered >= SILENCE_SECONDS:
                tell(f"{told(error)}; the wait ends")
                return
        else:
            answered = clock.monotonic()
            empty = 0 if left else empty + 1
        over = clock.monotonic() - started >= seconds
        if empty == LOOKS or (over and left == []):
            tell(f"worker {worker.name}: no run is left")
            return
        if over:
            names = ", ".join(run.name for run in left) if left else "not known, the server does not answer"
            tell(f"worker {worker.name}: after {seconds:g} s still at work: {names}")
            return
        await clock.sleep(LOOK_SECONDS)


async def hand_over(worker: Worker, *, clock: Clock, tell: Callable[[str], None]) -> None:
    """Put the worker's runs back into their queues; then resume the pool if no other worker drains it.

    A run that is being cancelled is left alone, because nobody wants it to go on.
    """
    for run in await worker.runs(*AT_WORK):
        back: State[None] = AwaitingRetry(message=f"the worker {worker.name} has stopped; another one goes on")
        try:
            await worker.client.set_flow_run_state(run.id, back, force=True)
        except (httpx.HTTPError, ObjectNotFound) as error:  # or it was deleted meanwhile; hand over the others
            tell(f"{run.name}: cannot be handed over: {error!r}")
        else:
            tell(f"{run.name}: handed over")
    if await Drains(worker.client, pool=worker.pool, clock=clock).leave(worker.name):
        tell(f"work pool {worker.pool}: resumed")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Stop a worker without losing a flow run."""


_NAME = click.option("--worker", "name", required=True, help="The name that the worker was started with.")
_POOL = click.option("--pool", default=POOL, show_default=True, help="The worker's work pool.")


@main.command("wait")
@_NAME
@_POOL
@click.option(
    "--seconds", default=600.0, show_default=True, type=click.FloatRange(min=0), help="Wait at most this long."
)
def wait_command(name: str, pool: str, seconds: float) -> None:
    """Pause the pool, and wait until no run is left on this worker."""

    async def waiting() -> None:
        async with open_client() as client:
            await wait(Worker(client, name, pool), seconds=seconds, clock=SystemClock(), tell=say)

    _carry_out(waiting())


@main.command("hand-over")
@_NAME
@_POOL
def hand_over_command(name: str, pool: str) -> None:
    """Hand the runs that this worker did not finish over to another worker, and resume the pool."""

    async def handing_over() -> None:
        async with asyncio.timeout(HAND_OVER_SECONDS), open_client() as client:
            await hand_over(Worker(client, name, pool), clock=SystemClock(), tell=say)

    _carry_out(handing_over())


def _carry_out(step: Coroutine[None, None, None]) -> None:
    """Run the step. It does not fail if the server does not answer: the heartbeats end, and an automation sees that."""
    try:
        asyncio.run(step)
    except InputError as error:
        say(str(error), err=True)
        sys.exit(EXIT_INPUT)
    except (httpx.HTTPError, ObjectNotFound, TimeoutError) as error:
        say(f"{told(error)}; left as it is", err=True)


if __name__ == "__main__":
    main()
