"""A sweep behind runs that died with packs: every input ends up archived or given up, and the job goes last."""

from __future__ import annotations

import pytest

from batch_avatar.emulator.faults import FailInputs, FaultRule
from batch_avatar.sweep import SweepAction
from tests.pipeline.test_packs import assert_all_right, creates, jobs_left, packs, render, scripts_of, submit_pack

__all__ = ["packs"]  # the fixture


def failing(number, **options):
    rule = FaultRule(operation="create", at_most=1, action=FailInputs(inputs=(number,)))
    return {"faults": (rule,), **options}


def test_a_pack_that_succeeded_is_archived_input_by_input_and_then_deleted(packs, script):
    b = packs()
    scripts = scripts_of(script, 3)
    submit_pack(b, scripts)
    b.emulator.settle()

    [told] = b.sweep(dry_run=True).items
    assert (told.action, told.reason) == (SweepAction.ARCHIVE, "a pack, and 3 of its scripts are not archived")
    assert jobs_left(b) == [told.job.job_id]

    assert b.sweep().clean
    assert_all_right(b, scripts)
    assert b.sweep().items == ()
    assert creates(b) == {"accepted": 1, "packs": 1, "inputs": 3}


def test_of_a_pack_in_which_an_input_failed_that_one_is_given_up_and_the_next_run_sends_it_alone(packs, script):
    b = packs(**failing(2, partial_failure="succeeded"))
    scripts = scripts_of(script, 3)
    submit_pack(b, scripts)
    b.emulator.settle()

    assert b.sweep().clean

    assert set(b.receipts()) == {"s1", "s3"}
    assert b.claim("s2")["attempts"][-1]["over"]
    assert jobs_left(b) == []
    assert render(b, scripts, 1).all_archived
    assert_all_right(b, scripts)
    assert creates(b) == {"accepted": 2, "packs": 1, "inputs": 4}


def test_a_pack_whose_scripts_are_all_archived_is_only_deleted(packs, script):
    b = packs(faults=(FaultRule(operation="delete", action={"kind": "status", "status": 400}),))
    scripts = scripts_of(script, 2)
    assert render(b, scripts, 2).all_archived
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
def test_a_sweep_beside_a_later_run_changes_nothing(packs, script, size):
    b = packs()
    scripts = scripts_of(script, 3)
    submit_pack(b, scripts)
    b.emulator.settle()
    assert b.sweep().clean

    report = render(b, scripts, size)

    assert (report.skipped, report.archived) == (3, 0)
    assert_all_right(b, scripts)
