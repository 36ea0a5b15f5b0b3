"""A doubt that hits one video after another: no more are paid for until somebody has looked."""

from batch_avatar.emulator.faults import EndJob, FaultRule
from batch_avatar.models import OutcomeKind
from batch_avatar.rendering.retry import plain_chain
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.service.resource import SYSTEMIC
from tests.support.scripts import script


async def test_after_several_videos_with_the_same_doubt_a_run_archives_what_is_paid_and_sends_no_more(bench):
    b = bench(FaultRule(operation="create", action=EndJob(status="PartiallySucceeded")))
    paid = [script(f"s{number}") for number in range(SYSTEMIC + 2)]
    async with b.open() as run:
        chain = plain_chain()
        for one in paid:
            await chain.submit(one, "")

        first = await render_scripts(paid, chain)
        second = await render_scripts([script("next")], chain)

        assert first.archived == len(paid)
        (last,) = second.outcomes
        assert (last.outcome, last.error.code) == (OutcomeKind.UNFINISHED, "Doubtful")
        receipts = {one.blob_prefix for one in first.outcomes}
        for part in ("the same reason, status", "remote job", "run again"):
            assert part in last.error.message
        assert any(f"in {prefix}," in last.error.message for prefix in receipts)
        assert run.halted is not None
        assert len(b.accepted()) == len(paid)


async def test_who_runs_again_has_looked_and_the_run_goes_on(bench):
    """As the message says; or a thousand such scripts would take a hundred runs."""
    b = bench(FaultRule(operation="create", action=EndJob(status="PartiallySucceeded")))
    scripts = [script(f"s{number}") for number in range(3 * SYSTEMIC)]
    async with b.open(max_unfinished_jobs=2):
        first = await render_scripts(scripts, plain_chain())
    async with b.open(max_unfinished_jobs=2):
        second = await render_scripts(scripts, plain_chain())

    assert first.archived < len(scripts)
    assert (second.skipped, second.archived) == (first.archived, len(scripts) - first.archived)
