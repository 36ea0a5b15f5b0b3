"""No more than ten seconds, and no faster than the settings say."""

import pytest

from batch_avatar.doctor.live.spending import MARGIN, Pace, Spending, TooDear
from tests.support.manual_clock import ManualClock


def test_what_would_pass_the_limit_is_not_reserved():
    spending = Spending(10)
    spending.reserve(9)
    with pytest.raises(TooDear):
        spending.reserve(2)
    spending.give_back(2)
    spending.reserve(2)
    assert spending.seconds == 9


def test_a_job_that_bills_more_than_was_reserved_counts_whole():
    spending = Spending(10)
    spending.reserve(2)
    spending.correct(2, 5)
    assert (spending.seconds, spending.told) == (5, 5)
    spending.correct(2, 1)
    assert (spending.seconds, spending.told) == (5, 6)


@pytest.mark.parametrize("pace", [2, 120, 0.5])
async def test_two_creates_pass_in_the_time_in_which_two_are_allowed(pace):
    clock = ManualClock()
    turns = Pace(clock, pace)
    window = MARGIN * 120 / pace
    assert turns.seconds_until_room(2) == 0
    turns.note()
    assert turns.seconds_until_room(1) == 0
    assert turns.seconds_until_room(2) == pytest.approx(window)
    await clock.advance(window / 4)
    turns.note()
    assert turns.seconds_until_room(1) == pytest.approx(window * 3 / 4)
    assert turns.seconds_until_room(2) == pytest.approx(window)
    await clock.advance(window * 3 / 4)
    assert turns.seconds_until_room(1) == pytest.approx(0)
    assert turns.seconds_until_room(2) == pytest.approx(window / 4)


def test_without_a_pace_nothing_waits():
    turns = Pace(ManualClock(), 0)
    for _ in range(5):
        turns.note()
        assert turns.seconds_until_room(2) == 0
