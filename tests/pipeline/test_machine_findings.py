"""What the state machine of tests/chaos found, each as the shortest way to it."""

from __future__ import annotations

import asyncio

import pytest

from batch_avatar.emulator.faults import FailJob, FaultRule
from batch_avatar.errors import ClaimedElsewhere, JobError, JobFailed
from batch_avatar.rendering import giving_up, stages
from batch_avatar.rendering.connect import open_run


async def give_up(wanted):
    """Submit, see it fail, record that and delete the job, as the runner does it."""
    ref = await stages.submit(wanted)
    with pytest.raises(JobFailed) as failed:
        await stages.wait(ref)
    await stages.delete(await giving_up.record_failure(giving_up.script_record(wanted), ref, failed.value))
    return ref


def test_a_run_that_waits_for_a_job_that_another_has_given_up_does_not_call_it_lost(bench, script):
    b = bench(faults=(FaultRule(operation="create", action=FailJob()),))

    async def work():
        async with open_run(b.settings(), "other"):
            ref = await give_up(script())
            with pytest.raises(ClaimedElsewhere):
                await stages.wait(ref)

    asyncio.run(work())


def test_a_run_that_planned_before_a_script_failed_for_good_does_not_send_it_again(bench, script):
    b = bench(faults=(FaultRule(operation="create", action=FailJob(code="BadRequest", message="No such gesture.")),))

    async def work():
        async with open_run(b.settings(), "other"):
            await give_up(script())
            with pytest.raises(JobError, match="No such gesture"):
                await stages.submit(script())

    asyncio.run(work())
    assert b.emulator.stats()["creates"]["accepted"] == 1
