"""Scripts that share jobs, four each: killed, raced, refused and given up, no text is paid for twice or lost."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from batch_avatar.emulator.faults import DropAfter, FailInputs, FaultRule, Status
from batch_avatar.emulator.options import Progression
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from tests.chaos.arena import AGEING
from tests.chaos.bad_road import BadRoad
from tests.chaos.worker import AGES, PACK_POINTS, POINTS

PACKED = ("--pack", "4")
SCRIPTS = 10  # 4 + 4 + 2
LENGTHS = 3  # so that shares of a bill differ
RESULT_BYTES = 300_000  # more than one piece on its way through
OF_PACKS = "^pack-"
BAD = "s003"
PATIENT = {"BATCH_AVATAR_CLAIM_SECONDS": "12", "BATCH_AVATAR_REQUEST_TIMEOUT_SECONDS": "3"}
"""Of two processes that pack, each may have claims which only their age frees for the other."""
PACKS_AGE = (*AGES, "between-claims", "after-pack-record")


class Cell(NamedTuple):
    """Of the matrix; `other` is how the other process renders."""

    point: str
    other: str
    reading: str


SAME_ALONE = ("after-plan", "before-commit", "after-video-before-summary")  # nothing there knows of packs
SAME_BETWEEN = ("after-answer", "before-receipt")  # the points between the members hold the same, and more of them
RACED_ALONE = ("during-download", "after-delete")  # a race there is decided as that of a single script


def cells(points, other):
    return [Cell(point, other, "replace") for point in points]


def all_cells():
    """Every point with every other process, and where a repeated create is told from a new one."""
    return [
        Cell(point, other, reading)
        for point in (*POINTS, *PACK_POINTS)
        for other in ("packed", "alone")
        for reading in ("conflict", "replace")
    ]


def pytest_generate_tests(metafunc):
    """The short form plays what packs have of their own, and a kill at any point after the plan."""
    full = metafunc.config.getoption("full", default=False)
    own = [point for point in (*POINTS, *PACK_POINTS) if point not in (*SAME_ALONE, *SAME_BETWEEN)]
    raced = [point for point in own if point not in RACED_ALONE]
    for name, short in (("killed", cells(own, "packed")), ("raced", cells(raced, "alone"))):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, all_cells() if full else short, ids="-".join)
    if "ending" in metafunc.fixturenames:
        metafunc.parametrize(("ending", "outputs", "billed"), ENDINGS if full else ENDINGS[:3])
    if "blobs" in metafunc.fixturenames:
        metafunc.parametrize("blobs", ["kept", "deleted"] if full else ["kept"])
    if "other" in metafunc.fixturenames:
        metafunc.parametrize("other", [PACKED, ()] if full else [PACKED], ids=["packed", "alone"][: 1 + full])


ENDINGS = [
    ("failed", "dropped", True),  # what costs most
    ("failed", "kept", True),
    ("succeeded", "kept", True),
    ("succeeded", "dropped", True),
    ("failed", "dropped", False),
    ("failed", "kept", False),
    ("succeeded", "kept", False),
    ("succeeded", "dropped", False),
]


@pytest.fixture
def packs(arena):
    """`packs(...)`: an arena with a container for packed jobs."""

    def start(**options):
        hostile = {"minimal_size_bytes": RESULT_BYTES, "repeat_put": "replace"}
        return arena(packs=True, **(hostile | options))

    return start


def scene(packs, cell, environment):
    once = FaultRule(operation="create", job_id=OF_PACKS, at_most=1, action=Status(status=500))
    faults = (once,) if cell.point == "after-get-404" else ()
    return packs(repeat_put=cell.reading, faults=faults, environment=environment)


def options_of(cell):
    return PACKED if cell.other == "packed" else ()


def test_what_a_killed_process_left_of_its_packs_is_finished_by_the_next(packs, row, killed):
    a = scene(packs, killed, AGEING)
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    with a.worker(killed.point, *PACKED) as worker:
        worker.kill()
    first = a.render(*options_of(killed))
    second = first if first.returncode == 0 else a.render(*options_of(killed))
    assert second.returncode == 0, first.stderr + second.stderr
    remark = "" if second is first else "2 runs"
    if a.show_all_jobs():
        assert a.render(*options_of(killed)).returncode == 0
        remark = "a later run deletes the job"
    a.judge_packs(
        scripts,
        note=row(point=killed.point, kind=f"packs, kill, {killed.other}", reading=killed.reading, remark=remark),
    )


def test_a_process_with_packs_that_fell_behind_another_does_no_harm(packs, row, raced):
    a = scene(packs, raced, AGEING if raced.point in PACKS_AGE else {})
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    with a.worker(raced.point, *PACKED) as worker:
        other = a.render(*options_of(raced))
        late = worker.release()
    assert late.returncode in (0, 1), late.stderr
    assert late.report["failed"] == 0, late.report
    remark = ""
    if other.returncode or late.report["unfinished"]:
        settled = a.render(*options_of(raced))
        assert settled.returncode == 0, settled.stderr
        remark = f"the other: {other.unfinished}, the late: {late.unfinished}"
    a.judge_packs(
        scripts, note=row(point=raced.point, kind=f"packs, race, {raced.other}", reading=raced.reading, remark=remark)
    )


def test_processes_that_pack_the_same_scripts_at_once_pay_for_each_once(packs, row):
    a = packs(environment=PATIENT)
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    both = [a.start("--engine", "local", *PACKED) for _ in range(2)]
    ended = [a.end(process) for process in both]
    assert {one.returncode for one in ended} <= {0, 1}, "\n".join(one.stderr for one in ended)
    last = a.render(*PACKED)
    assert last.returncode == 0, last.stderr
    a.judge_packs(scripts, note=row(point="-", kind="packs, 2 processes", reading="replace"))


def test_a_bad_input_goes_again_alone_and_the_good_ones_are_archived(packs, row, ending, outputs, billed):
    """Its pack fails it, alone it goes well."""
    once = FaultRule(operation="create", at_most=1, action=FailInputs(matching=BAD))
    a = packs(partial_failure=ending, partial_outputs=outputs, bill_failed_jobs=billed, faults=(once,))
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    done = a.render(*PACKED)
    assert done.returncode == 0, done.stderr
    dropped = a.dropped()
    assert (len(dropped) > 0) == (ending == "failed" and outputs == "dropped"), dropped
    if ending == "succeeded":  # else nobody tells what the pack cost
        assert done.report["billed_seconds"] == a.emulator.stats()["billed_seconds"]
    note = row(
        point="-",
        kind=f"bad input, {ending}, {outputs}{'' if billed else ', unbilled'}",
        remark=f"the service dropped {len(dropped)} videos" if dropped else "",
    )
    due = dict.fromkeys([BAD, *dropped], 1)
    a.judge_packs(scripts, attempts_due=due, dropped=dropped if billed else (), note=note)


def test_an_input_that_is_bad_also_alone_gets_a_letter_and_is_archived_when_it_is_mended(packs, row):
    bad = FaultRule(operation="create", action=FailInputs(matching=BAD, code="InvalidRequest"))
    a = packs(partial_outputs="kept", faults=(bad,))
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    done = a.render(*PACKED)
    assert done.returncode == 1, done.stderr
    outcomes = {outcome["script_id"]: outcome for outcome in done.report["outcomes"]}
    assert {name for name, one in outcomes.items() if one["outcome"] != "archived"} == {BAD}
    assert outcomes[BAD]["outcome"] == "failed"
    assert outcomes[BAD]["error"]["code"] == "InvalidRequest"
    again = a.render(*PACKED)
    assert again.returncode == 1
    assert a.emulator.stats()["creates"]["accepted"] == 4, "three packs, and one alone"
    a.emulator.clear_faults()
    replayed = a.command("failed", "replay")
    assert replayed.returncode == 0, replayed.stderr
    a.judge_packs(scripts, attempts_due={BAD: 2}, note=row(point="-", kind="bad input, replayed"))


STUCK = {"BATCH_AVATAR_START_DEADLINE_SECONDS": "5"}  # all packs are sent before the first is given up


def test_packs_that_never_start_fall_back_to_one_script_a_job(packs, row):
    a = packs(destination_jobs_stick=True, delete_unfinished="accept", environment=STUCK)
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    done = a.render(*PACKED)
    assert done.returncode == 0, done.stderr
    due = dict.fromkeys(scripts, 1)
    a.judge_packs(scripts, attempts_due=due, note=row(point="-", kind="packs stuck, deletable"))


def test_packs_that_never_start_and_cannot_be_deleted_are_waited_for(packs, row):
    a = packs(destination_jobs_stick=True, environment=STUCK)
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    for options in (PACKED, ()):
        done = a.render(*options)
        assert done.returncode == 1, done.stderr
        assert done.report["unfinished"] == SCRIPTS, done.report
        assert a.emulator.stats()["creates"]["accepted"] == 3
    a.emulator.release()
    a.await_ends()
    late = a.render(*PACKED)
    assert late.returncode == 0, late.stderr
    assert late.report["archived"] == SCRIPTS
    a.judge_packs(scripts, note=row(point="-", kind="packs stuck, released"))


def test_a_pack_that_succeeds_while_it_is_given_up_is_archived(packs, row):
    a = packs(destination_jobs_stick=True, delete_unfinished="accept", environment=STUCK)
    scripts = a.write_manifest(4, lengths=LENGTHS)
    with a.worker("after-give-up", *PACKED) as worker:
        a.emulator.release()
        a.await_ends()
        late = worker.release()
    assert late.returncode == 0, late.stderr
    assert late.report["archived"] == 4, late.report
    a.judge_packs(scripts, note=row(point="after-give-up", kind="packs, late success"))


def test_a_process_that_dies_while_it_gives_up_its_packs_is_followed_by_another(packs, row, other):
    a = packs(destination_jobs_stick=True, delete_unfinished="accept", environment=STUCK)
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    with a.worker("after-give-up", *PACKED) as worker:
        worker.kill()
    done = a.render(*other)
    assert done.returncode == 0, done.stderr
    a.judge_packs(
        scripts, attempts_due=dict.fromkeys(scripts, 1), note=row(point="after-give-up", kind="packs stuck, kill")
    )


def test_what_a_process_left_that_died_between_a_delete_and_its_note_is_lost_until_somebody_pays_again(packs, row):
    a = packs(destination_jobs_stick=True, delete_unfinished="accept", environment=STUCK)
    scripts = a.write_manifest(4, lengths=LENGTHS)
    with a.worker("after-deleting-given-up", *PACKED) as worker:
        worker.kill()
    done = a.render(*PACKED)
    assert done.returncode == 1
    assert {one["error"]["class"] for one in done.report["outcomes"]} == {"lost"}
    paid = a.render(*PACKED, "--rerender-lost")
    assert paid.returncode == 0, paid.stderr
    due = dict.fromkeys(scripts, 1)
    a.judge_packs(scripts, attempts_due=due, note=row(point="after-deleting-given-up", kind="packs stuck, kill"))


@pytest.mark.parametrize(
    ("point", "list_lag_seconds"),
    [("after-give-up", 2), ("after-all-give-up", 2), ("after-all-give-up", 60), ("after-delete", 2)],
)
def test_a_failed_pack_is_deleted_also_when_its_process_died_before(packs, row, point, list_lag_seconds):
    bad = FaultRule(operation="create", at_most=1, action=FailInputs(matching=BAD))
    a = packs(faults=(bad,), delete_destination_blobs=False, list_lag_seconds=list_lag_seconds, environment=AGEING)
    scripts = a.write_manifest(4, lengths=LENGTHS)
    with a.worker(point, *PACKED) as worker:
        worker.kill()
    done = a.render(*PACKED)
    assert done.returncode == 0, done.stderr
    if a.show_all_jobs():
        assert a.render(*PACKED).returncode == 0
    dropped = a.dropped()
    due = dict.fromkeys(scripts, 1)
    a.judge_packs(scripts, attempts_due=due, dropped=dropped, note=row(point=point, kind="packs failed, kill"))


@pytest.mark.parametrize("point", ["between-receipt-and-delete", "after-delete"])
def test_nothing_stays_in_staging_whoever_deletes_it(packs, row, point, blobs):
    a = packs(delete_destination_blobs=blobs == "deleted", environment=AGEING)
    scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
    with a.worker(point, *PACKED) as worker:
        worker.kill()
    assert a.render(*PACKED).returncode == 0
    if a.show_all_jobs():
        assert a.render(*PACKED).returncode == 0
    a.judge_packs(scripts, note=row(point=point, kind=f"packs, kill, blobs {blobs}"))


def test_a_run_of_some_of_its_scripts_leaves_a_pack_to_the_others(packs, row):
    begins = 600
    a = packs(progression=Progression.after_seconds(start_delay=begins, overhead=0.2, per_video_second=0.05))
    a.write_manifest(4, lengths=LENGTHS)
    with a.worker("during-wait", *PACKED) as worker:
        worker.kill()
    a.emulator.advance(begins)
    few = a.write_manifest(2, lengths=LENGTHS)
    done = a.render()
    assert done.returncode == 0, done.stderr
    assert [outcome["script_id"] for outcome in done.report["outcomes"]] == few
    a.emulator.advance(a.emulator.options.list_lag_seconds)
    assert a.render().returncode == 0
    assert [job["deleted"] for job in a.emulator.jobs()] == [False], "two of its videos are not archived yet"
    scripts = a.write_manifest(4, lengths=LENGTHS)
    rest = a.render()
    assert rest.returncode == 0, rest.stderr
    a.judge_packs(scripts, note=row(point="during-wait", kind="packs, kill, in two runs"))


TROUBLES = {
    "every create answer lost": (FaultRule(operation="create", job_id=OF_PACKS, action=DropAfter()),),
    "creates fail before": (FaultRule(operation="create", job_id=OF_PACKS, at_most=2, action=Status(status=500)),),
    "creates fail after": (
        FaultRule(operation="create", job_id=OF_PACKS, at_most=2, action=Status(status=500, after_effect=True)),
    ),
    "creates throttled": (
        FaultRule(
            operation="create", job_id=OF_PACKS, at_most=2, action=Status(status=429, code="429", retry_after_seconds=1)
        ),
    ),
    "creates fail too often": (  # then its scripts go alone, once nothing of it can be on its way
        FaultRule(operation="create", job_id=OF_PACKS, at_most=3, action=Status(status=500)),
    ),
    "answer lost, then an outage": (
        FaultRule(operation="create", job_id=OF_PACKS, at_most=1, action=DropAfter()),
        FaultRule(operation="get", at_most=4, action=Status(status=503)),  # as often as a GET is tried
        FaultRule(operation="list", skip_first=1, at_most=8, action=Status(status=503)),
    ),
}


ONE_PACK = ("creates fail too often", "answer lost, then an outage")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_create_of_a_pack_that_goes_wrong_makes_one_job_in_the_end(packs, row, trouble):
    alone = trouble in ONE_PACK
    a = packs(faults=TROUBLES[trouble], environment={} if alone else PATIENT)
    scripts = a.write_manifest(4 if alone else SCRIPTS, lengths=LENGTHS)
    both = [a.start("--engine", "local", *PACKED) for _ in range(1 if alone else 2)]
    ended = [a.end(process) for process in both]
    assert {one.returncode for one in ended} <= {0, 1}, "\n".join(one.stderr for one in ended)
    last = a.render(*PACKED)
    assert last.returncode == 0, last.stderr
    a.judge_packs(scripts, note=row(point="-", kind=f"packs, {trouble}", reading="replace"))


def test_videos_that_break_off_and_links_that_die_on_the_way_from_staging_cost_nothing(packs, row, azurite):
    with BadRoad(azurite.url) as road:
        direct = azurite.connection_string(USER_ACCOUNT)
        a = packs(connection_string=direct.replace(azurite.url, road.url))
        scripts = a.write_manifest(SCRIPTS, lengths=LENGTHS)
        done = a.render(*PACKED)
        assert done.returncode == 0, done.stderr
        assert len(road.reads) == SCRIPTS
        assert min(road.reads.values()) >= 2, "every link died once and every video broke off once"
        a.judge_packs(scripts, note=row(point="-", kind="packs, bad road"))
