"""Ask the Prefect server, in one way: what comes back is believed only if it answers what was asked.

A proxy's page, another schema, another run, an error or no answer at all is `NoAnswer`. Who asks then goes on as if
nothing had been said, and asks again later, and each kind is told once. No answer ends a run, but where it cannot go on
without one (`patience.py`).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import httpx
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterParentFlowRunId
from prefect.exceptions import ObjectNotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, State

ANSWER_SECONDS = 15.0  # for one request; a server on SQLite may take some seconds if two cores are busy
PAGE = 200  # of a list; the server's own limit
RUN_PREFIX = "flow-"
"""Claims, receipts and shards name a flow run by its id behind this."""

R = TypeVar("R")


class NoAnswer(Exception):
    """Nothing came back that answers what was asked. `cause`: what came instead."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(repr(cause))
        self.cause = cause

    @property
    def refusal(self) -> httpx.Response | None:
        """The answer, if it was an HTTP error."""
        return self.cause.response if isinstance(self.cause, httpx.HTTPStatusError) else None

    @property
    def gone(self) -> bool:
        """Whether it says that there is no such thing. What stands in front of the server may say so as well."""
        return isinstance(self.cause, ObjectNotFound)


class Kinds:
    """The kinds of errors that were seen: one that comes again and again for hours is worth one line in the log."""

    def __init__(self) -> None:
        self._seen: set[tuple[type[Exception], int]] = set()

    def is_new(self, error: Exception) -> bool:
        """Return whether no error of this kind came before: of its class and, if it has one, with its status."""
        error = error.cause if isinstance(error, NoAnswer) else error
        kind = type(error), error.response.status_code if isinstance(error, httpx.HTTPStatusError) else 0
        new = kind not in self._seen
        self._seen.add(kind)
        return new


async def answer(request: Awaitable[R], *, seconds: float = ANSWER_SECONDS) -> R:
    """Return what the server answers to a request of Prefect's client, which itself would try for about a minute.

    Raises:
        NoAnswer: whatever else came back, or nothing in time.
    """
    try:
        async with asyncio.timeout(seconds):
            return await request
    except Exception as error:  # whatever answers, a proxy's page too, must not end the run
        raise NoAnswer(error) from error


async def read_run(client: PrefectClient, run_id: UUID | str | None) -> FlowRun:
    """Return the flow run of this id, which has a state.

    Raises:
        NoAnswer: the server says no more of this run; `gone` if it has none of this id.
    """
    return await answer(_read_run(client, UUID(str(run_id))))


async def _read_run(client: PrefectClient, run_id: UUID) -> FlowRun:
    run = await client.read_flow_run(run_id)
    if run.id != run_id:
        raise ValueError(f"asked for flow run {run_id}, it answered with {run.id}")
    if run.state is None:
        raise ValueError(f"flow run {run_id} has no state")
    return run


async def read_children(client: PrefectClient, parent: UUID | str | None) -> list[FlowRun]:
    """Return the runs that this parent has started for its shards, the oldest first.

    Raises:
        NoAnswer: the server does not list them.
    """
    chosen = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=[UUID(str(parent))]))
    found: dict[UUID, FlowRun] = {}
    while True:
        page = await answer(client.read_flow_runs(flow_run_filter=chosen, limit=PAGE, offset=len(found)))
        known = len(found)
        found |= {run.id: run for run in page}
        if len(page) < PAGE:
            break
        if len(found) == known:
            raise NoAnswer(ValueError("it lists the same flow runs again and again"))
    children = [run for run in found.values() if shard_of(run).startswith(f"{RUN_PREFIX}{parent}/")]
    return sorted(children, key=lambda run: (run.created is not None, run.created))


def shard_of(run: FlowRun) -> str:
    """Return the shard that a child run renders; empty for any other run."""
    return str(run.parameters.get("shard") or "")


async def set_state(client: PrefectClient, run_id: UUID, state: State[Any]) -> State[Any]:
    """Ask for a state of a flow run, and return the one that it has then, by the server's own rules.

    Raises:
        NoAnswer: the server does not say.
    """
    return await answer(_set_state(client, run_id, state))


async def _set_state(client: PrefectClient, run_id: UUID, state: State[Any]) -> State[Any]:
    result = await client.set_flow_run_state(run_id, state)
    if result.state is None:
        raise ValueError(f"it leaves flow run {run_id} as it is ({result.status.value})")
    if result.state.state_details.flow_run_id not in (None, run_id):
        raise ValueError(f"asked about flow run {run_id}, it answered about {result.state.state_details.flow_run_id}")
    return result.state
