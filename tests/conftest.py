"""Fixtures for every test folder, and the watch over what they leave to their ends."""

from __future__ import annotations

import gc
import os
import threading
from contextlib import ExitStack

import pytest
from azure.storage.blob import BlobServiceClient
from hypothesis import HealthCheck, settings

from batch_avatar.emulator.options import EmulatorOptions
from batch_avatar.emulator.storage.azurite import SERVICE_ACCOUNT, USER_ACCOUNT, Azurite
from batch_avatar.emulator.web.server import EmulatorServer
from batch_avatar.safe_text.redaction import forgetting

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


def pytest_collection_finish():
    """Let collections pass over what all tests share: looking through it took a third of a second each time."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture(autouse=True)
def secrets_of_its_own():
    """What a test makes known as a secret is forgotten with it: else the next may find REDACTED in its texts."""
    with forgetting():
        yield


@pytest.fixture(scope="session")
def azurite():
    """One storage emulator a session, with a service account and a user account."""
    with Azurite() as running:
        yield running


@pytest.fixture(scope="session")
def user_storage(azurite):
    """The user's account."""
    with BlobServiceClient.from_connection_string(azurite.connection_string(USER_ACCOUNT)) as client:
        yield client


@pytest.fixture
def start_emulator(azurite):
    """`start_emulator(**options)`: the service over HTTP, which takes creates at once; it ends with the test."""
    with ExitStack() as running:

        def start(**options) -> EmulatorServer:
            return running.enter_context(
                EmulatorServer(
                    EmulatorOptions(**({"creates_per_minute": 0} | options)),
                    storage_connection_string=azurite.connection_string(SERVICE_ACCOUNT),
                )
            )

        yield start
