"""What the watcher costs and how late it sees an end, judged by a small service that counts, in virtual time."""

import asyncio
import math
import random
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import fmean, quantiles

import pytest

from batch_avatar.errors import JobNotFound
from batch_avatar.models import SynthesisJob
from batch_avatar.service.deadlines import Deadlines
from batch_avatar.service.watcher import Watcher
from batch_avatar.service.wire.messages import PAGE_SIZE, JobPage
from tests.support.virtual_loop import LoopClock, in_virtual_time

MEAN_SECONDS, VARIATION = 148.0, 0.6  # of the render times that the aims speak of
LIST_LAG_SECONDS = 2.0  # until the list shows a new job
ANSWER_SECONDS = 0.2  # each call takes
ARCHIVE_SECONDS = 5.0  # from the sight of an end to the delete


@dataclass
class Job:
    created: float
    render: float
    seen: float | None = None


@dataclass
class CountingService:
    """Jobs end by themselves; it notes the requests and when an answer first showed an end."""

    clock: LoopClock
    jobs: dict[str, Job] = field(default_factory=dict)
    ended: list[Job] = field(default_factory=list)
    requests: int = 0

    def create(self, name, render):
        self.jobs = {name: Job(self.clock.monotonic(), render), **self.jobs}

    def delete(self, name):
        self.ended.append(self.jobs.pop(name))

    def list_pages(self):
        shown = [name for name, job in self.jobs.items() if job.created + LIST_LAG_SECONDS <= self.clock.monotonic()]
        for start in range(0, max(len(shown), 1), PAGE_SIZE):
            self.requests += 1
            more = "/more" if start + PAGE_SIZE < len(shown) else None
            yield JobPage(tuple(map(self.show, shown[start : start + PAGE_SIZE])), more)

    def get(self, name):
        self.requests += 1
        if name not in self.jobs:
            raise JobNotFound("no such job", job_id=name)
        return self.show(name)

    def show(self, name):
        job, now = self.jobs[name], self.clock.monotonic()
        over = now >= job.created + job.render
        if over and job.seen is None:
            job.seen = now
        start = self.clock.now() - timedelta(seconds=now)
        return SynthesisJob(
            service_id=name,
            status="Succeeded" if over else "Running",
            created_at=start + timedelta(seconds=job.created),
            last_action_at=start + timedelta(seconds=job.created + (job.render if over else 0)),
            observed_at=self.clock.now(),
        )


@dataclass(frozen=True)
class Figures:
    requests_per_job: float
    mean_lag_seconds: float
    p95_lag_seconds: float
    makespan_seconds: float


def log_normal(chance, mean, variation):
    sigma = math.sqrt(math.log(1 + variation**2))
    return chance.lognormvariate(math.log(mean) - sigma**2 / 2, sigma)


@in_virtual_time
async def measure(*, jobs, slots=200, spacing=0.0, seed=1, off=0.25, bias=1.0, mean=MEAN_SECONDS, predicted=True):
    """Longest first; `off` is how far predictions are off at random, `bias` how far always."""
    chance = random.Random(seed)
    clock = LoopClock()
    service = CountingService(clock)

    async def run(call, *args):
        await clock.sleep(ANSWER_SECONDS)
        return call(*args)

    watcher = Watcher(
        client=service,
        clock=clock,
        poll_interval_seconds=10.0,
        deadlines=Deadlines(start_seconds=1e6, job_seconds=1e6, clock=clock),
        run=run,
        on_change=lambda _: None,
    )
    renders = [log_normal(chance, mean, VARIATION) for _ in range(jobs)]
    guessed = sorted(
        ((render * bias * log_normal(chance, 1, off) if off else render * bias), render) for render in renders
    )
    free = asyncio.Semaphore(slots)

    async def one(number, expected, render):
        name = f"job-{number}"
        service.create(name, render)
        watcher.mine(name)
        await watcher.wait(name, window_seconds=1e6, expected_seconds=expected if predicted else None)
        free.release()
        await clock.sleep(ARCHIVE_SECONDS)
        service.delete(name)

    async def everything():
        async with asyncio.TaskGroup() as group:
            for number, (expected, render) in enumerate(reversed(guessed)):
                await free.acquire()
                group.create_task(one(number, expected, render))
                await clock.sleep(spacing or 0.05)

    await everything()
    await watcher.close()
    assert len(service.ended) == jobs
    lags = [job.seen - job.created - job.render for job in service.ended]
    makespan = max(job.created + job.render for job in service.ended)
    return Figures(service.requests / jobs, fmean(lags), quantiles(lags, n=20)[-1], makespan)


SEEDS = (1, 2)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("off", [0.0, 0.3])
def test_at_200_in_flight_half_a_request_a_job_keeps_the_lag_small(seed, off):
    found = measure(jobs=1000, seed=seed, off=off)

    assert found.requests_per_job <= 0.5
    assert found.mean_lag_seconds <= 5
    assert found.p95_lag_seconds <= 15


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("off", "most_requests"), [(0.0, 1.6), (0.1, 2.9), (0.3, 3.5)])
def test_at_two_creates_a_minute_good_predictions_save_requests_and_bad_ones_cost_no_lag(seed, off, most_requests):
    """Five in flight, one end in 30 s: with predictions that tell nothing, a look every 10 s would cost 3."""
    found = measure(jobs=80, spacing=30.0, seed=seed, off=off)

    assert found.requests_per_job <= most_requests
    assert found.mean_lag_seconds <= 5
    assert found.p95_lag_seconds <= 15


@pytest.mark.parametrize("bias", [0.5, 2.0])
def test_predictions_that_are_always_wrong_by_a_factor_of_two_are_corrected(bias):
    found = measure(jobs=80, spacing=30.0, off=0.2, bias=bias)

    assert found.requests_per_job <= 3.5
    assert found.mean_lag_seconds <= 5
    assert found.p95_lag_seconds <= 15


def test_short_jobs_are_seen_fast_where_they_are_many():
    found = measure(jobs=600, mean=10.0)

    assert found.requests_per_job <= 0.2
    assert found.mean_lag_seconds <= 2


def test_without_predictions_a_look_comes_every_interval():
    found = measure(jobs=400, predicted=False)

    assert found.mean_lag_seconds == pytest.approx(5, abs=0.5)
