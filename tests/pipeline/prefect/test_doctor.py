"""What the doctor says of a real Prefect server: it is asked over HTTP, without Prefect's own client."""

from __future__ import annotations

import json

import pytest

from tests.support.waiting import until

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(420)]


@pytest.fixture
def found(stack, command, environment):
    """`found()`: status and words of each check of Prefect, by name, with the stack's own pace."""
    pace = "BATCH_AVATAR_CREATES_PER_MINUTE"
    environment[pace] = stack.environment[pace]

    def look(**variables):
        environment.update(variables)
        done = command("batch_avatar.commands.cli", "doctor", "--json")
        checks = json.loads(done.stdout)["checks"]
        return {one["name"]: (one["status"], one["found"]) for one in checks if one["name"].startswith("prefect")}

    return look


def statuses(found):
    return {name: status for name, (status, _) in found.items()}


def test_a_server_that_is_set_up_and_has_a_worker_is_in_order(found, worker):  # noqa: ARG001 - it works
    until(lambda: statuses(found())["prefect worker"] == "ok")

    said = found()

    assert set(statuses(said).values()) == {"ok"}, said
    assert len(said) == 8


def test_a_password_that_the_server_refuses_is_told(found, deployments):  # noqa: ARG001 - it is set up
    said = found(PREFECT_API_AUTH_STRING="somebody:else-entirely")

    assert [name for name, status in statuses(said).items() if status == "failed"] == ["prefect access"], said
