"""One emulated resource and one archive, and what a test does with both."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import requests
from azure.storage.blob import ContainerClient

from batch_avatar.archive.index import claim_metadata
from batch_avatar.archive.records import Claim
from batch_avatar.emulator.options import Progression
from batch_avatar.planning.options import RenderOptions
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering import stages
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.preparing import survey
from batch_avatar.rendering.preparing.preparation import preview
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.settings import load_settings
from batch_avatar.upkeep.sweep import sweep
from tests.support.processes import CLI, own_environment, run_python
from tests.support.signing import signed_url
from tests.support.waiting import ANSWER_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from batch_avatar.emulator.web.server import EmulatorServer
    from batch_avatar.models import JobRef
    from batch_avatar.rendering.preparing.preparation import Prepared
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.upkeep.sweep import SweepReport

QUICK = Progression.after_seconds(start_delay=0.1, overhead=0.2, per_video_second=0.05)
"""Jobs that end soon, and yet not at the first look."""
POLL_SECONDS = 0.05
"""A run that expects no end yet looks again after six of them."""


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
            "BATCH_AVATAR_POLL_INTERVAL_SECONDS": str(POLL_SECONDS),
            **{f"BATCH_AVATAR_{name.upper()}": str(value) for name, value in self.overrides.items()},
        } | {name: str(value) for name, value in extra.items()}

    def settings(self, **overrides):
        given = {
            "endpoint": self.emulator.endpoint,
            "speech_key": self.emulator.key,
            "storage_connection_string": self.connection_string,
            "container": self.container_name,
            "creates_per_minute": 0,
            "poll_interval_seconds": POLL_SECONDS,
        }
        return load_settings(**(given | self.overrides | overrides))

    def render(
        self, scripts, *, run=None, batch="", events=None, options=None, permits=None, clock=None, **overrides
    ) -> BatchReport:
        """`options`: all of them at once, as `RenderOptions`."""
        wanted = (options or RenderOptions(permits=permits or Permits())).keywords()

        async def work():
            run_name = run or secrets.token_hex(4)
            async with open_run(self.settings(**overrides), run_name, batch=batch, clock=clock) as live:
                if events is not None:
                    live.listeners.append(events.append)
                return await render_scripts(scripts, plain_chain(), **wanted)

        return asyncio.run(work())

    def prepare(self, scripts, options=None, *, run="plan", **overrides) -> Prepared:
        """What `batch-avatar plan` finds."""

        async def work():
            async with open_run(self.settings(**overrides), run, create_archive=False):
                return await preview(scripts, options or RenderOptions())

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

    def backdate(self, script_id, seconds):
        """As if the create of the script's last attempt had been answered so long before it was."""
        (name,) = (name for name, claim in self.documents("/claim.json").items() if claim["script_id"] == script_id)
        with self.container() as client:
            blob = client.get_blob_client(name)
            claim = Claim.model_validate_json(blob.download_blob().readall())
            answered = {"answered_at": claim.last.answered_at - timedelta(seconds=seconds)}
            attempts = (*claim.attempts[:-1], claim.last.model_copy(update=answered))
            claim = claim.model_copy(update={"attempts": attempts})
            blob.upload_blob(claim.model_dump_json(), overwrite=True, metadata=claim_metadata(claim))

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
        answer = self._ask("DELETE", job_id)
        assert answer.status_code == 204, answer.text

    def put_job(self, job_id, **members):
        """By a direct request, as somebody else on the same resource makes one."""
        body = {
            "inputKind": "PlainText",
            "inputs": [{"content": "Somebody else's."}],
            "synthesisConfig": {"voice": "en-US-AvaNeural"},
            "avatarConfig": {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "casual-sitting"},
        }
        answer = self._ask("PUT", job_id, json=body | members)
        assert answer.status_code == 201, answer.text

    def _ask(self, method, job_id, **options):
        """The service itself, as anybody may."""
        url = f"{self.emulator.endpoint}/avatar/batchsyntheses/{job_id}?api-version=2024-08-01"
        headers = {"Ocp-Apim-Subscription-Key": self.emulator.key}
        return requests.request(method, url, headers=headers, timeout=ANSWER_SECONDS, **options)

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

    def make_destination(self):
        """A container of the user's own: its signed link, for the service to write into."""
        name = f"staging-{self.container_name}"
        with ContainerClient.from_connection_string(self.connection_string, name) as client:
            client.create_container()
            return signed_url(client)

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
        environment = own_environment(folder) | self.environment(**extra)
        return run_python(*CLI, *arguments, folder=folder, environment=environment, timeout=timeout)
