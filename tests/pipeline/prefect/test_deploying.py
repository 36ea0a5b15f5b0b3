"""`prefect deploy` as a person, a service or PowerShell calls it, against a real server."""

from __future__ import annotations

import pytest

from tests.support.deploying import without_schedules
from tests.support.processes import ROOT, run_python

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(420)]


def folders_of(deployments):
    return {step["directory"] for one in deployments for told in one["pull_steps"] for step in told.values()}


@pytest.mark.usefixtures("deployments")
def test_a_deployment_knows_its_folder_without_pwd(api):
    assert folders_of(api("deployments/filter")) == {str(ROOT)}


@pytest.mark.usefixtures("deployments")
def test_in_another_folder_nothing_is_deployed_whatever_pwd_says(environment, tmp_path):
    refused = run_python(
        *("-m", "prefect", "--no-prompt", "deploy", "--all", "--prefect-file", without_schedules(tmp_path)),
        folder=tmp_path,
        environment=environment | {"PWD": str(ROOT)},
    )
    assert refused.returncode == 1
    assert "No such file or directory: 'flows/render_script.py'" in refused.stdout + refused.stderr
    assert "successfully created" not in refused.stdout
