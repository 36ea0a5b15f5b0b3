"""Answers that are not as documented: the rest of them is used, and no other team's job is touched."""

from __future__ import annotations

import pytest

from batch_avatar.emulator.faults import Change, FaultRule, StickJob
from batch_avatar.planning.plan import PlanState

OTHERS = "somebody-elses-job"
WRONG = {
    "an ill-typed size": {"properties.sizeInBytes": "x"},
    "an error that is a text": {"properties.error": "text"},
    "an empty date": {"lastActionDateTime": ""},
    "no date of creation": {"createdDateTime": ""},
    "properties that are a list": {"properties": []},
    "outputs that are a text": {"outputs": "none"},
}


def change(operation, members, **options):
    return FaultRule(operation=operation, action=Change(members=members), **options)


def both(members, **options):
    return [change("list", members, **options), change("get", members, **options)]


@pytest.mark.parametrize("members", WRONG.values(), ids=WRONG)
def test_a_job_with_an_odd_member_is_found_by_a_plan_and_passes_its_deadlines(bench, script, members):
    b = bench(faults=[FaultRule(operation="create", action=StickJob()), *both(members)], list_lag_seconds=0)
    b.submit([script()])

    [item] = b.plan([script()]).items
    report = b.render([script()], start_deadline_seconds=0.02, job_deadline_seconds=0.04)

    assert item.state is PlanState.ALIVE
    [outcome] = report.outcomes
    assert outcome.error.code == "JobOverdue"
    assert b.emulator.stats()["creates"]["accepted"] == 1


@pytest.mark.parametrize("members", [{"properties": []}, {"properties.sizeInBytes": "x", "createdDateTime": ""}])
def test_a_job_with_an_odd_member_is_archived(quick, script, members):
    b = quick(faults=both(members))

    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


@pytest.mark.parametrize("status", ["succeeded", "SUCCEEDED"])
def test_a_status_in_another_case_is_the_same_status(quick, script, status):
    b = quick(faults=both({"status": status}))

    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_an_answer_about_another_job_is_not_believed_and_that_job_is_not_touched(quick, script):
    b = quick()
    b.put_job(OTHERS)
    wrong = {"id": OTHERS}
    b.emulator.set_faults([change("create", wrong, at_most=1), change("get", wrong, at_most=1)])

    report = b.render([script()])

    assert report.archived == 1
    assert b.accepted() == {OTHERS: 1, b.claim(script().script_id)["attempts"][0]["job_id"]: 1}
    [others] = [job for job in b.emulator.jobs() if job["id"] == OTHERS]
    assert not others["removed"]
