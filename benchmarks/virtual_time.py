"""An event loop in virtual time: when nothing is left to do, its time jumps to the next timer.

Hours of waiting take seconds. Calls that the core hands to its threads run at once, on the loop, and take no virtual
time. So there is one thread and one order of events, and the same seeds give the same figures on every machine.
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
"""An arbitrary fixed time. It decides nothing, but claims and receipts contain it."""


RESOLUTION_SECONDS = 1e-7
"""Timers this close together are due at the same time. A float holds a year in seconds only to about 1e-8. asyncio's
own resolution, 1e-9, is finer, so a timer that is a rounding error away would never be due."""


class Stalled(RuntimeError):
    """Everything waits and no timer is set. With a real clock this run would hang for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Advances virtual time where a real selector would sleep."""

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
        """Return the virtual seconds since the loop was made."""
        return self._jumping.elapsed_seconds

    def run_in_executor(  # type: ignore[override] # the declared return type is the same future
        self, executor: object, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Call the function now. Its result arrives at the loop's next turn, as from a quick thread."""
        del executor
        future = self.create_future()
        try:
            result = func(*args)
        except Exception as error:  # noqa: BLE001 - every error goes to the task that awaits the call
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
    """A `batch_avatar.clock.Clock` with the time of the running loop, so that `asyncio.timeout` agrees with it."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtually(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine like `asyncio.run`, but in virtual time.

    Raises:
        Stalled: everything waits and no timer is set.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
