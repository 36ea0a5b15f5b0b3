"""A script whose text is archived and whose look alone has changed: nothing is billed for it unasked."""

from datetime import UTC, datetime, timedelta

import pytest

from batch_avatar.archive.index import ArchiveIndex, letter_metadata, receipt_metadata
from batch_avatar.archive.records import DeadLetter
from batch_avatar.identity import derive_content_id, derive_job_id, form_digests, mark_description, recorded_form
from batch_avatar.models import FailureFacts, OutcomeKind, Script, SynthesisJob
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import reconcile
from batch_avatar.receipt import Receipt, StoredBlob
from batch_avatar.rendering.outcomes import build_report, settled

ARCHIVE = "00112233445566aa"
NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
SCRIPT = Script(script_id="intro", content="Hi.", voice="v", talking_avatar_character="meg")
LOOKS = [
    {"voice": "w"},
    {"voice": None},
    {"talking_avatar_style": "formal"},
    {"video_format": "webm", "background_color": "#00000000"},
    {"scene": {"zoom": 1.5}},
    {"rate": "+5%"},
]
TEXTS = [{"content": "Ho."}, {"input_kind": "SSML"}, {"content": "Ho.", "voice": "w"}]


def other(script=SCRIPT, **members):
    return Script.model_validate(script.model_dump() | members)


def content_id(script):
    return derive_content_id(script, archive_id=ARCHIVE)


def archived(script, *, at=NOW, attempt=1, with_video=True, with_form=True):
    job_id = derive_job_id(script.script_id, content_id(script), attempt)
    receipt = Receipt(
        script_id=script.script_id,
        content_id=content_id(script),
        attempt=attempt,
        job_id=job_id,
        service_id=job_id,
        run="r",
        resource="x",
        api_version="2024-08-01",
        archived_at=at,
        video=StoredBlob(blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4"),
        form=form_digests(recorded_form(script)) if with_form else {},
    )
    folder = f"{script.script_id}/{content_id(script)}"
    video = [(f"{folder}/{attempt}/video.mp4", {})] if with_video else []
    return [(f"{folder}/receipt.json", receipt_metadata(receipt)), *video]


def dead(script):
    job_id = derive_job_id(script.script_id, content_id(script), 1)
    failure = FailureFacts.model_validate({"class": "input", "code": "BadRequest", "message": "no such style"})
    ref = {"script_id": script.script_id, "content_id": content_id(script), "attempt": 1}
    written = DeadLetter.model_validate(
        {
            "ref": ref | {"job_id": job_id, "service_id": job_id},
            "run": "r",
            "written_at": NOW,
            "failure": failure,
            "script": {},
        }
    )
    return [(f"_failed/{content_id(script)}.json", letter_metadata(written))]


def plan(*entries, scripts=(SCRIPT,), jobs=(), max_changed=10, **permits):
    index = ArchiveIndex()
    for name, metadata in (entry for some in entries for entry in some):
        index.enter(name, metadata)
    return reconcile(
        scripts, archive_id=ARCHIVE, jobs=jobs, index=index, permits=Permits(**permits), max_changed=max_changed
    )


def item(*entries, **options):
    (found,) = plan(*entries, **options).items
    return found


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_that_changed_alone_is_not_rendered_unasked_and_both_words_are_named(look):
    before = other(**look)

    found = item(archived(before))

    assert (found.state, found.failure.failure_class, found.failure.code) == (
        PlanState.CHANGED,
        "changed",
        "ChangesNotAccepted",
    )
    assert f"from what was archived as {content_id(before)}" in found.failure.message
    assert "`--accept-changes`" in found.failure.message
    assert "`--keep-changed`" in found.failure.message


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("keep_changed", [True, False])
def test_a_text_that_changed_is_new_work_whatever_its_look(text, keep_changed):
    found = item(archived(other(**text)), keep_changed=keep_changed)

    assert (found.state, found.content_id, found.failure) == (PlanState.CHANGED, content_id(SCRIPT), None)


@pytest.mark.parametrize("look", LOOKS)
def test_a_look_that_changed_alone_is_left_as_it_is_archived_on_request(look):
    before = other(**look)

    found = item(archived(before, attempt=2), keep_changed=True)

    assert (found.state, found.content_id, found.attempt, found.failure) == (
        PlanState.KEPT,
        content_id(before),
        2,
        None,
    )
    assert found.detail.endswith(f"from what was archived as {content_id(before)}")


def test_a_look_that_changed_alone_is_rendered_once_that_is_accepted():
    found = item(archived(other(voice="w")), accept_changes=True, max_changed=0)

    assert (found.state, found.content_id, found.failure) == (PlanState.CHANGED, content_id(SCRIPT), None)


def test_both_words_together_keep_the_looks_and_render_every_changed_text():
    texts = [other(script_id=f"t{number}", content="Ho.") for number in range(3)]
    entries = [archived(other(script_id=f"t{number}")) for number in range(3)]
    scripts, entries = [SCRIPT, *texts], [archived(other(voice="w")), *entries]

    found = plan(*entries, scripts=scripts, max_changed=0, accept_changes=True, keep_changed=True)

    assert [one.state for one in found.items] == [PlanState.KEPT, *[PlanState.CHANGED] * 3]
    assert not any(one.failure for one in found.items)


def test_looks_do_not_count_towards_the_number_of_changes_that_is_taken_for_a_mistake():
    looks = [other(script_id=f"l{number}", voice="w") for number in range(12)]
    text = other(script_id="t", content="Ho.")
    entries = [archived(other(script_id=one.script_id)) for one in (*looks, text)]

    for keep_changed, state in ((False, PlanState.CHANGED), (True, PlanState.KEPT)):
        found = plan(*entries, scripts=[*looks, text], max_changed=1, keep_changed=keep_changed)

        assert [one.state for one in found.items] == [*[state] * 12, PlanState.CHANGED]
        assert [one.failure is not None for one in found.items] == [*[not keep_changed] * 12, False]


def test_only_what_is_archived_with_its_video_can_be_kept():
    found = item(archived(other(voice="w"), with_video=False), keep_changed=True)

    assert (found.state, found.failure.code) == (PlanState.CHANGED, "ChangesNotAccepted")


def test_the_latest_of_several_receipts_says_what_changed():
    look, text = other(voice="w"), other(content="Ho.")

    later = item(archived(text), archived(look, at=NOW + timedelta(seconds=1)), keep_changed=True)
    earlier = item(archived(look), archived(text, at=NOW + timedelta(seconds=1)), keep_changed=True)

    assert (later.state, later.content_id) == (PlanState.KEPT, content_id(look))
    assert (earlier.state, earlier.failure) == (PlanState.CHANGED, None)


def test_a_receipt_that_does_not_tell_its_look_keeps_nothing():
    found = item(archived(other(content="Ho."), with_form=False), keep_changed=True)

    assert (found.state, found.failure) == (PlanState.CHANGED, None)


def test_a_new_look_that_was_refused_does_not_stop_a_run_that_leaves_the_archive_as_it_is():
    entries = [archived(other(voice="w")), dead(SCRIPT)]

    assert item(*entries).state is PlanState.DEAD
    assert item(*entries, keep_changed=True).state is PlanState.KEPT
    assert item(*entries, keep_changed=True, retry_failed=True).state is PlanState.DEAD


def test_a_new_look_that_is_paid_for_is_archived_and_not_left():
    name = derive_job_id("intro", content_id(SCRIPT), 1)
    job = SynthesisJob(
        service_id=name, status="Running", description=mark_description(None, ARCHIVE), observed_at=NOW, created_at=NOW
    )

    assert item(archived(other(voice="w")), jobs=[job], keep_changed=True).state is PlanState.ALIVE


def test_a_look_is_kept_also_where_another_revision_is_wanted():
    assert item(archived(other(voice="w")), keep_changed=True, revision=1).state is PlanState.KEPT
    assert item(archived(SCRIPT), keep_changed=True, revision=1).state is PlanState.NEW


def test_what_is_kept_counts_as_archived_before_and_is_told():
    found = item(archived(other(voice="w")), keep_changed=True)

    outcome = settled(found, prefix="intro/abc/1/")
    report = build_report("r", [outcome])

    assert (outcome.outcome, outcome.blob_prefix, outcome.error) == (OutcomeKind.SKIPPED, "intro/abc/1/", None)
    assert outcome.note == f"kept: {found.detail}"
    assert (report.all_archived, report.skipped, report.kept) == (True, 1, 1)
    assert "1 archived before (1 of them kept as they are)" in report.sums


def test_a_word_for_the_run_counts_more_than_the_setting():
    assert Permits().with_setting(keep_changed=True).keep_changed
    assert not Permits().with_setting(keep_changed=False).keep_changed
    assert not Permits(accept_changes=True).with_setting(keep_changed=True).keep_changed
    assert Permits(accept_changes=True, keep_changed=True).with_setting(keep_changed=False).keep_changed
