"""The whole system as an operator runs it: `deployments.stack`, bootstrap and deployments, and workers to lose."""

from __future__ import annotations

import json
import os
import re
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from batch_avatar.commands.stack import Process
from batch_avatar.emulator.process import is_running, start_detached, started_at, stop_process
from deployments import stack as stacks
from tests.support.deploying import asked, without_schedules
from tests.support.judge import judge
from tests.support.processes import ROOT, run_python
from tests.support.scripts import script, write_manifest
from tests.support.waiting import PATIENCE_SECONDS, answered, until

if TYPE_CHECKING:
    from batch_avatar.commands.stack import Stack


@dataclass
class System:
    """A running stack with the deployments of prefect.yaml, and what a test does with it."""

    stack: Stack
    folder: Path
    rendered: list[str] = field(default_factory=list)
    """The ids of all scripts that are archived, or will be when a test judges."""

    def command(self, *arguments, timeout=PATIENCE_SECONDS, folder=None):
        """A module of ours or Prefect's, as an operator runs it beside the stack; its output."""
        where = folder or self.folder
        environment = self.stack.child_environment()
        done = run_python("-m", *arguments, folder=where, environment=environment, timeout=timeout)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deploy(self):
        """What `make deploy` does, without schedules."""
        quiet = without_schedules(self.folder)
        self.command("deployments.bootstrap", folder=ROOT)
        self.command("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", quiet, folder=ROOT)
        assert not any(one["active"] for found in self.api("deployments/filter") for one in found["schedules"])

    def run(self, deployment, **parameters):
        """Start a flow run; its id."""
        given = [part for name, value in parameters.items() for part in ("--param", f"{name}={json.dumps(value)}")]
        said = self.command("prefect", "deployment", "run", deployment, *given)
        return re.search(r"UUID: ([0-9a-f-]{36})", said)[1]

    def api(self, path, *, json=None, seconds=PATIENCE_SECONDS, **body):
        """A question to the Prefect server, or what may be told it twice; with `seconds=0` it is told once."""
        return asked(self.stack, "POST", path, json=json or body, seconds=seconds).json()

    def flow_run(self, run_id):
        return self.api("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})[0]

    def history(self, run_id):
        """Of a flow run, its states."""
        return asked(self.stack, "GET", "flow_run_states/", params={"flow_run_id": run_id}).json()

    def children(self, run_id):
        return self.api("flow_runs/filter", flow_runs={"parent_flow_run_id": {"any_": [run_id]}})

    def emulator(self, path):
        return answered("GET", f"{self.stack.service_url}/emulator/{path}").json()

    def accepted(self, prefix=""):
        """How many creates of each job the service took."""
        counts = self.emulator("stats")["creates"]["accepted_by_name"]
        return {job: count for job, count in counts.items() if job.startswith(prefix)}

    def deployment(self, name):
        flow, _, own = name.partition("/")
        (found,) = self.api(
            "deployments/filter", flows={"name": {"any_": [flow]}}, deployments={"name": {"any_": [own]}}
        )
        return found

    def faults(self, *rules):
        answered("POST", f"{self.stack.service_url}/emulator/faults", json=list(rules))

    def lift_faults(self):
        answered("DELETE", f"{self.stack.service_url}/emulator/faults")
        answered("POST", f"{self.stack.service_url}/emulator/release")

    def write_manifest(self, prefix, count):
        names = [f"{prefix}-{number:03d}" for number in range(count)]
        texts = [f"Hello, says {name}." + " And more." * (number % 7) for number, name in enumerate(names)]
        scripts = [script(name, content=text) for name, text in zip(names, texts, strict=True)]
        path = write_manifest(self.folder, scripts, name=f"{prefix}.jsonl")
        self.rendered += names
        return path, names

    def restart(self, name, command):
        """Start a process of the stack again under its name."""
        log = self.stack.folder / f"{name}-again.log"
        pid = start_detached(command, log=log, extra=self.stack.environment)
        self.stack.processes[name] = Process(pid=pid, started=started_at(pid))

    def start_worker(self, name, *, limit):
        """One more, called worker-<name>."""
        self.restart(f"worker-{name}", stacks.worker_command(f"worker-{name}", limit=limit))

    def end(self, name):
        """SIGTERM to a worker and to its runs, where it still is."""
        pid = self.stack.processes[name].pid
        for one in (*descendants(pid), pid):
            if is_running(one):
                stop_process(one)

    def lose_machine(self, name):
        """SIGKILL to a worker and to every flow run on it, at once."""
        worker = self.stack.processes[name].pid
        lost = [*descendants(worker), worker]
        for sign in (signal.SIGSTOP, signal.SIGKILL):  # stopped, nobody sees another one die
            for pid in lost:
                with suppress(ProcessLookupError):  # it ended by itself meanwhile
                    os.kill(pid, sign)
        assert not until(lambda: any(map(is_running, lost)), wanted=False)

    def judge(self):
        """By what the service saw and the archive holds; the figures."""
        environment = self.stack.environment
        connection, container = environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"], "videos"
        return judge(self.stack.service_url, connection, container, self.rendered)


def descendants(pid):
    """Of a process, as /proc tells them, the deepest first."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        direct = [int(child) for child in children.read_text().split()]
    except OSError:
        return []
    return [found for child in direct for found in (*descendants(child), child)]


@pytest.fixture(scope="session")
def start_system(tmp_path_factory):
    """`start_system(**options)`: a stack as `make stack` starts it, with what `make deploy` adds."""
    running = []

    def start(**options):
        folder = tmp_path_factory.mktemp("stack")
        stack = stacks.start(folder, **options)
        running.append(stack)
        system = System(stack, tmp_path_factory.mktemp("operator"))
        system.deploy()
        return system

    with pytest.MonkeyPatch.context() as environment:  # of workers: the service's time runs faster than they do
        for deadline in ("START", "JOB"):
            environment.setenv(f"BATCH_AVATAR_{deadline}_DEADLINE_SECONDS", str(24 * 3600))
        environment.setenv("BATCH_AVATAR_SOURCE_ROOTS", str(tmp_path_factory.getbasetemp()))
        yield start
        for stack in running:
            stack.stop()
