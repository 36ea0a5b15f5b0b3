"""A run on a real storage and the emulated service, in time that does not have to pass."""

import asyncio
import secrets
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.emulator.storage.azurite import USER_ACCOUNT
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering.connect import open_run
from batch_avatar.settings import Settings


class JumpingClock:
    """Its sleeps take no time of ours: the clock, and the service's with it, stands at their end at once."""

    def __init__(self, emulator):
        self.slept = []
        self._emulator = emulator
        self._started = datetime.now(UTC)

    def now(self):
        return self._started + timedelta(seconds=self.monotonic())

    def monotonic(self):
        return sum(self.slept)

    async def sleep(self, seconds):
        if seconds > 0:
            self.slept.append(seconds)
            self._emulator.advance(seconds)
        await asyncio.sleep(0)


class Bench:
    """One emulated resource and one empty archive; `overrides` are settings for all that is done with them."""

    def __init__(self, emulator, connection_string):
        self.emulator = emulator
        self.clock = JumpingClock(emulator)
        self.overrides = {}
        self._connection_string = connection_string
        self.container = f"rendering-{secrets.token_hex(6)}"

    @asynccontextmanager
    async def open(self, *, permits=None, **overrides):
        given = {
            "endpoint": self.emulator.endpoint,
            "speech_key": self.emulator.key,
            "storage_connection_string": self._connection_string,
            "container": self.container,
            "creates_per_minute": 0,
        }
        async with open_run(Settings(**given | self.overrides | overrides), "r", clock=self.clock) as run:
            run.permits = permits or Permits()
            yield run

    def blobs(self):
        """Name to bytes of the whole archive."""
        with ContainerClient.from_connection_string(self._connection_string, self.container) as client:
            return {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}

    def accepted(self):
        """Names of the jobs that the service took, each as often as it took one."""
        counts = self.emulator.stats()["creates"]["accepted_by_name"]
        return sorted(name for name, count in counts.items() for _ in range(count))

    def inputs(self, job_id):
        (job,) = (job for job in self.emulator.jobs() if job["name"] == job_id)
        return len(job["inputs"])

    def asked(self, operation):
        return sum(self.emulator.stats()["requests"].get(operation, {}).values())


@pytest.fixture
def bench(azurite, start_emulator):
    """`bench(*faults, **options)` starts an emulator with an archive of its own."""

    def start(*faults, **options):
        emulator = start_emulator(**({"list_lag_seconds": 0, "stepped_clock": True, "faults": faults} | options))
        return Bench(emulator, azurite.connection_string(USER_ACCOUNT))

    return start
