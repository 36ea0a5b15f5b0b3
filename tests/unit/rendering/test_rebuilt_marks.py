"""What is missing or doubtful about a video is known of a receipt that was lost and rebuilt as well."""

import asyncio
import json

import pytest
from azure.storage.blob import ContainerClient

from batch_avatar.archive.rescue import rescue_receipt
from batch_avatar.emulator.faults import Change, FaultRule
from batch_avatar.rendering.archiving import archive_job
from batch_avatar.rendering.submission import Submission
from tests.support.scripts import script

REFUSED = FaultRule(operation="get", action=Change(members={"outputs.summary": "https://169.254.169.254/x"}))
NO_SUBTITLES = FaultRule(operation="get", action=Change(members={"outputs.subtitle": None}))


def mistake_summary(b):
    """Have the service show another job's summary."""
    (job,) = b.emulator.jobs()
    (name,) = (output["name"] for output in job["outputs"] if output["role"] == "summary")
    blob = b.emulator.service.outputs.storage.get_blob_client("batchsynthesis-output", name)
    said = json.loads(blob.download_blob().readall()) | {"jobID": "another"}
    blob.upload_blob(json.dumps(said), overwrite=True)


@pytest.mark.parametrize(
    ("fault", "members", "missing", "doubtful"),
    [
        (REFUSED, {}, ("summary",), ("link",)),
        (None, {}, (), ("summary",)),
        (NO_SUBTITLES, {"subtitle_type": "external_file"}, ("subtitles",), ()),
    ],
    ids=["link", "summary", "subtitles"],
)
async def test_a_rebuilt_receipt_says_the_same_of_what_is_missing_or_doubtful(bench, fault, members, missing, doubtful):
    b = bench(*([fault] if fault else []))
    async with b.open() as run:
        c = run.connections
        ref = await Submission(run, script("intro", **members), c.resource_of("")).submit()
        b.emulator.advance(3600)
        await asyncio.to_thread(b.emulator.settle)
        if fault is None:
            mistake_summary(b)
        written = await c.transfer(archive_job, run, ref, without_side_files=True)
        with ContainerClient.from_connection_string(b._connection_string, b.container) as container:  # noqa: SLF001
            container.delete_blob(f"{c.archive.prefix_of(ref)}receipt.json")

        rebuilt = rescue_receipt(c.archive, c.archive.read_claim(ref.script_id, ref.content_id).claim)

        assert (written.missing, written.video.doubtful) == (missing, doubtful)
        assert (rebuilt.missing, rebuilt.video.doubtful) == (missing, doubtful)
        assert rebuilt.video == written.video


async def test_a_receipt_is_rebuilt_though_its_summary_is_in_the_tier_archive(bench):
    b = bench()
    async with b.open() as run:
        c = run.connections
        ref = await Submission(run, script("intro"), c.resource_of("")).submit()
        b.emulator.advance(3600)
        await asyncio.to_thread(b.emulator.settle)
        before = await c.transfer(archive_job, run, ref, without_side_files=False)
        with ContainerClient.from_connection_string(b._connection_string, b.container) as container:  # noqa: SLF001
            container.delete_blob(f"{c.archive.prefix_of(ref)}receipt.json")
            container.get_blob_client(before.summary.blob_name).set_standard_blob_tier("Archive")

        claim = c.archive.read_claim(ref.script_id, ref.content_id).claim
        assert rescue_receipt(c.archive, claim).video == before.video
