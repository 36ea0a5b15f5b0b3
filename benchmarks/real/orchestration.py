"""What Prefect costs on top of the bare core, and how the usual way of polling with it compares with ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.emulator.options import Progression
from benchmarks.figures import Row, Spread, Target
from benchmarks.real.prefect_server import open_prefect
from benchmarks.real.scaled import requests_of
from benchmarks.real.world import open_world, plain_scripts
from benchmarks.workload import draw_workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.real.prefect_server import PrefectServer
    from benchmarks.real.world import Ended, Running, World

COUNT = {False: 100, True: 1_000}
REPEATS = {False: 1, True: 3}
FEW = 5  # scripts of the run that measures the cost of a start; it also warms up the server
CHARACTERS = 1500
TASK_RUNS = 4  # of a script without failures: submit, wait, archive, delete
TARGET_CPU_SECONDS = 0.08

POLLED_COUNT = {False: 30, True: 100}
POLLED_SCALE = {False: 10.0, True: 5.0}
POLLED_CV = {False: 0.3, True: 0.6}
"""The short form has fewer jobs of more equal length, so that the longest of them takes half a minute."""
SERVICE_POLL_SECONDS = 10.0  # our default


@dataclass(frozen=True, slots=True)
class Recorded:
    """One run under Prefect, with everything that the server did until the run was recorded."""

    ended: Ended
    server_cpu_seconds: float
    task_runs: int
    events: int

    @property
    def cpu_seconds(self) -> float:
        return self.ended.cpu_seconds + self.server_cpu_seconds


def orchestration_rows(*, full: bool) -> list[Row]:
    """Measure the CPU of flow process and server, less that of the same batch without Prefect.

    The cost of starts is measured separately.
    """
    count, repeats = COUNT[full], REPEATS[full]
    with open_world() as world, open_prefect(world.folder) as server:
        world.write_manifest(plain_scripts(FEW, characters=CHARACTERS))
        _flow_run(world, server, FEW)  # warms up the server
        start, bare_start = _flow_run(world, server, FEW), _bare_run(world)
        world.write_manifest(plain_scripts(count, characters=CHARACTERS))
        pairs = [(_flow_run(world, server, count), _bare_run(world)) for _ in range(repeats)]
    over = [
        (flow.cpu_seconds - start.cpu_seconds - (bare.cpu_seconds - bare_start.cpu_seconds)) / (count - FEW)
        for flow, bare in pairs
    ]
    by = f"{count:,} scripts"
    remark = (
        f"flow process and server until all was recorded, less the bare core; each less a run of {FEW} scripts, "
        "because a start costs the same for any number"
    )
    flows = [flow for flow, _ in pairs]
    return [
        Row("Prefect's CPU per script, s", by, Spread.of(over), Target("<=", TARGET_CPU_SECONDS), remark),
        Row(
            "of it the server's, s",
            by,
            Spread.of((f.server_cpu_seconds - start.server_cpu_seconds) / (count - FEW) for f in flows),
        ),
        Row("CPU of Prefect's start, s", by, Spread.of([start.ended.cpu_seconds - bare_start.cpu_seconds])),
        Row(
            "task runs recorded, of those there were",
            by,
            Spread.of(flow.task_runs / (TASK_RUNS * count) for flow in flows),
            Target("=", 1.0),
        ),
        Row("task runs per video", by, Spread.of(flow.task_runs / count for flow in flows)),
        Row(
            "requests to Prefect's API per video",
            by,
            Spread.of(flow.ended.said["prefect_requests"] / count for flow in flows),
        ),
        Row("events per video", by, Spread.of(flow.events / count for flow in flows)),
    ]


def usual_way_rows(*, full: bool) -> list[Row]:
    """Measure the same batch as task-run-per-poll and as our flow, with faster clocks and one run each."""
    count, scale = POLLED_COUNT[full], POLLED_SCALE[full]
    workload = draw_workload(count, seed=1, cv=POLLED_CV[full], noise_cv=0.0)
    rows: list[Row] = []
    ways: dict[str, Callable[[World, PrefectServer], Running]] = {
        "ours as a flow": lambda world, server: world.start_inside(
            engine="prefect", scale=scale, BATCH_AVATAR_POLL_INTERVAL_SECONDS=SERVICE_POLL_SECONDS, **server.settings
        ),
        "task-run-per-poll": lambda world, server: world.start_usual(scale=scale, **server.settings),
    }
    for way, start in ways.items():
        with (
            open_world(time_scale=scale, progression=Progression.after_seconds(), max_video_minutes=60.0) as world,
            open_prefect(world.folder) as server,
        ):
            world.write_manifest(workload.scripts)
            run = _recorded(server, start(world, server), None)
            stats = world.emulator.stats()
        by = f"{way}, {count} scripts"
        rows += [
            Row("status requests per job, under Prefect", by, Spread.of([requests_of(stats, "get", "list") / count])),
            Row("events per script, under Prefect", by, Spread.of([run.events / count])),
            Row("CPU per script of flow and server, s", by, Spread.of([run.cpu_seconds / count])),
            Row("requests to Prefect's API per script", by, Spread.of([run.ended.said["prefect_requests"] / count])),
            Row("seconds, under Prefect", by, Spread.of([run.ended.seconds * scale]), remark="of service time"),
        ]
    return rows


def _flow_run(world: World, server: PrefectServer, count: int) -> Recorded:
    running = world.with_empty_archive().start("--engine", "prefect", **server.settings)
    return _recorded(server, running, TASK_RUNS * count)


def _bare_run(world: World) -> Ended:
    return world.with_empty_archive().start("--engine", "local").end()


def _recorded(server: PrefectServer, running: Running, expected: int | None) -> Recorded:
    """Wait for the end of a run and until the server has recorded it. `expected`: its number of task runs, if known."""
    cpu, task_runs, events = server.cpu_seconds(), server.completed_task_runs(), server.events()
    ended = running.end()
    if expected is not None:
        server.await_task_runs(task_runs + expected)
    server.await_quiet()
    return Recorded(
        ended,
        server.cpu_seconds() - cpu,
        server.completed_task_runs() - task_runs,
        server.events() - events,
    )
