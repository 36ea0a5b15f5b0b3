"""Baselines on batches so small that their makespans can be worked out by hand, and the judge's figures of them."""

import asyncio

import pytest

from batch_avatar.models import Script
from benchmarks.baselines import BASELINES, first_come, pool_8, sample_loop, waves_200
from benchmarks.cases import Case, run_case_over
from benchmarks.judge import NotNoticed, judge, slot_use_over_time
from benchmarks.service import SimulatedService
from benchmarks.virtual_time import LoopClock, run_virtually
from benchmarks.workload import Rendering, draw_workload


def render(strategy, *slot_seconds, **limits):
    """Run it over jobs that occupy a slot so long; gives the makespan and the service."""
    renderings = {
        f"text {number}": Rendering(10, seconds - 1, seconds - 1) for number, seconds in enumerate(slot_seconds)
    }
    scripts = [Script(script_id=f"s{number}", content=content) for number, content in enumerate(renderings)]

    async def work():
        clock = LoopClock()
        service = SimulatedService(clock, renderings, **limits)
        await strategy(service, clock, scripts)
        return asyncio.get_running_loop().time(), service

    return run_virtually(work())


# Makespans


def test_the_sample_loop_renders_one_after_another():
    makespan, service = render(sample_loop, 10, 5, 15)

    assert (makespan, service.most_in_flight) == (30, 1)


def test_a_job_that_ends_between_two_polls_waits_for_the_next():
    makespan, service = render(sample_loop, 11, 5)

    assert makespan == 15 + 5
    assert [job.lag_seconds for job in service.jobs] == [4, 0]
    assert service.requests["get"] == 3 + 1


def test_the_pool_of_8_gives_the_ninth_to_whoever_is_ready_first():
    makespan, service = render(pool_8, 10, 5, *[10] * 6, 15)

    assert (makespan, service.most_in_flight) == (20, 8)


def test_a_wave_waits_for_its_slowest_job():
    makespan, service = render(waves_200, 20, *[5] * 199, 10, 10)

    assert (makespan, service.most_in_flight) == (20 + 10, 200)


def test_first_come_keeps_every_slot_busy_and_takes_the_manifest_as_it_is():
    makespan, service = render(first_come, 10, 5, 5, 15, slots=2)

    assert makespan == 10 + 15, "the longest comes last, as the manifest has it"
    assert service.most_in_flight == 2


@pytest.mark.parametrize("strategy", BASELINES.values(), ids=BASELINES.keys())
def test_a_refused_create_waits_as_told(strategy):
    makespan, service = render(strategy, 5, 5, 5, creates_per_minute=2)

    assert makespan == 60 + 5
    assert [refusal.reason for refusal in service.refusals] == ["pace"]


def test_without_a_free_slot_the_pool_comes_again_after_a_minute():
    makespan, service = render(pool_8, 5, 5, slots=1)

    assert makespan == 60 + 5
    assert [refusal.reason for refusal in service.refusals] == ["slots"]


@pytest.mark.parametrize("strategy", BASELINES.values(), ids=BASELINES.keys())
def test_an_empty_batch_sends_nothing(strategy):
    makespan, service = render(strategy)

    assert (makespan, service.requests.total()) == (0, 0)


@pytest.mark.parametrize("name", BASELINES)
def test_the_same_seed_gives_the_same_figures(name):
    case = Case(60, seed=1, by=name, service_pace=5, slots=20)
    drawn = draw_workload(60, seed=1)

    first, second = (run_case_over(case, drawn)[0] for _ in range(2))

    assert first == second
    assert first.jobs == first.scripts == 60
    assert first.billed_ratio == 1


# The judge


def test_the_judge_counts_by_what_the_service_saw():
    makespan, service = render(pool_8, 10, 11, 21, slots=4)
    judged = judge([service], finished_seconds=makespan, bound_seconds=20.0)

    assert (judged.scripts, judged.jobs, judged.makespan_seconds, judged.over_bound) == (3, 3, 25, 1.25)
    assert judged.slot_use == (10 + 11 + 21) / (4 * 25)
    assert (judged.creates_per_job, judged.gets_per_job, judged.lists_per_job) == (1, (2 + 3 + 5) / 3, 0)
    assert judged.status_requests_per_job == judged.gets_per_job
    assert (judged.lag_mean_seconds, judged.lag_p95_seconds, judged.lag_most_seconds) == (8 / 3, 4, 4)
    assert (judged.refusals, judged.refusals_per_1000, judged.most_in_flight) == (0, 0, 3)


def test_several_resources_are_judged_as_one():
    makespan, one = render(sample_loop, 10, slots=1)
    _, other = render(sample_loop, 5, slots=1)
    judged = judge([one, other], finished_seconds=makespan, bound_seconds=10.0)

    assert (judged.jobs, judged.over_bound, judged.slot_use) == (2, 1, (10 + 5) / (2 * 10))


def test_refusals_before_the_warm_up_are_no_part_of_the_rate():
    _, service = render(pool_8, *[5] * 200, creates_per_minute=60)
    late = [refusal for refusal in service.refusals if refusal.accepted_before >= 100]
    judged = judge([service], finished_seconds=1.0, bound_seconds=1.0)

    assert 0 < len(late) < len(service.refusals) == judged.refusals
    assert judged.refusals_per_1000 == 1000 * len(late) / 100


def test_a_text_that_is_rendered_twice_is_billed_twice():
    async def work():
        clock = LoopClock()
        service = SimulatedService(clock, {"text": Rendering(10, 7.9, 4.0)})
        for job_id in ("a", "b"):
            service.create(Script(script_id="s", content="text"), job_id=job_id, description="")
        await clock.sleep(5)
        list(service.list_pages())
        return service

    judged = judge([run_virtually(work())], finished_seconds=5.0, bound_seconds=5.0)

    assert judged.billed_ratio == 2


def test_a_run_that_does_not_know_of_its_last_video_is_not_judged():
    async def work():
        clock = LoopClock()
        service = SimulatedService(clock, {"text": Rendering(10, 7.9, 4.0)})
        service.create(Script(script_id="s", content="text"), job_id="a", description="")
        await clock.sleep(5)
        return service

    with pytest.raises(NotNoticed, match="1 of 1"):
        judge([run_virtually(work())], finished_seconds=5.0, bound_seconds=5.0)


def test_slot_use_over_time_adds_up_to_slot_use():
    makespan, service = render(first_come, 10, 5, 5, 15, slots=2)
    use = slot_use_over_time([service], until_seconds=makespan, points=5)

    assert use == pytest.approx([1.0, 1.0, 0.5, 0.5, 0.5])
