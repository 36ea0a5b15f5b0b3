"""Virtual time jumps from timer to timer, and calls meant for threads take none of it."""

import asyncio
import time

import pytest

from benchmarks.virtual_time import START, LoopClock, Stalled, run_virtually


def test_a_year_of_sleep_takes_no_time_and_is_told_exactly():
    clock = LoopClock()

    async def work():
        began = time.perf_counter()
        await clock.sleep(365 * 86_400.0)
        return clock.monotonic(), (clock.now() - START).days, time.perf_counter() - began

    seconds, days, real_seconds = run_virtually(work())

    assert (seconds, days) == (365 * 86_400.0, 365)
    assert real_seconds < 100


def test_sleepers_wake_in_the_order_of_their_times():
    clock = LoopClock()
    woken = []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    async def work():
        await asyncio.gather(*(sleeper(seconds) for seconds in (3.0, 1.0, 2.0)))

    run_virtually(work())

    assert woken == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]


def test_a_timeout_is_virtual_too():
    async def work():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtually(work()) == 3600


def test_a_call_for_a_thread_answers_at_the_next_turn_and_at_the_same_time():
    order = []

    async def other():
        order.append("other")

    async def work():
        task = asyncio.create_task(other())
        order.append(await asyncio.to_thread(lambda: "answer"))
        await task
        return asyncio.get_running_loop().time()

    assert run_virtually(work()) == 0
    assert order == ["other", "answer"]


def test_the_error_of_a_call_reaches_who_awaits_it():
    async def work():
        with pytest.raises(LookupError, match="not here"):
            await asyncio.to_thread(refuse)

    def refuse():
        raise LookupError("not here")

    run_virtually(work())


def test_an_answer_that_nobody_waits_for_any_more_is_dropped():
    async def work():
        call = asyncio.get_running_loop().run_in_executor(None, lambda: 1)
        call.cancel()
        await asyncio.sleep(1)
        return call.cancelled()

    assert run_virtually(work())


def test_a_run_that_waits_for_nothing_ends_loudly():
    async def work():
        await asyncio.Event().wait()

    with pytest.raises(Stalled):
        run_virtually(work())
