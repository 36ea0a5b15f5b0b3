"""Our deployments on the stack's Prefect server, with a worker."""

from __future__ import annotations

import subprocess
import sys

import pytest
import requests

from tests.support.deploying import without_schedules
from tests.support.processes import ROOT, run_python
from tests.support.waiting import PATIENCE_SECONDS, answered


@pytest.fixture
def command(environment, tmp_path):
    """`command(module, *arguments)` runs a module beside the stack, to its end."""

    def run(*arguments, timeout=PATIENCE_SECONDS):
        own = environment | {"PYTHONPATH": str(ROOT)}
        return run_python("-m", *arguments, folder=tmp_path, environment=own, timeout=timeout)

    return run


@pytest.fixture
def worker(request, command, api, environment, tmp_path):
    """A worker's process, with the pool and deployments of prefect.yaml; what a test gives it are its options."""
    made = command("deployments.bootstrap")
    assert made.returncode == 0, made.stdout + made.stderr
    quiet = without_schedules(tmp_path)
    deploy = run_python(
        *("-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", quiet),
        folder=ROOT,
        environment=environment | {"PWD": str(ROOT)},
    )
    assert deploy.returncode == 0, deploy.stdout + deploy.stderr
    assert not any(one["active"] for found in api("deployments/filter") for one in found["schedules"])
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.worker", "--pool", "batch-avatar", *getattr(request, "param", ())],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        yield process
        process.kill()
        process.wait()


@pytest.fixture
def release(stack):
    """Every job sticks; `release()` lets them go and sticks no more."""
    stick = [{"operation": "create", "action": {"kind": "stick_job"}}]
    requests.post(f"{stack.service_url}/emulator/faults", json=stick, timeout=30).raise_for_status()

    def release():
        requests.delete(f"{stack.service_url}/emulator/faults", timeout=30).raise_for_status()
        requests.post(f"{stack.service_url}/emulator/release", timeout=30).raise_for_status()

    yield release
    release()


@pytest.fixture
def no_automations(worker, api, stack):  # noqa: ARG001 - it is there once the worker is
    """They are off: on SQLite they may act late or more than once (docs/automations.md)."""
    of_ours = [one["id"] for one in api("automations/filter") if one["name"].startswith("batch-avatar: ")]

    def switch(*, on):
        for automation in of_ours:
            answered("PATCH", f"{stack.prefect_url}/api/automations/{automation}", json={"enabled": on})

    switch(on=False)
    yield
    switch(on=True)
