"""A job that the service says not to know, once, when it is read to be archived."""

from __future__ import annotations

import asyncio

import pytest

from batch_avatar.emulator.faults import FaultRule, Status
from batch_avatar.errors import ResultLost
from batch_avatar.rendering.archiving import archive_job
from batch_avatar.rendering.submission import Submission
from tests.support.scripts import script


async def archived(b, run):
    resource = run.connections.resource_of("")
    ref = await Submission(run, script("intro"), resource).submit()
    b.emulator.advance(3600)
    await asyncio.to_thread(b.emulator.settle)
    return await run.connections.transfer(archive_job, run, ref, without_side_files=False)


@pytest.mark.parametrize(("times", "lost"), [(1, False), (2, True)])
@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
async def test_a_job_is_lost_only_when_it_is_absent_twice(bench, api_version, times, lost):
    b = bench(faults=(FaultRule(operation="get", action=Status(status=404), at_most=times),))
    async with b.open(api_version=api_version) as run:
        if lost:
            with pytest.raises(ResultLost):
                await archived(b, run)
            return
        assert (await archived(b, run)).script_id == "intro"
