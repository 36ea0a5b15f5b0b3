"""The service misbehaves at every script, and two processes render at once."""

from __future__ import annotations

import pytest

from batch_avatar.emulator.faults import DropAfter, FaultRule, Status, StickJob
from tests.chaos.arena import GA, PREVIEW

SCRIPTS = 10
FEW_SCRIPTS = 4  # five creates in a row without an answer make a run pause for a minute
pytestmark = pytest.mark.parametrize("generation", [GA, PREVIEW])


def render_by_two(arena, note, *, count=SCRIPTS, attempts_due=None):
    """Two runs at once, one after them, and the judge."""
    scripts = arena.write_manifest(count)
    both = [arena.start("--engine", "local") for _ in range(2)]
    ended = [arena.end(process) for process in both]
    assert {one.returncode for one in ended} <= {0, 1}, "\n".join(one.stderr for one in ended)
    last = arena.render()
    assert last.returncode == 0, last.stderr
    return arena.judge(scripts, attempts_due=attempts_due, note=note)


def test_when_every_answer_to_a_create_is_lost_each_job_is_found_again(arena, row, generation):
    a = arena(api_version=generation, faults=(FaultRule(operation="create", action=DropAfter()),))
    render_by_two(a, row(point="-", kind="every create answer lost", generation=generation), count=FEW_SCRIPTS)
    assert a.emulator.stats()["requests"]["create"] == {"dropped": FEW_SCRIPTS}


def test_when_every_create_fails_once_before_its_effect_each_is_sent_again(arena, row, generation):
    rules = tuple(
        FaultRule(operation="create", job_id=f"^s{number:03d}-", at_most=1, action=Status(status=500))
        for number in range(FEW_SCRIPTS)
    )
    a = arena(api_version=generation, faults=rules)
    render_by_two(a, row(point="-", kind="every create fails once", generation=generation), count=FEW_SCRIPTS)
    assert [rule["fired"] for rule in a.emulator.stats()["faults"]] == [1] * FEW_SCRIPTS


def test_a_list_that_lags_hides_jobs_from_nobody(arena, row, generation):
    a = arena(api_version=generation, list_lag_seconds=5)
    render_by_two(a, row(point="-", kind="list lags 5 s", generation=generation))


def test_where_unfinished_jobs_can_be_deleted_only_the_stuck_one_gets_another_attempt(arena, row, generation):
    stuck = FaultRule(operation="create", job_id="^s000-.*-1$", action=StickJob(status="NotStarted"))
    deadline = {"BATCH_AVATAR_START_DEADLINE_SECONDS": "2"}
    a = arena(api_version=generation, faults=(stuck,), delete_unfinished="accept", environment=deadline)
    note = row(point="-", kind="unfinished deletable, one stuck", generation=generation)
    render_by_two(a, note, attempts_due={"s000": 1})
