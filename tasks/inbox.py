"""Render the inbox as a flow run, as `tasks.rendering` does with a batch, until nothing is left to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from batch_avatar.inbox.run import render_inbox
from batch_avatar.inbox.steps import NO_INBOX, look_into_inbox
from tasks.rendering import reported
from tasks.reporting import told_to_prefect
from tasks.steps import task_chain

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from batch_avatar.inbox.intake import Look
    from batch_avatar.planning.options import RenderOptions
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.rendering.run import Run
    from batch_avatar.settings import Settings


AUTO_SCHEDULED = "auto-scheduled"  # the tag that Prefect's scheduler gives its runs


async def render_inbox_as_task_runs(settings: Settings, options: RenderOptions) -> State[None]:
    """Render what lies in the inbox, show it in the UI, and return the state to end the flow run with.

    If there is nothing to take, nothing is shown. After a cancellation the table still says where each script stands.
    """
    if settings.inbox_container is None:
        if AUTO_SCHEDULED in flow_run.tags:  # deployed with all the others, though nobody set up an inbox
            return Completed(message=f"{NO_INBOX}, so there is nothing to do")
        return Failed(message=f"{NO_INBOX} - nothing was sent")

    async def work(run: Run) -> BatchReport | State[None]:
        first = await look_into_inbox()
        if not first:
            return Completed(message=_nothing(first, settings))
        async with told_to_prefect(run):
            report = await render_inbox(first, task_chain(), options)
        return report if report.scripts else Completed(message="other runs took every drop first")

    return await reported(settings, work)


def _nothing(look: Look, settings: Settings) -> str:
    if not look.waiting:
        return "nothing in the inbox"
    return (
        f"nothing to take in the inbox yet: {look.waiting} wait until they have not changed for "
        f"{settings.inbox_settle_seconds:g} s"
    )
