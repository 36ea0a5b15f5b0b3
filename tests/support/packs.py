"""Several scripts in one job: what tests of packs do with a bench that has a staging container, and what must hold."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import contextmanager

from azure.storage.blob import ContainerClient

from batch_avatar.rendering import stages
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from tests.support.scripts import script

WORDS = "The rainbow has seven colors, and each of them has a name of its own. "
PATIENCE_SECONDS = 60


def scripts_of(count, **members):
    """Of different lengths, so that their videos and bills differ."""
    return [script(f"s{n}", content=f"Number {n}. " + WORDS * n, **members) for n in range(1, count + 1)]


def render_packed(b, scripts, size, *, settings=None, **overrides):
    async def work():
        async with open_run(settings or b.settings(**overrides), "r"), asyncio.timeout(PATIENCE_SECONDS):
            return await render_scripts(scripts, plain_chain(), pack=size)

    return asyncio.run(work())


def submit_pack(b, scripts, **overrides):
    """Claim and send, and no more: as a run that dies then."""

    async def work():
        async with open_run(b.settings(**overrides), "dies-early"):
            return await stages.submit_pack(tuple(scripts))

    return asyncio.run(work())


@contextmanager
def staging_of(b):
    """The container that packed jobs are written into."""
    with ContainerClient.from_connection_string(b.connection_string, b.overrides["staging_container"]) as client:
        yield client


def staged(b):
    """Names of all that lies there."""
    with staging_of(b) as client:
        return sorted(blob.name for blob in client.list_blobs())


def creates(b):
    found = b.emulator.stats()["creates"]
    return {"accepted": found["accepted"], "packs": found["packs"], "inputs": found["inputs"]}


def jobs_left(b):
    return [job["id"] for job in b.emulator.jobs() if not job["removed"]]


def rendered(b):
    """By the key of its content, the SHA-256 of each video that the service made."""
    return {one["content"]: one["sha256"] for job in b.emulator.jobs() for one in job["inputs"] if one["sha256"]}


def key_of(one):
    return hashlib.sha256(one.content.encode()).hexdigest()[:16]


def assert_all_right(b, scripts):
    """Each script has its own video, nothing was paid twice, and nothing is left anywhere."""
    receipts, blobs, made = b.receipts(), b.blobs(), rendered(b)
    assert set(receipts) == {one.script_id for one in scripts}
    for one in scripts:
        receipt = receipts[one.script_id]
        content = blobs[receipt["video"]["blob_name"]]
        assert hashlib.sha256(content).hexdigest() == receipt["video"]["sha256"] == made[key_of(one)]
        [own] = json.loads(blobs[receipt["summary"]["blob_name"]])["results"]
        assert own["texts"] == [one.content]
        assert b.claim(one.script_id)["attempts"][-1]["job_id"] == receipt["job_id"]
    assert (staged(b), jobs_left(b)) == ([], [])
    told = {name: content for name, content in blobs.items() if not name.endswith(".mp4")}  # a video has random bytes
    assert not [name for name, content in told.items() if b"sig=" in content or b"sig%3D" in content]
