"""A copy that takes long is told of, once."""

from __future__ import annotations

import asyncio

from batch_avatar.archive.inbox_container import Copy, Drop
from batch_avatar.clock import TOLD_SECONDS
from batch_avatar.inbox.steps import COPY_LOOK_SECONDS, move
from tests.support.manual_clock import ManualClock

DROP = Drop("inbox/intro.txt", '"1"', 3, 60.0)
LOOKS = 40


class Slow:
    """Stands in for an inbox whose storage needs so many looks to copy a blob."""

    def __init__(self, looks):
        self.looks = looks
        self.removed = []

    def copy(self, *_):
        return Copy("one", complete=False)

    def is_copied(self, *_):
        self.looks -= 1
        return self.looks <= 0

    def remove(self, drop):
        self.removed.append(drop)


class Opened:
    """What a move needs of open connections."""

    def __init__(self):
        self.clock = ManualClock()

    async def control(self, call, *given):
        return call(*given)


async def test_a_copy_that_takes_more_than_a_minute_is_told_of_once(caplog):
    for looks, told in ((int(TOLD_SECONDS / COPY_LOOK_SECONDS) - 1, 0), (LOOKS, 1)):
        inbox, c = Slow(looks), Opened()
        caplog.clear()
        moving = asyncio.ensure_future(move(c, inbox, DROP, "processed/intro.txt", facts={}, reason=""))
        await c.clock.advance(LOOKS * COPY_LOOK_SECONDS)

        assert (moving.result(), inbox.removed) == (True, [DROP])
        assert caplog.text.count("inbox/intro.txt is still being copied to processed/intro.txt") == told
