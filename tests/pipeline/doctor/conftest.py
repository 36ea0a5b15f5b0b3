"""A doctor beside an emulator and Azurite: what it says of a fault that a test has planted."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import pytest
from azure.storage.blob import RetentionPolicy

from batch_avatar.doctor.checks import Status
from batch_avatar.doctor.examination import examine
from tests.support.answering_road import AnsweringRoad

FOREIGN = ("BATCH_AVATAR_", "PREFECT_", "AZURE_", "XDG_", "REQUESTS_CA_BUNDLE", "IDENTITY_", "MSI_")


@dataclass
class Found:
    checks: list

    @property
    def failed(self):
        return [check.name for check in self.checks if check.status is Status.FAILED]

    @property
    def warned(self):
        return [check.name for check in self.checks if check.status is Status.WARNING]

    def __getitem__(self, name):
        (check,) = (check for check in self.checks if check.name == name)
        return check

    def only_fault(self, name, *, fix):
        """This has failed and nothing else, and its fix has these words."""
        assert self.failed == [name], self.checks
        assert self.warned == []
        assert fix in self[name].fix
        return self[name].found

    def only_warning(self, name, *, fix):
        """Nothing has failed, and only this is warned of."""
        assert (self.failed, self.warned) == ([], [name]), self.checks
        assert fix in self[name].fix
        return self[name].found


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """`machine(**variables)`: the environment is that of a user without any setting but these; None takes one away."""
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.chdir(tmp_path)

    def set_up(**variables):
        for name, value in variables.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, str(value))

    return set_up


@pytest.fixture
def doctor(machine):
    """`doctor(bench, **variables)`: what is found with the settings of a bench and these variables."""

    def look(bench, **variables):
        machine(**(bench.environment() | {f"BATCH_AVATAR_{name.upper()}": one for name, one in variables.items()}))
        return Found(examine())

    return look


@pytest.fixture(scope="session", autouse=True)
def _soft_delete(user_storage):
    """As careful people have it."""
    user_storage.set_service_properties(delete_retention_policy=RetentionPolicy(enabled=True, days=7))


@pytest.fixture
def road(azurite):
    with AnsweringRoad(azurite.url) as running:
        yield running


@pytest.fixture
def by_road(quick, road):
    """A bench whose storage is reached by the road; its archive is there."""
    direct = quick()
    direct.render([])
    return replace(direct, connection_string=road.connection_string(direct.connection_string))
