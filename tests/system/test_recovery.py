"""What runs by itself, and what an operations team fears: a lost machine, and a server that restarts under a batch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.emulator.process import stop_process
from deployments.drain import WORKER_LABEL
from deployments.stack import server_command
from tests.support.scripts import LOOK_TOML
from tests.support.waiting import until

SCRIPTS = 40
GRACE_SECONDS = 20
RESTART_SCRIPTS = 10 + 2 * GRACE_SECONDS + 20
"""One is created a second: some before the server is stopped, some while it leaves, and some while it is away."""


@pytest.fixture(scope="module")
def system(start_system):
    return start_system(time_scale=30)


@pytest.mark.timeout(600)
def test_what_is_dropped_into_the_inbox_is_rendered_when_its_schedule_comes_round(system):
    connection = system.stack.environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"]
    inbox = ContainerClient.from_connection_string(connection, "inbox")
    with inbox:
        inbox.create_container()
        inbox.upload_blob("inbox/defaults.toml", LOOK_TOML)
        inbox.upload_blob("inbox/dropped.txt", "Hello from the inbox.")
        inbox.upload_blob("inbox/broken.ssml", "<speak>")
        # Its minute begins in 90 to 150 s: Prefect looks for new schedules every 60 s, drops settle within 30 s, and
        # there is only this one run before tomorrow.
        soon = datetime.now(UTC) + timedelta(seconds=150)
        schedule = {"cron": f"{soon.minute} {soon.hour} * * *", "timezone": "UTC"}
        deployment = system.deployment("render-inbox/scheduled")
        path = f"deployments/{deployment['id']}/schedules"
        system.api(path, json=[{"schedule": schedule, "active": True}], seconds=0)  # twice would be two schedules

        def names():
            return {blob.name for blob in inbox.list_blobs()}

        moved = {"processed/dropped.txt", "rejected/broken.ssml", "rejected/broken.ssml.reason.txt"}
        assert until(lambda: moved <= names(), seconds=300), names()
        assert "inbox/dropped.txt" not in names()
    runs = system.api("flow_runs/filter", flow_runs={"deployment_id": {"any_": [deployment["id"]]}})
    assert any(run["auto_scheduled"] and run["start_time"] for run in runs)
    assert list(system.accepted("dropped-").values()) == [1]
    system.rendered.append("dropped")


@pytest.mark.timeout(1200)
def test_a_machine_that_is_lost_with_its_run_loses_nothing_and_the_other_one_goes_on(system):
    manifest, names = system.write_manifest("lost", SCRIPTS)
    run = system.run("render-batch/ad-hoc", sources=[str(manifest)])
    assert until(lambda: 5 <= sum(system.accepted("lost-").values()) < SCRIPTS)
    system.lose_machine(system.flow_run(run)["labels"][WORKER_LABEL])
    assert system.flow_run(run)["state_type"] == "RUNNING", "nobody is there to say otherwise"

    def ended():
        return system.flow_run(run)["state_type"] in ("COMPLETED", "FAILED", "CANCELLED")

    assert until(ended, seconds=400)
    after = system.flow_run(run)
    assert (after["state_type"], after["run_count"]) == ("COMPLETED", 2), after["state"]
    assert list(system.accepted("lost-").values()) == [1] * len(names)
    assert system.judge().ratio == 1.0
    assert sum(state["type"] == "CRASHED" for state in system.history(run)) == 1


@pytest.mark.timeout(1200)
def test_a_prefect_server_that_restarts_in_the_middle_of_a_run_loses_nothing(system):
    manifest, _ = system.write_manifest("restart", RESTART_SCRIPTS)
    run = system.run("render-batch/ad-hoc", sources=[str(manifest)])

    def accepted():
        return sum(system.accepted("restart-").values())

    assert until(lambda: accepted() >= 10)
    begun = accepted()
    for name in ("prefect-services", "prefect-api"):
        stop_process(system.stack.processes[name].pid, grace_seconds=GRACE_SECONDS)
    before = accepted()
    assert until(lambda: accepted() > before), "the run does not need the server"
    for name in ("prefect-api", "prefect-services"):
        system.restart(name, server_command(name, system.stack.prefect_url))

    def ended():
        return system.flow_run(run)["state_type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

    assert until(ended)
    assert system.flow_run(run)["state_type"] == "COMPLETED"
    assert accepted() == RESTART_SCRIPTS
    assert system.judge().ratio == 1.0

    def recorded():
        completed = {"state": {"type": {"any_": ["COMPLETED"]}}}
        return system.api("task_runs/count", flow_runs={"id": {"any_": [run]}}, task_runs=completed)

    # What Prefect had been told and not yet written when it was stopped may be missing in its history, and only there.
    sure = 4 * (RESTART_SCRIPTS - begun)
    assert until(lambda: recorded() >= sure), f"{recorded()} of {4 * RESTART_SCRIPTS}"
