"""While the job list cannot be read, every long pause is told."""

from __future__ import annotations

import asyncio
import logging

import pytest

from batch_avatar.clock import TOLD_SECONDS
from batch_avatar.errors import ServiceUnavailable
from batch_avatar.service.deadlines import Deadlines
from batch_avatar.service.watcher import Watcher
from tests.support.manual_clock import ManualClock

HOURS = 2 * 3600.0


class Silent:
    """Stands in for a client whose service does not answer."""

    def list_pages(self):
        raise ServiceUnavailable("no answer")


class Heard(logging.Handler):
    """When something was told, by the clock."""

    def __init__(self, clock):
        super().__init__(logging.WARNING)
        self._clock = clock
        self.at = []

    def emit(self, record):
        self.at.append((self._clock.monotonic(), record.getMessage()))


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def heard(clock):
    heard = Heard(clock)
    logger = logging.getLogger("batch_avatar.service.watcher")
    logger.addHandler(heard)
    yield heard
    logger.removeHandler(heard)


async def test_every_pause_of_more_than_a_minute_in_an_outage_is_told_with_its_length(clock, heard):
    async def run(call, *args):
        return call(*args)

    watcher = Watcher(
        client=Silent(),
        clock=clock,
        poll_interval_seconds=10.0,
        deadlines=Deadlines(start_seconds=3600, job_seconds=14400, clock=clock),
        run=run,
        on_change=lambda _: None,
        on_others=lambda _: None,
    )
    waiting = asyncio.ensure_future(watcher.wait("a", window_seconds=4 * HOURS))
    await clock.advance(HOURS)
    waiting.cancel()
    await watcher.close()
    await asyncio.gather(waiting, return_exceptions=True)

    long = [f"will ask again in {seconds:.0f} s: no answer" for seconds in clock.slept if seconds > TOLD_SECONDS]
    told = [text.partition("cannot be read, ")[2] for _, text in heard.at]
    assert len(long) > 10
    assert told[-len(long) :] == long
    assert len(told) == len(long) + 1  # the first one, whose pause is short
