"""Hours of waiting in seconds: an event loop whose time jumps to the next timer as soon as nothing else is to be done.

Calls that the core hands to its threads run at once, on the loop, and take no virtual time. So there is one thread,
one order of events, and the same seeds give the same figures on every machine.
"""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)
"""Any fixed moment: wall time decides nothing, but it is written into claims and receipts."""


RESOLUTION_SECONDS = 1e-7
"""Timers so close count as due together. A float holds a year of seconds to some 1e-8, and asyncio's own 1e-9 is finer:
a timer a rounding error away would then never come due."""


class Stalled(RuntimeError):
    """Everything waits, and no timer is set: on a real clock this run would hang for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Where a real selector would sleep, virtual time passes."""

    elapsed_seconds = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events: list[tuple[selectors.SelectorKey, int]] = super().select(0)
        if events:
            return events
        if timeout is None:
            raise Stalled("everything waits and no timer is set")
        self.elapsed_seconds += max(timeout, 0.0)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = RESOLUTION_SECONDS  # asyncio has no public name for it

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.elapsed_seconds

    def run_in_executor(  # type: ignore[override] # the declared return type is the same future
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Call it now; the answer is there at the loop's next turn, as it would be from a quick thread."""
        del executor
        future = self.create_future()
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to who awaits the call
            self.call_soon(_settle, future, None, error)
        else:
            self.call_soon(_settle, future, result, None)
        return future


def _settle(future: asyncio.Future[Any], result: object, error: Exception | None) -> None:
    if future.done():  # cancelled meanwhile
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class LoopClock:
    """A `batch_avatar.clock.Clock` that tells the running loop's time, so that `asyncio.timeout` agrees with it."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Like `asyncio.run`, in virtual time.

    Raises:
        Stalled: the work waits for what cannot happen any more.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
