"""Send the scripts of dead letters again: one batch for each revision, and one report of all."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from batch_avatar.errors import Stopped
from batch_avatar.planning.permits import Permits
from batch_avatar.rendering.outcomes import build_report, outcome_of_error
from batch_avatar.rendering.run import current_run
from batch_avatar.rendering.runner import REPORT_SECONDS, publish_report, render_scripts
from batch_avatar.scripts.manifest import recheck_scripts
from batch_avatar.service.wire.generations import wire_for
from batch_avatar.upkeep.letters import scripts_to_replay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.archive.records import DeadLetter
    from batch_avatar.models import Outcome
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.report import BatchReport


async def replay_letters(letters: Sequence[DeadLetter], chain: Chain) -> BatchReport:
    """Send each script as it was, as its next attempt; errors and stops are those of `render_scripts`.

    Raises:
        InputError: a letter does not hold the whole script, or today's rules refuse the script.
    """
    run = current_run()
    c = run.connections
    wanted = scripts_to_replay(letters, archive_id=c.archive.archive_id)
    left = {script.script_id for scripts in wanted.values() for script in scripts}
    outcomes: list[Outcome] = []

    async def keep(report: BatchReport) -> None:
        outcomes.extend(report.outcomes)
        left.difference_update(outcome.script_id for outcome in report.outcomes)

    for scripts in wanted.values():
        recheck_scripts(scripts, wire=wire_for(c.settings.api_version))
    try:
        for revision, scripts in wanted.items():
            permits = Permits(revision=revision, retry_failed=True, allow_long=True)
            await render_scripts(scripts, chain, permits=permits, publish=keep)
    except asyncio.CancelledError:
        reason = Stopped("the run was stopped; it was not sent in this run")
        outcomes += [outcome_of_error(reason, script_id, prefix="") for script_id in sorted(left)]
        with suppress(TimeoutError):
            async with asyncio.timeout(REPORT_SECONDS):
                await publish_report(build_report(run.name, outcomes))
        raise
    report = build_report(run.name, outcomes)
    if outcomes:
        await publish_report(report)
    return report
