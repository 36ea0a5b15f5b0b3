"""The whole path on real parts: Azurite, the emulator over HTTP, and the core or the command in front of them."""

from __future__ import annotations

import secrets
import signal
from typing import TYPE_CHECKING

import pytest

from batch_avatar.commands.stack import start_stack
from batch_avatar.emulator.options import Progression
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from tests.support.bench import QUICK, Bench
from tests.support.deploying import asked, patient
from tests.support.processes import own_environment
from tests.support.scripts import script, write_manifest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def _hear_hang_ups():
    """Have commands start with SIGHUP as a terminal leaves it, also where these tests run under `nohup`.

    A process inherits that a signal is ignored, but not a handler.
    """
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def bench(azurite, start_emulator):
    """`bench(**options)` starts an emulator; it ends with the test."""

    def start(**options) -> Bench:
        emulator = start_emulator(**({"media": "minimal", "progression": QUICK} | options))
        return Bench(emulator, azurite.connection_string(USER_ACCOUNT), f"test-{secrets.token_hex(6)}")

    return start


@pytest.fixture
def quick(bench):
    """Like `bench`; jobs end at the first look, and the list shows them at once."""

    def start(**options) -> Bench:
        return bench(**({"progression": Progression.at_once(), "list_lag_seconds": 0} | options))

    return start


@pytest.fixture
def packs(quick):
    """`packs(...)`: a `quick` bench with a staging container."""

    def start(**options):
        b = quick(**options)
        b.overrides["staging_container"] = f"{b.container_name}-staging"
        return b

    return start


@pytest.fixture
def written(tmp_path):
    """`written(*scripts)` puts them into a `scripts.jsonl` and gives its folder."""

    def write(*scripts) -> Path:
        return write_manifest(tmp_path, scripts).parent

    return write


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """Azurite, emulator and Prefect server; service time 2000 times faster."""
    running = start_stack(tmp_path_factory.mktemp("stack"), time_scale=2000)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def environment(stack, tmp_path):
    """Of a process that works on the stack, in a home and with an archive of its own."""
    return {
        **own_environment(tmp_path),
        **stack.environment,
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "BATCH_AVATAR_CONTAINER": f"c-{secrets.token_hex(6)}",
        "BATCH_AVATAR_POLL_INTERVAL_SECONDS": "0.3",
        "BATCH_AVATAR_CREATES_PER_MINUTE": "3000",
        **patient(stack),
    }


@pytest.fixture
def api(stack):
    """`api(path, **body)` asks the stack's Prefect server, again where its SQLite is busy."""
    return lambda path, **body: asked(stack, "POST", path, json=body).json()


@pytest.fixture
async def client(stack):
    """Of the stack's Prefect server."""
    from prefect.client.orchestration import PrefectClient  # takes 2 s to import, and most tests need none of it

    password = stack.environment["PREFECT_API_AUTH_STRING"]
    async with PrefectClient(f"{stack.prefect_url}/api", auth_string=password) as opened:
        yield opened


@pytest.fixture(name="script")
def script_fixture():
    return script
