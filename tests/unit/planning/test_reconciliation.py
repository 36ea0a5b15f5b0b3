"""What each script is to service and archive, which of several facts counts, and what a person may unlock."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.archive.index import ArchiveIndex, claim_metadata, letter_metadata, receipt_metadata
from batch_avatar.archive.records import Claim, DeadLetter
from batch_avatar.identity import (
    derive_content_id,
    derive_job_id,
    form_digests,
    mark_description,
    recorded_form,
)
from batch_avatar.models import FailureFacts, JobRef, Script, SynthesisJob
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import own_jobs, reconcile
from batch_avatar.receipt import Attempt, Receipt, StoredBlob

ARCHIVE = "00112233445566aa"
ELSEWHERE = "ffeeddccbbaa0099"
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SCRIPT = Script(script_id="intro", content="Hi.", voice="v", talking_avatar_character="lisa")
STATUSES = ["NotStarted", "Running", "Succeeded", "Failed", "Resting"]
HERE = {"run": "r", "resource": "x", "api_version": "2024-08-01"}
EVERY_PERMIT = Permits(retry_failed=True, rerender_lost=True, accept_changes=True)


def content_id(script=SCRIPT, revision=0):
    return derive_content_id(script, archive_id=ARCHIVE, revision=revision)


def job_id(attempt=1, script=SCRIPT, revision=0):
    return derive_job_id(script.script_id, content_id(script, revision), attempt)


CONTENT_ID = content_id()


def job(attempt=1, *, status="Running", archive_id=ARCHIVE, **members):
    members = {"service_id": job_id(attempt), "created_at": NOW} | members
    description = mark_description("note", archive_id) if archive_id else "by hand"
    return SynthesisJob(status=status, description=description, observed_at=NOW, **members)


def named_job(service_id, attempt=1, **members):
    """As the older generation shows it: an id of the service's, and our name."""
    return job(service_id=service_id, display_name=job_id(attempt), **members)


# What lies in the archive: names and metadata as they are written


def video(attempt=1, *, script=SCRIPT, revision=0, ending="mp4"):
    return f"{script.script_id}/{content_id(script, revision)}/{attempt}/video.{ending}", {}


def receipt(attempt=1, *, script=SCRIPT, revision=0, doubtful=(), with_form=True, archived_at=NOW, service_id=None):
    stored = StoredBlob(
        blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4", doubtful=doubtful
    )
    written = Receipt(
        script_id=script.script_id,
        content_id=content_id(script, revision),
        attempt=attempt,
        job_id=job_id(attempt, script, revision),
        service_id=service_id or job_id(attempt, script, revision),
        archived_at=archived_at,
        video=stored,
        form=form_digests(recorded_form(script)) if with_form else {},
        revision=revision,
        **HERE,
    )
    return f"{script.script_id}/{written.content_id}/receipt.json", receipt_metadata(written)


def claim(attempt=1, *, accepted=False, ended=None, over=True, refused=False, script=SCRIPT, revision=0, resource="x"):
    last = Attempt(
        number=attempt,
        job_id=job_id(attempt, script, revision),
        accepted_at=NOW if accepted else None,
        ended=ended,
        over=over and ended is not None,
        refused=refused,
    )
    written = Claim(
        script_id=script.script_id,
        content_id=content_id(script, revision),
        holder="h",
        attempts=(last,),
        form=recorded_form(script),
        revision=revision,
        **HERE | {"resource": resource},
    )
    return f"{script.script_id}/{written.content_id}/claim.json", claim_metadata(written)


def letter(attempt=1, *, code="Aborted", message="timeout", name=None, failure_class="job"):
    ref = JobRef(
        script_id="intro",
        content_id=CONTENT_ID,
        attempt=attempt,
        job_id=name or job_id(attempt),
        service_id="s",
    )
    facts = FailureFacts.model_validate({"class": failure_class, "code": code, "message": message})
    written = DeadLetter(ref=ref, run="r", written_at=NOW, failure=facts, script={})
    return f"_failed/{CONTENT_ID}.json", letter_metadata(written)


def archive(*entries):
    index = ArchiveIndex()
    for name, metadata in entries:
        index.enter(name, metadata)
    return index


def plan_of(*entries, scripts=(SCRIPT,), jobs=(), permits=None, max_changed=1000, resource="x"):
    return reconcile(
        scripts,
        archive_id=ARCHIVE,
        jobs=jobs,
        index=archive(*entries),
        resources=None if resource is None else {resource},
        permits=permits,
        max_changed=max_changed,
    )


def items(*entries, **options):
    return plan_of(*entries, **options).items


def item(*entries, **options):
    [found] = items(*entries, **options)
    return found


def test_a_script_that_nobody_knows_is_new():
    found = item()

    assert (found.state, found.attempt, found.content_id) == (PlanState.NEW, 1, CONTENT_ID)
    assert found.ref() == JobRef(
        script_id="intro",
        content_id=CONTENT_ID,
        attempt=1,
        job_id=f"intro-{CONTENT_ID}-1",
        service_id=f"intro-{CONTENT_ID}-1",
    )


# Archived


@pytest.mark.parametrize("ending", ["mp4", "webm"])
@pytest.mark.parametrize("attempt", [1, 2, 10])
def test_a_receipt_with_its_video_is_archived(attempt, ending):
    found = item(receipt(attempt), video(attempt, ending=ending))

    assert (found.state, found.attempt, found.failure) == (PlanState.ARCHIVED, attempt, None)
    assert (found.leftovers, found.named, found.extras) == ((), (job_id(attempt),), ())


def test_the_ended_jobs_of_an_archived_script_are_leftovers_whatever_their_attempt():
    jobs = [job(number, status=status) for number, status in enumerate(STATUSES, start=1)]

    assert item(receipt(2), video(2), jobs=jobs).leftovers == (("", job_id(3)), ("", job_id(4)))


def test_jobs_that_share_a_name_are_each_a_leftover_by_the_id_that_the_service_knows():
    jobs = [named_job("b", status="Succeeded"), named_job("a", status="Failed"), named_job("c")]

    found = item(receipt(service_id="a"), video(), jobs=jobs)

    assert sorted(found.leftovers) == [("", "a"), ("", "b")]
    assert (found.named, len(found.extras)) == (("a", "b", "c"), 2)


def test_jobs_of_a_receipts_name_count_as_paid_beside_its_own_that_is_deleted_and_those_of_other_attempts_do_not():
    jobs = [named_job("b"), named_job("other", 2), named_job("foreign", archive_id=ELSEWHERE)]

    assert item(receipt(service_id="a"), video(), jobs=jobs).named == ("a", "b")
    assert item(receipt(service_id="a"), video(), jobs=jobs[1:]).named == ("a",)


def test_a_receipt_of_before_it_told_its_jobs_id_counts_the_jobs_that_are_there():
    name, metadata = receipt()
    told = {key: value for key, value in metadata.items() if key != "service_id"}

    assert item((name, told), video()).named == ()
    assert item((name, told), video(), jobs=[named_job("a"), named_job("b")]).named == ("a", "b")


@pytest.mark.parametrize("doubtful", [("container",), ("container", "duration")])
def test_the_job_of_a_doubtful_video_is_kept(doubtful):
    found = item(receipt(doubtful=doubtful), video(), jobs=[job(status="Succeeded"), job(2, status="Failed")])

    assert (found.state, found.leftovers, found.named, found.extras) == (PlanState.ARCHIVED, (), (), ())


def test_the_jobs_of_another_archive_are_no_leftovers():
    jobs = [job(status="Succeeded", archive_id=archive_id) for archive_id in (None, ELSEWHERE)]

    assert item(receipt(), video(), jobs=jobs).leftovers == ()


# Damaged


@pytest.mark.parametrize(
    "beside",
    [
        [],
        [video(1)],
        [("intro/" + CONTENT_ID + "/2/summary.json", {})],
        [video(2, script=Script(script_id="outro", content="Hi."))],
    ],
)
def test_a_receipt_without_its_own_video_is_damaged_and_says_so(beside):
    found = item(receipt(2), *beside)

    assert (found.state, found.attempt) == (PlanState.DAMAGED, 2)
    assert (found.failure.failure_class, found.failure.code) == ("lost", "Damaged")
    assert found.detail == found.failure.message == "the receipt's video is not in the archive"


@pytest.mark.parametrize("status", STATUSES)
def test_a_damaged_script_whose_job_still_has_the_video_costs_nothing_and_needs_no_permit(status):
    found = item(receipt(), jobs=[job(status=status)])

    assert found.state is PlanState.DAMAGED
    assert (found.failure is None) is (status == "Succeeded")
    assert ("still has it" in found.detail) is (status == "Succeeded")


def test_the_video_of_another_archives_job_mends_nothing():
    assert item(receipt(), jobs=[job(status="Succeeded", archive_id=ELSEWHERE)]).failure is not None


# A job


@pytest.mark.parametrize("status", STATUSES)
def test_a_job_of_ours_is_adopted(status):
    found = item(jobs=[job(status=status)])

    assert (found.state, found.ref().service_id) == (PlanState.ALIVE, f"intro-{CONTENT_ID}-1")
    assert found.detail == f"intro-{CONTENT_ID}-1 is {status}"
    assert (found.failure, found.named, found.extras) == (None, (job_id(),), ())


@pytest.mark.parametrize("jobs", [[job(2), job(10), job(1)], [job(10), job(2)]])
def test_of_several_attempts_the_last_is_adopted_and_the_others_are_not_named(jobs):
    found = item(jobs=jobs)

    assert (found.attempt, found.named, found.extras) == (10, (job_id(10),), ())


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_jobs_with_one_name_the_oldest_is_adopted_and_the_others_are_extras(order):
    ages = {"old": 0, "newer": 1, "newest": 2}
    statuses = {"old": "Running", "newer": "Succeeded", "newest": "NotStarted"}
    jobs = [
        named_job(name, created_at=NOW + timedelta(seconds=age), status=statuses[name]) for name, age in ages.items()
    ]

    found = item(jobs=[jobs[place] for place in order])

    assert (found.state, found.named) == (PlanState.ALIVE, ("old", "newer", "newest"))
    assert found.extras == ("newer", "newest")
    assert [found.paid_beside(archived) for archived in ("old", "newer", "not listed yet")] == [2, 2, 3]
    assert found.detail == f"{job_id()} is Running; 2 more of that name, paid for as well"


def test_older_attempts_are_no_extras_of_the_last_one():
    jobs = [named_job("a", 1), named_job("b", 2), named_job("c", 2, created_at=NOW + timedelta(seconds=1))]

    found = item(jobs=jobs)

    assert (found.attempt, found.named, found.extras) == (2, ("b", "c"), ("c",))
    assert found.detail.endswith("; 1 more of that name, paid for as well")


def test_a_job_that_two_pages_show_is_one_job_as_the_later_page_shows_it():
    found = item(jobs=[named_job("a", status="Running"), named_job("a", status="Succeeded")])

    assert (found.named, found.detail) == (("a",), f"{job_id()} is Succeeded")


@pytest.mark.parametrize("archive_id", [None, ELSEWHERE])
@pytest.mark.parametrize("make", [job, lambda **members: named_job("a", **members)])
def test_a_job_of_somebody_else_is_not_touched(make, archive_id):
    assert item(jobs=[make(archive_id=archive_id)]).state is PlanState.NEW


def test_a_job_of_another_archive_is_no_extra_of_ours():
    jobs = [named_job("a"), named_job("b", archive_id=ELSEWHERE, created_at=NOW - timedelta(days=1))]

    assert item(jobs=jobs).named == ("a",)


@pytest.mark.parametrize("entries", [[], [claim()], [letter()], [receipt()]])
def test_a_script_without_jobs_has_none_beside_the_one_that_is_archived_in_the_end(entries):
    assert (item(*entries).extras, item(*entries).paid_beside("c48b4cf5")) == ((), 0)


@pytest.mark.parametrize("service_id", ["x", "intro", "intro-", f"intro-{'f' * 16}-1", "-1", "intro-x-y"])
def test_a_job_of_ours_for_something_else_is_not_taken_for_this_script(service_id):
    assert item(jobs=[job(service_id=service_id)]).state is PlanState.NEW


def test_our_own_jobs_are_sorted_by_content_oldest_first_and_those_without_a_time_before_them():
    later = NOW + timedelta(hours=1)
    other = job_id(script=SCRIPT.model_copy(update={"script_id": "outro"}))
    jobs = [
        named_job("late", created_at=later),
        named_job("early"),
        named_job("timeless", created_at=None),
        job(service_id=other),
        job(service_id="by-hand"),
        named_job("foreign", archive_id=ELSEWHERE),
    ]

    found = own_jobs(iter(jobs), ARCHIVE)

    assert {key: [job.service_id for job in jobs] for key, jobs in found.items()} == {
        CONTENT_ID: ["timeless", "early", "late"],
        other.split("-")[1]: [other],
    }


# A dead letter


def test_a_dead_letter_is_reported_with_its_reason():
    found = item(letter(2))

    assert (found.state, found.attempt, found.detail) == (PlanState.DEAD, 2, "Aborted: timeout")
    assert (found.failure.failure_class, found.failure.code, found.failure.message) == ("job", "Aborted", "timeout")


@pytest.mark.parametrize("known", [{}, {"accepted": True}, {"ended": "Aborted"}, {"accepted": True, "ended": "x"}])
def test_a_letter_counts_before_the_claim_of_its_own_attempt_or_an_earlier_one(known):
    assert item(letter(2), claim(2, **known)).state is PlanState.DEAD
    assert item(letter(2), claim(1, **known)).state is PlanState.DEAD


def test_a_refusal_is_void_where_another_run_was_taken_for_the_same_attempt():
    refusal = letter(2, failure_class="input")

    assert item(refusal, claim(2, accepted=True, over=False)).state is PlanState.LOST
    assert item(refusal, claim(2)).state is PlanState.DEAD


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({}, PlanState.CLAIMED),
        ({"accepted": True}, PlanState.LOST),
        ({"accepted": True, "ended": "x"}, PlanState.CLAIMED),
    ],
)
def test_a_letter_that_was_overtaken_by_a_later_attempt_is_silent(known, state):
    found = item(letter(2), claim(3, **known))

    assert (found.state, found.attempt, found.failure) == (state, 3, None)


def test_the_letter_of_attempt_nine_is_older_than_attempt_ten():
    assert item(letter(9), claim(10)).state is PlanState.CLAIMED


@pytest.mark.parametrize("name", ["x", "", "c48b4cf5-7a36-4f4a-9b0e-7d5f3d0b1c2a"])
def test_a_letter_whose_job_has_an_unknown_name_counts_for_the_first_attempt(name):
    entry = letter()
    entry[1]["job_id"] = name

    assert (item(entry).state, item(entry).attempt) == (PlanState.DEAD, 1)
    assert item(entry, claim(2)).state is PlanState.CLAIMED


@pytest.mark.parametrize(
    ("entries", "jobs"),
    [([], []), ([receipt(), video()], []), ([receipt()], []), ([claim(2)], []), ([], [job(status="Failed")])],
)
def test_whatever_else_is_known_a_letter_that_lies_there_is_told(entries, jobs):
    assert item(*entries, letter(), jobs=jobs).letter
    assert not item(*entries, jobs=jobs).letter


# A claim


@pytest.mark.parametrize(
    ("known", "with_video", "state", "said"),
    [
        ({}, False, PlanState.CLAIMED, None),
        ({"refused": True}, False, PlanState.CLAIMED, None),
        ({}, True, PlanState.CLAIMED, None),
        ({"ended": "Aborted"}, False, PlanState.CLAIMED, "Aborted"),
        ({"accepted": True, "ended": "Aborted"}, False, PlanState.CLAIMED, "Aborted"),
        (
            {"accepted": True, "ended": "late", "over": False},
            False,
            PlanState.LOST,
            f"{job_id(2)} is not in the job list",
        ),
        ({"accepted": True}, False, PlanState.LOST, f"{job_id(2)} is not in the job list"),
        ({"accepted": True}, True, PlanState.CLAIMED, "a video without a receipt; the receipt is rebuilt"),
    ],
)
def test_a_claim_without_a_job_is_lost_only_if_it_was_accepted_and_neither_ended_nor_left_a_video(
    known, with_video, state, said
):
    found = item(claim(2, **known), *([video(2)] if with_video else []))

    assert (found.state, found.attempt, found.detail, found.failure) == (state, 2, said, None)


@pytest.mark.parametrize("resource", ["y", "another.cognitiveservices.azure.com"])
def test_what_was_accepted_elsewhere_is_not_lost_here(resource):
    found = item(claim(accepted=True, resource=resource))

    assert (found.state, found.detail) == (PlanState.CLAIMED, f"sent to {resource}, where this run cannot look")
    for here in (resource, None):  # None: which resource it is, is not asked
        assert item(claim(accepted=True, resource=resource), resource=here).state is PlanState.LOST


def test_the_video_of_an_earlier_attempt_is_none_of_the_last():
    assert item(claim(2, accepted=True), video(1)).state is PlanState.LOST


def test_a_video_alone_is_nothing_without_a_claim():
    assert item(video()).state is PlanState.NEW


def test_the_claim_of_another_script_or_another_content_is_not_ours():
    changed = SCRIPT.model_copy(update={"content": "Hello."})

    assert item(claim(script=changed, accepted=True)).state is PlanState.NEW


def test_another_script_with_the_same_content_is_not_this_script():
    other = SCRIPT.model_copy(update={"script_id": "outro"})

    assert item(receipt(script=other), video(script=other), claim(script=other)).state is PlanState.NEW


# Changed


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"content": "Hello."}, "content differs"),
        ({"voice": "w"}, "voice differs"),
        ({"voice": None}, "voice differs"),
        ({"talking_avatar_style": "formal"}, "talking_avatar_style differs"),
        ({"input_kind": "SSML"}, "input_kind differs"),
        ({"scene": {"zoom": 1.5}}, "scene differs"),
        ({"video_crop": {"top_left": {"x": 0, "y": 0}, "bottom_right": {"x": 9, "y": 9}}}, "video_crop differs"),
        ({"voice": "w", "content": "Hello.", "rate": "+10%"}, "content, rate, voice differ"),
    ],
)
def test_a_script_that_was_archived_with_other_properties_is_changed_and_names_them(before, said):
    old = Script.model_validate(SCRIPT.model_dump() | before)

    found = item(receipt(script=old), video(script=old))

    assert (found.state, found.attempt, found.content_id) == (PlanState.CHANGED, 1, CONTENT_ID)
    assert found.detail == f"{said} from what was archived as {content_id(old)}"


def test_what_decides_neither_picture_nor_sound_changes_nothing():
    old = SCRIPT.model_copy(update={"description": "spring", "time_to_live_in_hours": 5})

    assert item(receipt(script=old), video(script=old)).state is PlanState.ARCHIVED


def test_what_differs_is_told_against_the_latest_of_several_receipts():
    older, latest = (SCRIPT.model_copy(update=changes) for changes in ({"content": "Hello."}, {"voice": "w"}))
    entries = [receipt(script=older, archived_at=NOW), receipt(script=latest, archived_at=NOW + timedelta(seconds=1))]

    for order in (entries, entries[::-1]):
        assert item(*order).detail == f"voice differs from what was archived as {content_id(latest)}"


def test_microseconds_do_not_turn_the_order_of_receipts():
    older, latest = (SCRIPT.model_copy(update=changes) for changes in ({"content": "Hello."}, {"voice": "w"}))
    entries = [
        receipt(script=older, archived_at=NOW),
        receipt(script=latest, archived_at=NOW + timedelta(microseconds=1)),
    ]

    assert item(*entries).detail.startswith("voice differs")


def test_a_receipt_of_before_forms_were_kept_is_a_change_without_names():
    old = SCRIPT.model_copy(update={"content": "Hello."})

    found = item(receipt(script=old, with_form=False))

    assert (found.state, found.detail) == (PlanState.CHANGED, f"differs from what was archived as {content_id(old)}")


def test_blobs_that_lost_their_metadata_on_a_copy_lose_no_video_and_send_nothing_by_themselves():
    bare = [(name, {}) for name, _ in (receipt(), claim(), letter())]

    assert item(*bare, video()).state is PlanState.ARCHIVED
    assert item(*bare).state is PlanState.DAMAGED
    assert item(*bare[1:]).state is PlanState.DEAD


# A wanted revision


def rendered(revision=0, script=SCRIPT):
    """Claim, receipt and video, as a run leaves them."""
    return [
        claim(accepted=True, revision=revision, script=script),
        receipt(revision=revision, script=script),
        video(revision=revision, script=script),
    ]


def test_a_script_that_is_wanted_again_is_new_and_not_changed():
    found = item(*rendered(), permits=Permits(revision=1), max_changed=0)

    assert (found.state, found.content_id, found.failure) == (PlanState.NEW, content_id(revision=1), None)
    assert (found.detail, found.revision) == ("archived before, wanted again", 1)


def test_wanting_the_same_revision_twice_is_wanting_it_once():
    entries = [*rendered(), *rendered(1)]

    assert item(*entries, permits=Permits(revision=1)).state is PlanState.ARCHIVED
    assert item(*entries, permits=Permits(revision=2)).state is PlanState.NEW


@pytest.mark.parametrize(
    ("archived", "wanted", "serves"),
    [([0], 0, 0), ([1], 0, 1), ([0, 1], 0, 1), ([1, 3], 0, 3), ([1, 3], 2, 3), ([0, 10, 9], 1, 10)],
)
@pytest.mark.parametrize("without", [None, "claim.json"])
def test_what_is_archived_at_a_later_revision_serves_as_well_and_is_not_paid_for_beside_it(
    archived, wanted, serves, without
):
    entries = [entry for revision in archived for entry in rendered(revision)]
    entries = [(name, told) for name, told in entries if not name.endswith(f"/{without}")]

    found = item(*entries, permits=Permits(revision=wanted), max_changed=0)

    assert (found.state, found.revision, found.content_id) == (PlanState.ARCHIVED, serves, content_id(revision=serves))
    assert found.ref().job_id == job_id(revision=serves)


def test_an_earlier_revision_never_serves_for_a_later_one():
    found = item(*rendered(0), *rendered(1), permits=Permits(revision=2))

    assert (found.state, found.revision) == (PlanState.NEW, 2)


@pytest.mark.parametrize(
    ("entries", "jobs", "state"),
    [
        ([claim(revision=1, accepted=True)], [], PlanState.LOST),
        ([claim(revision=1, accepted=True)], [job(service_id=job_id(revision=1))], PlanState.ALIVE),
        ([claim(revision=1, accepted=True), receipt(revision=1)], [], PlanState.DAMAGED),
    ],
)
def test_a_later_revision_that_is_under_way_is_gone_on_with_where_none_is_archived(entries, jobs, state):
    found = item(*entries, claim(), jobs=jobs)

    assert (found.state, found.revision, found.content_id) == (state, 1, content_id(revision=1))


def test_a_later_revision_that_was_never_sent_is_not_gone_on_with():
    found = item(claim(revision=1), claim(accepted=True), jobs=[job()])

    assert (found.state, found.revision) == (PlanState.ALIVE, 0)
    assert item(claim(revision=1)).revision == 0


def test_a_later_revision_that_is_under_way_takes_nothing_from_the_one_that_is_archived():
    found = item(*rendered(0), claim(revision=1), jobs=[job(service_id=job_id(revision=1))])

    assert (found.state, found.revision) == (PlanState.ARCHIVED, 0)


def test_a_later_revision_of_another_text_is_no_revision_of_this_one():
    old = SCRIPT.model_copy(update={"voice": "w"})

    found = item(*rendered(1, script=old))

    assert (found.state, found.revision, found.content_id) == (PlanState.CHANGED, 0, CONTENT_ID)


def test_a_later_revision_of_another_script_is_none_of_this_one():
    other = SCRIPT.model_copy(update={"script_id": "outro"})

    assert (item(*rendered(1, script=other)).state, item(*rendered(1, script=other)).revision) == (PlanState.NEW, 0)


def test_a_script_that_changed_is_changed_also_where_it_is_wanted_again():
    old = SCRIPT.model_copy(update={"voice": "w"})

    assert item(receipt(script=old), permits=Permits(revision=1)).state is PlanState.CHANGED


def test_a_job_of_an_earlier_revision_is_another_job():
    assert item(jobs=[job()], permits=Permits(revision=1)).state is PlanState.NEW
    assert item(jobs=[job(service_id=job_id(revision=1))], permits=Permits(revision=1)).state is PlanState.ALIVE


# How many may change at once


def changed_scripts(count):
    scripts = [SCRIPT.model_copy(update={"script_id": f"s{number}"}) for number in range(count)]
    olds = [script.model_copy(update={"content": "Hello."}) for script in scripts]
    return scripts, [entry for old in olds for entry in (receipt(script=old), video(script=old))]


@pytest.mark.parametrize("max_changed", [0, 1, 3, 10])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 11])
@pytest.mark.parametrize("accepted", [True, False])
def test_more_changed_scripts_than_the_limit_are_refused_together_unless_they_are_accepted(
    max_changed, count, accepted
):
    scripts, entries = changed_scripts(count)
    also_new = SCRIPT.model_copy(update={"script_id": "new"})

    found = items(
        *entries, scripts=[*scripts, also_new], permits=Permits(accept_changes=accepted), max_changed=max_changed
    )

    refused = count > max_changed and not accepted
    assert [one.state for one in found] == [PlanState.CHANGED] * count + [PlanState.NEW]
    assert [one.failure is not None for one in found] == [refused] * count + [False]


def test_a_refused_change_says_what_differs_how_many_do_and_what_to_do():
    scripts, entries = changed_scripts(2)

    failure = items(*entries, scripts=scripts, max_changed=1)[0].failure

    assert (failure.failure_class, failure.code) == ("changed", "ChangesNotAccepted")
    assert failure.message.startswith("content differs from what was archived as ")
    assert "; 2 scripts have changed" in failure.message
    assert "accept changes" in failure.message


def test_by_default_no_change_is_taken_for_a_wish():
    scripts, entries = changed_scripts(1)

    [found] = reconcile(scripts, archive_id=ARCHIVE, jobs=[], index=archive(*entries)).items

    assert found.failure is not None


def test_a_changed_script_that_is_being_rendered_counts_no_more():
    scripts, entries = changed_scripts(2)
    jobs = [job(service_id=job_id(script=scripts[0]))]

    found = items(*entries, scripts=scripts, jobs=jobs, max_changed=1)

    assert [(one.state, one.failure) for one in found] == [(PlanState.ALIVE, None), (PlanState.CHANGED, None)]


# Which fact counts


CLAIMS = [None, *product([1, 2], [True, False], [True, False])]


def expected(*, receipt, job, letter, claim, video, before):
    """The order of the facts, in words that are not the code's."""
    if receipt and video:
        return "archived"
    if receipt:
        return "damaged"
    if job:
        return "alive"
    if letter and (claim is None or claim[0] <= letter):
        return "dead"
    if claim is not None:
        _, accepted, ended = claim
        paid_and_gone = accepted and not ended
        return "lost" if paid_and_gone and not video else "claimed"
    return "changed" if before else "new"


def every_combination():
    return product([True, False], [None, "Running", "Succeeded"], [None, 1, 2], CLAIMS, [True, False], [True, False])


@pytest.mark.parametrize("permits", [Permits(), EVERY_PERMIT])
def test_a_receipt_counts_before_a_job_a_letter_a_claim_and_an_older_content(permits):
    seen = set()
    old = SCRIPT.model_copy(update={"voice": "w"})
    for receipted, status, lettered, claimed, filmed, before in every_combination():
        attempt = claimed[0] if claimed else 1
        entries = [
            *([receipt(attempt)] if receipted else []),
            *([letter(lettered)] if lettered else []),
            *([claim(attempt, accepted=claimed[1], ended="x" if claimed[2] else None)] if claimed else []),
            *([video(attempt)] if filmed else []),
            *([receipt(script=old), video(script=old)] if before else []),
        ]

        found = item(*entries, jobs=[job(attempt, status=status)] if status else [], permits=permits)

        facts = {"receipt": receipted, "job": status, "letter": lettered, "claim": claimed}
        wanted = expected(**facts, video=filmed, before=before)
        assert found.state == wanted, facts | {"video": filmed, "before": before}
        seen.add(wanted)
    assert seen == {str(state) for state in PlanState} - {"kept"}


# What a person unlocks


STOPPED = {
    "dead": [letter()],
    "damaged": [receipt()],
    "changed": [receipt(script=SCRIPT.model_copy(update={"voice": "w"}))],
}
UNLOCKED_BY = {"dead": "retry_failed", "damaged": "rerender_lost", "changed": "accept_changes"}


@pytest.mark.parametrize("permit", ["retry_failed", "rerender_lost", "accept_changes"])
@pytest.mark.parametrize("state", STOPPED)
def test_each_permit_unlocks_one_state_and_no_other(state, permit):
    stopped = item(*STOPPED[state], max_changed=0)
    found = item(*STOPPED[state], permits=Permits(**{permit: True}), max_changed=0)

    assert stopped.failure is not None
    assert (found.failure is None) is (UNLOCKED_BY[state] == permit)
    assert (found.state, found.detail, found.attempt) == (state, stopped.detail, stopped.attempt)


@pytest.mark.parametrize("entries", [[], [claim()], [claim(accepted=True)], [receipt(), video()]])
def test_a_permit_changes_nothing_where_nothing_is_locked(entries):
    assert item(*entries, permits=EVERY_PERMIT) == item(*entries)


@given(revision=st.integers(0, 3), flags=st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_no_permit_touches_what_is_archived_at_the_revision_that_is_wanted(revision, flags):
    retry_failed, rerender_lost, accept_changes = flags
    permits = Permits(
        revision=revision, retry_failed=retry_failed, rerender_lost=rerender_lost, accept_changes=accept_changes
    )

    found = item(receipt(revision=revision), video(revision=revision), permits=permits)

    assert (found.state, found.failure) == (PlanState.ARCHIVED, None)


# The plan as a whole


def test_a_plan_keeps_the_order_of_the_scripts_and_counts_their_states():
    scripts = [SCRIPT.model_copy(update={"script_id": name}) for name in ("b", "intro", "a")]

    plan = reconcile(scripts, archive_id=ARCHIVE, jobs=[job()], index=ArchiveIndex())

    assert [planned.script_id for planned in plan.items] == ["b", "intro", "a"]
    assert plan.counts() == {PlanState.ALIVE: 1, PlanState.NEW: 2}


def test_a_plan_of_nothing_is_empty():
    plan = reconcile([], archive_id=ARCHIVE, jobs=[job()], index=archive(receipt(), letter()))

    assert (plan.items, plan.counts()) == ((), {})


# Packs that a run left behind


PACK_ID = "0123456789abcdef"
PACK_JOB = f"pack-{PACK_ID}-1"
PACK_RECORD = f"_packs/{PACK_ID}.json", {}


def in_pack(name, **facts):
    return f"{name}/{content_id()}/claim.json", {"attempt": "1", "job_id": PACK_JOB, "accepted": "yes"} | facts


WAITING = in_pack("one", input="1")
GIVEN_UP = in_pack("one", input="1", over="yes")
GONE_ON = f"one/{content_id()}/claim.json", {"attempt": "2", "job_id": job_id(2)}
RECEIPT = f"one/{content_id()}/receipt.json", {"attempt": "1", "job_id": PACK_JOB, "input": "1"}
VIDEO = f"one/{content_id()}/1/video.mp4", {}


@pytest.mark.parametrize(
    ("known", "settled"),
    [
        ([], True),
        ([GIVEN_UP], True),
        ([GONE_ON], True),
        ([WAITING, RECEIPT, VIDEO], True),
        ([WAITING], False),
        ([WAITING, RECEIPT], False),
    ],
    ids=["nobody", "given up", "gone on", "archived", "waiting", "damaged"],
)
@pytest.mark.parametrize("scripts", [(), (SCRIPT,)], ids=["no script of it", "another script"])
def test_an_ended_pack_is_settled_once_no_claim_waits_for_it_whoever_runs(known, settled, scripts):
    over = in_pack("two", input="2", over="yes")
    for status in ("Failed", "Succeeded"):
        found = plan_of(PACK_RECORD, over, *known, scripts=scripts, jobs=[job(service_id=PACK_JOB, status=status)])

        assert found.packs == ((PACK_JOB,) if settled else ())


@pytest.mark.parametrize(
    ("entries", "members"),
    [
        ([PACK_RECORD], {"status": "Running"}),
        ([PACK_RECORD], {"status": "Failed", "archive_id": ELSEWHERE}),
        ([PACK_RECORD], {"status": "Failed", "archive_id": None}),
        ([], {"status": "Failed"}),
    ],
    ids=["running", "another archive's", "somebody else's", "not in the archive"],
)
def test_a_pack_that_runs_or_is_not_ours_is_left_alone(entries, members):
    assert plan_of(*entries, jobs=[job(service_id=PACK_JOB, **members)]).packs == ()
