"""Faults of a Prefect server: each is named once with its fix, and nothing else has failed."""

from __future__ import annotations

import json

import pytest

from batch_avatar.emulator.ports import free_port
from tests.support.servers.small_prefect import SmallPrefect


@pytest.fixture
def prefect():
    with SmallPrefect() as server:
        yield server


@pytest.fixture
def beside(quick, doctor, machine, prefect):
    """`beside(**world)`: what is found beside a Prefect server that is like this."""

    def look(*, url=prefect.api_url, password=None, **world):
        for name, value in world.items():
            setattr(prefect.world, name, value)
        machine(PREFECT_API_URL=url, PREFECT_API_AUTH_STRING=password)
        return doctor(quick())

    return look


@pytest.mark.parametrize("world", [{}, {"csrf": True}, {"login": "me:s3cret-word", "password": "me:s3cret-word"}])
def test_a_server_without_a_fault_is_in_order(beside, world):
    said = beside(**world)

    assert (said.failed, said.warned) == ([], [])
    assert said["prefect version"].found == "3.8.8, within >=3.8,<4"
    assert said["prefect worker"].found == "1 online"


@pytest.mark.parametrize(
    ("world", "name", "fix"),
    [
        ({"version": "2.20.1"}, "prefect version", "pip install 'prefect>=3.8,<4'"),
        ({"version": "3.7.9"}, "prefect version", "pip install 'prefect>=3.8,<4'"),
        ({"version": "4.0.0"}, "prefect version", "pip install 'prefect>=3.8,<4'"),
        ({"login": "me:s3cret-word"}, "prefect access", "PREFECT_API_AUTH_STRING"),
        ({"login": "me:s3cret-word", "password": "me:other-w0rd"}, "prefect access", "PREFECT_API_AUTH_STRING"),
        ({"pool": None}, "prefect work pool", "python -m deployments.bootstrap"),
        (
            {"pool": {"name": "batch-avatar", "is_paused": True}},
            "prefect work pool",
            "prefect work-pool resume batch-avatar",
        ),
        ({"workers": []}, "prefect worker", "python -m deployments.worker --pool batch-avatar"),
        (
            {"workers": [{"status": "OFFLINE", "last_heartbeat_time": "2026-11-30T09:00:00Z"}]},
            "prefect worker",
            "python -m deployments.worker --pool batch-avatar",
        ),
        ({"health": 500}, "prefect server", "prefect server start"),
    ],
    ids=[
        "version 2", "too old", "too new", "password missing", "password refused", "no pool", "paused",
        "no worker", "offline", "unwell",
    ],
)  # fmt: skip
def test_a_fault_of_the_server_is_told_with_its_fix(beside, world, name, fix):
    said = beside(**world)

    said.only_fault(name, fix=fix)
    assert "s3cret" not in str(said.checks)
    assert "w0rd" not in str(said.checks)


@pytest.mark.parametrize(
    ("letters", "name"),
    [("health", "prefect server"), ("flows/count", "prefect access"), ("workers", "prefect worker"),
     ("deployments", "prefect deployments")],
)  # fmt: skip
def test_a_server_that_breaks_off_is_told_where_it_does(beside, letters, name):
    said = beside(breaks_off=letters)

    assert said.failed == [name], said.checks
    assert "gives no answer" in said[name].found
    assert said[name].fix


def test_a_server_that_is_not_there_is_told(beside):
    said = beside(url=f"http://127.0.0.1:{free_port()}/api")

    assert "takes no connection" in said.only_fault("prefect server", fix="prefect server start")
    assert said["prefect worker"].found == "after prefect server"


def test_an_address_without_api_is_told_with_the_right_one(beside, prefect):
    beside(url=prefect.url).only_fault("prefect server", fix=f"export PREFECT_API_URL={prefect.api_url}")


@pytest.mark.parametrize(
    ("limit", "found"),
    [
        (None, "there is no limit batch-avatar-west"),
        ({"active": True, "limit": 1, "slot_decay_per_second": 2 / 60}, "is not that of 6 creates a minute"),
        ({"active": False, "limit": 1, "slot_decay_per_second": 0.1}, "is not that of 6 creates a minute"),
        ({"active": True, "limit": 1, "slot_decay_per_second": 0.1}, None),
    ],
    ids=["missing", "other pace", "off", "right"],
)
def test_a_limit_that_is_missing_or_differs_is_warned_of(  # noqa: PLR0917
    quick, doctor, machine, prefect, limit, found
):
    b = quick()
    west = {"name": "west", "endpoint": b.emulator.endpoint, "speech_key": b.emulator.key, "creates_per_minute": 6}
    prefect.world.limits = {} if limit is None else {"batch-avatar-west": limit}
    machine(PREFECT_API_URL=prefect.api_url)

    said = doctor(b, endpoint=None, speech_key=None, resources=json.dumps([west]))

    if found is None:
        assert (said.failed, said.warned) == ([], [])
    else:
        assert found in said.only_warning("prefect limits", fix="python -m deployments.bootstrap")


def test_deployments_that_are_missing_are_warned_of(beside):
    said = beside(deployed=("render-script/ad-hoc",))

    found = said.only_warning("prefect deployments", fix="prefect deploy --all")
    assert "render-batch/ad-hoc" in found


@pytest.mark.parametrize(
    ("automations", "fix"),
    [
        ([{"name": "somebody else's", "enabled": True}], "python -m deployments.bootstrap"),
        ([{"name": "batch-avatar: crash", "enabled": False}], "prefect automation resume 'batch-avatar: crash'"),
    ],
    ids=["none", "off"],
)
def test_automations_that_are_missing_or_off_are_warned_of(beside, automations, fix):
    beside(automations=automations).only_warning("prefect automations", fix=fix)
