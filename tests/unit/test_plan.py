"""What each script is to service and archive, and which of several facts counts."""

from datetime import UTC, datetime
from itertools import product

import pytest

from batch_avatar.archive import ArchiveIndex
from batch_avatar.identity import derive_content_id, derive_job_id, mark_description
from batch_avatar.models import Script, SynthesisJob
from batch_avatar.plan import PlanState, reconcile

ARCHIVE = "00112233445566aa"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SCRIPT = Script(script_id="intro", content="Hi.", voice="v", talking_avatar_character="lisa")
CONTENT_ID = derive_content_id(SCRIPT, archive_id=ARCHIVE)
KEY = ("intro", CONTENT_ID)
LETTER = {
    "script_id": "intro",
    "job_id": derive_job_id("intro", CONTENT_ID, 2),
    "failure_class": "job",
    "code": "Aborted",
    "message": "timeout",
}


def job(attempt=1, *, archive_id=ARCHIVE, status="Running", service_id=None):
    return SynthesisJob(
        service_id=service_id or derive_job_id("intro", CONTENT_ID, attempt),
        status=status,
        description=mark_description("note", archive_id) if archive_id else "by hand",
        observed_at=NOW,
    )


def index(*, receipt=None, video=None, dead=False, claim=False, before=()):
    found = ArchiveIndex()
    if receipt:
        found.receipts[KEY] = {"attempt": str(receipt), "job_id": "x", "video": "y"}
    if video:
        found.videos.add(f"intro/{CONTENT_ID}/{video}")
    if dead:
        found.dead[CONTENT_ID] = LETTER
    if claim:
        found.claims.add(KEY)
    for content_id in before:
        found.receipts["intro", content_id] = {"attempt": "1"}
    return found


def item(jobs=(), **facts):
    [found] = reconcile([SCRIPT], archive_id=ARCHIVE, jobs=jobs, index=index(**facts)).items
    return found


def test_a_script_that_nobody_knows_is_new():
    found = item()

    assert (found.state, found.attempt, found.content_id) == (PlanState.NEW, 1, CONTENT_ID)
    assert found.ref().job_id == f"intro-{CONTENT_ID}-1"


@pytest.mark.parametrize("video", ["1/video.mp4", "1/video.webm"])
def test_a_receipt_with_its_video_is_archived(video):
    found = item(receipt=1, video=video)

    assert (found.state, found.leftover, found.failure) == (PlanState.ARCHIVED, False, None)


def test_the_job_of_a_receipt_is_a_leftover():
    assert item([job()], receipt=1, video="1/video.mp4").leftover is True


def test_the_job_of_another_attempt_is_no_leftover_of_the_receipt():
    assert item([job(1)], receipt=2, video="2/video.mp4").leftover is False


@pytest.mark.parametrize("video", [None, "1/video.mp4", "2/summary.json"])
def test_a_receipt_without_its_video_is_damaged_and_says_so(video):
    found = item(receipt=2, video=video)

    assert (found.state, found.attempt) == (PlanState.DAMAGED, 2)
    assert (found.failure.failure_class, found.failure.code) == ("lost", "Damaged")


@pytest.mark.parametrize("status", ["NotStarted", "Running", "Succeeded", "Failed", "Resting"])
def test_a_job_of_ours_is_adopted(status):
    found = item([job(status=status)])

    assert (found.state, found.ref().service_id) == (PlanState.ALIVE, f"intro-{CONTENT_ID}-1")


@pytest.mark.parametrize("jobs", [[job(2), job(10), job(1)], [job(10), job(2)]])
def test_of_several_attempts_the_last_is_adopted(jobs):
    assert item(jobs).attempt == 10


@pytest.mark.parametrize("archive_id", [None, "ffeeddccbbaa0099"])
def test_a_job_of_somebody_else_is_not_touched(archive_id):
    assert item([job(archive_id=archive_id)]).state is PlanState.NEW


@pytest.mark.parametrize("service_id", ["x", "intro", "intro-", f"intro-{'f' * 16}-1", "-1", "intro-x-y"])
def test_a_job_of_ours_for_something_else_is_not_taken_for_this_script(service_id):
    assert item([job(service_id=service_id)]).state is PlanState.NEW


def test_a_dead_letter_is_reported_with_its_reason():
    found = item(dead=True)

    assert (found.state, found.attempt, found.detail) == (PlanState.DEAD, 2, "Aborted: timeout")
    assert (found.failure.failure_class, found.failure.code, found.failure.message) == ("job", "Aborted", "timeout")


def test_a_claim_without_a_job_is_claimed():
    assert item(claim=True).state is PlanState.CLAIMED


def test_a_script_that_was_archived_with_other_content_is_changed():
    found = item(before=["b" * 16, "a" * 16])

    assert (found.state, found.detail) == (PlanState.CHANGED, f"archived before as {'a' * 16}, {'b' * 16}")


def test_another_script_with_the_same_content_is_not_this_script():
    found = ArchiveIndex()
    found.receipts["outro", CONTENT_ID] = {"attempt": "1"}
    found.claims.add(("outro", CONTENT_ID))
    found.videos.add(f"outro/{CONTENT_ID}/1/video.mp4")

    [planned] = reconcile([SCRIPT], archive_id=ARCHIVE, jobs=[], index=found).items

    assert planned.state is PlanState.NEW


@pytest.mark.parametrize("facts", list(product([True, False], repeat=5)))
def test_a_receipt_counts_before_a_job_a_letter_a_claim_and_an_older_content(facts):
    receipt, alive, dead, claim, before = facts

    found = item(
        [job()] if alive else [],
        receipt=1 if receipt else None,
        video="1/video.mp4" if receipt else None,
        dead=dead,
        claim=claim,
        before=["a" * 16] if before else (),
    )

    order = [
        (receipt, PlanState.ARCHIVED),
        (alive, PlanState.ALIVE),
        (dead, PlanState.DEAD),
        (claim, PlanState.CLAIMED),
        (before, PlanState.CHANGED),
        (True, PlanState.NEW),
    ]
    assert found.state == next(state for fact, state in order if fact)
    assert found.leftover is (receipt and alive)


def test_only_what_a_person_decides_carries_a_failure():
    assert [item(**facts).failure is not None for facts in ({"receipt": 1}, {"dead": True})] == [True, True]
    assert item(claim=True).failure is None
    assert item([job()]).failure is None


def test_a_plan_keeps_the_order_of_the_scripts_and_counts_their_states():
    scripts = [SCRIPT.model_copy(update={"script_id": name}) for name in ("b", "intro", "a")]

    plan = reconcile(scripts, archive_id=ARCHIVE, jobs=[job()], index=ArchiveIndex())

    assert [planned.script.script_id for planned in plan.items] == ["b", "intro", "a"]
    assert plan.counts() == {PlanState.ALIVE: 1, PlanState.NEW: 2}
