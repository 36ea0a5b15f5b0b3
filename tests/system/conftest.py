"""The whole system as an operator runs it: `deployments.stack`, bootstrap and deployments, and workers to lose."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from batch_avatar.emulator.process import is_running, start_detached, stop_process
from deployments import stack as stacks
from tests.chaos.judge import judge
from tests.support.waiting import until

if TYPE_CHECKING:
    from batch_avatar.stack import Stack

ROOT = Path(__file__).parents[2]
MEMBERS = {
    "voice": "en-US-AvaMultilingualNeural",
    "talking_avatar_character": "lisa",
    "talking_avatar_style": "graceful-sitting",
}


@dataclass
class System:
    """A running stack with the deployments of prefect.yaml, and what a test does with it."""

    stack: Stack
    folder: Path
    rendered: list[str] = field(default_factory=list)
    """The ids of all scripts that are archived, or will be when a test judges."""

    def command(self, *arguments, timeout=120, folder=None):
        """A module of ours or Prefect's, as an operator runs it beside the stack; its output."""
        done = subprocess.run(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=folder or self.folder,
            env=self.stack.child_environment() | {"PWD": str(folder or self.folder)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def deploy(self):
        """What `make deploy` does."""
        said = self.command("deployments.bootstrap", folder=ROOT)
        return said + self.command("prefect", "--no-prompt", "deploy", "--all", folder=ROOT)

    def run(self, deployment, **parameters):
        """Start a flow run; its id."""
        given = [part for name, value in parameters.items() for part in ("--param", f"{name}={json.dumps(value)}")]
        said = self.command("prefect", "deployment", "run", deployment, *given)
        return re.search(r"UUID: ([0-9a-f-]{36})", said)[1]

    def api(self, path, *, json=None, **body):
        """A question to the Prefect server, asked again while it is not there."""
        for _ in range(60):
            try:
                answer = requests.post(f"{self.stack.prefect_url}/api/{path}", json=json or body, timeout=30)
            except requests.ConnectionError:
                time.sleep(1)
                continue
            if answer.status_code != requests.codes.unavailable:
                break
            time.sleep(1)
        answer.raise_for_status()
        return answer.json()

    def delete(self, path):
        requests.delete(f"{self.stack.prefect_url}/api/{path}", timeout=30).raise_for_status()

    def flow_run(self, run_id):
        return self.api("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})[0]

    def history(self, run_id):
        """Of a flow run, its states."""
        url = f"{self.stack.prefect_url}/api/flow_run_states/"
        return requests.get(url, params={"flow_run_id": run_id}, timeout=30).json()

    def children(self, run_id):
        return self.api("flow_runs/filter", flow_runs={"parent_flow_run_id": {"any_": [run_id]}})

    def emulator(self, path):
        return requests.get(f"{self.stack.service_url}/emulator/{path}", timeout=30).json()

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
        requests.post(f"{self.stack.service_url}/emulator/faults", json=list(rules), timeout=30).raise_for_status()

    def lift_faults(self):
        requests.delete(f"{self.stack.service_url}/emulator/faults", timeout=30).raise_for_status()
        requests.post(f"{self.stack.service_url}/emulator/release", timeout=30).raise_for_status()

    def write_manifest(self, prefix, count):
        names = [f"{prefix}-{number:03d}" for number in range(count)]
        lines = [
            json.dumps({"script_id": name, "content": f"Hello, says {name}." + " And more." * (n % 7), **MEMBERS})
            for n, name in enumerate(names)
        ]
        path = self.folder / f"{prefix}.jsonl"
        path.write_text("\n".join(lines))
        self.rendered += names
        return path, names

    def restart(self, name, command):
        """Start a process of the stack again under its name."""
        log = self.stack.folder / f"{name}-again.log"
        self.stack.processes[name] = start_detached(command, log=log, extra=self.stack.environment)

    def start_worker(self, name, *, limit):
        """One more, called worker-<name>."""
        self.restart(f"worker-{name}", stacks.worker_command(f"worker-{name}", limit=limit))

    def end(self, name):
        """SIGTERM to a worker and to its runs, where it still is."""
        pid = self.stack.processes[name]
        for one in (*descendants(pid), pid):
            if is_running(one):
                stop_process(one)

    def lose_machine(self, name):
        """SIGKILL to a worker and to every flow run on it, at once."""
        worker = self.stack.processes[name]
        lost = [*descendants(worker), worker]
        for pid in lost:
            os.kill(pid, signal.SIGSTOP)  # so that nobody sees another one die
        for pid in lost:
            os.kill(pid, signal.SIGKILL)
        until(lambda: any(is_running(pid) and not is_zombie(pid) for pid in lost), wanted=False, seconds=10)

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


def is_zombie(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


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
        yield start
        for stack in running:
            stack.stop()
