"""The watch itself: each thing that must not be is done once and named."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.chaos.hostile.watch import MEMORY_BYTES, REQUESTS_AT_ONCE, Watch, WatchedClock

logger = logging.getLogger("batch_avatar.test")


@pytest.fixture
def clock():
    return WatchedClock()


@pytest.fixture
def watch(clock):
    watch = Watch(clock)
    logging.getLogger().addHandler(watch)
    watch.begin(0)
    yield watch
    logging.getLogger().removeHandler(watch)


async def waits(clock, *spans, told=()):
    for number, seconds in enumerate(spans):
        if number in told:
            logger.warning("asks to wait for %d s", seconds)
        await clock.sleep(seconds)


def test_what_is_told_and_short_and_small_is_fine(watch, clock):
    asyncio.run(waits(clock, 75, 10, 75, told=(0, 2)))
    assert list(watch.findings(REQUESTS_AT_ONCE)) == []


def test_a_long_wait_that_nobody_is_told_of_is_named(watch, clock):
    asyncio.run(waits(clock, 75, 90, told=(0,)))
    (finding,) = watch.findings(0)
    assert finding.endswith("waits for 90 s, and nobody is told")


def test_a_loop_without_a_pause_is_named(watch):
    (finding,) = watch.findings(1_000_000)
    assert finding.startswith("too many requests: 1000000 ")


def test_a_body_that_unfolds_is_named(watch):
    assert len(b"x" * (MEMORY_BYTES * 3 // 2)) > MEMORY_BYTES
    (finding,) = watch.findings(0)
    assert finding.startswith("too much memory: ")


def test_a_stack_trace_in_the_log_is_named(watch):
    logger.error("script s0 ended", exc_info=ValueError("a mistake"))
    (finding,) = watch.findings(0)
    assert "ValueError: a mistake" in finding


def test_half_a_surrogate_pair_in_the_log_is_named(watch):
    said = logging.LogRecord(logger.name, logging.WARNING, __file__, 1, "refused: %s", ("\ud800",), None)
    watch.handle(said)  # past what makes all logs of a process safe
    (finding,) = watch.findings(0)
    assert finding == r"no console can show what batch_avatar.test logs: refused: \ud800"
