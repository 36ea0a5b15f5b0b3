"""What no schedule can beat, worked out by hand."""

import pytest

from benchmarks.bounds import lower_bound, packed_optimum


def test_the_slots_bind_where_there_are_few_of_them():
    assert lower_bound([10.0, 20.0, 30.0], slots=2) == 30
    assert lower_bound([20.0, 20.0, 20.0, 20.0], slots=2) == 40


def test_resources_multiply_the_slots():
    assert lower_bound([20.0] * 8, slots=1, resources=4) == 40


def test_the_longest_script_binds_where_there_are_many_slots():
    assert lower_bound([10.0, 20.0, 90.0], slots=200) == 90


def test_the_last_create_binds_where_creates_are_paced():
    assert lower_bound([10.0] * 5 + [7.0], slots=200, spacing_seconds=30) == 5 * 30 + 7


def test_packs_and_resources_share_the_creates_and_a_half_empty_pack_counts_whole():
    times = [10.0] * 41

    assert lower_bound(times, slots=200, resources=2, spacing_seconds=30, inputs_per_job=10) == 2 * 30 + 10
    assert lower_bound(times, slots=200, resources=1, spacing_seconds=30, inputs_per_job=10) == 4 * 30 + 10


def test_nothing_takes_no_time():
    assert lower_bound([], slots=200, spacing_seconds=30) == 0


@pytest.mark.parametrize("spacing_seconds", [0.0, 30.0])
def test_one_script_takes_its_own_time(spacing_seconds):
    assert lower_bound([12.0], slots=200, spacing_seconds=spacing_seconds) == 12


def test_inputs_that_render_side_by_side_share_a_slot():
    assert lower_bound([20.0] * 8, slots=1, inputs_per_job=4, inputs_at_once=4) == 40


def test_the_mean_number_of_inputs_need_not_be_a_whole_one():
    jobs = 95

    bound = lower_bound([10.0] * 1000, slots=200, spacing_seconds=30, inputs_per_job=1000 / jobs)
    assert bound == (jobs - 1) * 30 + 10


def test_packs_that_end_together_have_worked_all_the_time_since_their_creates():
    """After t seconds, with a create every 10, t * t / 20 seconds have been worked: 60 in 34.6 s."""
    assert packed_optimum([60.0], spacing_seconds=10) == pytest.approx(34.6, abs=0.1)
    assert packed_optimum([60.0], spacing_seconds=10, resources=4) == pytest.approx(34.6 / 2, abs=0.1)
