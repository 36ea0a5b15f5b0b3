"""CPU and memory that the core needs on this machine for a run. Each run has a process of its own."""

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

WARM_UP = 20  # scripts: things that a process makes only once (validators, caches) are not a cost of a script


def measure_cpu(case: Case) -> float:
    """Return the CPU seconds of one run, those of the simulated service and archive included."""
    workload = _warmed_up(case)
    began = time.process_time()
    run_case_over(case, workload)
    return time.process_time() - began


def measure_memory(case: Case) -> float:
    """Return the most bytes that the core held at once, above those before the run.

    The jobs that the simulation keeps are subtracted. Every allocation of Python is traced, which makes the run
    several times slower.
    """
    workload = _warmed_up(case)
    spans: list[tuple[int, int]] = []

    def note(services: list[SimulatedService]) -> None:
        """Note the peak since the last call, and the number of jobs."""
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
