"""What the core needs of this machine for a run: CPU and memory, in a process of its own."""

from __future__ import annotations

import gc
import time
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.cases import run_case_over
from benchmarks.workload import draw_workload

if TYPE_CHECKING:
    from benchmarks.cases import Case
    from benchmarks.service import SimulatedService
    from benchmarks.workload import Workload

WARM_UP = 20  # scripts: what is made once in a process (validators, caches) is no cost of a script


def measure_cpu(case: Case) -> float:
    """CPU seconds of one run; the simulated service's and archive's part is in it."""
    workload = _warmed_up(case)
    began = time.process_time()
    run_case_over(case, workload)
    return time.process_time() - began


def measure_memory(case: Case) -> float:
    """Most bytes that the core had at once: over what was before, without the jobs that the simulation keeps.

    Python's own allocations, all of them followed, which makes the run several times slower.
    """
    workload = _warmed_up(case)
    spans: list[tuple[int, int]] = []

    def note(services: list[SimulatedService]) -> None:
        """The most since the last time, and for how many jobs."""
        spans.append((tracemalloc.get_traced_memory()[1], sum(len(service.jobs) for service in services)))
        tracemalloc.reset_peak()

    gc.collect()
    tracemalloc.start()
    try:
        _, services = run_case_over(case, workload, on_tick=note)
        note(services)
        kept_bytes = _freed_by(services) / spans[-1][1]
    finally:
        tracemalloc.stop()
    return max(most - jobs * kept_bytes for most, jobs in spans)


def _freed_by(services: list[SimulatedService]) -> int:
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for service in services:
        service.forget()
    gc.collect()
    return before - tracemalloc.get_traced_memory()[0]


def _warmed_up(case: Case) -> Workload:
    run_case_over(replace(case, count=WARM_UP), draw_workload(WARM_UP, seed=case.seed, noise_cv=case.noise_cv))
    return draw_workload(case.count, seed=case.seed, noise_cv=case.noise_cv)
