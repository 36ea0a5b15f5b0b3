"""The clock of the outage: it jumps only when nothing is left to do, and does not die in silence."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.support.manual_clock import ROUNDS
from tests.support.virtual_clock import VirtualClock, run_virtually


def test_time_stands_still_while_what_came_back_from_a_thread_has_more_to_do():
    """The thread is let go in the last turns of the clock's own wait, wherever that begins."""
    clock = VirtualClock()
    may_end = threading.Event()

    async def turns(count):
        for _ in range(count):
            await asyncio.sleep(0)

    async def short_way():
        loop = asyncio.get_running_loop()
        for number in range(10 * ROUNDS):
            call = loop.run_in_executor(None, may_end.wait)
            await turns(number % (2 * ROUNDS))
            may_end.set()
            await call
            may_end.clear()
            await turns(ROUNDS // 2)
            assert clock.monotonic() == 0.0, f"it jumped in round {number}"

    async def work():
        async with clock.running(lambda *_: None):
            sleeper = asyncio.create_task(clock.sleep(3600))
            await short_way()
            sleeper.cancel()

    run_virtually(work())


def test_an_error_of_what_keeps_step_ends_the_body():
    clock = VirtualClock()

    def fail(*_):
        raise ZeroDivisionError

    async def work():
        async with clock.running(fail):
            await clock.sleep(3600)
            await asyncio.Event().wait()

    with pytest.raises(ExceptionGroup) as raised:
        run_virtually(work())
    assert raised.group_contains(ZeroDivisionError)
