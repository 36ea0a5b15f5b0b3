"""Fixtures for every test folder, and the watch over what they leave to their ends."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import HealthCheck, settings

from batch_avatar.emulator.storage.azurite import Azurite

TEARDOWN_SECONDS = 300
"""Far more than any fixture takes to end, and less than anybody waits for a CI that says nothing."""

# As Hypothesis does where it sees a CI, so that all machines test the same: a slow one is no failure.
settings.register_profile(
    "everywhere",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("everywhere")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown():
    """End a process whose fixtures hang, with the stacks of its threads: a failed test has no other watch."""
    watch = threading.Timer(TEARDOWN_SECONDS, os.abort)
    watch.daemon = True
    watch.start()
    try:
        return (yield)
    finally:
        watch.cancel()


@pytest.hookimpl(wrapper=True)
def pytest_assertrepr_compare():
    """Tell differences as briefly as anywhere: on CI pytest tells them whole, which for two videos takes minutes."""
    kept = {name: os.environ.pop(name) for name in ("CI", "BUILD_NUMBER") if name in os.environ}
    try:
        return (yield)
    finally:
        os.environ.update(kept)


@pytest.fixture(scope="session")
def azurite():
    """One storage emulator a session, with a service account and a user account."""
    with Azurite() as running:
        yield running
