"""A step that is tried again after more than a minute says so before."""

from __future__ import annotations

import asyncio
import re

import pytest

from batch_avatar.errors import ArchiveUnavailable
from batch_avatar.rendering.connections import sharing
from batch_avatar.rendering.retry import ARCHIVE, _with_retries
from tests.support.manual_clock import ManualClock


class Opened:
    """What a step needs of open connections here: their clock."""

    def __init__(self, clock):
        self.clock = clock


@pytest.mark.parametrize("script_id", ["intro"])
async def test_a_long_wait_before_a_retry_is_told_with_its_reason(caplog, script_id):
    clock = ManualClock()

    async def refused(_):
        raise ArchiveUnavailable("cannot write it: the container is being deleted", script_id=script_id)

    with sharing(Opened(clock)):
        task = asyncio.ensure_future(_with_retries(refused, ARCHIVE)("x"))
        await clock.advance(3600)
    assert isinstance(task.exception(), ArchiveUnavailable)

    told = re.findall(r"the container is being deleted \[script intro\]; trying again in (\d+) s", caplog.text)
    assert [int(seconds) for seconds in told] == [seconds for seconds in clock.slept if seconds >= 60] == [60, 120, 240]
