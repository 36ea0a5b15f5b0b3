"""A resource with more jobs than anybody wants to read: no command refuses, and no job counts as gone unasked."""

from __future__ import annotations

import logging

import pytest

from batch_avatar.emulator.faults import FaultRule, Garbage, Status, StickJob
from batch_avatar.planning.plan import PlanState
from batch_avatar.rendering.preparing.survey import ENOUGH_PAGES


def long_listed(quick, script):
    """Two scripts whose jobs are deep in a list of one job a page; that of `gone` is deleted."""
    stuck = FaultRule(operation="create", action=StickJob(), job_id="^deep")
    b = quick(page_size_limit=1, oversized_page="clamp", faults=[stuck], active_jobs_limit=0)
    b.submit([script("gone"), script("deep")])
    b.delete_job(b.claim("gone")["attempts"][0]["job_id"])
    for number in range(ENOUGH_PAGES):
        b.put_job(f"somebody-elses-{number}")
    return b


def listings(b):
    """How many requests for the job list the service has seen."""
    return sum(b.emulator.stats()["requests"].get("list", {}).values())


def test_a_job_deep_in_a_long_list_is_asked_for_by_its_id_and_only_what_is_gone_is_lost(quick, script):
    b = long_listed(quick, script)

    plan = b.plan([script("gone"), script("deep"), script("new")])

    assert [item.state for item in plan.items] == [PlanState.LOST, PlanState.ALIVE, PlanState.NEW]


def test_a_run_finds_its_job_deep_in_a_long_list_and_pays_nothing_again(quick, script):
    b = long_listed(quick, script)
    b.emulator.release()

    assert b.render([script("deep")]).archived == 1
    assert b.accepted()[b.claim("deep")["attempts"][0]["job_id"]] == 1


@pytest.mark.parametrize("action", [Status(status=401), Garbage()], ids=["refused", "unreadable"])
def test_a_job_deep_in_a_long_list_that_does_not_answer_is_not_lost_and_keeps_no_other_script_from_its_plan(
    quick, script, caplog, action
):
    b = long_listed(quick, script)
    b.emulator.set_faults([FaultRule(operation="get", action=action, job_id="^deep")])

    with caplog.at_level(logging.WARNING):
        plan = b.plan([script("gone"), script("deep"), script("new")])

    assert [item.state for item in plan.items] == [PlanState.LOST, PlanState.CLAIMED, PlanState.NEW]
    job_id = b.claim("deep")["attempts"][0]["job_id"]
    assert plan.items[1].detail == f"the service does not tell whether it has {job_id}; ask again"
    assert f"it is not known whether {job_id} is there" in caplog.text


def test_a_sweep_archives_a_job_deep_in_a_long_list_and_does_not_read_the_list_to_its_end(quick, script):
    b = long_listed(quick, script)
    b.emulator.release()
    before = listings(b)

    swept = b.sweep()

    assert [(item.ref.script_id, str(item.action), item.error) for item in swept.items] == [("deep", "archive", None)]
    assert set(b.receipts()) == {"deep"}
    assert listings(b) - before == ENOUGH_PAGES
