"""Whatever happens, what the doctor has created is deleted, or it says what is not."""

from __future__ import annotations

import asyncio

import pytest

from batch_avatar.doctor.live.bodies import PREFIX
from batch_avatar.doctor.live.connecting import choose_resource
from batch_avatar.doctor.live.run import NO_ANSWER
from batch_avatar.doctor.live.spending import MOST_SECONDS
from batch_avatar.emulator.faults import DropAfter, FailJob, FaultRule, Status, StickJob
from batch_avatar.errors import AccessRefused, SettingsError


async def stopped_while(doctor, what):
    """Run, and cancel as soon as this is told."""
    reached = asyncio.Event()

    def tell(text):
        doctor.told_before(text)
        if what in text:
            reached.set()

    doctor.told_before, doctor.told = doctor.told.append, Told(tell, doctor.told)
    running = asyncio.ensure_future(doctor.run())
    await asyncio.wait({running, asyncio.ensure_future(reached.wait())}, return_when=asyncio.FIRST_COMPLETED)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


class Told(list):
    def __init__(self, tell, kept):
        self.append = tell
        self.kept = kept


@pytest.mark.parametrize("delete_unfinished", ["accept", "refuse"])
async def test_a_stop_deletes_what_it_can_and_names_the_rest(examined, delete_unfinished):
    stuck = FaultRule(operation="create", action=StickJob(status="Running"))
    doctor = examined(delete_unfinished=delete_unfinished, faults=(stuck,))

    await stopped_while(doctor, "waiting until the clip")

    left = doctor.left
    assert len(left) == (delete_unfinished == "refuse")
    assert all(name in doctor.told.kept[-1] for name in left)
    doctor.emulator.release()
    doctor.told = []
    found, still = await doctor.clean()
    assert (found, still, doctor.left) == (len(left), [], [])


async def test_a_later_run_deletes_what_was_left_and_nothing_else(examined, make_job):
    doctor = examined()
    make_job(doctor.emulator, f"{PREFIX}old")
    make_job(doctor.emulator, "episode-1")
    await doctor.clock.sleep(100)

    await doctor.run()

    assert doctor.left == ["episode-1"]
    assert doctor.report.left == ()


async def test_a_job_whose_create_had_no_answer_is_deleted(examined):
    doctor = examined(faults=(FaultRule(operation="create", action=DropAfter(), at_most=1),))

    await doctor.run()

    assert doctor.why("smallest_ttl") == NO_ANSWER
    assert doctor.readings["get_absent"] == "404"
    assert doctor.readings["body_too_large"] == "400"
    assert len(doctor.emulator.jobs()) == 1
    assert doctor.left == []
    assert doctor.report.seconds_at_most == 2
    assert not doctor.report.complete


async def test_a_clip_that_fails_leaves_open_what_rests_on_it_only(examined):
    doctor = examined(faults=(FaultRule(operation="create", action=FailJob(), at_most=1),))

    await doctor.run()

    assert "did not succeed: failed, " in doctor.why("link_lifetime")
    assert not doctor.report.complete
    assert "clip" in doctor.why("repeat_ended")
    assert doctor.readings["repeat_unfinished"] == "conflict"
    assert doctor.readings["codec_mismatch"] == "refused"
    assert doctor.left == []


async def test_a_job_that_never_ends_is_named(examined):
    doctor = examined(faults=(FaultRule(operation="create", action=StickJob(status="NotStarted")),))

    await doctor.run()

    assert doctor.readings["repeat_unfinished"] == "conflict"
    assert set(doctor.report.left) == set(doctor.left)
    assert len(doctor.left) == 2


async def test_without_access_nothing_is_created(examined):
    doctor = examined()

    with pytest.raises(AccessRefused):
        await doctor.run(speech_key="a-wrong-key-of-some-length")

    assert doctor.emulator.jobs() == []


@pytest.mark.parametrize("characters_per_second", [15, 10, 3, 1])
async def test_however_long_the_clips_are_no_more_than_ten_seconds_are_billed(examined, characters_per_second):
    """Every create that can be billed twice is, and videos are longer than thought."""
    doctor = examined(
        minimal_characters_per_second=characters_per_second,
        repeat_put="replace",
        operation_id_replay="as_new",
        codec_mismatch="substitute",
        ttl_out_of_range="clamp",
        smallest_ttl_hours=24,
    )

    await doctor.run()

    billed = doctor.emulator.stats()["billed_seconds"]
    assert billed <= doctor.report.seconds_at_most
    if characters_per_second >= 10:  # as long as speech takes
        assert doctor.report.seconds_at_most <= MOST_SECONDS
    assert doctor.report.complete
    dear = [answer.question for answer in doctor.report.answers if "beyond 10 seconds" in answer.why]
    assert bool(dear) == (characters_per_second < 10)


async def test_a_refusal_for_the_rate_is_waited_for(examined):
    limit = Status(status=429, code="429", message="Slow down.", shape="gateway", retry_after_seconds=7)
    doctor = examined(faults=(FaultRule(operation="create", action=limit, at_most=2),))

    await doctor.run()

    assert "the service says 429; waiting 8 s" in doctor.told
    assert doctor.readings["repeat_ended"] == "conflict"


async def test_a_create_that_is_refused_ends_what_rests_on_it(examined):
    refusal = Status(status=403, code="Forbidden", message='Only "Standard" subscriptions are valid.')
    doctor = examined(faults=(FaultRule(operation="create", action=refusal),))

    await doctor.run()

    assert "403 Forbidden" in doctor.why("unknown_members")
    assert "clip" in doctor.why("repeat_ended")
    assert doctor.readings["delete_absent"] == "204"
    assert not doctor.report.complete
    assert doctor.emulator.jobs() == []


async def test_a_list_of_many_pages_is_read_for_what_was_left(examined, make_job):
    doctor = examined(page_size_limit=100, creates_per_minute=0, active_jobs_limit=0)
    make_job(doctor.emulator, f"{PREFIX}old")
    for number in range(301):
        make_job(doctor.emulator, f"episode-{number}")
    await doctor.clock.sleep(1000)

    assert await doctor.clean() == (1, [])


def test_the_older_generation_is_not_asked(bench):
    settings = bench().settings(api_version="3.1-preview1")
    with pytest.raises(SettingsError, match="2024-08-01"):
        choose_resource(settings, None)
