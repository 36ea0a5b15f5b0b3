"""What a run may spend: reserved before each create, replaced by what was billed, divided among parts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.archive.index import ArchiveIndex, claim_metadata
from batch_avatar.archive.records import Claim, SentAttempt
from batch_avatar.catalog.prices import AvatarKind, Prices, VoiceKind
from batch_avatar.planning.budget import Budget, Spending, Spent, judge_budget
from batch_avatar.planning.plan import PlanItem, PlanState
from batch_avatar.planning.prices import Usage
from batch_avatar.planning.spent_before import spent_before
from batch_avatar.receipt import Attempt

PRICES = Prices.model_validate({"currency": "USD", "video_per_minute": {"standard": 6}})


def usage(seconds=60.0, characters=0):
    return Usage(seconds, characters, AvatarKind.STANDARD, VoiceKind.NEURAL)


def spending(**limits):
    return Spending(Budget(**limits), PRICES)


def test_what_was_billed_replaces_what_was_reserved():
    s = spending(max_minutes=2)

    assert s.reserve("a-1", {"a": usage(90)}) == ""
    assert s.reserve("b-1", {"b": usage(60)}) == "minutes"
    s.settle("a-1", "a", seconds=30, characters=0)

    assert s.reserve("b-1", {"b": usage(60)}) == ""
    assert (s.spent.seconds, s.spent.cost, s.spent.jobs) == (90, Decimal("9.0"), 2)


def test_a_create_that_was_refused_gives_back_what_was_reserved_and_the_job():
    s = spending(max_jobs=1)
    s.reserve("a-1", {"a": usage()})

    s.release("a-1")
    s.release("a-1")

    assert (s.spent, s.jobs_left) == (Spent(), 1)


def test_a_job_is_reserved_and_settled_once_and_jobs_of_others_do_not_count():
    s = spending(max_jobs=1, max_cost=Decimal(7))
    for _ in range(2):
        assert s.reserve("a-1", {"a": usage()}) == ""
    s.settle("of-another-run", "b", seconds=1000, characters=0)
    for _ in range(2):
        s.settle("a-1", "a", seconds=50, characters=0)

    assert (s.spent.seconds, s.spent.jobs, s.jobs_left) == (50, 1, 0)
    assert s.reserve("b-1", {"b": usage()}) == "jobs"


def test_a_pack_is_one_job_that_is_settled_member_by_member():
    s = spending(max_minutes=3)
    assert s.reserve("pack-1", {"a": usage(60), "b": usage(60)}) == ""
    s.settle("pack-1", "a", seconds=100, characters=0)
    assert (s.spent.seconds, s.spent.jobs) == (160, 1)


def test_scripts_that_do_not_fit_are_passed_over_for_later_ones():
    items = [PlanItem(name, "0" * 16, PlanState.NEW) for name in "abcd"]
    usages = {0: usage(100), 1: usage(90), 2: usage(20), 3: usage(1)}

    judged = judge_budget(items, usages, spending(max_minutes=2), numbers=[0, 1, 2, 3])

    assert [item.failure is None for item in judged] == [True, False, True, False]
    assert "--max-minutes" in judged[1].failure.message
    assert judged[1].failure.failure_class == "budget"


def test_without_limits_nothing_is_left_out():
    items = [PlanItem("a", "0" * 16, PlanState.NEW)]
    assert judge_budget(items, {0: usage(1e6)}, Spending(), numbers=[0]) == tuple(items)


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 20)), min_size=1, max_size=12),
    st.integers(0, 300),
    st.floats(0, 10_000),
)
def test_parts_get_together_what_the_whole_has_and_each_what_it_is_predicted_to_spend(parts, jobs, minutes):
    spent = [Spent(Decimal(seconds), Decimal(seconds), 0, count) for seconds, count in parts]

    divided = Budget(max_minutes=minutes, max_cost=Decimal(7), max_jobs=jobs).divided(spent)

    assert sum(part.max_jobs for part in divided) == jobs
    assert sum(part.max_minutes for part in divided) == pytest.approx(minutes)
    assert sum(part.max_cost for part in divided) == pytest.approx(Decimal(7))
    if sum(count for _, count in parts) <= jobs:
        assert all(part.max_jobs >= count for part, (_, count) in zip(divided, parts, strict=True))
    whole = sum(seconds for seconds, _ in parts)
    if whole <= minutes * 60:
        assert all(part.max_minutes * 60 >= seconds - 1e-6 for part, (seconds, _) in zip(divided, parts, strict=True))


def test_what_is_not_limited_stays_so_when_limits_are_added_and_divided():
    assert Budget(max_jobs=2).plus(Budget(max_jobs=3, max_minutes=1)) == Budget(max_jobs=5)
    assert Budget().divided([Spent(), Spent()]) == [Budget(), Budget()]


# What a batch had spent before


def attempt(number, *, batch="flow-1", **members):
    return Attempt(number=number, job_id=f"a-{'0' * 16}-{number}", batch=batch, **members)


def index_of(*attempts, receipt=None):
    claim = Claim(
        script_id="a",
        content_id="0" * 16,
        run="flow-1",
        holder="h",
        resource="r",
        api_version="2024-08-01",
        expected=usage(60, 500).written(),
        attempts=attempts,
    )
    index = ArchiveIndex()
    index.enter(f"a/{'0' * 16}/claim.json", claim_metadata(claim))
    if receipt is not None:
        index.enter(f"a/{'0' * 16}/receipt.json", {"attempt": "1", **receipt})
    return index


def taken_over(index, batch="flow-1", **options):
    s = Spending(Budget(max_jobs=100))
    s.take_over(spent_before(index, batch, **options))
    return (float(s.spent.seconds), s.spent.jobs)


def test_a_job_under_way_counts_as_predicted_and_a_failed_attempt_as_billed():
    over = attempt(1, over=True, accepted_at="2026-11-30T10:00:00Z", billed_seconds=7, billed_characters=70)

    assert taken_over(index_of(over, attempt(2))) == (67, 2)
    assert taken_over(index_of(attempt(1))) == (60, 1)


def test_an_archived_one_counts_as_its_receipt_says():
    told = {"job_id": f"a-{'0' * 16}-1", "seconds": "33", "video": "33.9", "characters": "80"}
    old = {"job_id": f"a-{'0' * 16}-1", "video": "33.9"}

    assert taken_over(index_of(attempt(1), receipt=told)) == (33, 1)
    assert taken_over(index_of(attempt(1), receipt=old)) == (33, 1)


def test_creates_that_were_refused_other_batches_and_other_scripts_do_not_count():
    assert taken_over(index_of(attempt(1, refused=True))) == (0, 0)
    assert taken_over(index_of(attempt(1, over=True))) == (0, 0)
    assert taken_over(index_of(attempt(1)), batch="flow-2") == (0, 0)
    assert taken_over(index_of(attempt(1, batch=""))) == (0, 0)
    assert taken_over(index_of(attempt(1)), of={"b"}) == (0, 0)


def test_what_this_process_knows_is_not_counted_twice():
    s = Spending(Budget(max_jobs=100))
    s.reserve(f"a-{'0' * 16}-1", {"a": usage(60)})
    for _ in range(2):
        s.take_over(spent_before(index_of(attempt(1)), "flow-1"))

    assert s.spent.jobs == 1


@pytest.mark.parametrize("text", ["", "a-1:5", "a-1:x:y", "a/b", "a" * 65])
def test_metadata_that_are_not_as_written_tell_nothing(text):
    assert SentAttempt.read(text) == ()


@given(st.floats(0, 1e6), st.integers(0, 10**9), st.sampled_from(AvatarKind), st.sampled_from([*VoiceKind, None]))
def test_a_usage_is_read_back_as_it_was_written(seconds, characters, avatar, voice):
    back = Usage.read(Usage(seconds, characters, avatar, voice).written())
    assert (back.characters, back.avatar, back.voice) == (characters, avatar, voice)
    assert back.seconds == pytest.approx(seconds, abs=0.001)
