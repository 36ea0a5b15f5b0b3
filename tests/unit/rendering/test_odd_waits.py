"""A job that shows a result and whose result is not there: it is asked for seldom, and nobody waits behind it."""

import asyncio

import pytest

from batch_avatar.emulator.faults import EndJob, FaultRule, Status
from batch_avatar.errors import JobOverdue
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.rendering.submission import Submission
from tests.support.scripts import script

DEADLINE = 4 * 3600
MOST = 40
"""Far more looks than pauses that grow from one minute to ten fit into the deadline."""


def ends(status="Completed", **members):
    return FaultRule(operation="create", action=EndJob(status=status, result="gone"), **members)


async def sent(b, run):
    ref = await Submission(run, script("intro"), run.connections.resource_of("")).submit()
    b.emulator.advance(600)
    await asyncio.to_thread(b.emulator.settle)
    b.clock.slept.clear()
    return ref


@pytest.mark.parametrize(
    ("status", "dead_link"),
    [("Completed", False), ("Completed", True), ("Failed", True)],
    ids=["nothing there", "not told", "Failed, not told"],
)
async def test_a_job_whose_shown_result_is_not_there_is_asked_for_seldom_until_its_deadline(bench, status, dead_link):
    b = bench(
        ends(status),
        *([FaultRule(operation="download", action=Status(status=403))] if dead_link else []),
        storage_front=dead_link,
    )
    async with b.open(job_deadline_seconds=DEADLINE) as run:
        ref = await sent(b, run)

        with pytest.raises(JobOverdue, match="deadline"):
            await plain_chain().wait(ref)

        assert 5 < b.asked("get") <= MOST
        pauses = [seconds for seconds in b.clock.slept if seconds >= 60]
        assert pauses[0] == 60
        assert pauses[:-1] == sorted(pauses[:-1])  # the last one ends with the deadline
        assert max(pauses) == 600
        assert sum(b.clock.slept) < DEADLINE + 600


async def test_a_script_waits_for_no_slot_behind_a_job_whose_result_is_not_there(bench):
    b = bench(ends(job_id="^odd-"))
    async with b.open(max_unfinished_jobs=1, max_attempts=1, job_deadline_seconds=DEADLINE) as run:
        report = await render_scripts([script("odd"), script("next")], plain_chain())

        assert {one.script_id: one.outcome for one in report.outcomes} == {"odd": "failed", "next": "archived"}
        archive = run.connections.archive
        sent_at = archive.read_claim("odd", run.content_ids["odd"]).claim.last.accepted_at
        archived_at = archive.read_receipt("next", run.content_ids["next"]).archived_at
        assert (archived_at - sent_at).total_seconds() < DEADLINE / 2
