"""What one listing of the archive tells: the facts that plans need survive a trip through blob metadata."""

import re
import string
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.archive.index import ArchiveIndex, claim_metadata, form_of, letter_metadata, receipt_metadata
from batch_avatar.archive.ledger import FEW_SCRIPTS
from batch_avatar.archive.records import Claim, DeadLetter
from batch_avatar.identity import derive_job_id, form_digest, form_digests, recorded_form
from batch_avatar.models import FailureFacts, JobRef, Script
from batch_avatar.receipt import Attempt, Receipt, StoredBlob

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CONTENT_ID = "0123456789abcdef"
HERE = {"run": "r", "api_version": "2024-08-01"}
ODD = ["intro", "größe", "日本", "🎬 Teil 1", "a%20b", "a=b c+d", "x" * 200, "'\"&<>", "\u200b"]
MAX_METADATA_BYTES = 8192
"""Names and values of one blob together (Azure Storage, "Setting and retrieving properties and metadata")."""
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
letters = st.characters(exclude_categories=["Cs", "Cc"])
script_ids = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/"), min_size=1, max_size=40)
moments = st.integers(0, 100 * 365 * 86_400 * 10**6).map(lambda micros: NOW + timedelta(microseconds=micros))


FORM = recorded_form(Script(script_id="intro", content="Hi.", voice="v"))


def claim(
    script_id="intro",
    *,
    number=1,
    resource="x",
    accepted=False,
    ended=None,
    refused=False,
    before=(),
    revision=0,
):
    job_id = derive_job_id(script_id, CONTENT_ID, number)
    last = Attempt(number=number, job_id=job_id, accepted_at=NOW if accepted else None, ended=ended, refused=refused)
    return Claim(
        script_id=script_id,
        content_id=CONTENT_ID,
        holder="h",
        resource=resource,
        revision=revision,
        form=FORM,
        attempts=(*before, last),
        **HERE,
    )


def receipt(script_id="intro", *, attempt=1, archived_at=NOW, doubtful=(), form=None, revision=0):
    job_id = derive_job_id(script_id, CONTENT_ID, attempt)
    video = StoredBlob(
        blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4", doubtful=doubtful
    )
    return Receipt(
        script_id=script_id,
        content_id=CONTENT_ID,
        attempt=attempt,
        job_id=job_id,
        service_id=f"service's {job_id}",
        resource="x",
        archived_at=archived_at,
        revision=revision,
        video=video,
        form=form or {},
        **HERE,
    )


def letter(script_id="intro", *, attempt=1, failure_class="job", code="Aborted", message="timeout", written_at=NOW):
    job_id = derive_job_id(script_id, CONTENT_ID, attempt)
    return DeadLetter(
        ref=JobRef(script_id=script_id, content_id=CONTENT_ID, attempt=attempt, job_id=job_id, service_id=job_id),
        run="r",
        written_at=written_at,
        failure=FailureFacts.model_validate({"class": failure_class, "code": code, "message": message}),
        script={},
    )


def entered(name, metadata):
    """What the listing tells of one blob; its metadata as storage gives them back."""
    index = ArchiveIndex()
    index.enter(name, metadata)
    return index


def read_claim(written):
    return entered(f"{written.script_id}/{CONTENT_ID}/claim.json", claim_metadata(written)).claims[
        written.script_id, CONTENT_ID
    ]


def read_receipt(written):
    return entered(f"{written.script_id}/{CONTENT_ID}/receipt.json", receipt_metadata(written)).receipts[
        written.script_id, CONTENT_ID
    ]


def read_letter(written):
    return entered(f"_failed/{CONTENT_ID}.json", letter_metadata(written)).dead[CONTENT_ID]


def assert_fit_for_headers(metadata):
    for name, value in metadata.items():
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name), name  # they must be C# identifiers
        assert value
        assert set(value) <= set(string.ascii_letters + string.digits + "%/_.-~"), value


# There and back


@given(
    st.builds(
        claim,
        script_ids,
        number=st.integers(1, 99),
        resource=texts,
        accepted=st.booleans(),
        ended=st.none() | texts,
        refused=st.booleans(),
        revision=st.integers(0, 999),
    )
)
def test_a_claim_tells_its_last_attempt_its_revision_and_its_form(written):
    last, read = written.last, read_claim(written)

    assert_fit_for_headers(claim_metadata(written))
    assert (int(read["attempt"]), read["job_id"]) == (last.number, last.job_id)
    assert read.get("resource", "") == written.resource
    assert read.get("ended", "") == (last.ended or "")
    assert bool(read.get("accepted")) is (last.accepted_at is not None)
    assert bool(read.get("refused")) is last.refused
    assert (int(read["revision"]), read["form"]) == (written.revision, form_digest(form_digests(FORM)))


def test_earlier_attempts_are_not_told():
    before = [Attempt(number=1, job_id="first", accepted_at=NOW, ended="Aborted", refused=True)]

    read = read_claim(claim(number=2, before=before))

    assert read == read_claim(claim(number=2))
    assert not read.keys() & {"accepted", "refused", "ended"}


@given(
    st.builds(
        receipt,
        script_ids,
        attempt=st.integers(1, 99),
        archived_at=moments,
        doubtful=st.sampled_from([(), ("container",), ("duration",), ("container", "duration")]),
        form=st.dictionaries(
            st.from_regex(r"[a-z][a-z_]{0,20}", fullmatch=True), st.from_regex(r"[0-9a-f]{8}", fullmatch=True)
        ),
        revision=st.integers(0, 999),
    )
)
def test_a_receipt_tells_its_attempt_its_time_its_doubts_its_revision_and_its_form(written):
    read = read_receipt(written)

    assert_fit_for_headers(receipt_metadata(written))
    assert (int(read["attempt"]), read["job_id"]) == (written.attempt, written.job_id)
    assert read["service_id"] == written.service_id
    assert datetime.fromisoformat(read["archived_at"]) == written.archived_at
    assert tuple(read.get("doubtful", "").split()) == written.video.doubtful
    assert (form_of(read), int(read["revision"])) == (written.form, written.revision)


@given(st.lists(moments, min_size=2, max_size=5))
def test_the_times_of_receipts_sort_as_text_as_they_sort_as_times(times):
    told = [read_receipt(receipt(archived_at=time))["archived_at"] for time in times]

    assert sorted(told) == [read_receipt(receipt(archived_at=time))["archived_at"] for time in sorted(times)]


@given(
    st.builds(
        letter,
        script_ids,
        attempt=st.integers(1, 99),
        failure_class=texts,
        code=texts,
        message=texts,
        written_at=moments,
    )
)
def test_a_dead_letter_tells_whose_it_is_and_why(written):
    read = read_letter(written)

    assert_fit_for_headers(letter_metadata(written))
    assert (read["script_id"], read["job_id"]) == (written.ref.script_id, written.ref.job_id)
    failure = written.failure
    assert read.get("failure_class", "") == failure.failure_class
    assert failure.code.startswith(read.get("code", ""))
    assert read.get("message", "") == failure.message
    assert datetime.fromisoformat(read["written_at"]) == written.written_at


def test_the_form_of_a_script_with_every_kind_of_property_is_told_whole():
    script = Script.model_validate(
        {
            "script_id": "intro",
            "content": "Grüße!",
            "custom_voices": {"größe": "id"},
            "scene": {"zoom": 1.5},
            "video_crop": {"top_left": {"x": 0, "y": 0}, "bottom_right": {"x": 9, "y": 9.5}},
            "background_color": "#00FF00FF",
        }
    )
    form = form_digests(recorded_form(script))

    assert form_of(read_receipt(receipt(form=form))) == form


@pytest.mark.parametrize("metadata", [{}, {"form": ""}, {"form": "garbage"}, {"attempt": "1", "video": "x"}])
def test_a_receipt_that_carries_no_form_has_an_empty_one(metadata):
    assert form_of(metadata) == {}


# What fits


def size_of(metadata):
    return sum(len(name) + len(value) for name, value in metadata.items())


LONG_TEXTS = st.builds(
    lambda text, times: text * times, st.text(letters, min_size=1, max_size=20), st.sampled_from([1, 10, 100, 1000])
)


@given(LONG_TEXTS)
def test_long_reasons_and_codes_are_cut_at_their_end_and_keep_much_of_their_beginning(text):
    told = read_letter(letter(code=text, message=text))
    ended = read_claim(claim(ended=text))["ended"]

    for kept, size in ((told["message"], 2000), (told["code"], 200), (ended, 600)):
        assert text.startswith(kept)
        assert kept == text or len(quote(kept)) > size / 4


def test_reasons_that_fit_are_kept_whole():
    assert read_letter(letter(message="x" * 2000, code="y" * 200))["message"] == "x" * 2000
    assert read_letter(letter(message="x" * 2000, code="y" * 200))["code"] == "y" * 200
    assert read_claim(claim(ended="x" * 600))["ended"] == "x" * 600


@given(script_ids.map(lambda name: name * 5), LONG_TEXTS, LONG_TEXTS)
def test_whatever_is_told_fits_into_the_metadata_of_a_blob(script_id, reason, code):
    host = "my-speech.cognitiveservices.azure.com"

    assert size_of(claim_metadata(claim(script_id, resource=host, ended=reason))) <= MAX_METADATA_BYTES
    assert size_of(letter_metadata(letter(script_id, message=reason, code=code))) <= MAX_METADATA_BYTES


def test_a_receipt_with_every_property_fits_into_the_metadata_of_a_blob():
    form = dict.fromkeys(Script.model_fields, "01234567")

    written = receipt("🎬" * 200, doubtful=("container", "duration"), form=form)

    assert size_of(receipt_metadata(written)) <= MAX_METADATA_BYTES


@pytest.mark.parametrize(
    "written", [letter("🎬" * 200, message="🎬" * 500), letter(code="x" * 10_000)], ids=["emoji", "long code"]
)
def test_any_letter_fits_into_the_metadata_of_a_blob(written):
    assert size_of(letter_metadata(written)) <= MAX_METADATA_BYTES


# The listing


@pytest.mark.parametrize("script_id", ODD)
def test_a_blob_is_sorted_in_under_the_very_script_id(script_id):
    index = ArchiveIndex()
    for name in ("claim.json", "receipt.json", "1/video.mp4", "2/video.webm", "1/summary.json"):
        index.enter(f"{script_id}/{CONTENT_ID}/{name}", {"attempt": "1"})

    key = (script_id, CONTENT_ID)
    assert (index.claims, index.receipts) == ({key: {"attempt": "1"}}, {key: {"attempt": "1"}})
    assert index.video_of(key, 1) == f"{script_id}/{CONTENT_ID}/1/video.mp4"
    assert index.video_of(key, 2) == f"{script_id}/{CONTENT_ID}/2/video.webm"
    assert index.dead == {}


@pytest.mark.parametrize(
    "name",
    [
        "_archive.json",
        "_runs/r/report.json",
        "_runs/r/shards.json",
        f"intro/{CONTENT_ID}/1/summary.json",
        f"intro/{CONTENT_ID}/1/subtitles.srt",
        f"intro/{CONTENT_ID}/1/receipt.retired.json",
        f"intro/{CONTENT_ID}/1/videos.mp4",
        f"intro/{CONTENT_ID}/notes.txt",
        f"intro/{CONTENT_ID}/video.mp4",
        f"intro/{CONTENT_ID}/1/old/video.mp4",
        "intro/receipt.json",
        "holiday.jpg",
        "",
    ],
)
def test_what_is_neither_claim_receipt_letter_nor_video_is_passed_by(name):
    assert entered(name, {"attempt": "1"}) == ArchiveIndex()


def test_a_video_is_found_by_script_content_and_attempt_only():
    index = entered(f"intro/{CONTENT_ID}/1/video.mp4", {})

    assert index.video_of(("intro", CONTENT_ID), 1)
    assert index.video_of(("intro", CONTENT_ID), 11) is None
    assert index.video_of(("intro", "f" * 16), 1) is None
    assert index.video_of(("outro", CONTENT_ID), 1) is None


@pytest.mark.parametrize("ending", ["mov", "mp4.part", "MP4", "mp"])
def test_a_video_has_one_of_two_endings(ending):
    assert entered(f"intro/{CONTENT_ID}/1/video.{ending}", {}).video_of(("intro", CONTENT_ID), 1) is None


# Through a real storage


@pytest.mark.parametrize("few", [True, False])
def test_what_was_written_is_told_by_one_listing_of_a_real_storage(archive, few):
    names = ["intro", "größe 日本 🎬", "a%20b=c"]
    form = form_digests(recorded_form(Script(script_id="x", content="Hi.", voice="v")))
    claims = [claim(name, number=2, accepted=True, ended="größer: 日本", refused=True) for name in names]
    receipts = [receipt(name, attempt=2, doubtful=("container", "duration"), form=form) for name in names]
    lost = letter(names[1], attempt=2, message="größer: 日本")
    for one in claims:
        archive.create_claim(one)
    for one in receipts:
        archive.write_receipt(one)
        archive.output_blob(one.ref(), "video.mp4").upload_blob(b"x", metadata={"sha256": "s"})
        archive.output_blob(one.ref(), "summary.json").upload_blob(b"x")
    archive.write_dead_letter(lost)
    archive.write_run_document("r", "report.json", "{}")

    index = archive.index(names if few else None)

    assert index.claims == {(one.script_id, CONTENT_ID): read_claim(one) for one in claims}
    assert index.receipts == {(one.script_id, CONTENT_ID): read_receipt(one) for one in receipts}
    assert [form_of(facts) for facts in index.receipts.values()] == [form] * 3
    assert index.dead == {CONTENT_ID: read_letter(lost)}
    assert index.videos == {f"{name}/{CONTENT_ID}/2/video.mp4" for name in names}


def test_a_later_claim_and_letter_tell_the_later_facts(archive):
    held = archive.create_claim(claim())
    archive.write_dead_letter(letter(message="first"))
    later = claim(accepted=True)

    archive.replace_claim(held, later)
    archive.write_dead_letter(letter(attempt=2, message="second"))

    index = archive.index()
    assert index.claims["intro", CONTENT_ID] == read_claim(later)
    assert index.dead[CONTENT_ID]["message"] == "second"


def test_few_scripts_are_listed_without_the_others_and_many_with_them(archive):
    for number in range(FEW_SCRIPTS + 1):
        archive.create_claim(claim(f"s{number}"))

    wanted = [f"s{number}" for number in range(FEW_SCRIPTS)]
    assert {script_id for script_id, _ in archive.index(wanted).claims} == set(wanted)
    assert len(archive.index([*wanted, "another"]).claims) == FEW_SCRIPTS + 1
    assert archive.index(["s"]).claims == {}


def test_times_of_other_zones_are_told_as_one_moment():
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))

    assert datetime.fromisoformat(read_receipt(receipt(archived_at=berlin))["archived_at"]) == NOW


@pytest.mark.parametrize("answered", ["2026-11-20T09:00:00", "2026-11-20", "yesterday"])
def test_a_time_without_a_zone_is_no_time(answered):
    index = ArchiveIndex()
    metadata = {"attempt": "1", "job_id": "x-1", "answered": answered}

    index.enter(f"intro/{CONTENT_ID}/claim.json", metadata, changed_at=NOW)

    assert index.answered() == {"x-1": NOW}


def test_a_time_without_a_zone_alone_says_nothing():
    index = ArchiveIndex()
    index.enter(f"intro/{CONTENT_ID}/claim.json", {"attempt": "1", "job_id": "x-1", "answered": "2026-11-20T09:00:00"})

    assert index.answered() == {}
