"""The cross-check of the simulation: the same batch over HTTP, with client and emulator on equally fast clocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from batch_avatar.emulator.options import Progression
from benchmarks.bounds import lower_bound
from benchmarks.cases import Case, run_case
from benchmarks.figures import Row, Spread
from benchmarks.real.world import open_world
from benchmarks.workload import NOISE_CV, SEEDS, draw_workload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.judge import Judgement
    from benchmarks.real.world import World

COUNT = 100
SLOTS = 20  # a tenth of the usual scripts and slots, so that slots are refilled as in a real batch
SCALE = 30.0
"""A batch of some 15 minutes takes half a minute. With a faster clock the 50 ms that a request takes become seconds."""
SERVICE_POLL_SECONDS = 10.0  # our default, in seconds of the scaled clock
SHORT_SEEDS = 1
REMARK = (
    f"{COUNT} scripts, {SLOTS} slots, unpaced; over HTTP on clocks {SCALE:g} times as fast, so that each millisecond "
    f"of a request counts {SCALE:g}-fold, and with noise drawn by the emulator; simulated: same texts, no HTTP"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the emulator saw of a run, in service seconds; the members are those of a `Judgement`."""

    over_bound: float
    creates_per_job: float
    gets_per_job: float
    lists_per_job: float
    status_requests_per_job: float
    lag_mean_seconds: float
    lag_p95_seconds: float
    most_in_flight: float
    refusals: float


FIGURES = {
    "makespan / lower bound": "over_bound",
    "creates per job": "creates_per_job",
    "GETs per job": "gets_per_job",
    "list requests per job": "lists_per_job",
    "status requests per job": "status_requests_per_job",
    "mean detection lag, s": "lag_mean_seconds",
    "p95 of the detection lag, s": "lag_p95_seconds",
    "most in flight": "most_in_flight",
    "429s": "refusals",
}


def scaled_rows(*, full: bool) -> list[Row]:
    """Return the same figures, measured and simulated, below each other. They have no targets; other rows have."""
    seeds = SEEDS if full else SEEDS[:SHORT_SEEDS]
    measured = [run_scaled(seed) for seed in seeds]
    simulated = [run_case(Case(COUNT, seed=seed, slots=SLOTS, list_lag_seconds=2.0)) for seed in seeds]
    rows, remark = [], REMARK
    for title, member in FIGURES.items():
        rows += [
            Row(f"{title}, cross-check", "over HTTP", _spread(measured, member), remark=remark),
            Row(f"{title}, cross-check", "simulated", _spread(simulated, member)),
        ]
        remark = ""  # once is enough
    return rows


def run_scaled(seed: int) -> Seen:
    """Render one batch in a world of its own."""
    workload = draw_workload(COUNT, seed=seed)
    with open_world(
        time_scale=SCALE,
        active_jobs_limit=SLOTS,
        progression=Progression.after_seconds(noise_cv=NOISE_CV),
        seed=seed,
        max_video_minutes=60.0,  # a text of the full 20 minutes may round to a little more
    ) as world:
        world.write_manifest(workload.scripts)
        world.start_inside(
            scale=SCALE,
            BATCH_AVATAR_MAX_UNFINISHED_JOBS=SLOTS,
            BATCH_AVATAR_POLL_INTERVAL_SECONDS=SERVICE_POLL_SECONDS,
        ).end()
        return seen_by_service(world, slots=SLOTS)


def seen_by_service(world: World, *, slots: int) -> Seen:
    """Return the figures from the emulator's log, from the first create until the last job was shown as ended."""
    jobs = world.emulator.jobs()
    started = min(moment_of(job["created"]) for job in jobs)
    noticed = [moment_of(job["first_reported_terminal"]) for job in jobs]
    lags = sorted(
        (seen - moment_of(job["last_action"])).total_seconds() for seen, job in zip(noticed, jobs, strict=True)
    )
    makespan = (max(noticed) - started).total_seconds()
    bound = lower_bound([job["run_seconds"] for job in jobs], slots=slots)
    stats = world.emulator.stats()
    return Seen(
        over_bound=makespan / bound,
        creates_per_job=requests_of(stats, "create") / len(jobs),
        gets_per_job=requests_of(stats, "get") / len(jobs),
        lists_per_job=requests_of(stats, "list") / len(jobs),
        status_requests_per_job=requests_of(stats, "get", "list") / len(jobs),
        lag_mean_seconds=sum(lags) / len(lags),
        lag_p95_seconds=lags[math.ceil(0.95 * len(lags)) - 1],
        most_in_flight=stats["most_unfinished"],
        refusals=sum(counts.get("429", 0) for counts in stats["requests"].values()),
    )


def requests_of(stats: dict[str, Any], *operations: str) -> int:
    """Return the number of answers to requests of these kinds."""
    return sum(sum(stats["requests"].get(operation, {}).values()) for operation in operations)


def moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text.rstrip("Z")).replace(tzinfo=UTC)  # some times have no Z


def _spread(runs: Sequence[Seen | Judgement], member: str) -> Spread:
    return Spread.of(float(getattr(run, member)) for run in runs)
