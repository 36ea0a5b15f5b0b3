"""A script that would be cut is refused before it is paid for, and only then."""

import pytest

from batch_avatar.archive.index import ArchiveIndex
from batch_avatar.models import FailureFacts
from batch_avatar.planning.lengths import Length, judge_length, told
from batch_avatar.planning.plan import PlanItem, PlanState
from batch_avatar.planning.reconciliation import past_renders

LIMIT = 20 * 60.0
LONG = 32 * 60.0
FACTS = FailureFacts.model_validate({"class": "job", "code": "Aborted", "message": "timeout"})


def item(state=PlanState.NEW, **members):
    return PlanItem("intro", "0123456789abcdef", state, **members)


@pytest.mark.parametrize(
    ("seconds", "length"),
    [
        (0.0, Length.FITS),
        (0.79 * LIMIT, Length.FITS),
        (0.8 * LIMIT, Length.NEAR),
        (LIMIT, Length.NEAR),
        (1.25 * LIMIT, Length.NEAR),
        (1.26 * LIMIT, Length.BEYOND),
        (float("inf"), Length.BEYOND),
    ],
)
def test_what_is_predicted_far_beyond_the_limit_is_refused_and_what_is_near_it_is_sent(seconds, length):
    found = judge_length(item(), seconds, limit_seconds=LIMIT, allow_long=False)

    assert Length.of(seconds, LIMIT) is length
    assert found.to_create is (length is not Length.BEYOND)


def test_of_pauses_nothing_has_to_be_guessed():
    assert Length.of(1.02 * LIMIT, LIMIT) is Length.NEAR
    assert Length.of(1.02 * LIMIT, LIMIT, pauses=LIMIT) is Length.BEYOND
    assert Length.of(1.02 * LIMIT, LIMIT, pauses=0.9 * LIMIT) is Length.NEAR
    assert Length.of(0.5 * LIMIT, LIMIT, pauses=2 * LIMIT) is Length.FITS, "learned videos are shorter than that"


def test_the_refusal_names_the_minutes_and_what_to_do():
    failure = judge_length(item(), LONG, limit_seconds=LIMIT, allow_long=False).failure

    assert (failure.failure_class, failure.code) == ("long", "TooLong")
    assert "32 minutes" in failure.message
    assert "20 minutes" in failure.message
    assert "split it" in failure.message
    assert "`--allow-long`" in failure.message


def test_a_changed_script_that_is_too_long_says_both():
    found = judge_length(item(PlanState.CHANGED, detail="content differs"), LONG, limit_seconds=LIMIT, allow_long=False)

    assert found.told.startswith("content differs; ")
    assert "32 minutes" in found.told


@pytest.mark.parametrize("state", list(PlanState))
@pytest.mark.parametrize("failure", [None, FACTS])
def test_only_what_would_be_created_is_refused(state, failure):
    before = item(state, failure=failure)

    found = judge_length(before, LONG, limit_seconds=LIMIT, allow_long=False)

    created = failure is None and state in (PlanState.NEW, PlanState.CHANGED, PlanState.DEAD)
    assert (found != before) is created


def test_a_person_may_send_it_all_the_same_and_is_told_that_it_may_be_cut():
    found = judge_length(item(), LONG, limit_seconds=LIMIT, allow_long=True)

    assert (found.to_create, found.failure) == (True, None)
    assert "32 minutes" in found.told


def test_scripts_that_are_near_the_limit_are_told_in_one_line_which_names_some():
    lengths = {f"s{number}": 60.0 * (18 + number) for number in range(5)}

    assert told(lengths, LIMIT) == (
        "5 scripts may be longer than the 20 minutes at which the service was seen to cut: s0 (18 minutes), "
        "s1 (19 minutes), s2 (20 minutes) and 2 more"
    )
    assert told({"s0": 1200.0}, LIMIT).startswith("1 script may be longer than the 20 minutes ")


@pytest.mark.parametrize(("doubtful", "teaches"), [("", 1), ("status", 1), ("cut", 0), ("avatar cut", 0)])
def test_a_video_that_may_be_cut_teaches_no_length(doubtful, teaches):
    index = ArchiveIndex()
    facts = {"attempt": "1", "predicted": "1900", "video": "1200", "doubtful": doubtful}
    index.enter("intro/0123456789abcdef/receipt.json", facts)

    assert len(list(past_renders(index))) == teaches
