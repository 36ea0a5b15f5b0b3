"""A job that the service says not to know when it is read: it is asked again after a while, and only then believed."""

from __future__ import annotations

import asyncio

import pytest

from batch_avatar.archive.records import Superseded
from batch_avatar.emulator.faults import FaultRule, Status, StickJob
from batch_avatar.errors import ResultLost
from batch_avatar.rendering import stages
from batch_avatar.rendering.archiving import AbsentOnce, read_job
from batch_avatar.rendering.submission import Submission
from tests.support.scripts import script

PAUSE = 4.0
"""Of a service that lags behind, some seconds."""


def absent(times):
    return FaultRule(operation="get", action=Status(status=404), at_most=times)


async def sent(b, run):
    ref = await Submission(run, script("intro"), run.connections.resource_of("")).submit()
    b.emulator.advance(3600)
    await asyncio.to_thread(b.emulator.settle)
    b.clock.slept.clear()
    return ref


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
async def test_a_job_that_is_absent_once_is_read_again_after_a_pause_and_archived(bench, api_version):
    b = bench(absent(1))
    async with b.open(api_version=api_version, poll_interval_seconds=PAUSE) as run:
        receipt = await stages.archive(await sent(b, run))

    assert receipt.script_id == "intro"
    assert b.clock.slept == [PAUSE]


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
async def test_a_job_that_is_absent_twice_with_a_pause_between_is_lost(bench, api_version):
    b = bench(absent(2))
    async with b.open(api_version=api_version, poll_interval_seconds=PAUSE) as run:
        ref = await sent(b, run)
        with pytest.raises(ResultLost):
            await stages.archive(ref)

    assert b.clock.slept == [PAUSE]


async def test_looks_of_several_who_ask_at_once_count_as_one(bench):
    """The inputs of a pack share a job, and each asks for it."""
    b = bench(absent(2))
    async with b.open(poll_interval_seconds=PAUSE) as run:
        ref = await sent(b, run)
        for _ in range(2):
            with pytest.raises(AbsentOnce):
                await run.connections.control(read_job, run, ref)
        await run.connections.clock.sleep(PAUSE)

        assert (await run.connections.control(read_job, run, ref)).service_id == ref.service_id


async def test_a_job_that_was_seen_between_two_looks_is_not_lost(bench):
    b = bench(absent(1))
    async with b.open(poll_interval_seconds=PAUSE) as run:
        ref = await sent(b, run)
        with pytest.raises(AbsentOnce):
            await run.connections.control(read_job, run, ref)
        await run.connections.clock.sleep(PAUSE)
        await run.connections.control(read_job, run, ref)
        await asyncio.to_thread(b.emulator.set_faults, [absent(1)])

        with pytest.raises(AbsentOnce):
            await run.connections.control(read_job, run, ref)


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
async def test_a_job_that_is_given_up_and_absent_once_is_deleted_before_another_is_sent(bench, api_version):
    """It may be alive, and succeed beside the next one."""
    b = bench(FaultRule(operation="create", action=StickJob()), delete_unfinished="accept")
    async with b.open(api_version=api_version, poll_interval_seconds=PAUSE) as run:
        c = run.connections
        ref = await sent(b, run)
        job = await c.control(read_job, run, ref)
        await c.clock.sleep(c.settings.job_deadline_seconds)
        await asyncio.to_thread(b.emulator.set_faults, [absent(1)])

        await stages.delete(Superseded(ref=ref, internal_id=job.internal_id, reason="late"))

    assert [job["removed"] for job in b.emulator.jobs()] == ["deleted"]
