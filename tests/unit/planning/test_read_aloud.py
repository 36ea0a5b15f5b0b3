"""SSML that an earlier version took for text, and read aloud with its tags: it is not billed again unasked."""

from datetime import UTC, datetime, timedelta

import pytest

from batch_avatar.archive.index import ArchiveIndex, claim_metadata, letter_metadata, receipt_metadata
from batch_avatar.archive.records import Attempt, Claim, DeadLetter
from batch_avatar.identity import derive_content_id, derive_job_id, form_digests, mark_description, recorded_form
from batch_avatar.models import FailureFacts, Script, SynthesisJob
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import reconcile
from batch_avatar.receipt import Receipt, StoredBlob

ARCHIVE = "00112233445566aa"
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
CONTENT = "<speak version='1.0'><voice name='en-US-JennyNeural'>Hi.</voice></speak>"
SSML = Script(script_id="intro", input_kind="SSML", content=CONTENT, voice="v", talking_avatar_character="meg")


def other(script, **members):
    return Script.model_validate(script.model_dump() | members)


TEXT = other(SSML, input_kind="PlainText")


def content_id(script):
    return derive_content_id(script, archive_id=ARCHIVE)


def job_id(script):
    return derive_job_id(script.script_id, content_id(script), 1)


def archived(script, *, at=NOW, with_form=True):
    receipt = Receipt(
        script_id=script.script_id,
        content_id=content_id(script),
        attempt=1,
        job_id=job_id(script),
        service_id=job_id(script),
        run="r",
        resource="x",
        api_version="2024-08-01",
        archived_at=at,
        video=StoredBlob(blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4"),
        form=form_digests(recorded_form(script)) if with_form else {},
    )
    folder = f"{script.script_id}/{content_id(script)}"
    return [(f"{folder}/receipt.json", receipt_metadata(receipt)), (f"{folder}/1/video.mp4", {})]


def claimed(script, **facts):
    attempt = {"number": 1, "job_id": job_id(script), "service_id": job_id(script), "accepted_at": NOW}
    claim = Claim(
        script_id=script.script_id,
        content_id=content_id(script),
        run="r",
        holder="h",
        resource="",
        api_version="2024-08-01",
        form=recorded_form(script),
        attempts=[Attempt.model_validate(attempt | facts)],
    )
    return [(f"{script.script_id}/{content_id(script)}/claim.json", claim_metadata(claim))]


def dead(script):
    ref = {"script_id": script.script_id, "content_id": content_id(script), "attempt": 1}
    letter = DeadLetter.model_validate(
        {
            "ref": ref | {"job_id": job_id(script), "service_id": job_id(script)},
            "run": "r",
            "written_at": NOW,
            "failure": FailureFacts.model_validate({"class": "input", "code": "BadRequest", "message": "no"}),
            "script": {},
        }
    )
    return [(f"_failed/{content_id(script)}.json", letter_metadata(letter))]


def job(script):
    return SynthesisJob(
        service_id=job_id(script),
        status="Running",
        description=mark_description(None, ARCHIVE),
        created_at=NOW,
        observed_at=NOW,
    )


def plan(*entries, scripts=(SSML,), jobs=(), max_changed=10, **permits):
    index = ArchiveIndex()
    for name, metadata in (entry for some in entries for entry in some):
        index.enter(name, metadata)
    planned = reconcile(
        scripts, archive_id=ARCHIVE, jobs=jobs, index=index, permits=Permits(**permits), max_changed=max_changed
    )
    return list(planned.items)


LOOKED_OTHERWISE = other(TEXT, talking_avatar_style="formal")
ON_OTHER_LINES = other(TEXT, content=CONTENT + "\r\n")


@pytest.mark.parametrize(
    "before", [archived(TEXT), archived(TEXT, with_form=False), archived(LOOKED_OTHERWISE), archived(ON_OTHER_LINES)]
)
def test_what_was_read_aloud_is_changed_and_not_rendered_unasked(before):
    [item] = plan(before)

    assert item.state is PlanState.CHANGED
    assert not item.to_create
    assert item.detail.startswith("its tags were read aloud when it was archived as ")
    assert item.detail.endswith("; it is SSML now")
    assert item.failure.code == "ChangesNotAccepted"
    assert "`--accept-changes`" in item.failure.message
    assert "`--keep-changed`" in item.failure.message


def test_it_is_rendered_once_a_person_accepts_that():
    [item] = plan(archived(TEXT), accept_changes=True)

    assert item.to_create


def test_it_stays_as_it_is_archived_if_a_person_wants_that():
    [item] = plan(archived(TEXT), keep_changed=True)

    assert (item.state, item.content_id, item.failure) == (PlanState.KEPT, content_id(TEXT), None)


def test_it_does_not_count_as_a_changed_text():
    others = [Script(script_id=f"s{number}", content="Old.") for number in range(2)]
    news = [other(script, content="New.") for script in others]

    items = plan(archived(TEXT), *map(archived, others), scripts=[SSML, *news], max_changed=2)

    assert [item.to_create for item in items] == [False, True, True]


def test_of_several_receipts_the_latest_that_was_read_aloud_is_named():
    later = archived(other(SSML, content="Another text.", input_kind="PlainText"), at=NOW + timedelta(days=2))
    middle = archived(LOOKED_OTHERWISE, at=NOW + timedelta(days=1))

    [item] = plan(archived(TEXT), middle, later)

    assert f"archived as {content_id(LOOKED_OTHERWISE)};" in item.detail
    assert not item.to_create


@pytest.mark.parametrize("done", [archived(SSML), [*archived(SSML), *archived(TEXT)]])
def test_what_is_archived_as_ssml_is_archived(done):
    [item] = plan(done, keep_changed=True)

    assert (item.state, item.content_id) == (PlanState.ARCHIVED, content_id(SSML))


@pytest.mark.parametrize(
    ("before", "jobs"), [(claimed(TEXT), [job(TEXT)]), (claimed(TEXT), []), ([], [job(TEXT)])], ids=str
)
def test_what_is_being_read_aloud_and_paid_for_is_changed_too(before, jobs):
    [item] = plan(before, jobs=jobs)

    assert item.state is PlanState.CHANGED
    assert not item.to_create
    assert item.detail == f"its tags were read aloud when it was sent as {content_id(TEXT)}; it is SSML now"
    [kept] = plan(before, jobs=jobs, keep_changed=True)
    assert kept.state is PlanState.CHANGED
    assert not kept.to_create


@pytest.mark.parametrize(
    "before",
    [[], claimed(TEXT, accepted_at=None), [*claimed(TEXT), *dead(TEXT)]],
    ids=["nothing", "not sent", "failed for good"],
)
def test_what_nobody_has_paid_for_is_new(before):
    [item] = plan(before)

    assert item.state is PlanState.NEW
    assert item.to_create


def test_what_was_text_and_is_no_ssml_is_a_changed_text():
    """It does not begin with <speak>, so no version has read tags aloud that this one would not."""
    was = other(TEXT, content="Hi.")

    [item] = plan(archived(was), scripts=[other(was, input_kind="SSML")])

    assert item.to_create


def test_another_text_as_ssml_is_a_changed_text():
    [item] = plan(archived(other(TEXT, content="Hi.")))

    assert item.to_create
    assert "content, input_kind differ" in item.detail
