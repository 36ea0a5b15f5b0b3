"""Ask the Prefect server, before creates, whether this flow run is still wanted.

A run that is cancelled by force or deleted gets no signal: Prefect changes its own record and leaves the process alone.
So the process asks, at most once in `ASK_SECONDS`; no answer means that it is wanted, whatever the error. That a run is
gone is believed if two asks in a row say so, because what stands in front of the server may say 404 as well.
"""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from contextvars import ContextVar
from enum import Enum, auto
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import Abort, Pause
from prefect.logging import get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled

from batch_avatar.rendering.connections import current_connections
from tasks.asking import RUN_PREFIX, Kinds, NoAnswer, read_run
from tasks.shared_pace import shared_paces

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, State

ASK_SECONDS = 30.0


P = ParamSpec("P")
R = TypeVar("R")


class Verdict(Enum):
    WANTED = auto()
    HELD = auto()
    """Paused, with the process: nothing is sent until the run goes on."""
    SUSPENDED = auto()
    """The process ends, and another one goes on once the run is resumed."""
    CANCELLED = auto()
    TAKEN = auto()
    """Its state is not ours to set: it was deleted, was ended by another's word, or waits for another process."""


def judge(own: FlowRun | None, parent: FlowRun | None, *, run_count: int, has_parent: bool) -> Verdict:
    """Say what is wanted of a process that began the run for the `run_count`th time. None is a run that was deleted."""
    if own is None or own.run_count != run_count or own.state is None:
        return Verdict.TAKEN
    if own.state.is_running():
        return _judge_by(parent) if has_parent else Verdict.WANTED
    if own.state.is_paused():
        leaves = own.state.state_details.pause_reschedule or own.state.name == "Suspended"
        return Verdict.SUSPENDED if leaves else Verdict.HELD
    return Verdict.CANCELLED if own.state.is_cancelling() else Verdict.TAKEN


def _judge_by(parent: FlowRun | None) -> Verdict:
    """Say what a child run does because of its parent's state; what has failed or crashed goes on in its children."""
    state = parent.state if parent is not None else None
    if state is None or state.is_cancelled() or state.is_cancelling():
        return Verdict.CANCELLED
    return Verdict.HELD if state.is_paused() else Verdict.WANTED


class Wanted:
    """What the server said last about this flow run, and how its process ends because of that."""

    def __init__(
        self, client: PrefectClient, *, parent: UUID | None, gate_of: Callable[[str], Callable[[], Awaitable[None]]]
    ) -> None:
        self._client = client
        self._gate_of = gate_of
        self._parent = parent
        self._work = asyncio.current_task()
        self._asked_at = -math.inf
        self._asking = asyncio.Lock()
        self._run_count: int | None = None
        self._state: State[Any] | None = None
        self._told = Kinds()
        self._gone = self._parent_gone = False  # whether the last ask said so
        self.verdict = Verdict.WANTED

    def gate_of(self, resource: str) -> Callable[[], Awaitable[None]]:
        """Return what each create of the resource waits for last: its pace, then that the run is wanted."""
        pace = self._gate_of(resource)

        async def turn() -> None:
            await pace()
            await self.check()

        return turn

    async def check(self) -> None:
        """Return once the run is wanted. If it is not wanted any more, cancel its work, and never return."""
        clock = current_connections().clock
        async with self._asking:
            while self.verdict is not Verdict.WANTED or clock.monotonic() >= self._asked_at + ASK_SECONDS:
                await clock.sleep(max(self._asked_at + ASK_SECONDS - clock.monotonic(), 0.0))
                self._asked_at = clock.monotonic()
                self.verdict, self._state = await self._ask()
                if self.verdict not in (Verdict.WANTED, Verdict.HELD):
                    await self._stop()

    async def suspend(self, state: State[Any] | None) -> None:
        """Cancel the work because Prefect's engine has seen by itself that the run is suspended; never return."""
        self.verdict, self._state = Verdict.SUSPENDED, state
        await self._stop()

    async def _stop(self) -> None:
        get_run_logger().info("this run stops: %s", self.verdict.name.lower())
        if self._work is not None:
            self._work.cancel()
        await asyncio.Future()

    async def _ask(self) -> tuple[Verdict, State[Any] | None]:
        gone, parent_gone = self._gone, self._parent_gone
        self._gone = self._parent_gone = False
        try:
            own = await self._read(flow_run.id)
            parent = await self._read(self._parent) if self._parent is not None else None
        except NoAnswer as error:
            if self._told.is_new(error):
                get_run_logger().warning("Prefect cannot be asked whether this run is still wanted: %s", error)
            return Verdict.WANTED, None
        self._gone, self._parent_gone = own is None, self._parent is not None and parent is None
        if self._run_count is None and own is not None:
            self._run_count = own.run_count
        has_parent = self._parent is not None and (parent is not None or parent_gone)  # as far as it is believed
        if own is None and not gone:
            return _judge_by(parent) if has_parent else Verdict.WANTED, None
        verdict = judge(own, parent, run_count=self._run_count or 0, has_parent=has_parent)
        return verdict, own.state if own is not None else None

    async def _read(self, run_id: UUID | str | None) -> FlowRun | None:
        try:
            return await read_run(self._client, run_id)
        except NoAnswer as error:
            if not error.gone:
                raise
            if self._told.is_new(error):
                get_run_logger().warning(
                    "Prefect has no flow run %s, it is said; this is believed if the next ask says it too", run_id
                )
            return None

    def end(self, message: str) -> State[None]:
        """Return the state that a stopped run ends with, if it is for this process to set it.

        Raises:
            Pause, Abort: as Prefect's engine expects them of a process that ends and leaves the state as it is.
        """
        if self._work is not None and self.verdict is not Verdict.WANTED:
            self._work.uncancel()
        if self.verdict is Verdict.SUSPENDED:
            raise Pause(message, state=self._state)
        if self.verdict is Verdict.TAKEN:
            raise Abort(message)
        return Cancelled(message=message)  # not Crashed: nothing needs to be mended


_current: ContextVar[Wanted | None] = ContextVar("batch_avatar_wanted", default=None)


@asynccontextmanager
async def watching_wanted(batch: str = "") -> AsyncIterator[Wanted]:
    """Yield what the work of this flow run asks before creates; `batch` is the parent's run if there is one."""
    async with get_client() as client, shared_paces() as gate_of:
        parent = UUID(batch.removeprefix(RUN_PREFIX)) if batch.startswith(RUN_PREFIX) else None
        wanted = Wanted(client, parent=parent, gate_of=gate_of)
        token = _current.set(wanted)
        try:
            yield wanted
        finally:
            _current.reset(token)


def stopping_when_suspended(step: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Return a task that stops the whole run, cleanly, where Prefect's engine finds that the run is suspended.

    The engine raises `Pause` for this in whatever task run is next. Out of one of many coroutines that would come as a
    group of exceptions, which the engine does not know, and takes for a crash.
    """

    @wraps(step)
    async def taken(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await step(*args, **kwargs)
        except Pause as signal:
            wanted = _current.get()
            if wanted is not None:
                await wanted.suspend(signal.state)
            raise

    return taken
