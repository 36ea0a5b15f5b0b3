"""One batch over many runs on two workers, on Postgres and Redis; one of the workers is killed in the middle."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from deployments.drain import WORKER_LABEL
from deployments.stack import RUNS_PER_WORKER
from tests.support.waiting import until

SCRIPTS, PER_RUN = 300, 25
PER_MINUTE = 120  # what the runs may create: two and a half minutes for 300
TIME_SCALE, QUOTA = 6, 40
"""The service takes 40 in any 10 s, the runs want 20 then; three of them, each at its own pace, would want 60."""


@pytest.fixture(scope="module")
def system(start_system):
    pace = {"BATCH_AVATAR_CREATES_PER_MINUTE": str(PER_MINUTE)}
    return start_system(time_scale=TIME_SCALE, creates_per_minute=QUOTA, settings=pace)


def unshared(system, *runs):
    """What these runs logged of a shared limit that did not answer them."""
    ours = {"any_": [run["id"] for run in runs]}
    return system.api("logs/filter", logs={"flow_run_id": ours, "text": {"query": '"cannot be asked"'}})


@pytest.mark.timeout(1200)
def test_a_spread_batch_survives_a_worker_and_is_recorded_whole(system):
    manifest, _ = system.write_manifest("spread", SCRIPTS)
    parent = system.run("render-batch/ad-hoc", sources=[str(manifest)], scripts_per_run=PER_RUN)

    def in_the_middle():
        """A worker that is full has taken no run that it has not started yet; such a one waits for ten minutes."""
        runs = [system.flow_run(parent), *system.children(parent)]
        where = [run["labels"].get(WORKER_LABEL) for run in runs if run["state_type"] == "RUNNING"]
        created = system.emulator("stats")["creates"]["accepted"]
        return created >= SCRIPTS // 4 and where.count("worker-1") == RUNS_PER_WORKER

    assert until(in_the_middle)
    os.kill(system.stack.processes["worker-1"].pid, signal.SIGKILL)  # its runs go on, or come back on the other one

    def ended():
        return system.flow_run(parent)["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

    assert until(ended, seconds=600)
    run = system.flow_run(parent)
    assert run["state_type"] == "COMPLETED", run["state"]["message"]
    assert f"0 failed, 0 unfinished of {SCRIPTS};" in run["state"]["message"]
    children = system.children(parent)
    assert len(children) == SCRIPTS // PER_RUN
    assert {child["state_type"] for child in children} == {"COMPLETED"}

    assert system.judge().ratio == 1.0
    stats = system.emulator("stats")
    assert stats["creates"]["accepted"] == SCRIPTS
    refused = sum(count for code, count in stats["creates"]["refused_by_code"].items() if code.startswith("429"))
    # By design a run creates at its own pace while the Prefect server does not answer it.
    assert refused == 0 or unshared(system, run, *children), "the runs did not share their pace"

    once = [child["id"] for child in children if child["run_count"] == 1]
    assert len(children) - len(once) <= RUNS_PER_WORKER, "only what the dead worker had may have run again"
    runs = {"id": {"any_": once}}

    def recorded():
        found, page = Counter(), None
        while page is None or len(page) == 200:
            page = system.api("task_runs/filter", flow_runs=runs, limit=200, offset=found.total())
            found.update((one["name"].split()[0], one["state_type"]) for one in page)
        return dict(found)

    every = {(step, "COMPLETED"): len(once) * PER_RUN for step in ("submit", "wait", "archive", "delete")}
    assert until(recorded, every) == every


@pytest.mark.timeout(600)
def test_a_single_worker_with_a_limit_of_one_does_not_wait_for_itself(system):
    for name in ("worker-1", "worker-2"):
        system.end(name)
    system.start_worker("lonely", limit=1)
    manifest, names = system.write_manifest("lonely", 6)
    parent = system.run("render-batch/ad-hoc", sources=[str(manifest)], scripts_per_run=3)
    assert until(lambda: system.flow_run(parent)["state_type"], "COMPLETED") == "COMPLETED"
    assert "6 archived" in system.flow_run(parent)["state"]["message"]
    assert sum(system.accepted("lonely-").values()) == len(names)


@pytest.mark.timeout(1200)
def test_cancelling_the_parent_cancels_its_children(system):
    system.start_worker("helper", limit=3)
    system.faults({"operation": "create", "action": {"kind": "stick_job"}, "job_id": "^stop-"})
    manifest, names = system.write_manifest("stop", 6)
    parent = system.run("render-batch/ad-hoc", sources=[str(manifest)], scripts_per_run=2)

    def at_work():
        return sum(child["state_type"] == "RUNNING" for child in system.children(parent))

    assert until(lambda: at_work() >= 2)
    system.api(f"flow_runs/{parent}/set_state", state={"type": "CANCELLING", "name": "Cancelling"})
    assert until(lambda: system.flow_run(parent)["state_type"], "CANCELLED") == "CANCELLED"

    def states():
        return {child["state_type"] for child in system.children(parent)}

    assert until(states, {"CANCELLED"}) == {"CANCELLED"}
    system.lift_faults()
    again = system.run("render-batch/ad-hoc", sources=[str(manifest)])
    assert until(lambda: system.flow_run(again)["state_type"], "COMPLETED") == "COMPLETED"
    assert sum(system.accepted("stop-").values()) == len(names)
