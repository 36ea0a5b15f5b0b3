"""What was billed, as the metadata of receipts and dead letters tell it."""

from __future__ import annotations

from decimal import Decimal

from batch_avatar.catalog.prices import AvatarKind, Prices, VoiceKind
from batch_avatar.costs.facts import read_billed

PRICES = Prices(
    currency="USD", video_per_minute={AvatarKind.STANDARD: "6"}, characters_per_million={VoiceKind.NEURAL: "1000"}
)
ID, OTHER = "0123456789abcdef", "fedcba9876543210"
FACTS = {
    "attempt": "1",
    "archived_at": "2026-11-21T09%3A00%3A00%2B00%3A00",
    "avatar_kind": "standard",
    "voice_kind": "neural",
    "seconds": "10",
    "characters": "200",
    "billing": "neuralCharacters%3A200%20talkingAvatarDurationSeconds%3A10",
}


def read(*records):
    return list(read_billed(records))


def test_a_video_costs_its_seconds_and_characters():
    (one,) = read((f"hr/hello/{ID}/receipt.json", FACTS))

    assert (one.script_id, one.seconds, one.characters, one.archived) == ("hr/hello", 10, 200, True)
    assert one.cost(PRICES) == Decimal("1.2")


def test_failed_attempts_before_it_cost_too():
    (one,) = read((f"a/{ID}/receipt.json", FACTS | {"earlier": "2:30:400"}))

    assert (one.failed, one.failed_seconds, one.failed_characters) == (2, 30, 400)
    assert one.cost(PRICES) == Decimal("4.6")


def test_what_is_billed_under_an_unknown_name_or_not_told_has_no_known_cost():
    odd = FACTS | {"billing": "hdNeuralCharacters:200"}
    old = {"attempt": "1", "video": "2.9"}
    unknown = FACTS | {"billing": "aoaiCharacters:200"}

    found = read(*((f"s{at}/{ID}/receipt.json", facts) for at, facts in enumerate((odd, old, unknown))))

    assert [one.cost(PRICES) for one in found] == [None, None, None]
    assert (found[1].seconds, found[1].characters, found[1].at) == (2, None, None)


def test_a_letter_counts_if_it_was_billed_and_no_receipt_overrules_it():
    letter = {"script_id": "a", "job_id": "j", "written_at": "2026-11-21T09:00:00+00:00", "avatar_kind": "standard"}
    billed = letter | {"seconds": "5", "characters": "100", "voice_kind": "neural"}

    found = read((f"_failed/{OTHER}.json", billed), (f"_failed/{ID}.json", letter))

    assert [(one.failed, one.seconds, one.cost(PRICES)) for one in found] == [(1, 5, Decimal("0.6"))]
    assert [one.archived for one in read((f"_failed/{ID}.json", billed), (f"a/{ID}/receipt.json", FACTS))] == [True]


def test_what_lies_in_an_archive_of_its_own_is_not_ours():
    found = read(("films/_archive.json", {}), (f"films/a/{ID}/receipt.json", FACTS), (f"b/{ID}/receipt.json", FACTS))

    assert [one.script_id for one in found] == ["b"]
