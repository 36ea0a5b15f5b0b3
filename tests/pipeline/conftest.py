"""The whole path on real parts: Azurite, the emulator over HTTP, and the core or the command in front of them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.connect import open_connections
from batch_avatar.emulator.azurite import SERVICE_ACCOUNT, USER_ACCOUNT
from batch_avatar.emulator.options import EmulatorOptions, Progression
from batch_avatar.emulator.server import EmulatorServer
from batch_avatar.models import BatchReport, Script
from batch_avatar.retry import plain_chain
from batch_avatar.runner import render_scripts
from batch_avatar.settings import load_settings
from batch_avatar.stages import plan as plan_stage

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Progression.after_seconds(start_delay=0.1, overhead=0.2, per_video_second=0.05)


@dataclass
class Bench:
    """One emulated resource and one empty archive."""

    emulator: EmulatorServer
    connection_string: str
    container_name: str
    overrides: dict = field(default_factory=dict)

    def environment(self, **extra):
        return {
            "BATCH_AVATAR_ENDPOINT": self.emulator.endpoint,
            "BATCH_AVATAR_SPEECH_KEY": self.emulator.key,
            "BATCH_AVATAR_STORAGE_CONNECTION_STRING": self.connection_string,
            "BATCH_AVATAR_CONTAINER": self.container_name,
            "BATCH_AVATAR_CREATES_PER_MINUTE": "0",
            "BATCH_AVATAR_POLL_INTERVAL_SECONDS": "0.2",
        } | {name: str(value) for name, value in extra.items()}

    def settings(self, **overrides):
        return load_settings(
            endpoint=self.emulator.endpoint,
            speech_key=self.emulator.key,
            storage_connection_string=self.connection_string,
            container=self.container_name,
            **({"creates_per_minute": 0, "poll_interval_seconds": 0.2} | overrides),
        )

    def render(self, scripts, *, run=None, events=None, **overrides) -> BatchReport:
        async def work():
            async with open_connections(self.settings(**overrides), run=run or secrets.token_hex(4)) as c:
                if events is not None:
                    c.listeners.append(events.append)
                return await render_scripts(scripts, plain_chain())

        return asyncio.run(work())

    def plan(self, scripts, **overrides):
        async def work():
            async with open_connections(self.settings(**overrides), run="plan"):
                return await plan_stage(scripts)

        return asyncio.run(work())

    @contextmanager
    def container(self):
        with ContainerClient.from_connection_string(self.connection_string, self.container_name) as client:
            yield client

    def blobs(self):
        """Name to bytes of everything in the archive."""
        with self.container() as client:
            return {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}

    def receipts(self):
        return {
            name.split("/")[0]: json.loads(content)
            for name, content in self.blobs().items()
            if name.endswith("/receipt.json")
        }

    def accepted(self):
        return self.emulator.stats()["creates"]["accepted_by_id"]

    def command(self, *arguments, folder: Path, timeout=120, **extra):
        """The command as a user runs it, in an empty home without any Prefect settings."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("BATCH_AVATAR_", "PREFECT_"))}
        return subprocess.run(
            [sys.executable, "-m", "batch_avatar.cli", *map(str, arguments)],
            cwd=folder,
            env={**clean, "HOME": str(folder), **self.environment(**extra)},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


@pytest.fixture
def bench(azurite):
    """`bench(**options)` starts an emulator; it ends with the test."""
    running: list[EmulatorServer] = []

    def start(**options) -> Bench:
        options = {"creates_per_minute": 0, "media": "minimal", "progression": QUICK} | options
        emulator = EmulatorServer(
            EmulatorOptions(**options), storage_connection_string=azurite.connection_string(SERVICE_ACCOUNT)
        ).start()
        running.append(emulator)
        return Bench(emulator, azurite.connection_string(USER_ACCOUNT), f"test-{secrets.token_hex(6)}")

    yield start
    for emulator in running:
        emulator.stop()


def script(name="intro", **members) -> Script:
    """A valid script."""
    given = {
        "script_id": name,
        "content": f"The rainbow has seven colors, says {name}.",
        "voice": "en-US-AvaMultilingualNeural",
        "talking_avatar_character": "lisa",
        "talking_avatar_style": "graceful-sitting",
    }
    return Script.model_validate(given | members)


@pytest.fixture(name="script")
def script_fixture():
    return script
