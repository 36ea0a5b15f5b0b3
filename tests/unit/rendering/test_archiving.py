"""What a job's outputs and links make of its script, on a real storage and the emulated service."""

import asyncio
import logging

import pytest
from pydantic import SecretStr

from batch_avatar.emulator.faults import Change, FaultRule
from batch_avatar.errors import SideFileMissing
from batch_avatar.models import JobStatus
from batch_avatar.rendering.archiving import archive_job, job_failed
from batch_avatar.rendering.outputs import Outputs
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.submission import Submission
from batch_avatar.upkeep.sweep import sweep
from tests.support.scripts import script

REFUSED = ["https://[/x?sig=canary", "https://169.254.169.254/x?sig=canary"]


async def ended(b, run):
    """The reference of a job that has succeeded, and the job."""
    ref = await Submission(run, script("intro"), run.connections.resource_of("")).submit()
    b.emulator.advance(3600)
    await asyncio.to_thread(b.emulator.settle)
    return ref, await run.connections.control(run.connections.resource_of("").client.get, ref.service_id)


@pytest.mark.parametrize("link", REFUSED)
async def test_a_failed_job_whose_summary_is_not_opened_fails_with_its_own_reason(bench, link):
    b = bench()
    async with b.open() as run:
        ref, job = await ended(b, run)
        job = job.model_copy(
            update={"status": JobStatus.FAILED, "error_message": "No such voice.", "summary_link": SecretStr(link)}
        )

        failure = await run.connections.control(job_failed, run.connections, ref, job)

        assert failure.message == "No such voice."


@pytest.mark.parametrize("link", REFUSED)
async def test_a_side_file_that_is_not_opened_is_missing_and_its_job_is_kept(bench, link, caplog):
    b = bench(FaultRule(operation="get", action=Change(members={"outputs.summary": link})))
    async with b.open() as run:
        ref, _ = await ended(b, run)

        with pytest.raises(SideFileMissing, match="summary"):
            await run.connections.transfer(archive_job, run, ref, without_side_files=False)
        with caplog.at_level(logging.WARNING):
            receipt = await run.connections.transfer(archive_job, run, ref, without_side_files=True)

        assert (receipt.missing, receipt.video.doubtful) == (("summary",), ("link",))
        assert "the summary of intro is not opened" in caplog.text
        assert "canary" not in caplog.text


async def test_a_sweep_archives_a_video_whose_summary_is_not_opened_and_keeps_its_job(bench):
    b = bench(FaultRule(operation="get", action=Change(members={"outputs.summary": REFUSED[0]})))
    async with b.open() as run:
        ref, _ = await ended(b, run)

        for actions in (["archive"], ["report"]):
            report = await sweep(plain_chain())

            assert [item.action for item in report.items] == actions
            assert not report.items[0].error

        assert run.connections.archive.read_receipt(ref.script_id, ref.content_id).missing == ("summary",)
        assert [job["removed"] for job in b.emulator.jobs()] == [None]


@pytest.mark.parametrize("internal_id", ["größe", "50%", "a b", " ", "x" * 501])
async def test_a_video_that_is_there_is_known_again_by_its_job_whatever_its_id_holds(bench, internal_id):
    b = bench()
    async with b.open() as run:
        ref, job = await ended(b, run)
        job = job.model_copy(update={"internal_id": internal_id})
        gone = job.model_copy(update={"result_link": SecretStr("https://gone.invalid/0001.mp4")})

        def move(shown):
            return Outputs(run, ref, shown, read=lambda: shown).move("result", "video")

        stored = await run.connections.transfer(move, job)

        assert await run.connections.transfer(move, gone) == stored
