"""A worker that was frozen for longer than its heartbeat, as on a laptop that slept, goes on when it wakes."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest

from tests.support.scripts import script, write_manifest
from tests.support.waiting import until

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def environment(environment):
    return environment | {"PREFECT_WORKER_QUERY_SECONDS": "2"}


@pytest.mark.usefixtures("no_automations")
@pytest.mark.parametrize("worker", [("--limit", "2"), ()], indirect=True, ids=["limited", "unlimited"])
def test_a_worker_that_was_frozen_longer_than_its_heartbeat_lives_on_and_its_run_is_finished(
    worker, command, api, release, tmp_path
):
    source = write_manifest(tmp_path, [script(f"frozen-{number}") for number in range(3)])
    said = command(
        *("prefect", "deployment", "run", "render-batch/ad-hoc", "--param", f"sources={json.dumps([str(source)])}")
    )
    assert said.returncode == 0, said.stdout + said.stderr
    run = re.search(r"UUID: ([0-9a-f-]{36})", said.stdout)[1]
    log = tmp_path / "worker.log"

    def state():
        return api("flow_runs/filter", flow_runs={"id": {"any_": [run]}})[0]["state_type"]

    assert until(state, "RUNNING") == "RUNNING", log.read_text()
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children")
    frozen = [worker.pid, *map(int, children.read_text().split())]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    # What the automations do about a run without a heartbeat.
    api(f"flow_runs/{run}/set_state", state={"type": "CRASHED"})
    api(f"flow_runs/{run}/set_state", state={"type": "SCHEDULED", "name": "AwaitingRetry"})
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    release()
    assert until(state, "COMPLETED") == "COMPLETED", log.read_text()
    assert worker.poll() is None, log.read_text()
    assert "already holding" not in log.read_text()
