"""Claims, receipts and letters whose metadata are odd or missing: what is certain counts, and it is told once."""

import json
import logging
from datetime import UTC, datetime

import pytest

from batch_avatar.archive.records import Claim, DeadLetter
from batch_avatar.identity import derive_content_id, derive_job_id, form_digests, recorded_form
from batch_avatar.models import FailureFacts, JobRef, Script
from batch_avatar.planning.plan import PlanState
from batch_avatar.planning.reconciliation import past_renders, reconcile
from batch_avatar.receipt import Attempt, Receipt, StoredBlob

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
SCRIPT = Script(script_id="intro", content="Hi.", voice="v")
ODD = ["x", "", "1.5", "-1", "0", "１", "9" * 5000, "1e3", "nan", "inf", "%FF%FE", " 1", "1\u00a0"]
NAMES = {"claim": "claim.json", "receipt": "receipt.json"}


def written(archive, *, attempt=2, accepted=True, doubtful=()):
    """A claim, a video and a receipt of the script, as a run leaves them."""
    content_id = derive_content_id(SCRIPT, archive_id=archive.archive_id)
    job_id = derive_job_id("intro", content_id, attempt)
    here = {"script_id": "intro", "content_id": content_id, "run": "r", "api_version": "2024-08-01", "resource": "x"}
    last = Attempt(number=attempt, job_id=job_id, accepted_at=NOW if accepted else None)
    claim = Claim(**here, holder="h", form=recorded_form(SCRIPT), attempts=(last,))
    video = StoredBlob(
        blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4", doubtful=doubtful
    )
    receipt = Receipt(
        **here,
        attempt=attempt,
        job_id=job_id,
        service_id=job_id,
        archived_at=NOW,
        predicted_seconds=2.0,
        duration_milliseconds=2000,
        video=video,
        form=form_digests(recorded_form(SCRIPT)),
    )
    archive.create_claim(claim)
    archive.output_blob(claim.ref(), "video.mp4").upload_blob(b"x", metadata={"sha256": "s"})
    archive.write_receipt(receipt)
    return claim, receipt


def blob_of(archive, claim, kind):
    return archive._blob(f"{claim.script_id}/{claim.content_id}/{NAMES[kind]}")  # noqa: SLF001


def spoil(archive, claim, kind, metadata, *, content=None):
    blob = blob_of(archive, claim, kind)
    text = blob.download_blob().readall() if content is None else content
    blob.upload_blob(text, overwrite=True, metadata=metadata)


def planned(archive, **members):
    index = archive.index()
    list(past_renders(index))
    (item,) = reconcile([SCRIPT], archive_id=archive.archive_id, jobs=[], index=index, **members).items
    return item


@pytest.mark.parametrize("field", ["attempt", "revision", "predicted", "video", "rendered"])
def test_a_receipt_with_an_odd_number_is_read_whole_and_its_script_stays_archived(archive, field):
    claim, _ = written(archive)
    good = blob_of(archive, claim, "receipt").get_blob_properties().metadata
    for value in ODD:
        if value.isascii() and value.strip() == value and value:
            spoil(archive, claim, "receipt", good | {field: value})

            item = planned(archive)

            assert (item.state, item.attempt) == (PlanState.ARCHIVED, 2), value


@pytest.mark.parametrize("metadata", [{}, {"attempt": "x"}, {"other": "1"}], ids=str)
@pytest.mark.parametrize("content", [None, b"", b"<html>", b"[" * 100_000], ids=["whole", "empty", "page", "deep"])
def test_a_receipt_that_tells_nothing_is_present_all_the_same(archive, metadata, content, caplog):
    claim, _ = written(archive, doubtful=("duration",))
    spoil(archive, claim, "receipt", metadata, content=content)

    items = [planned(archive), planned(archive)]

    for item in items:
        assert (item.state, item.attempt, item.leftovers) == (PlanState.ARCHIVED, 2, ())
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert f"intro/{claim.content_id}/receipt.json" in warnings[0].getMessage()


@pytest.mark.parametrize("metadata", [{}, {"attempt": "x"}, {"attempt": "2", "revision": "one"}], ids=str)
def test_a_claim_with_odd_metadata_is_read_whole(archive, metadata):
    claim, _ = written(archive)
    blob_of(archive, claim, "receipt").delete_blob()
    archive.output_blob(claim.ref(), "video.mp4").delete_blob()
    spoil(archive, claim, "claim", metadata)

    item = planned(archive)

    assert (item.state, item.attempt) == (PlanState.LOST, 2), "it was paid for, and the claim says so"


@pytest.mark.parametrize("content", [b"", b"{}", b"<html>", b'{"attempts": []}', b"\xff\xfe"], ids=repr)
def test_a_claim_that_cannot_be_read_is_never_taken_for_a_script_that_nobody_sent(archive, content):
    claim, _ = written(archive)
    blob_of(archive, claim, "receipt").delete_blob()
    archive.output_blob(claim.ref(), "video.mp4").delete_blob()
    spoil(archive, claim, "claim", {"attempt": "many"}, content=content)

    item = planned(archive)

    assert item.state is PlanState.CLAIMED
    assert "cannot be read" in item.detail


def test_the_claim_of_another_script_under_this_name_is_not_believed(archive):
    claim, _ = written(archive)
    other = claim.model_copy(update={"script_id": "other"}).model_dump_json()
    blob_of(archive, claim, "receipt").delete_blob()
    spoil(archive, claim, "claim", {}, content=other.encode())

    assert "cannot be read" in planned(archive).detail


@pytest.mark.parametrize("content", [None, b"<html>"], ids=["whole", "page"])
def test_a_letter_that_tells_nothing_still_keeps_its_script_from_being_sent(archive, content):
    claim, _ = written(archive)
    blob_of(archive, claim, "receipt").delete_blob()
    letter = DeadLetter(
        ref=JobRef.model_validate(claim.ref().model_dump()),
        run="r",
        written_at=NOW,
        failure=FailureFacts.model_validate({"class": "job", "code": "Aborted", "message": "timeout"}),
        script={},
    )
    archive.write_dead_letter(letter)
    blob = archive._blob(f"_failed/{claim.content_id}.json")  # noqa: SLF001
    blob.upload_blob(content or letter.model_dump_json(by_alias=True), overwrite=True)

    item = planned(archive)

    assert (item.state, item.attempt) == (PlanState.DEAD, 2)
    assert item.failure is not None


def test_a_claim_without_an_attempt_is_not_readable(archive):
    claim, _ = written(archive)
    facts = json.loads(claim.model_dump_json()) | {"attempts": []}
    spoil(archive, claim, "claim", {}, content=json.dumps(facts).encode())

    with pytest.raises(Exception, match="is not readable"):
        archive.read_claim("intro", claim.content_id)
