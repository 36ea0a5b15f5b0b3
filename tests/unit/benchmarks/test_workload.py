"""The same seed gives the same scripts, and all seeds together follow the law that is asked for."""

import statistics
from datetime import date
from itertools import pairwise

import pytest

from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.voices import Known
from benchmarks.workload import (
    CHARACTERS_PER_SECOND,
    LONGEST_VIDEO_SECONDS,
    OVERHEAD_SECONDS,
    RENDER_SECONDS_PER_VIDEO_SECOND,
    SEEDS,
    draw_workload,
)


def test_the_same_seed_gives_the_same_workload():
    assert draw_workload(50, seed=1) == draw_workload(50, seed=1)


def test_another_seed_gives_another():
    assert draw_workload(50, seed=1).render_seconds != draw_workload(50, seed=2).render_seconds


def test_a_workload_is_pinned_across_versions():
    """Results that are kept can be compared only as long as this holds."""
    assert draw_workload(3, seed=1).render_seconds == pytest.approx(PINNED)


PINNED = (109.64590379712764, 351.5696172648401, 127.67652582814912)


def test_a_longer_workload_begins_with_the_shorter_one():
    short, long = draw_workload(10, seed=3), draw_workload(30, seed=3)

    assert long.scripts[:10] == short.scripts
    assert long.render_seconds[:10] == short.render_seconds


def test_render_times_have_the_mean_and_the_spread_that_are_asked_for():
    times = [seconds for seed in SEEDS for seconds in draw_workload(10_000, seed=seed).render_seconds]

    assert statistics.mean(times) == pytest.approx(148, rel=0.02)
    assert statistics.stdev(times) / statistics.mean(times) == pytest.approx(0.6, rel=0.03)


def test_predictions_are_off_by_the_noise_that_is_asked_for():
    drawn = draw_workload(10_000, seed=1)
    ratios = [real / predicted for real, predicted in zip(drawn.render_seconds, drawn.predicted_seconds, strict=True)]

    assert statistics.mean(ratios) == pytest.approx(1, abs=0.01)
    assert statistics.stdev(ratios) == pytest.approx(0.2, rel=0.05)


def test_without_noise_the_text_tells_the_render_time():
    drawn = draw_workload(100, seed=1, noise_cv=0.0)

    for script, seconds in zip(drawn.scripts, drawn.render_seconds, strict=True):
        video_seconds = len(script.content) / CHARACTERS_PER_SECOND
        assert seconds == pytest.approx(OVERHEAD_SECONDS + RENDER_SECONDS_PER_VIDEO_SECOND * video_seconds)


def test_every_script_has_a_text_and_an_id_of_its_own_that_the_service_would_take():
    drawn = draw_workload(2_000, seed=2, mean_seconds=3.0)

    assert len(drawn.renderings) == len({script.script_id for script in drawn.scripts}) == 2_000
    assert all(script.content == script.content.strip() for script in drawn.scripts)
    assert [list(check_script(script, Known(date(2026, 9, 1)))) for script in drawn.scripts[:3]] == [[], [], []]


def test_no_video_is_longer_than_the_service_renders():
    drawn = draw_workload(200, seed=1, mean_seconds=5_000.0)

    assert max(rendering.video_seconds for rendering in drawn.renderings.values()) == LONGEST_VIDEO_SECONDS


def test_the_manifest_is_in_no_order_of_length():
    times = draw_workload(100, seed=1).predicted_seconds

    assert 30 < sum(earlier < later for earlier, later in pairwise(times)) < 70


def test_more_noise_than_variation_is_refused():
    with pytest.raises(ValueError, match="noise"):
        draw_workload(1, seed=1, cv=0.1, noise_cv=0.2)
