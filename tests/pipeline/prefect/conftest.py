"""Our deployments on the stack's Prefect server, with a worker."""

from __future__ import annotations

import subprocess
import sys

import pytest
import requests

from tests.support.deploying import asked, without_schedules
from tests.support.processes import ROOT, own_environment, run_python
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def command(environment, tmp_path):
    """`command(module, *arguments)` runs a module beside the stack, to its end."""

    def run(*arguments, timeout=PATIENCE_SECONDS):
        own = environment | {"PYTHONPATH": str(ROOT)}
        return run_python("-m", *arguments, folder=tmp_path, environment=own, timeout=timeout)

    return run


@pytest.fixture(scope="session")
def deployments(stack, tmp_path_factory):
    """The pool and the deployments of prefect.yaml, but no schedule; no test takes them away."""
    home = tmp_path_factory.mktemp("deploying")
    own = own_environment(home) | stack.environment | {"PREFECT_HOME": str(home / "prefect")}
    own.pop("PWD", None)  # as for a service
    deploy = ("prefect", "--no-prompt", "deploy", "--all", "--prefect-file", without_schedules(home))
    for module in (("deployments.bootstrap",), deploy):
        done = run_python("-m", *module, folder=ROOT, environment=own)
        assert done.returncode == 0, done.stdout + done.stderr
    found = asked(stack, "POST", "deployments/filter", json={}).json()
    assert not any(one["active"] for deployment in found for one in deployment["schedules"])


@pytest.fixture
def worker(request, deployments, environment, tmp_path):  # noqa: ARG001 - it works on them
    """A worker's process; what a test gives it are its options."""
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.worker", "--pool", "batch-avatar", *getattr(request, "param", ())],
            cwd=tmp_path,
            env=environment | {"BATCH_AVATAR_SOURCE_ROOTS": str(tmp_path)},
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
            asked(stack, "PATCH", f"automations/{automation}", json={"enabled": on})

    switch(on=False)
    yield
    switch(on=True)
