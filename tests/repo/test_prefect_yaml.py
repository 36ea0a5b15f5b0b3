"""What prefect.yaml deploys cannot change by accident, and says nothing that Prefect would ignore in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
import yaml
from prefect.cli.deploy._models import (
    ConcurrencyLimitSpec,
    DeploymentConfig,
    PrefectYamlModel,
    RawScheduleConfig,
    WorkPoolConfig,
)
from prefect.flows import load_flow_from_entrypoint
from prefect.settings.models.root import Settings as PrefectSettings
from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).with_name("prefect_deployments.json")
GIVEN = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
NAMES = [one["entrypoint"].partition(":")[2] for one in GIVEN["deployments"]]
DEFINITIONS = {"definitions"}  # ours, for anchors


def known_keys(model):
    return {field.alias or name for name, field in model.model_fields.items()}


def unknown_keys(values, model, where):
    """Keys that this model of Prefect's does not have, also further down."""
    nested = {
        DeploymentConfig: {"work_pool": WorkPoolConfig, "concurrency_limit": ConcurrencyLimitSpec},
    }.get(model, {})
    found = [f"{where}.{key}" for key in values if key not in known_keys(model)]
    for key, inner in nested.items():
        if isinstance(values.get(key), dict):
            found += unknown_keys(values[key], inner, f"{where}.{key}")
    for number, schedule in enumerate(values.get("schedules", ())):
        found += unknown_keys(schedule, RawScheduleConfig, f"{where}.schedules[{number}]")
    return found


def environment_names(model):
    """Of every setting, under any of its names."""
    names = set()
    for name, field in model.model_fields.items():
        inner = [one for one in (field.annotation, *get_args(field.annotation)) if isinstance(one, type)]
        nested = [one for one in inner if issubclass(one, BaseModel)]
        for one in nested:
            names |= environment_names(one)
        if not nested:
            names.add(f"{model.model_config.get('env_prefix', '')}{name}".upper())
    return names


def test_what_is_deployed_is_what_the_snapshot_says():
    """After a wanted change: write what this test shows into the snapshot."""
    assert GIVEN["deployments"] == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_no_key_is_unknown_to_prefect():
    top = {key: value for key, value in GIVEN.items() if key not in DEFINITIONS}
    found = unknown_keys(top, PrefectYamlModel, "prefect.yaml")
    for name, deployment in zip(NAMES, GIVEN["deployments"], strict=True):
        found += unknown_keys(deployment, DeploymentConfig, name)
    assert found == []


def test_a_misspelt_key_would_be_found():
    deployment = {**GIVEN["deployments"][2], "concurency_limit": 1, "work_pool": {"nam": "x"}}
    assert unknown_keys(deployment, DeploymentConfig, "x") == ["x.concurency_limit", "x.work_pool.nam"]


def test_the_models_of_prefect_take_it():
    read = PrefectYamlModel.model_validate(GIVEN)
    assert [one.name for one in read.deployments] == ["ad-hoc", "ad-hoc", "scheduled", "hourly"]


@pytest.mark.parametrize("deployment", GIVEN["deployments"], ids=NAMES)
def test_every_deployment_says_all_that_an_operator_asks(deployment):
    assert deployment["description"]
    assert "batch-avatar" in deployment["tags"], "automations know our runs by it"
    assert deployment["concurrency_limit"]["limit"] >= 1
    assert deployment["concurrency_limit"]["collision_strategy"] in ("ENQUEUE", "CANCEL_NEW")
    assert deployment["work_pool"]["name"] == "batch-avatar"
    assert deployment["work_pool"]["work_queue_name"]


@pytest.mark.parametrize("deployment", GIVEN["deployments"], ids=NAMES)
def test_parameters_and_their_values_are_those_of_the_flow(deployment):
    flow = load_flow_from_entrypoint(str(ROOT / deployment["entrypoint"]), use_placeholder_flow=False)
    known = flow.parameters.properties
    assert set(deployment["parameters"]) <= set(known)
    required = set(flow.parameters.required or ())
    if deployment.get("schedules"):
        assert required <= set(deployment["parameters"]), "nobody is there to fill them in"
        flow.validate_parameters(deployment["parameters"])


def test_no_deployment_has_anything_to_render_by_itself():
    """A "Quick run" takes the deployment's own parameters, and whatever they name is rendered and billed."""
    given = {name: one["parameters"].keys() for name, one in zip(NAMES, GIVEN["deployments"], strict=True)}
    assert {name for name, own in given.items() if own & {"sources", "scripts", "script", "shard"}} == set()


@pytest.mark.parametrize("deployment", GIVEN["deployments"], ids=NAMES)
def test_job_variables_name_settings_that_prefect_has(deployment):
    given = {name for name in deployment["work_pool"]["job_variables"]["env"] if "_LOGGERS_" not in name}
    assert given <= environment_names(PrefectSettings)


@pytest.mark.parametrize("deployment", [one for one in GIVEN["deployments"] if "schedules" in one])
def test_a_scheduled_flow_never_runs_beside_itself(deployment):
    assert deployment["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert all(schedule["slug"] and schedule["timezone"] for schedule in deployment["schedules"])
