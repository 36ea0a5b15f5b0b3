"""A job that shows a result and whose result is not there: it is asked for seldom, and nobody waits behind it."""

import asyncio

import pytest

from batch_avatar.emulator.faults import EndJob, FaultRule, Status
from batch_avatar.errors import JobOverdue, LinkRefused
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.rendering.submission import Submission
from tests.support.scripts import script

DEADLINE = 4 * 3600
MOST = 40
"""Far more looks than pauses that grow from one minute to ten fit into the deadline."""


def ends(status="Completed", *, result="gone", **members):
    return FaultRule(operation="create", action=EndJob(status=status, result=result), **members)


async def sent(b, run):
    ref = await Submission(run, script("intro"), run.connections.resource_of("")).submit()
    b.emulator.advance(600)
    await asyncio.to_thread(b.emulator.settle)
    b.clock.slept.clear()
    return ref


NOT_TOLD = FaultRule(operation="download", action=Status(status=403))


@pytest.mark.parametrize(
    ("status", "dead_link", "end"),
    [("Completed", False, JobOverdue), ("Completed", True, LinkRefused), ("Failed", True, LinkRefused)],
    ids=["nothing there", "not told", "Failed, not told"],
)
async def test_a_job_whose_shown_result_is_not_there_is_asked_for_seldom_until_its_deadline(
    bench, status, dead_link, end
):
    b = bench(ends(status), *([NOT_TOLD] if dead_link else []), storage_front=dead_link)
    async with b.open(job_deadline_seconds=DEADLINE) as run:
        ref = await sent(b, run)

        with pytest.raises(end, match="deadline"):
            await plain_chain().wait(ref)

        assert 5 < b.asked("get") <= MOST
        pauses = [seconds for seconds in b.clock.slept if seconds >= 60]
        assert pauses[0] == 60
        assert pauses[:-1] == sorted(pauses[:-1])  # the last one ends with the deadline
        assert max(pauses) == 600
        assert sum(b.clock.slept) < DEADLINE + 600


@pytest.mark.parametrize("status", ["Completed", "Failed"])
@pytest.mark.parametrize("max_attempts", [1, 3])
async def test_a_job_of_which_nobody_can_tell_whether_its_result_is_there_is_unfinished_and_kept(
    bench, status, max_attempts
):
    """It was paid for: it is neither lost, nor failed, nor replaced, and archived once its result answers."""
    b = bench(ends(status, result="there"), NOT_TOLD, storage_front=True)
    async with b.open(job_deadline_seconds=DEADLINE, max_attempts=max_attempts):
        (outcome,) = (await render_scripts([script("intro")], plain_chain())).outcomes

    assert (outcome.outcome, outcome.error.failure_class) == ("unfinished", "unfinished")
    assert "run again" in outcome.error.message
    assert not [name for name in b.blobs() if name.startswith("_failed/")]
    await asyncio.to_thread(b.emulator.set_faults, [])
    async with b.open():
        assert (await render_scripts([script("intro")], plain_chain())).archived == 1
    assert len(b.accepted()) == 1


async def test_a_script_waits_for_no_slot_behind_a_job_whose_result_is_not_there(bench):
    b = bench(ends(job_id="^odd-"))
    async with b.open(max_unfinished_jobs=1, max_attempts=1, job_deadline_seconds=DEADLINE) as run:
        report = await render_scripts([script("odd"), script("next")], plain_chain())

        assert {one.script_id: one.outcome for one in report.outcomes} == {"odd": "failed", "next": "archived"}
        archive = run.connections.archive
        sent_at = archive.read_claim("odd", run.content_ids["odd"]).claim.last.accepted_at
        archived_at = archive.read_receipt("next", run.content_ids["next"]).archived_at
        assert (archived_at - sent_at).total_seconds() < DEADLINE / 2
