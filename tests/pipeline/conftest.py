"""The whole path on real parts: Azurite, the emulator over HTTP, and the core or the command in front of them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import requests
from azure.storage.blob import ContainerClient

from batch_avatar.commands.stack import start_stack
from batch_avatar.emulator.options import EmulatorOptions, Progression
from batch_avatar.emulator.storage.azurite import SERVICE_ACCOUNT, USER_ACCOUNT
from batch_avatar.emulator.web.server import EmulatorServer
from batch_avatar.models import Script
from batch_avatar.rendering import stages, survey
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.settings import load_settings
from batch_avatar.upkeep.sweep import sweep
from tests.support.waiting import answered

if TYPE_CHECKING:
    from pathlib import Path

    from batch_avatar.models import JobRef
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.upkeep.sweep import SweepReport

PREFECT_SECONDS = 90.0
"""For an answer of its server, which lets SQLite wait 60 s for its lock (`PRAGMA busy_timeout` in Prefect 3.8)."""
QUICK = Progression.after_seconds(start_delay=0.1, overhead=0.2, per_video_second=0.05)


@dataclass
class Bench:
    """One emulated resource and one empty archive; `overrides` are settings for all that is done with them."""

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
            **{f"BATCH_AVATAR_{name.upper()}": str(value) for name, value in self.overrides.items()},
        } | {name: str(value) for name, value in extra.items()}

    def settings(self, **overrides):
        return load_settings(
            endpoint=self.emulator.endpoint,
            speech_key=self.emulator.key,
            storage_connection_string=self.connection_string,
            container=self.container_name,
            **({"creates_per_minute": 0, "poll_interval_seconds": 0.2} | self.overrides | overrides),
        )

    def render(self, scripts, *, run=None, batch="", events=None, permits=None, clock=None, **overrides) -> BatchReport:
        async def work():
            run_name = run or secrets.token_hex(4)
            async with open_run(self.settings(**overrides), run_name, batch=batch, clock=clock) as live:
                if events is not None:
                    live.listeners.append(events.append)
                return await render_scripts(scripts, plain_chain(), permits=permits)

        return asyncio.run(work())

    def plan(self, scripts, **overrides):
        async def work():
            async with open_run(self.settings(**overrides), "plan"):
                return await survey.plan(scripts)

        return asyncio.run(work())

    def submit(self, scripts, *, permits=None, **overrides) -> list[JobRef]:
        """Claim and send, and no more: as a run that dies then."""

        async def work():
            async with open_run(self.settings(**overrides), "dies-early") as run:
                run.permits = permits or run.permits
                return [await stages.submit(script) for script in scripts]

        return asyncio.run(work())

    def sweep(self, *, dry_run=False, clock=None, **overrides) -> SweepReport:
        async def work():
            async with open_run(self.settings(**overrides), "sweep", clock=clock, create_archive=False):
                return await sweep(plain_chain(), dry_run=dry_run)

        return asyncio.run(work())

    @contextmanager
    def container(self):
        with ContainerClient.from_connection_string(self.connection_string, self.container_name) as client:
            yield client

    def blobs(self):
        """Name to bytes of everything in the archive."""
        with self.container() as client:
            return {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs()}

    def etags(self):
        """Name to version of everything in the archive."""
        with self.container() as client:
            return {blob.name: blob.etag for blob in client.list_blobs()}

    def documents(self, ending):
        """The JSON documents whose names end so, by name."""
        return {name: json.loads(content) for name, content in self.blobs().items() if name.endswith(ending)}

    def claim(self, script_id):
        """Of a script with one content."""
        (claim,) = (claim for claim in self.documents("/claim.json").values() if claim["script_id"] == script_id)
        return claim

    def letters(self):
        """Dead letters by script."""
        found = {name: letter for name, letter in self.documents(".json").items() if name.startswith("_failed/")}
        return {letter["ref"]["script_id"]: letter for letter in found.values()}

    def delete_blob(self, pattern):
        """The one whose name matches; its old content."""
        (name,) = (name for name in self.etags() if re.fullmatch(pattern, name))
        with self.container() as client:
            blob = client.get_blob_client(name)
            content = blob.download_blob().readall()
            blob.delete_blob()
        return content

    def delete_job(self, job_id):
        """By hand, as soon as it has ended."""
        self.emulator.settle()
        url = f"{self.emulator.endpoint}/avatar/batchsyntheses/{job_id}?api-version=2024-08-01"
        answer = requests.delete(url, headers={"Ocp-Apim-Subscription-Key": self.emulator.key}, timeout=30)
        assert answer.status_code == 204, answer.text

    def replace_result(self, job_id, change):
        """Have the service keep `change(video)` where the job's video was."""
        self.emulator.settle()
        (job,) = (job for job in self.emulator.jobs() if job_id in (job["id"], job["name"]))
        (video,) = (output["name"] for output in job["outputs"] if output["role"] == "video")
        blob = self.emulator.service.outputs.storage.get_blob_client("batchsynthesis-output", video)
        blob.upload_blob(change(blob.download_blob().readall()), overwrite=True)

    def end_jobs(self):
        """Let stuck jobs go, and return when all have ended."""
        self.emulator.release()
        self.emulator.settle()
        assert all(job["terminal"] or job["removed"] for job in self.emulator.jobs())

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
            [sys.executable, "-m", "batch_avatar.commands.cli", *map(str, arguments)],
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


@pytest.fixture
def quick(bench):
    """Like `bench`; jobs end at the first look, and the list shows them at once."""

    def start(**options) -> Bench:
        return bench(**({"progression": Progression.at_once(), "list_lag_seconds": 0} | options))

    return start


@pytest.fixture
def written(tmp_path):
    """`written(*scripts)` puts them into a `scripts.jsonl` and gives its folder."""

    def write(*scripts) -> Path:
        lines = [script.model_dump_json(exclude_unset=True) for script in scripts]
        (tmp_path / "scripts.jsonl").write_text("\n".join(lines))
        return tmp_path

    return write


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """Azurite, emulator and Prefect server; service time 2000 times faster."""
    running = start_stack(tmp_path_factory.mktemp("stack"), time_scale=2000)
    try:
        yield running
    finally:
        running.stop()


def patient(stack) -> dict[str, str]:
    """Deadlines for the stack's jobs that no slow machine reaches, since its service's time runs so much faster."""
    seconds = f"{PREFECT_SECONDS * stack.time_scale:g}"
    return {f"BATCH_AVATAR_{deadline}_DEADLINE_SECONDS": seconds for deadline in ("START", "JOB")}


@pytest.fixture
def api(stack):
    """`api(path, **body)` asks the stack's Prefect server, again where its SQLite is busy."""
    return lambda path, **body: answered("POST", f"{stack.prefect_url}/api/{path}", json=body).json()


@pytest.fixture
async def client(stack):
    """Of the stack's Prefect server."""
    from prefect.client.orchestration import PrefectClient  # takes 2 s to import, and most tests need none of it

    async with PrefectClient(f"{stack.prefect_url}/api") as opened:
        yield opened


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
