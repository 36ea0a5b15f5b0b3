"""When to look next: as seldom as the aims allow, and never out of bounds."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.models import SynthesisJob
from batch_avatar.service.poll_schedule import (
    FIRST_RATIOS,
    LAG,
    LONGEST,
    MOST_RATIOS,
    REQUESTS_PER_JOB,
    SHORTEST,
    WINDOW,
    Awaited,
    Ratios,
    outage_pause_seconds,
    pause_seconds,
)

INTERVAL = 10.0
EXACT = (1.0,)


def pause(*jobs, ratios=FIRST_RATIOS, pages=1):
    awaited = [Awaited(elapsed, expected) for elapsed, expected in jobs]
    return pause_seconds(awaited, ratios, pages=pages, interval_seconds=INTERVAL)


def test_while_nothing_is_expected_to_end_a_look_comes_once_a_minute():
    assert pause((0, 1000), (10, 1000)) == LONGEST * INTERVAL == 60


def test_an_exact_prediction_is_looked_at_just_after_its_end():
    assert pause((100, 148), ratios=EXACT) == 48 + LAG * INTERVAL


def test_jobs_that_end_close_together_share_a_look():
    assert pause((100, 148), (100, 149), (100, 150), ratios=EXACT) == 49 + LAG * INTERVAL


def test_no_look_comes_before_the_earliest_likely_end():
    assert pause((0, 60), (0, 80)) > 60 * FIRST_RATIOS[0]


def test_while_a_job_may_end_a_look_comes_every_interval_at_least():
    for elapsed in range(53, 190):
        assert pause((elapsed, 100)) <= WINDOW * INTERVAL


RENDERING = [(148 * number / 200, 148) for number in range(200)]  # one end in 0.74 s


def test_where_many_end_their_pages_are_paid_for():
    assert pause(*RENDERING, ratios=EXACT, pages=1) == pytest.approx(148 / 200 / REQUESTS_PER_JOB, rel=0.01)


def test_more_pages_mean_fewer_looks_until_the_lag_forbids_it():
    found = [pause(*RENDERING, ratios=EXACT, pages=pages) for pages in (1, 2, 3, 50)]

    assert found[0] < found[1] < found[2] == found[3] == pytest.approx(2 * LAG * INTERVAL, abs=148 / 200)


def test_many_short_jobs_make_no_loop_of_requests():
    assert pause(*[(1, 2)] * 200) == SHORTEST * INTERVAL


def test_a_job_past_its_prediction_is_looked_at_in_proportion_to_the_overrun():
    pauses = [pause((elapsed, 100)) for elapsed in (194, 220, 260, 340, 1000)]

    assert pauses == sorted(pauses)
    assert pauses[0] < 6
    assert pauses[2] == pytest.approx(0.25 * (260 - 193) + 4 * 0.3 / 0.25)
    assert pauses[-1] == LONGEST * INTERVAL


def test_jobs_that_are_stuck_cause_no_more_looks_than_one():
    assert pause(*[(1000, 100)] * 50) == pause((1000, 100))


def test_a_job_without_a_prediction_is_looked_at_every_interval():
    assert pause((5, None)) == pause((5000, None)) == pause((0, 1000), (5, None)) == INTERVAL


def test_where_nobody_waits_for_a_job_a_pause_is_no_error():
    assert pause() == LONGEST * INTERVAL


@given(
    jobs=st.lists(st.tuples(st.floats(0, 1e7), st.none() | st.floats(0.01, 1e6)), max_size=30),
    ratios=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=60).map(sorted),
    pages=st.integers(1, 100),
)
def test_every_pause_is_within_its_bounds(jobs, ratios, pages):
    assert SHORTEST * INTERVAL <= pause(*jobs, ratios=ratios, pages=pages) <= LONGEST * INTERVAL


@given(
    jobs=st.lists(st.tuples(st.floats(0, 1e4), st.floats(1, 1e4)), max_size=10),
    ratios=st.lists(st.floats(0.1, 10), min_size=1, max_size=20).map(sorted),
    scale=st.integers(-7, 7).map(lambda power: 2.0**power),  # which rounds nothing
)
def test_a_scaled_service_with_a_scaled_interval_is_the_same(jobs, ratios, scale):
    awaited = [Awaited(elapsed, expected) for elapsed, expected in jobs]
    scaled = [Awaited(elapsed * scale, expected * scale) for elapsed, expected in jobs]

    plain = pause_seconds(awaited, ratios, pages=1, interval_seconds=INTERVAL)
    other = pause_seconds(scaled, ratios, pages=1, interval_seconds=INTERVAL * scale)

    assert other / scale == plain


def ended(seconds, status="Succeeded"):
    created = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
    over = created + timedelta(seconds=seconds)
    return SynthesisJob(service_id="a", status=status, created_at=created, last_action_at=over, observed_at=over)


def test_a_constant_error_of_the_predictions_corrects_itself():
    ratios = Ratios()
    for _ in FIRST_RATIOS:
        ratios.learn(ended(300), 100)

    assert set(ratios.ascending) == {3.0}
    assert pause((290, 100), ratios=ratios.ascending) == 10 + LAG * INTERVAL


def test_the_first_ends_are_weighed_with_the_guess():
    ratios = Ratios()
    ratios.learn(ended(300), 100)

    assert ratios.ascending == (*FIRST_RATIOS, 3.0)


def test_only_the_latest_ends_count():
    ratios = Ratios()
    for _ in range(MOST_RATIOS):
        ratios.learn(ended(300), 100)
    for _ in range(MOST_RATIOS):
        ratios.learn(ended(50), 100)

    assert ratios.ascending == (0.5,) * MOST_RATIOS


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        (ended(3, "Failed"), 100),
        (ended(300), None),
        (ended(0), 100),
        (ended(-5), 100),
        (ended(300).model_copy(update={"last_action_at": None}), 100),
        (ended(300).model_copy(update={"created_at": None}), 100),
    ],
)
def test_what_tells_no_time_teaches_nothing(job, expected):
    ratios = Ratios()
    ratios.learn(job, expected)

    assert ratios.ascending == FIRST_RATIOS


def test_an_outage_is_looked_at_in_proportion_to_its_length_within_bounds():
    pauses = [outage_pause_seconds(lasted, interval_seconds=INTERVAL) for lasted in (0, 20, 400, 1e6)]

    assert pauses == [10, 10, 100, 600]
