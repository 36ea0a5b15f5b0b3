"""A claim to which other runs keep writing: the run tries again after ever longer pauses, a few times."""

import asyncio

import pytest

from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from batch_avatar.errors import ArchiveUnavailable, ClaimedElsewhere
from batch_avatar.rendering.claims import CLAIM_WRITES, update_last
from batch_avatar.rendering.retry import ARCHIVE, plain_chain
from tests.support.answering_road import AnsweringRoad, ends
from tests.support.scripts import script

CLAIM_WRITE = ends("PUT", "/claim.json")


@pytest.fixture
def road(azurite):
    with AnsweringRoad(azurite.url) as running:
        yield running


@pytest.fixture
def by_road(bench, road, azurite):
    b = bench()
    b._connection_string = road.connection_string(azurite.connection_string(USER_ACCOUNT))  # noqa: SLF001
    return b


async def test_a_claim_is_written_a_few_times_with_growing_pauses_after_the_first_two(by_road, road):
    async with by_road.open() as run:
        ref = await plain_chain().submit(script("intro"), "")
        by_road.clock.slept.clear()
        before = road.seen.count(CLAIM_WRITE)
        road.refuse(CLAIM_WRITE, "ConditionNotMet", 412)

        with pytest.raises(ClaimedElsewhere, match="keep writing"):
            await update_last(run.connections, ref, {"over": True})

        assert road.seen.count(CLAIM_WRITE) - before == CLAIM_WRITES
        assert by_road.clock.slept == [5, 10, 20]


async def finished(b, run):
    """The reference of a job that has succeeded, sent by a run that died before it noted that."""
    ref = await plain_chain().submit(script("intro"), "")
    await update_last(run.connections, ref, {"accepted_at": None})
    b.emulator.advance(3600)
    await asyncio.to_thread(b.emulator.settle)
    b.clock.slept.clear()
    return ref


async def test_a_video_is_archived_once_its_claim_can_be_written(by_road, road):
    async with by_road.open() as run:
        ref = await finished(by_road, run)
        road.refuse(CLAIM_WRITE, "ConditionNotMet", 412, times=3)

        assert (await plain_chain().archive(ref)).script_id == "intro"

        assert by_road.clock.slept == list(ARCHIVE.delays_seconds[:3])


async def test_a_video_whose_claim_cannot_be_written_stays_at_the_service_for_the_next_run(by_road, road):
    async with by_road.open() as run:
        ref = await finished(by_road, run)
        before = road.seen.count(CLAIM_WRITE)
        road.refuse(CLAIM_WRITE, "ConditionNotMet", 412)

        with pytest.raises(ArchiveUnavailable, match="intro"):
            await plain_chain().archive(ref)

        assert road.seen.count(CLAIM_WRITE) - before == ARCHIVE.retries + 1
        assert [job["removed"] for job in by_road.emulator.jobs()] == [None]
