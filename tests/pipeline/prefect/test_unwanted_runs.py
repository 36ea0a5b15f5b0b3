"""A run that nobody wants any more, or not now, sends nothing more, and ends as it was told to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.deploying import asked
from tests.support.processes import CLI, start_python
from tests.support.scripts import script, write_manifest
from tests.support.waiting import PATIENCE_SECONDS, answered, until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(600)]

SCRIPTS = 30
PER_MINUTE = "12"  # so they take 150 s to send, and a run asks every 30 s whether it is wanted
SUSPENDED = {"type": "PAUSED", "name": "Suspended", "state_details": {"pause_reschedule": True}}


@pytest.fixture
def environment(environment):
    return environment | {"PREFECT_WORKER_QUERY_SECONDS": "2"}


@dataclass(frozen=True)
class Batches:
    """`batches(name)` starts a run of scripts that are called after it, with an archive of its own; the run's id."""

    command: Callable
    environment: dict[str, str]
    service_url: str
    folder: Path

    @property
    def log(self):
        return self.folder / "worker.log"

    def __call__(self, name):
        folder = self.folder / name
        folder.mkdir()
        source = write_manifest(folder, [script(f"{name}-{number}") for number in range(SCRIPTS)])
        own = {
            "BATCH_AVATAR_CREATES_PER_MINUTE": PER_MINUTE,
            "BATCH_AVATAR_CONTAINER": f"{self.environment['BATCH_AVATAR_CONTAINER']}-{name}",
        }
        said = self.command(
            *("prefect", "deployment", "run", "render-batch/ad-hoc", "--param", f"sources={json.dumps([str(source)])}"),
            *("--job-variable", f"env={json.dumps(own)}"),
        )
        assert said.returncode == 0, said.stdout + said.stderr
        return re.search(r"UUID: ([0-9a-f-]{36})", said.stdout)[1]

    def accepted(self, name):
        """How many of its creates the service took."""
        stats = answered("GET", f"{self.service_url}/emulator/stats").json()
        return sum(n for job, n in stats["creates"]["accepted_by_name"].items() if job.startswith(f"{name}-"))


@pytest.fixture
def start(command, environment, stack, tmp_path):
    return Batches(command, environment, stack.service_url, tmp_path)


def processes_of(worker):
    return Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()


@pytest.mark.usefixtures("no_automations")
def test_a_run_that_is_not_wanted_any_more_sends_nothing_more_and_a_suspended_one_goes_on_later(
    worker, start, release, api, stack
):
    runs = {name: start(name) for name in ("suspended", "forced", "deleted")}
    log = start.log
    assert until(lambda: all(start.accepted(name) for name in runs)), log.read_text()

    def seen(name):
        return api("flow_runs/filter", flow_runs={"id": {"any_": [runs[name]]}})[0]

    def history(name):
        states = asked(stack, "GET", "flow_run_states/", params={"flow_run_id": runs[name]}).json()
        return [state["type"] for state in states]

    told = api(f"flow_runs/{runs['suspended']}/set_state", state=SUSPENDED)
    assert told["status"] == "ACCEPT", told
    api(f"flow_runs/{runs['forced']}/set_state", state={"type": "CANCELLED"}, force=True)
    asked(stack, "DELETE", f"flow_runs/{runs['deleted']}")

    assert until(lambda: processes_of(worker), []) == [], "the processes have ended"
    sent = {name: start.accepted(name) for name in runs}
    assert all(count < SCRIPTS for count in sent.values()), sent
    assert "Traceback" not in log.read_text(), log.read_text()
    assert (seen("forced")["state_type"], seen("suspended")["state_type"]) == ("CANCELLED", "PAUSED")
    assert "CRASHED" not in history("suspended")

    release()
    assert api(f"flow_runs/{runs['suspended']}/resume")["status"] == "ACCEPT"
    assert until(lambda: seen("suspended")["state_type"], "COMPLETED") == "COMPLETED", log.read_text()
    assert {name: start.accepted(name) for name in runs} == sent | {"suspended": SCRIPTS}


@pytest.mark.usefixtures("release")
def test_a_run_of_the_command_that_is_deleted_in_the_ui_stops_and_reports(environment, start, stack, tmp_path):
    write_manifest(tmp_path, [script(f"mine-{number}") for number in range(SCRIPTS)])
    process = start_python(
        *(*CLI, "render", "scripts.jsonl", "--engine", "prefect"),
        folder=tmp_path,
        environment=environment | {"BATCH_AVATAR_CREATES_PER_MINUTE": PER_MINUTE},
    )
    try:
        run = next(found[1] for line in process.stderr if (found := re.search(r"/flow-run/([0-9a-f-]{36})", line)))
        assert until(lambda: start.accepted("mine") > 0, wanted=True)
        asked(stack, "DELETE", f"flow_runs/{run}")
        told, heard = process.communicate(timeout=PATIENCE_SECONDS)
    finally:
        process.kill()
    assert process.returncode == 1, heard
    assert f"{SCRIPTS} unfinished" in told
    assert "in flight at the service" in told
    assert 0 < start.accepted("mine") < SCRIPTS
