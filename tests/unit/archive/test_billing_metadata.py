"""What receipts and letters tell in their metadata of what was billed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from batch_avatar.archive.index import ArchiveIndex, receipt_metadata
from batch_avatar.archive.metadata import NOT_TOLD, read_bill, read_columns, read_facts, with_columns, write_bill
from batch_avatar.receipt import Attempt, Receipt, StoredBlob

CONTENT_ID = "0123456789abcdef"


def receipt(**members):
    job_id = f"intro-{CONTENT_ID}-2"
    return Receipt(
        script_id="intro",
        content_id=CONTENT_ID,
        attempt=2,
        job_id=job_id,
        service_id=job_id,
        run="nightly",
        resource="x",
        api_version="2024-08-01",
        archived_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
        video=StoredBlob(blob_name="v", size_bytes=1, sha256="s", content_md5="m", content_type="video/mp4"),
        **members,
    )


BILLED = {
    "billing": {"neuralCharacters": 29, "talkingAvatarDurationSeconds": 2},
    "billed_seconds": 2,
    "billed_characters": 29,
    "avatar": "lisa",
    "avatar_kind": "standard",
    "attempts": (
        Attempt(number=1, job_id="a", billed_seconds=3, billed_characters=29),
        Attempt(number=2, job_id="b"),
    ),
}


def test_a_receipt_tells_what_was_billed_and_by_which_run():
    facts = read_facts(receipt_metadata(receipt(**BILLED, columns={"team": "医療"})))

    assert (facts["run"], facts["seconds"], facts["characters"]) == ("nightly", "2", "29")
    assert (facts["avatar"], facts["avatar_kind"], facts["earlier"]) == ("lisa", "standard", "1:3:29")
    assert read_bill(facts["billing"]) == BILLED["billing"]
    assert read_columns(facts["columns"]) == {"team": "医療"}


def test_what_a_job_did_not_tell_is_left_out():
    assert not {"seconds", "characters", "billing", "earlier", "columns"} & receipt_metadata(receipt()).keys()


def test_the_index_of_plans_keeps_nothing_that_only_reports_need():
    index = ArchiveIndex()
    index.enter(f"intro/{CONTENT_ID}/receipt.json", receipt_metadata(receipt(**BILLED, columns={"team": "a"})))

    facts = index.receipts["intro", CONTENT_ID]
    assert {"run", "seconds", "characters"} <= facts.keys()
    assert not {"avatar", "avatar_kind", "billing", "earlier", "columns"} & facts.keys()


@pytest.mark.parametrize("text", ["\u533b" * 650, "".join(chr(0x4E00 + at * 37 % 20000) for at in range(650))])
def test_metadata_stay_below_8_kb_with_columns_of_chinese(text):
    found = receipt_metadata(
        receipt(**BILLED, columns={"c": text}, form={f"property_{at}": "0" * 8 for at in range(60)}, voice="v" * 3000)
    )

    assert sum(len(name) + len(value) for name, value in found.items()) < 7_900
    assert found["columns"] == NOT_TOLD or read_columns(found["columns"]) == {"c": text}


def test_columns_without_room_are_not_told():
    assert with_columns({"a": "x" * 7_400}, {"c": "1234567890" * 20})["columns"] != ""
    assert with_columns({"a": "x" * 7_490}, {"c": "y"})["columns"] == NOT_TOLD
    assert read_columns(NOT_TOLD) is None


def test_odd_names_of_what_was_billed_are_added_up_as_other():
    assert read_bill(write_bill({"a b": 1, "neuralCharacters": 2, "ü": 3})) == {"neuralCharacters": 2, "other": 4}


@pytest.mark.parametrize("packed", ["", "x", "eJw", "é", "A" * 3000])
def test_what_somebody_else_wrote_into_columns_is_not_told(packed):
    assert read_columns(packed) is None
