"""One simulated run: a case says which batch, which services and which strategy; a judgement says how it went."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from batch_avatar.planning.order import Order
from benchmarks.baselines import BASELINES
from benchmarks.bounds import lower_bound, packed_optimum
from benchmarks.core import Options, render_with_core
from benchmarks.figures import OURS
from benchmarks.judge import Judgement, judge, slot_use_over_time
from benchmarks.service import SimulatedService
from benchmarks.virtual_time import LoopClock, run_virtually
from benchmarks.workload import CHARACTERS_PER_SECOND, MEAN_RENDER_SECONDS, NOISE_CV, Rendering, draw_workload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from batch_avatar.clock import Clock
    from benchmarks.workload import Workload

TICK_SECONDS = 10.0
LIST_LAG_SECONDS = 2.0  # a new job is missing from the list for so long: the emulator's default
OTHERS_RETRY_SECONDS = 5.0  # the other client sends again after this, so that it gets its share


@dataclass(frozen=True, slots=True)
class Case:
    """What a run is made of. `by` is ours or the name of a baseline. Paces are creates a minute, 0 for no limit.

    `service_pace` is what each service accepts; `configured_pace` is our setting if it differs. `others_every_seconds`
    is the time between two creates of another client, 0 if there is none.
    """

    count: int
    seed: int = 0
    by: str = OURS
    resources: int = 1
    slots: int = 200
    service_pace: int = 0
    configured_pace: float | None = None
    noise_cv: float = NOISE_CV
    order: Order = Order.LONGEST
    pack: int = 1
    rendering: Literal["sequential", "parallel"] = "sequential"
    list_lag_seconds: float = LIST_LAG_SECONDS
    archive_seconds: float = 0.0
    others_every_seconds: float = 0.0

    @property
    def options(self) -> Options:
        pace = self.service_pace if self.configured_pace is None else self.configured_pace
        return Options(pace, self.order, self.pack, self.archive_seconds)

    @property
    def spacing_seconds(self) -> float:
        """Time between two creates on one resource, as the service allows them."""
        return 60.0 / self.service_pace if self.service_pace else 0.0


class NotArchived(Exception):
    """A run did not archive every script although nothing went wrong."""


def run_case(case: Case) -> Judgement:
    """Run a case in virtual time: it takes seconds on this machine for hours of service time."""
    return judge_case(case)[0]


def judge_case(case: Case) -> tuple[Judgement, list[SimulatedService]]:
    """Run a case and return the services too, for a closer look.

    Raises:
        NotArchived: a script has no receipt at the end.
    """
    return run_case_over(case, draw_workload(case.count, seed=case.seed, noise_cv=case.noise_cv))


def run_case_over(
    case: Case, workload: Workload, *, on_tick: Callable[[list[SimulatedService]], None] | None = None
) -> tuple[Judgement, list[SimulatedService]]:
    """Run a case over scripts that are drawn already. `on_tick` is called every `TICK_SECONDS` of virtual time.

    Raises:
        NotArchived: a script has no receipt at the end.
    """

    async def work() -> tuple[Judgement, list[SimulatedService]]:
        clock = LoopClock()
        services = [_service(case, clock, workload, number) for number in range(case.resources)]
        async with _others(case, services, clock), _ticking(services, clock, on_tick):
            if case.by == OURS:
                report = await render_with_core(services, clock, workload.scripts, case.options)
                if report.archived < case.count:
                    left = [outcome for outcome in report.outcomes if outcome.error is not None]
                    raise NotArchived(f"{case.count - report.archived} of {case}: {left[:1]}")
            else:
                await BASELINES[case.by](services[0], clock, workload.scripts)
        finished = asyncio.get_running_loop().time()
        bound = _bound(case, services, workload)
        return judge(services, finished_seconds=finished, bound_seconds=bound), services

    return run_virtually(work())


def run_slot_use(case: Case, until_seconds: float, points: int) -> tuple[Judgement, list[float]]:
    """Run a case and return the share of slots in use in each of `points` equal spans of time."""
    judged, services = judge_case(case)
    return judged, slot_use_over_time(services, until_seconds=until_seconds, points=points)


def optimum_of_packs(case: Case) -> float:
    """Return the `packed_optimum` of the case's scripts, without the start delay of jobs."""
    workload = draw_workload(case.count, seed=case.seed, noise_cv=case.noise_cv)
    return packed_optimum(workload.render_seconds, spacing_seconds=case.spacing_seconds, resources=case.resources)


def _service(case: Case, clock: Clock, workload: Workload, number: int) -> SimulatedService:
    return SimulatedService(
        clock,
        workload.renderings,
        host=f"speech-{number + 1}.invalid",
        slots=case.slots,
        creates_per_minute=case.service_pace,
        list_lag_seconds=case.list_lag_seconds,
        rendering=case.rendering,
    )


def _bound(case: Case, services: Sequence[SimulatedService], workload: Workload) -> float:
    """Return the lower bound for jobs with as many inputs as the jobs of the run had on average."""
    inputs = case.count / max(sum(len(service.jobs) for service in services), 1)
    return lower_bound(
        [services[0].slot_seconds(seconds) for seconds in workload.render_seconds],
        slots=case.slots,
        resources=case.resources,
        spacing_seconds=case.spacing_seconds,
        inputs_per_job=inputs,
        inputs_at_once=inputs if case.rendering == "parallel" else 1,
    )


@asynccontextmanager
async def _others(case: Case, services: Sequence[SimulatedService], clock: Clock) -> AsyncIterator[None]:
    """Let another client of the first resource create jobs at a steady pace while the block runs."""

    async def create() -> None:
        video_seconds = MEAN_RENDER_SECONDS / 2
        rendering = Rendering(round(video_seconds * CHARACTERS_PER_SECOND), video_seconds, MEAN_RENDER_SECONDS)
        number = 0
        while True:
            number += 1
            while not services[0].take_by_others(f"other-{number:06d}", rendering):
                await clock.sleep(OTHERS_RETRY_SECONDS)
            await clock.sleep(case.others_every_seconds)

    if not case.others_every_seconds:
        yield
        return
    async with _beside(create()):
        yield


@asynccontextmanager
async def _ticking(
    services: list[SimulatedService], clock: Clock, on_tick: Callable[[list[SimulatedService]], None] | None
) -> AsyncIterator[None]:
    async def tick() -> None:
        while on_tick is not None:
            on_tick(services)
            await clock.sleep(TICK_SECONDS)

    async with _beside(tick()):
        yield


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run the work in the background while the block runs, and cancel it afterwards."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
