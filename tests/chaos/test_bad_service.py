"""A hundred scripts on the worst of days, and a thousand with the wrong key."""

from __future__ import annotations

import json

import pytest

from batch_avatar.emulator.faults import AbortJob, Cut, DropAfter, FailJob, FaultRule, Status, StickJob
from tests.chaos.arena import GA, PREVIEW

REFUSED, ABORTED, STUCK = ("s003", "s021", "s047"), ("s008", "s066"), ("s013", "s050", "s091")
BAD = (*REFUSED, *ABORTED, *STUCK)
BAD_DAY_SECONDS = 400.0  # with some pauses of 75 s, after five creates in a row without an answer


def of(names):
    return "^(" + "|".join(names) + ")-"


DAY = (
    FaultRule(operation="create", action=FailJob(code="BadRequest", message="No such gesture."), job_id=of(REFUSED)),
    FaultRule(operation="create", action=AbortJob(after_seconds=0.2), job_id=of(ABORTED)),
    FaultRule(operation="create", action=StickJob(), job_id=of(STUCK)),
    FaultRule(operation="create", action=DropAfter(), probability=0.05),
    FaultRule(operation="create", action=Status(status=500), probability=0.05),
    FaultRule(operation="download", action=Cut(fraction=0.4), probability=0.1),
)


@pytest.mark.timeout(3 * BAD_DAY_SECONDS)
@pytest.mark.parametrize("api_version", [GA, PREVIEW])
def test_of_a_hundred_scripts_on_a_bad_day_the_good_are_archived_and_the_bad_have_a_letter(arena, row, api_version):
    a = arena(
        api_version=api_version,
        environment={"BATCH_AVATAR_START_DEADLINE_SECONDS": "10"},
        faults=DAY,
        storage_front=True,
        link_lifetime_seconds=2,
        minimal_size_bytes=600_000,
        delete_unfinished="accept",
        bill_failed_jobs=False,  # the ratio is of what was rendered
        seed=7,
    )
    scripts = a.write_manifest(100)
    done = a.end(a.start("--engine", "local"), timeout=BAD_DAY_SECONDS)
    assert done.returncode == 1, done.stderr
    outcomes = {outcome["script_id"]: outcome for outcome in done.report["outcomes"]}
    good = [name for name in scripts if name not in BAD]
    assert {name for name, outcome in outcomes.items() if outcome["outcome"] == "archived"} == set(good)
    reasons = {name: outcomes[name]["error"] for name in BAD}
    assert {outcomes[name]["outcome"] for name in BAD} == {"failed"}
    assert {reasons[name]["code"] for name in REFUSED} == {"BadRequest"}
    assert {reasons[name]["code"] for name in ABORTED} == {"Aborted"}
    assert {reasons[name]["code"] for name in STUCK} == {"JobOverdue"}

    listed = json.loads(a.command("failed", "list", "--json").stdout)
    assert {line["script_id"] for line in listed} == set(BAD)
    stats = a.emulator.stats()
    before = stats["creates"]["accepted_by_name"]
    assert set(before.values()) == {1}
    three_attempts = (*ABORTED, *STUCK)  # no input's fault
    assert len(before) == len(good) + len(REFUSED) + 3 * len(three_attempts)
    assert stats["billed_seconds"] == stats["unique_seconds"]

    a.emulator.clear_faults()
    replayed = a.command("failed", "replay")
    assert replayed.returncode == 0, replayed.stderr
    created = {name for name in a.emulator.stats()["creates"]["accepted_by_name"] if name not in before}
    assert sorted(name.split("-")[0] for name in created) == sorted(BAD)
    due = dict.fromkeys(three_attempts, 3) | dict.fromkeys(REFUSED, 1)
    a.judge(scripts, attempts_due=due, note=row(point="-", kind="bad day, replayed", generation=api_version))


def test_a_wrong_key_stops_a_thousand_scripts_at_the_first_answer(arena):
    a = arena(environment={"BATCH_AVATAR_SPEECH_KEY": "wrong"})
    a.write_manifest(1000)
    done = a.end(a.start("--engine", "local"))

    assert done.returncode == 3
    assert len(a.emulator.requests()) == 1
    assert done.stderr.count("access refused") == 1
    assert "key" in done.stderr
    assert done.stdout == ""
