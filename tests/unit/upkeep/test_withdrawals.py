"""A sweep says which archived scripts could not be rendered as they were."""

from datetime import date

import pytest

from batch_avatar.identity import form_digests, recorded_form
from batch_avatar.upkeep.withdrawals import withdrawn_avatars
from tests.support.scripts import script

NOVEMBER = date(2026, 11, 15)


def receipt(archived_at="2026-01-01T00:00:00+00:00", **look):
    digests = form_digests(recorded_form(script("x", **look)))
    return {"archived_at": archived_at, "form": " ".join(f"{name}={digest}" for name, digest in digests.items())}


def told(receipts, today=NOVEMBER):
    return [(one.script_id, one.rule, one.message.partition(" ")[0]) for one in withdrawn_avatars(receipts, today)]


def test_what_is_withdrawn_soon_is_found_by_script():
    receipts = {
        ("b", "1"): receipt(talking_avatar_character="Jeff", talking_avatar_style="formal"),
        ("a", "2"): receipt(talking_avatar_character="lisa", talking_avatar_style="Technical-Sitting"),
        ("c", "3"): receipt(talking_avatar_style="casual-sitting"),
        ("d", "4"): receipt(talking_avatar_character="jeff", talking_avatar_style="newest"),
        ("e", "5"): receipt(talking_avatar_character="harry", talking_avatar_style="casual"),
    }

    assert told(receipts) == [
        (name, "avatar-withdrawn", who) for name, who in (("a", "lisa"), ("b", "jeff"), ("d", "jeff"))
    ]
    assert told(receipts, date(2026, 9, 1)) == []


def test_only_the_last_video_of_a_script_counts():
    jeff = {"talking_avatar_character": "jeff", "talking_avatar_style": "formal"}
    before, after = (
        receipt("2026-01-01T00:00:00+00:00", **jeff),
        receipt("2026-02-01T00:00:00+00:00", talking_avatar_style="casual-sitting"),
    )

    assert told({("a", "1"): before, ("a", "2"): after}) == told({("a", "2"): after, ("a", "1"): before}) == []


@pytest.mark.parametrize("look", [{"customized": True}, {"photo_avatar_base_model": "vasa-1"}])
def test_an_avatar_of_ones_own_may_be_called_as_one_that_goes(look):
    assert told({("a", "1"): receipt(talking_avatar_character="jeff", talking_avatar_style="formal", **look)}) == []
    assert told({("a", "1"): receipt(talking_avatar_character="jeff", customized=False)}) != []


@pytest.mark.parametrize("metadata", [{}, {"form": ""}, {"form": "talking_avatar_character"}, {"archived_at": "x"}])
def test_a_receipt_that_tells_nothing_is_passed_over(metadata):
    assert told({("a", "1"): metadata}) == []
