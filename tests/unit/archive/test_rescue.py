"""A lost receipt, rebuilt from the blobs of an attempt: from their properties alone, and through a real storage."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from azure.storage.blob import BlobProperties, ContentSettings

from batch_avatar.archive.metadata import fit, metadata_key
from batch_avatar.archive.records import Claim
from batch_avatar.archive.rescue import rebuild_receipt, rescue_receipt, stored_blob
from batch_avatar.identity import derive_job_id, form_digests, recorded_form
from batch_avatar.models import Script
from batch_avatar.receipt import Attempt, Receipt, StoredBlob

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CONTENT_ID = "0123456789abcdef"
SCRIPT = Script(
    script_id="größe",
    content="Hi.",
    voice="v",
    video_crop={"top_left": {"x": 0, "y": 0}, "bottom_right": {"x": 960, "y": 1080.5}},
    custom_voices={"b": "2", "a": "1"},
)
MD5 = hashlib.md5(b"video", usedforsecurity=False).digest()
SHA256 = hashlib.sha256(b"video").hexdigest()
FACTS = {
    "script_id": quote("größe"),
    "job_id": derive_job_id("größe", CONTENT_ID, 2),
    "job_key": "0a2b3c4d",
    "internal_id": "0a2b3c4d",
    "created_at": "2026-11-21T08:30:00.123456+00:00",
    "duration_milliseconds": "2520",
    "billed_seconds": "2",
    "billed_characters": "29",
    "sha256": SHA256,
}
"""Metadata of a video as the archive step writes them."""


def attempt(number=1, **members):
    return Attempt(number=number, job_id=derive_job_id("größe", CONTENT_ID, number), **members)


def claim(*attempts, columns=None):
    return Claim(
        columns=columns or {},
        script_id="größe",
        content_id=CONTENT_ID,
        run="r-7",
        holder="h",
        resource="my-speech.cognitiveservices.azure.com",
        api_version="2024-08-01",
        revision=3,
        form=recorded_form(SCRIPT),
        attempts=attempts or (attempt(1, ended="Aborted", over=True), attempt(2, accepted_at=NOW)),
    )


def blob(name="video.mp4", *, content_type="video/mp4", md5=MD5, metadata=FACTS, number=2):
    """Properties as a listing gives them."""
    return BlobProperties(
        name=f"films/2026/größe/{CONTENT_ID}/{number}/{name}",
        metadata=metadata,
        **{
            "Content-Length": 5,
            "Content-Type": content_type,
            "Content-MD5": None if md5 is None else bytearray(md5),
            "Last-Modified": NOW,
        },
    )


def side_file(name, content_type):
    return blob(name, content_type=content_type, metadata={"job_id": "x", "sha256": "5" * 64})


SUMMARY = side_file("summary.json", "application/json")
SUBTITLES = side_file("subtitles.srt", "application/x-subrip")


def rebuilt(*blobs, number=2, of=None):
    return rebuild_receipt(of or claim(), blobs, number=number)


# Blobs


def test_a_blob_of_ours_tells_its_digests_and_its_size():
    assert stored_blob(blob()) == StoredBlob(
        blob_name=f"films/2026/größe/{CONTENT_ID}/2/video.mp4",
        size_bytes=5,
        sha256=SHA256,
        content_md5=base64.b64encode(MD5).decode(),
        content_type="video/mp4",
    )


@pytest.mark.parametrize(
    ("told", "doubtful"), [("container", ("container",)), ("container duration", ("container", "duration"))]
)
def test_the_doubts_of_a_blob_are_kept(told, doubtful):
    assert stored_blob(blob(metadata=FACTS | {"doubtful": told})).doubtful == doubtful


@pytest.mark.parametrize(
    "foreign",
    [
        blob(metadata=None),
        blob(metadata={}),
        blob(metadata={"sha256": ""}),
        blob(metadata={name: value for name, value in FACTS.items() if name != "sha256"}),
        blob(md5=None),
        blob(md5=b""),
    ],
)
def test_a_blob_that_we_did_not_commit_is_none_of_ours(foreign):
    assert stored_blob(foreign) is None
    assert rebuilt(foreign, SUMMARY) is None


def test_a_blob_without_a_type_is_bytes():
    assert stored_blob(blob(content_type=None)).content_type == "application/octet-stream"


# Receipts


def test_a_receipt_is_rebuilt_whole_from_the_video_its_side_files_and_the_claim():
    video = stored_blob(blob())

    assert rebuilt(blob(), SUMMARY, SUBTITLES) == Receipt(
        script_id="größe",
        content_id=CONTENT_ID,
        attempt=2,
        job_id=derive_job_id("größe", CONTENT_ID, 2),
        service_id=derive_job_id("größe", CONTENT_ID, 2),
        internal_id="0a2b3c4d",
        run="r-7",
        resource="my-speech.cognitiveservices.azure.com",
        api_version="2024-08-01",
        archived_at=NOW,
        created_at=datetime(2026, 11, 21, 8, 30, 0, 123456, tzinfo=UTC),
        duration_milliseconds=2520,
        billed_seconds=2,
        billed_characters=29,
        video=video,
        summary=stored_blob(SUMMARY),
        subtitles=stored_blob(SUBTITLES),
        missing=(),
        attempts=claim().attempts,
        revision=3,
        form=form_digests(recorded_form(SCRIPT)),
    )


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_the_order_of_the_listing_does_not_matter(order):
    blobs = [blob(), SUMMARY, SUBTITLES]

    assert rebuilt(*(blobs[place] for place in order)) == rebuilt(*blobs)


def test_a_webm_is_a_video_too():
    assert rebuilt(blob("video.webm", content_type="video/webm")).video.content_type == "video/webm"


@pytest.mark.parametrize("blobs", [[], [SUMMARY], [SUMMARY, SUBTITLES], [blob("videos.mp4")], [blob("notes.mp4")]])
def test_without_a_video_there_is_no_receipt(blobs):
    assert rebuilt(*blobs) is None


@pytest.mark.parametrize(
    ("others", "missing"),
    [([SUMMARY], ()), ([], ("summary",)), ([SUBTITLES], ("summary",)), ([SUMMARY, SUBTITLES], ())],
)
def test_a_summary_that_is_not_there_is_said_to_be_missing(others, missing):
    receipt = rebuilt(blob(), *others)

    assert receipt.missing == missing
    assert (receipt.summary is None, receipt.subtitles is None) == (SUMMARY not in others, SUBTITLES not in others)


def test_a_doubtful_video_stays_doubtful():
    assert rebuilt(blob(metadata=FACTS | {"doubtful": "duration"})).video.doubtful == ("duration",)


def test_facts_that_the_video_does_not_carry_are_unknown():
    receipt = rebuilt(blob(metadata={"sha256": SHA256}))

    assert (receipt.internal_id, receipt.created_at, receipt.duration_milliseconds) == (None, None, None)
    assert (receipt.billed_seconds, receipt.billed_characters, receipt.archived_at) == (0, 0, NOW)


def test_the_job_of_a_receipt_is_that_of_the_attempt_by_the_id_that_the_service_knows():
    of = claim(attempt(1, service_id="c48b4cf5"), attempt(2))

    receipt = rebuilt(blob(number=1), number=1, of=of)

    assert (receipt.attempt, receipt.job_id) == (1, derive_job_id("größe", CONTENT_ID, 1))
    assert receipt.service_id == "c48b4cf5"
    assert receipt.attempts == of.attempts


def test_the_form_is_the_same_after_the_claim_was_written_and_read():
    read = Claim.model_validate_json(claim().model_dump_json())

    assert rebuilt(blob(), of=read).form == form_digests(recorded_form(SCRIPT))


def test_columns_that_the_claim_keeps_are_in_the_receipt():
    of = Claim.model_validate_json(claim(columns={"team": "Säle"}).model_dump_json())

    assert rebuilt(blob(), of=of).columns == {"team": "Säle"}


def test_a_claim_without_a_form_gives_a_receipt_without_one():
    assert rebuilt(blob(), of=claim().model_copy(update={"form": {}})).form == {}


# In a real storage


def put(archive, of, number, name="video.mp4", *, content=b"video", metadata=FACTS):
    ref = of.ref_of(next(attempt for attempt in of.attempts if attempt.number == number))
    md5 = bytearray(hashlib.md5(content, usedforsecurity=False).digest())
    archive.output_blob(ref, name).upload_blob(
        content, metadata=metadata, content_settings=ContentSettings(content_type="video/mp4", content_md5=md5)
    )


def test_a_receipt_is_rebuilt_from_what_the_storage_lists_and_is_there_from_then_on(archive):
    put(archive, claim(), 2)
    put(archive, claim(), 2, "summary.json", metadata={"sha256": "5" * 64})

    receipt = rescue_receipt(archive, claim())

    assert archive.read_receipt("größe", CONTENT_ID) == receipt
    assert receipt.video == stored_blob(blob())
    assert (receipt.billed_seconds, receipt.missing, receipt.attempts) == (2, (), claim().attempts)
    assert abs(receipt.archived_at - datetime.now(UTC)) < timedelta(minutes=5)
    assert archive.index().receipts["größe", CONTENT_ID]["attempt"] == "2"


def test_the_latest_attempt_that_has_a_video_counts(archive):
    of = claim(attempt(1), attempt(2), attempt(3))
    put(archive, of, 1)
    put(archive, of, 2, content=b"later")
    put(archive, of, 3, "summary.json")

    receipt = rescue_receipt(archive, of)

    assert (receipt.attempt, receipt.video.size_bytes) == (2, 5)
    assert receipt.video.blob_name.endswith("/2/video.mp4")


def test_attempt_1_does_not_take_the_video_of_attempt_10(archive):
    of = claim(*(attempt(number) for number in range(1, 11)))
    put(archive, of, 10)

    assert rescue_receipt(archive, claim(attempt(1))) is None
    assert rescue_receipt(archive, of).attempt == 10


def test_where_no_video_lies_nothing_is_written(archive):
    put(archive, claim(), 2, "summary.json")
    put(archive, claim(), 1, metadata={"job_id": "put there by hand"})

    assert rescue_receipt(archive, claim()) is None
    assert archive.index().receipts == {}


def test_rescuing_twice_leaves_the_first_receipt(archive):
    put(archive, claim(), 2)
    first = rescue_receipt(archive, claim())

    assert rescue_receipt(archive, claim().model_copy(update={"run": "another"})) == first


def test_a_receipt_that_a_faster_run_wrote_counts(archive):
    put(archive, claim(), 2)
    faster = rebuild_receipt(claim(), archive.list_outputs(claim().ref()), number=2).model_copy(
        update={"run": "faster", "billing": {"neuralCharacters": 29}}
    )
    archive.write_receipt(faster)

    assert rescue_receipt(archive, claim()) == faster


def test_a_summary_that_nobody_compared_yet_is_compared_when_its_receipt_is_rebuilt(archive):
    """The run ended between the summary and the receipt."""
    put(archive, claim(), 2)
    put(archive, claim(), 2, "summary.json", content=b'{"jobID": "another"}', metadata={"sha256": "5" * 64})

    assert rescue_receipt(archive, claim()).video.doubtful == ("summary",)


LONG = "ä" * 1_500
"""An id of the service that is too long for metadata, and is cut there."""


def long_facts():
    return FACTS | fit({"internal_id": LONG}) | {"job_key": metadata_key(LONG)}


def test_an_id_that_was_cut_is_unknown_as_it_would_be_the_id_of_another():
    assert len(long_facts()["internal_id"]) <= 2500
    assert rebuilt(blob(metadata=long_facts())).internal_id is None
    assert (
        rebuilt(blob(metadata=FACTS | fit({"internal_id": "größe"}) | {"job_key": quote("größe")})).internal_id
        == "größe"
    )


def test_an_id_that_was_cut_is_no_doubt_in_a_rebuilt_receipt(archive):
    of = claim(attempt(1, accepted_at=NOW))
    put(archive, of, 1, metadata=long_facts())
    put(archive, of, 1, "summary.json", content=json.dumps({"jobID": LONG}).encode())

    assert rescue_receipt(archive, of).video.doubtful == ()


@pytest.mark.parametrize("content", [b'{"jobID": "0A2B3C4D"}', b"{}", b"no summary"])
def test_a_summary_that_says_nothing_else_is_no_doubt_in_a_rebuilt_receipt(archive, content):
    put(archive, claim(), 2)
    put(archive, claim(), 2, "summary.json", content=content, metadata={"sha256": "5" * 64})

    assert rescue_receipt(archive, claim()).video.doubtful == ()


@pytest.mark.parametrize(("others", "missing"), [([SUMMARY, SUBTITLES], ()), ([SUMMARY], ("subtitles",))])
def test_subtitles_that_were_wanted_and_are_not_there_are_said_to_be_missing(others, missing):
    wanted = blob(metadata=FACTS | {"side_files": "summary subtitles"})

    assert rebuilt(wanted, *others).missing == missing
