"""The rows of the benchmarks, one function each; every one runs all seeds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.baselines import BASELINES
from benchmarks.bounds import lower_bound
from benchmarks.judge import Judgement, judge
from benchmarks.service import SimulatedService
from benchmarks.virtual_time import LoopClock, run_virtually
from benchmarks.workload import SEEDS, Workload, draw_workload

if TYPE_CHECKING:
    from benchmarks.baselines import Baseline


def run_baseline(
    strategy: Baseline, workload: Workload, *, creates_per_minute: int = 0, slots: int = 200
) -> tuple[Judgement, SimulatedService]:
    """One strategy, one seed, one resource."""

    async def work() -> tuple[Judgement, SimulatedService]:
        clock = LoopClock()
        service = SimulatedService(clock, workload.renderings, slots=slots, creates_per_minute=creates_per_minute)
        await strategy(service, clock, workload.scripts)
        bound = lower_bound(
            [service.slot_seconds(seconds) for seconds in workload.render_seconds],
            slots=slots,
            spacing_seconds=60.0 / creates_per_minute if creates_per_minute else 0.0,
        )
        finished = asyncio.get_running_loop().time()
        return judge([service], finished_seconds=finished, bound_seconds=bound), service

    return run_virtually(work())


def run_baselines(count: int, *, creates_per_minute: int = 0) -> dict[str, list[Judgement]]:
    """By strategy, the judgement of each seed."""
    workloads = [draw_workload(count, seed=seed) for seed in SEEDS]
    return {
        name: [run_baseline(strategy, workload, creates_per_minute=creates_per_minute)[0] for workload in workloads]
        for name, strategy in BASELINES.items()
    }
