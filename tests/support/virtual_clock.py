"""Hours of service time in seconds: a clock that jumps to the next sleeper once nothing else is going on."""

from __future__ import annotations

import asyncio
import heapq
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.manual_clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

BREATH_SECONDS = 0.002  # of real time, for threads to hand their results over


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that knows how many calls are in its threads, and how often one went there or came back."""

    in_threads = handed_over = 0

    def run_in_executor(self, executor, func, *args):
        future = super().run_in_executor(executor, func, *args)
        self.in_threads += 1
        self.handed_over += 1
        future.add_done_callback(self._back)
        return future

    def _back(self, _):
        self.in_threads -= 1
        self.handed_over += 1


class VirtualClock(ManualClock):
    """Use it inside `run_virtually`; `on_advance(seconds, now)` moves whatever else has to keep step."""

    def next_wake(self) -> float | None:
        """Seconds until the next sleeper wakes."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - self._elapsed if self._sleepers else None

    @asynccontextmanager
    async def running(self, on_advance: Callable[[float, float], None]) -> AsyncIterator[None]:
        """Time passes inside. An error of `on_advance` ends the body and is raised, in a group as all errors here."""
        async with asyncio.TaskGroup() as group:
            driver = group.create_task(self._drive(on_advance), name="virtual time")
            yield
            driver.cancel()

    async def _drive(self, on_advance: Callable[[float, float], None]) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        while True:
            await asyncio.sleep(BREATH_SECONDS)
            handed_over = loop.handed_over
            await self.settle()
            if loop.in_threads or loop.handed_over != handed_over:  # what came back last has more to do
                continue
            seconds = self.next_wake()
            if seconds is not None:
                on_advance(seconds, self._elapsed + seconds)
                await self.advance(seconds)


def run_virtually(work: Coroutine):
    """Like `asyncio.run`, on a loop that lets a virtual clock see when nothing is going on."""
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        return runner.run(work)
