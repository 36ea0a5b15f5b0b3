"""A sweep behind runs that died with packs: every input ends up archived or given up, and the job goes last."""

from __future__ import annotations

import asyncio

import pytest

from batch_avatar.emulator.faults import FailInputs, FaultRule
from batch_avatar.rendering import stages
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.preparing.survey import ENOUGH_PAGES
from batch_avatar.upkeep.sweep import SweepAction
from tests.support.packs import assert_all_right, creates, jobs_left, render_packed, scripts_of, staged, submit_pack


def failing(number, **options):
    rule = FaultRule(operation="create", at_most=1, action=FailInputs(inputs=(number,)))
    return {"faults": (rule,), **options}


def test_a_pack_that_succeeded_is_archived_input_by_input_and_then_deleted(packs):
    b = packs()
    scripts = scripts_of(3)
    submit_pack(b, scripts)
    b.emulator.settle()

    [told] = b.sweep(dry_run=True).items
    assert (told.action, told.reason) == (SweepAction.ARCHIVE, "a pack, and 3 of its scripts are not archived")
    assert jobs_left(b) == [told.job.job_id]

    assert b.sweep().clean
    assert_all_right(b, scripts)
    assert b.sweep().items == ()
    assert creates(b) == {"accepted": 1, "packs": 1, "inputs": 3}


def test_of_a_pack_in_which_an_input_failed_that_one_is_given_up_and_the_next_run_sends_it_alone(packs):
    b = packs(**failing(2, partial_failure="succeeded"))
    scripts = scripts_of(3)
    submit_pack(b, scripts)
    b.emulator.settle()

    assert b.sweep().clean

    assert set(b.receipts()) == {"s1", "s3"}
    assert b.claim("s2")["attempts"][-1]["over"]
    assert jobs_left(b) == []
    assert render_packed(b, scripts, 1).all_archived
    assert_all_right(b, scripts)
    assert creates(b) == {"accepted": 2, "packs": 1, "inputs": 4}


def test_a_pack_whose_scripts_are_all_archived_is_only_deleted(packs):
    b = packs(faults=(FaultRule(operation="delete", action={"kind": "status", "status": 400}),))
    scripts = scripts_of(2)
    assert render_packed(b, scripts, 2).all_archived
    assert len(jobs_left(b)) == 1
    b.emulator.set_faults([])

    [done] = b.sweep().items

    assert (done.action, done.reason, done.error) == (
        SweepAction.DELETE,
        "a pack, and all of its scripts are settled",
        None,
    )
    assert_all_right(b, scripts)


@pytest.mark.parametrize("size", [1, 3])
def test_a_sweep_beside_a_later_run_changes_nothing(packs, size):
    b = packs()
    scripts = scripts_of(3)
    submit_pack(b, scripts)
    b.emulator.settle()
    assert b.sweep().clean

    report = render_packed(b, scripts, size)

    assert (report.skipped, report.archived) == (3, 0)
    assert_all_right(b, scripts)


# A pack of a run that died before it deleted it, as later runs of other scripts find it


@pytest.fixture
def left(packs):
    """The bench, the scripts of the pack, which are archived, and one more."""
    b = packs()
    *scripts, other = scripts_of(3)
    refs = submit_pack(b, scripts)
    b.end_jobs()

    async def archive():
        async with open_run(b.settings(), "dies-late"):
            for ref in refs:
                await stages.archive(ref)

    asyncio.run(archive())
    assert b.receipts().keys() == {"s1", "s2"}
    b.emulator.advance(b.emulator.options.list_lag_seconds)
    return b, scripts, other


def test_a_run_of_other_scripts_deletes_it(left):
    b, scripts, other = left

    assert render_packed(b, [other], 1).all_archived

    assert_all_right(b, [*scripts, other])


def test_it_stays_as_long_as_one_of_its_videos_is_gone_from_the_archive(left):
    b, scripts, other = left
    b.delete_blob("s1/.*/video.mp4")

    assert render_packed(b, [other], 1).all_archived
    [told] = b.sweep().items
    assert (told.action, told.reason) == (SweepAction.ARCHIVE, "a pack, and 1 of its scripts are not archived")
    assert "s1" in told.error
    assert "render it again" in told.error
    assert len(jobs_left(b)) == 1

    assert render_packed(b, scripts, 1).failed == 0
    assert creates(b)["accepted"] == 2
    assert_all_right(b, [*scripts, other])


def test_a_run_that_does_not_know_its_container_leaves_it_to_one_that_does(left, caplog):
    b, scripts, other = left
    kept = staged(b)
    assert any(name.endswith("0001.mp4") for name in kept)

    assert render_packed(b, [other], 1, staging_container=None).all_archived

    assert "BATCH_AVATAR_STAGING_CONTAINER" in caplog.text
    assert (len(jobs_left(b)), staged(b)) == (1, kept)
    assert render_packed(b, [other], 1).skipped == 1
    assert_all_right(b, [*scripts, other])


def listings(b):
    """How many requests for the job list the service has seen."""
    return sum(b.emulator.stats()["requests"].get("list", {}).values())


def archive_and_die(b, scripts):
    """Send a pack and archive its scripts, as a run that dies before it deletes the job. Return the job's id."""
    refs = submit_pack(b, scripts)
    b.emulator.settle()

    async def work():
        async with open_run(b.settings(), "dies-late"):
            for ref in refs:
                await stages.archive(ref)

    asyncio.run(work())
    assert refs[0].job_id in jobs_left(b)
    assert staged(b)
    return refs[0].job_id


def test_an_archived_pack_deep_in_a_long_list_is_found_by_what_it_left_in_staging(packs):
    b = packs(page_size_limit=1, oversized_page="clamp", active_jobs_limit=0)
    scripts = scripts_of(2)
    archive_and_die(b, scripts)
    for number in range(ENOUGH_PAGES):
        b.put_job(f"somebody-elses-{number}")
    before = listings(b)

    assert [item.action for item in b.sweep(dry_run=True).items] == [SweepAction.DELETE]
    assert staged(b)
    assert b.sweep().clean

    assert staged(b) == []
    assert not [job_id for job_id in jobs_left(b) if job_id.startswith("pack-")]
    assert listings(b) - before == 2 * ENOUGH_PAGES
    assert set(b.receipts()) == {"s1", "s2"}


def test_what_an_archived_pack_left_in_staging_is_removed_even_if_its_job_is_gone(packs):
    b = packs(delete_destination_blobs=False)
    scripts = scripts_of(2)
    b.delete_job(archive_and_die(b, scripts))
    assert staged(b)

    b.sweep(dry_run=True)
    assert staged(b)
    assert b.sweep().clean

    assert_all_right(b, scripts)


def test_what_a_pack_left_in_staging_stays_while_one_of_its_scripts_may_need_it(packs):
    b = packs(delete_destination_blobs=False)
    scripts = scripts_of(2)
    [ref, _] = submit_pack(b, scripts)
    b.emulator.settle()
    b.delete_job(ref.job_id)
    left = staged(b)

    b.sweep()

    assert staged(b) == left != []


def test_a_pack_whose_record_is_damaged_keeps_no_other_from_being_found(packs, script):
    b = packs(delete_destination_blobs=False)
    damaged, whole = (archive_and_die(b, [script(f"{name}1"), script(f"{name}2")]) for name in ("a", "b"))
    for job_id in (damaged, whole):
        b.delete_job(job_id)
    with b.container() as client:
        client.upload_blob(f"_packs/{damaged.split('-')[1]}.json", b"{", overwrite=True)

    b.sweep()

    assert {name.partition("/")[0] for name in staged(b)} == {damaged}


def test_a_sweep_without_a_staging_container_does_the_rest(packs, script):
    b = packs()
    b.submit([script("alone")])
    b.emulator.settle()

    assert b.sweep(staging_container="is-not-there").clean

    assert set(b.receipts()) == {"alone"}
