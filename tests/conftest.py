"""Fixtures for every test folder."""

from __future__ import annotations

import pytest

from batch_avatar.emulator.azurite import Azurite


@pytest.fixture(scope="session")
def azurite():
    """One storage emulator a session, with a service account and a user account."""
    with Azurite() as running:
        yield running
