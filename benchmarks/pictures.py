"""Draws the charts of the simulated rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from batch_avatar.planning.order import Order
from benchmarks.baselines import BASELINES
from benchmarks.cases import judge_case
from benchmarks.charts import Bar, Line, bar_chart, line_chart, write_chart
from benchmarks.figures import OURS
from benchmarks.judge import slot_use_over_time
from benchmarks.suite import PACE, PACED, UNPACED
from benchmarks.workload import SEEDS

if TYPE_CHECKING:
    from benchmarks.bench import Bench
    from benchmarks.cases import Case

POINTS = 120  # points of a line over time
HOUR_SECONDS = 3600
CONDITIONS = f"1,000 scripts, 200 slots, creates unpaced; median of {len(SEEDS)} seeds"
PACED_CONDITIONS = f"1,000 scripts, {PACE} creates a minute; median of {len(SEEDS)} seeds"


def draw_charts(bench: Bench, *, full: bool) -> None:
    """Draw and write all charts. Cases that were run before are not run again."""
    write_chart("makespan", _makespans(bench))
    write_chart("requests", _requests(bench))
    write_chart("slot-use", _slot_use())
    write_chart("packing", _packing(bench))
    write_chart("resources", _resources(bench, full=full))


def _makespans(bench: Bench) -> str:
    cases = {OURS: UNPACED, "ours, manifest order": replace(UNPACED, order=Order.MANIFEST)}
    cases |= {name: replace(UNPACED, by=name) for name in reversed(BASELINES)}
    return bar_chart(
        "How long a batch takes, in multiples of the lower bound",
        _bars(bench, cases, "over_bound"),
        subtitle=CONDITIONS,
        axis="makespan / lower bound (logarithmic; 1 cannot be beaten)",
        target=1.15,
        log=True,
    )


def _requests(bench: Bench) -> str:
    cases = {OURS: UNPACED} | {name: replace(UNPACED, by=name) for name in reversed(BASELINES)}
    return bar_chart(
        "How often a job is asked about until its end is known",
        _bars(bench, cases, "status_requests_per_job"),
        subtitle=CONDITIONS,
        axis="status requests per job",
    )


def _packing(bench: Bench) -> str:
    cases = {"one script a job": PACED} | {f"--pack {size}": replace(PACED, pack=size) for size in (10, 30, 100)}
    cases["--pack auto"] = replace(PACED, pack=0)
    cases["--pack auto, inputs in parallel"] = replace(PACED, pack=0, rendering="parallel")
    return bar_chart(
        "What packing saves",
        _bars(bench, cases, "makespan_seconds", unit=HOUR_SECONDS, ours="--pack auto"),
        subtitle=PACED_CONDITIONS,
        axis="hours",
    )


def _resources(bench: Bench, *, full: bool) -> str:
    counts = (1, 2, 4, *([8] if full else []))
    cases = {f"{count} resource{'s' if count > 1 else ''}": replace(PACED, resources=count) for count in counts}
    return bar_chart(
        "What more resources save",
        _bars(bench, cases, "makespan_seconds", unit=HOUR_SECONDS, ours="resource"),
        subtitle=PACED_CONDITIONS.replace("a minute", "a minute on each resource"),
        axis="hours",
    )


def _slot_use() -> str:
    cases = {
        OURS: UNPACED,
        "ours, manifest order": replace(UNPACED, order=Order.MANIFEST),
        "waves-200": replace(UNPACED, by="waves-200"),
    }
    runs = {name: judge_case(replace(case, seed=SEEDS[0])) for name, case in cases.items()}
    until = max(judged.makespan_seconds for judged, _ in runs.values())
    moments = [(index + 0.5) * until / POINTS / 60 for index in range(POINTS)]
    lines = []
    for name, (judged, services) in runs.items():
        use = slot_use_over_time(services, until_seconds=until, points=POINTS)
        ends = math.ceil(POINTS * judged.makespan_seconds / until)  # the line stops where the run has ended
        lines.append(Line(name, [(at, 100 * share) for at, share in zip(moments, use, strict=True)][:ends]))
    return line_chart(
        "How many of the slots are in use",
        lines,
        subtitle=f"1,000 scripts, 200 slots, creates unpaced; seed {SEEDS[0]}",
        x_axis="minutes since the start",
        y_axis="slots in use, %",
        most=100,
    )


def _bars(bench: Bench, cases: dict[str, Case], member: str, *, unit: float = 1.0, ours: str = OURS) -> list[Bar]:
    return [Bar(name, bench.spread(case, member).median / unit, ours=ours in name) for name, case in cases.items()]
