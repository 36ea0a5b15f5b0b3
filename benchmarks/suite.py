"""The simulated rows: one function for each group. A row uses all seeds unless it says otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from batch_avatar.planning.order import Order
from benchmarks.baselines import BASELINES
from benchmarks.bench import CPU, MEMORY
from benchmarks.cases import Case
from benchmarks.figures import OURS, Row, Target, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.bench import Bench

    Rows = Callable[[Bench, bool], Iterator[Row]]

PACE = 2  # creates a minute: the documented default of an S0 resource
UNPACED = Case(1000)
PACED = Case(1000, service_pace=PACE)
SMALL = (10, 100)

FIGURES = {
    "slot use": "slot_use",
    "creates per job": "creates_per_job",
    "list requests per job": "lists_per_job",
    "get requests per job": "gets_per_job",
    "deletes per job": "deletes_per_job",
    "429s": "refusals",
    "most in flight": "most_in_flight",
    "billed seconds / unique seconds, no faults": "billed_ratio",
}
"""Figures that are shown for the two main runs, without a target."""


def makespan(bench: Bench, full: bool) -> Iterator[Row]:
    """Yield makespans over the lower bound, with unpaced creates."""
    for count in (*SMALL, 1000, *([10_000] if full else [])):
        case = replace(UNPACED, count=count)
        figure = f"makespan / lower bound, {count:,} scripts, unpaced"
        aim = Target("<=", 1.15) if count >= 1000 else None  # noqa: PLR2004 - only then are slots scarce
        yield Row(figure, OURS, bench.spread(case, "over_bound"), aim)
        yield Row(figure, "ours, manifest order", bench.spread(replace(case, order=Order.MANIFEST), "over_bound"))
        yield from _baselines(bench, case, figure, "over_bound")
    for noise_cv in (0.0, 0.4):
        case = replace(UNPACED, noise_cv=noise_cv)
        figure = f"makespan / lower bound, 1,000 scripts, unpaced, predictions off by cv {number(noise_cv)}"
        yield Row(figure, OURS, bench.spread(case, "over_bound"))
    figure = "makespan / lower bound, 1,000 scripts, unpaced, 5 s to copy each video"
    yield Row(figure, OURS, bench.spread(replace(UNPACED, archive_seconds=5.0), "over_bound"))


def paced(bench: Bench, full: bool) -> Iterator[Row]:
    """Yield makespans over the lower bound, with paced creates: the pace decides the bound."""
    for count in (1000, *([10_000] if full else [])):
        case = replace(PACED, count=count)
        figure = f"makespan / lower bound, {count:,} scripts, {PACE} creates/min"
        yield Row(figure, OURS, bench.spread(case, "over_bound"), Target("<=", 1.02))
        if count == PACED.count:
            yield from _baselines(bench, case, figure, "over_bound")


def packed(bench: Bench, full: bool) -> Iterator[Row]:
    """Yield how many times shorter packing makes a batch, and makespans over the bound for as many creates."""
    del full
    for rendering in ("sequential", "parallel"):
        case = replace(PACED, pack=0, rendering=rendering)
        figure = f"unpacked / packed makespan, 1,000 scripts, {PACE} creates/min, inputs {rendering}"
        yield Row(figure, "ours, --pack auto", bench.ratio(PACED, case), Target(">=", 5))
        for size in (10, 30, 100):
            yield Row(figure, f"--pack {size}", bench.ratio(PACED, replace(case, pack=size)))
        figure = f"packed makespan / lower bound with as many inputs a job, inputs {rendering}"
        yield Row(figure, "ours, --pack auto", bench.spread(case, "over_bound"))
        figure = f"jobs of 1,000 packed scripts, inputs {rendering}"
        yield Row(figure, "ours, --pack auto", bench.spread(case, "jobs"))
    figure = "packed makespan / sqrt(2 g W), inputs sequential"
    yield Row(figure, "ours, --pack auto", bench.over_packed_optimum(replace(PACED, pack=0)))


def several_resources(bench: Bench, full: bool) -> Iterator[Row]:
    """Yield how many times shorter several resources make a batch."""
    aims = {4: Target(">=", 3.8)}
    for resources in (2, 4, *([8] if full else [])):
        case = replace(PACED, resources=resources)
        figure = f"1 resource / {resources} resources, 1,000 scripts, {PACE} creates/min"
        yield Row(figure, OURS, bench.ratio(PACED, case), aims.get(resources))
    for resources in (2, 4):
        case = replace(UNPACED, resources=resources)
        figure = f"1 resource / {resources} resources, 1,000 scripts, unpaced"
        bound = bench.ratio(UNPACED, case, "bound_seconds")
        remark = "the longest script alone takes most of the time that one resource needs, and nothing divides it"
        yield Row(figure, OURS, bench.ratio(UNPACED, case), remark=remark if resources > 2 else "")  # noqa: PLR2004
        yield Row(figure, "lower bound", bound)
        figure = f"makespan / lower bound, 1,000 scripts, unpaced, {resources} resources"
        yield Row(figure, OURS, bench.spread(case, "over_bound"))
    if full:
        large = replace(UNPACED, count=10_000)
        for resources in (4, 8):
            case = replace(large, resources=resources)
            figure = f"1 resource / {resources} resources, 10,000 scripts, unpaced"
            yield Row(figure, OURS, bench.ratio(large, case), aims.get(resources))
            yield Row(figure, "lower bound", bench.ratio(large, case, "bound_seconds"))
            figure = f"makespan / lower bound, 10,000 scripts, unpaced, {resources} resources"
            yield Row(figure, OURS, bench.spread(case, "over_bound"))


def polling(bench: Bench, full: bool) -> Iterator[Row]:
    """Yield how many requests it takes to learn that jobs have ended, and how late that is learned."""
    shown = {
        "status requests per job": ("status_requests_per_job", Target("<=", 0.5)),
        "mean detection lag, s": ("lag_mean_seconds", Target("<=", 5)),
        "p95 of the detection lag, s": ("lag_p95_seconds", Target("<=", 15)),
    }
    for figure, (member, aim) in shown.items():
        named = f"{figure}, 1,000 scripts, 200 in flight"
        yield Row(named, OURS, bench.spread(UNPACED, member), aim)
        yield from _baselines(bench, UNPACED, named, member)
        named = f"{figure}, 1,000 scripts, {PACE} creates/min (5 in flight)"
        yield Row(named, OURS, bench.spread(PACED, member))
        if full:
            named = f"{figure}, 10,000 scripts, 200 in flight"
            yield Row(named, OURS, bench.spread(replace(UNPACED, count=10_000), member), aim)


def refusals(bench: Bench, full: bool) -> Iterator[Row]:
    """Yield 429s per 1,000 creates, without those of the first 100 creates."""
    del full
    aim = Target("<=", 10)
    scenarios = {
        f"configured {PACE}/min": PACED,
        f"configured {2 * PACE}/min, {PACE}/min accepted": replace(PACED, configured_pace=2.0 * PACE),
        "unpaced, 60/min accepted": replace(PACED, service_pace=60, configured_pace=0.0),
        "60/min shared with another client's 15/min": replace(PACED, service_pace=60, others_every_seconds=4.0),
        f"{PACE}/min shared with another client's 0.5/min": replace(PACED, others_every_seconds=120.0),
    }
    for scenario, case in scenarios.items():
        spread = bench.spread(case, "refusals_per_1000")
        yield Row(f"429s per 1,000 creates, {scenario}", OURS, spread, aim)
    for name, case in list(scenarios.items())[1:]:
        yield Row(
            f"makespan / lower bound, {name}", OURS, bench.spread(case, "over_bound"), remark=REMARKS.get(name, "")
        )
    figure = f"429s per 1,000 creates, configured {PACE}/min"
    yield from _baselines(bench, PACED, figure, "refusals_per_1000")


REMARKS = {
    f"{PACE}/min shared with another client's 0.5/min": "the bound is that of the whole quota. Three quarters of it "
    "are left (1.33); but where two creates fit into any minute and the other client has one of them, a second one of "
    "ours is refused. None is where ours are a minute apart (2.00); every third would be where all of them are used",
    "60/min shared with another client's 15/min": "the bound is that of the whole quota; three quarters of it are left "
    "(1.33)",
}


def details(bench: Bench, full: bool) -> Iterator[Row]:
    """Yield the other figures of the two main runs."""
    del full
    for case, pace in ((UNPACED, "unpaced"), (PACED, f"{PACE} creates/min")):
        for title, member in FIGURES.items():
            yield Row(f"{title}, 1,000 scripts, {pace}", OURS, bench.spread(case, member))
            yield from _baselines(bench, case, f"{title}, 1,000 scripts, {pace}", member)


def footprint(bench: Bench, full: bool) -> Iterator[Row]:
    """Yield CPU and memory of the core; the CPU includes that of the simulation."""
    counts = (100, 1000, *([10_000] if full else []))
    for count in counts:
        case = replace(UNPACED, count=count)
        cpu = bench.measured(CPU, case)
        yield Row(f"CPU of core and simulation, ms per script, {count:,} scripts", OURS, cpu.times(1000 / count))
    for count in counts:
        memory = bench.measured(MEMORY, replace(UNPACED, count=count), seeds=1)
        yield Row(f"most memory of the core, MB, {count:,} scripts", OURS, memory.times(1e-6))
    if full:
        few, many = (bench.measured(CPU, replace(UNPACED, count=count)) for count in (1000, 10_000))
        figure = "CPU per script at 10,000 scripts / at 1,000"
        yield Row(figure, OURS, many.times(1 / (10 * few.median)), Target("<=", 1.2))
        few, many = (bench.measured(MEMORY, replace(UNPACED, count=count), seeds=1) for count in (1000, 10_000))
        figure = "memory of the core at 10,000 scripts / at 1,000"
        remark = "200 jobs are in flight in both"
        yield Row(figure, OURS, many.times(1 / few.median), Target("<=", 1.2), remark)


SIMULATED: tuple[Rows, ...] = (
    makespan,
    paced,
    packed,
    several_resources,
    polling,
    refusals,
    details,
    footprint,
)


def _baselines(bench: Bench, case: Case, figure: str, member: str) -> Iterator[Row]:
    for name in BASELINES:
        yield Row(figure, name, bench.spread(replace(case, by=name), member))
