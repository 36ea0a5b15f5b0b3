"""Jobs that end with another status than Succeeded and show a result all the same: nothing is paid twice or lost."""

from __future__ import annotations

import pytest

from batch_avatar.emulator.faults import EndJob, FaultRule, Status
from batch_avatar.planning.permits import Permits
from batch_avatar.upkeep.sweep import SweepAction
from tests.support.hurried_clock import HurriedClock
from tests.support.packs import render_packed, scripts_of, submit_pack

HOUR = 3700  # seconds of service time, past what counts as "just now"
ODD = ["PartiallySucceeded", "Completed", "Failed"]


def ends(status="PartiallySucceeded", **members):
    return FaultRule(operation="create", action=EndJob(status=status, **members))


def kept(b):
    return [job["id"] for job in b.emulator.jobs() if not job["removed"]]


@pytest.mark.parametrize("status", ODD)
def test_a_job_that_ends_oddly_with_a_result_is_archived_as_doubtful_and_kept(quick, script, status):
    b = quick(faults=(ends(status),))

    report = b.render([script()])

    assert (report.archived, report.outcomes[0].error) == (1, None)
    assert "doubtful status" in report.outcomes[0].note
    assert b.receipts()["intro"]["video"]["doubtful"] == ["status"]
    assert b.emulator.stats()["creates"]["accepted"] == 1
    assert kept(b) == list(b.accepted())
    assert b.render([script()]).skipped == 1
    assert [item.action for item in b.sweep().items] == [SweepAction.REPORT]
    assert kept(b) == list(b.accepted())


@pytest.mark.parametrize("code", ["BadRequest", "InternalServerError"])
def test_a_failed_job_with_a_result_is_archived_whatever_its_code_says(quick, script, code):
    b = quick(faults=(ends("Failed", code=code),))

    assert b.render([script()]).archived == 1
    assert b.receipts()["intro"]["video"]["doubtful"] == ["status"]
    assert (b.emulator.stats()["creates"]["accepted"], b.letters()) == (1, {})


@pytest.mark.parametrize("result", ["gone", "hidden"])
def test_a_failed_job_whose_result_does_not_answer_gets_another_attempt_as_before(quick, script, result):
    b = quick(faults=(FaultRule(operation="create", at_most=1, action=EndJob(status="Failed", result=result)),))

    assert b.render([script()]).archived == 1

    assert b.receipts()["intro"]["video"]["doubtful"] == []
    assert b.emulator.stats()["creates"]["accepted"] == 2


def test_an_unknown_status_without_a_result_is_settled_by_the_deadlines_as_before(quick, script):
    unknown = EndJob(status="Completed", result="hidden")
    b = quick(delete_unfinished="accept", faults=(FaultRule(operation="create", at_most=1, action=unknown),))

    assert b.render([script()], start_deadline_seconds=1, job_deadline_seconds=1, max_attempts=50).archived == 1

    assert b.receipts()["intro"]["video"]["doubtful"] == []
    assert b.emulator.stats()["creates"]["accepted"] >= 2


def test_a_failed_job_whose_links_host_is_down_is_neither_deleted_nor_replaced(quick, script):
    down = FaultRule(operation="download", action=Status(status=503))
    b = quick(storage_front=True, faults=(ends("Failed"), down))
    (ref,) = b.submit([script()])
    b.emulator.settle()
    b.emulator.jobs()  # what can end, ends now
    b.emulator.advance(HOUR)

    assert not b.sweep(clock=HurriedClock()).clean

    assert (kept(b), b.letters()) == ([ref.job_id], {})
    b.emulator.set_faults([])
    assert b.sweep().clean
    assert b.receipts()["intro"]["video"]["doubtful"] == ["status"]
    assert kept(b) == [ref.job_id]


@pytest.mark.parametrize("status", ODD)
def test_a_sweep_archives_what_a_dead_run_left_with_an_odd_end(quick, script, status):
    b = quick(faults=(ends(status),))
    (ref,) = b.submit([script()])
    b.emulator.settle()
    b.emulator.jobs()
    b.emulator.advance(HOUR)

    assert [item.action for item in b.sweep().items] == [SweepAction.ARCHIVE]

    assert b.receipts()["intro"]["video"]["doubtful"] == ["status"]
    assert kept(b) == [ref.job_id]


def test_a_sweep_records_a_failed_job_whose_shown_result_is_not_there(quick, script):
    b = quick(faults=(ends("Failed", result="gone", code="BadRequest"),))
    b.submit([script()])
    b.emulator.settle()
    b.emulator.jobs()
    b.emulator.advance(HOUR)

    assert b.sweep().clean

    assert b.letters()["intro"]["failure"]["code"] == "BadRequest"
    assert kept(b) == []


def test_a_failed_script_that_is_sent_again_is_archived_from_its_job_if_that_shows_a_result_by_now(quick, script):
    """An older version wrote the letter and could not delete the job."""
    refused = FaultRule(operation="delete", action=Status(status=400))
    b = quick(faults=(ends("Failed", result="gone", code="BadRequest"), refused))
    assert b.render([script()]).all_archived is False
    assert b.letters()["intro"]["failure"]["code"] == "BadRequest"
    (job,) = kept(b)
    b.emulator.set_faults([])
    live = b.emulator.service.store.find(job)
    live.fault = EndJob(status="Failed", code="BadRequest")

    assert b.render([script()], permits=Permits(retry_failed=True)).archived == 1

    assert b.receipts()["intro"]["video"]["doubtful"] == ["status"]
    assert (b.emulator.stats()["creates"]["accepted"], kept(b), b.letters()) == (1, [job], {})


@pytest.mark.parametrize("status", ODD)
def test_a_pack_that_ends_oddly_is_archived_input_by_input(packs, status):
    b = packs(faults=(ends(status),))
    scripts = scripts_of(3)

    assert render_packed(b, scripts, 3).archived == 3

    doubts = [receipt["video"]["doubtful"] for receipt in b.receipts().values()]
    assert b.emulator.stats()["creates"]["accepted"] == 1
    told = [] if status == "Failed" else ["status"]  # the summary of a failed pack says which of its inputs succeeded
    assert doubts == [told] * 3
    assert len(kept(b)) == bool(told)


@pytest.mark.parametrize("status", ["PartiallySucceeded", "Completed"])
def test_a_sweep_archives_the_inputs_of_a_pack_with_an_odd_end(packs, status):
    b = packs(faults=(ends(status),))
    submit_pack(b, scripts_of(2))
    b.emulator.settle()
    b.emulator.jobs()
    b.emulator.advance(HOUR)

    assert b.sweep().clean

    assert [receipt["video"]["doubtful"] for receipt in b.receipts().values()] == [["status"]] * 2
    assert len(kept(b)) == 1
