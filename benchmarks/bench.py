"""Runs each case once, over all seeds and on all cores."""

from __future__ import annotations

import logging
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from typing import TYPE_CHECKING

from benchmarks.cases import optimum_of_packs, run_case
from benchmarks.figures import Spread
from benchmarks.footprint import measure_cpu, measure_memory
from benchmarks.workload import SEEDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.cases import Case
    from benchmarks.judge import Judgement

CPU: Callable[[Case], float] = measure_cpu
MEMORY: Callable[[Case], float] = measure_memory


class Bench:
    """Judgements by case and seed. A virtual run always gives the same result, so it is never repeated."""

    def __init__(self, pool: ProcessPoolExecutor, seeds: Sequence[int] = SEEDS) -> None:
        self._pool = pool
        self._seeds = seeds
        self._known: dict[Case, Judgement] = {}
        self._measured: dict[tuple[Callable[[Case], float], Case], float] = {}

    @classmethod
    @contextmanager
    def on_all_cores(cls) -> Iterator[Bench]:
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn"), initializer=_be_quiet) as pool:
            yield cls(pool)

    def judgements(self, case: Case) -> list[Judgement]:
        """Return the judgement of each seed."""
        cases = [replace(case, seed=seed) for seed in self._seeds]
        new = [one for one in cases if one not in self._known]
        self._known.update(zip(new, self._pool.map(run_case, new), strict=True))
        return [self._known[one] for one in cases]

    def spread(self, case: Case, member: str) -> Spread:
        """Return the spread of one member of the judgements."""
        return Spread.of(getattr(judged, member) for judged in self.judgements(case))

    def ratio(self, case: Case, other: Case, member: str = "makespan_seconds") -> Spread:
        """Return the spread of `case` over `other`, divided seed by seed."""
        pairs = zip(self.judgements(case), self.judgements(other), strict=True)
        return Spread.of(getattr(one, member) / getattr(two, member) for one, two in pairs)

    def over_packed_optimum(self, case: Case) -> Spread:
        """Return the spread of the makespans over the time that packs of the best sizes would take."""
        optima = [optimum_of_packs(replace(case, seed=seed)) for seed in self._seeds]
        return Spread.of(
            judged.makespan_seconds / optimum for judged, optimum in zip(self.judgements(case), optima, strict=True)
        )

    def measured(self, measure: Callable[[Case], float], case: Case, *, seeds: int | None = None) -> Spread:
        """Return the spread of a measurement on this machine. `seeds` limits their number if a run takes long."""
        cases = [replace(case, seed=seed) for seed in self._seeds[:seeds]]
        new = [one for one in cases if (measure, one) not in self._measured]
        found = self._pool.map(measure, new)
        self._measured.update({(measure, one): value for one, value in zip(new, found, strict=True)})
        return Spread.of(self._measured[measure, one] for one in cases)


def _be_quiet() -> None:
    """Switch off logging: refusals are counted and need no log line each."""
    logging.disable(logging.CRITICAL)
