"""An inbox as a flow run: what `tasks.rendering` does for a batch, until nothing is left to take."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prefect.states import Cancelled, Completed, Failed

from batch_avatar.connect import open_connections
from batch_avatar.errors import BatchAvatarError
from batch_avatar.inbox_run import look_into_inbox, render_inbox
from batch_avatar.inbox_steps import NO_INBOX
from tasks.crashes import crashed_too_often
from tasks.rendering import run_name
from tasks.reporting import final_state, publish_report, summary_of, told_to_prefect
from tasks.shared_pace import shared_paces
from tasks.steps import task_chain

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from batch_avatar.dispatch import Order
    from batch_avatar.intake import Look
    from batch_avatar.models import Permits
    from batch_avatar.settings import Settings


async def render_inbox_as_task_runs(settings: Settings, *, permits: Permits, order: Order, pack: int) -> State[None]:
    """Render what lies in the inbox, and show it; an inbox with nothing to take shows nothing.

    The state to end the flow run with. Cancelled, the table still says where each script stands.
    """
    if settings.inbox_container is None:
        return Failed(message=f"{NO_INBOX} - nothing was sent")
    if (poisoned := await crashed_too_often()) is not None:
        return poisoned
    async with shared_paces() as gate_of, open_connections(settings, run=run_name(), gate_of=gate_of) as c:
        try:
            first = await look_into_inbox()
            if not first:
                return Completed(message=_nothing(first, settings))
            async with told_to_prefect(c):
                report = await render_inbox(first, task_chain(), permits=permits, order=order, pack=pack)
        except BatchAvatarError as error:  # the inbox cannot be read: a message, not a stack trace
            return Failed(message=str(error), data=error)
        except asyncio.CancelledError:
            if c.report is None:
                raise
            await publish_report(c.report)
            return Cancelled(message=f"stopped: {summary_of(c.report)}")  # not Crashed: nothing needs to be mended
        if report.scripts:
            await publish_report(report)
    return final_state(report)


def _nothing(look: Look, settings: Settings) -> str:
    if not look.waiting:
        return "nothing in the inbox"
    return (
        f"nothing to take in the inbox yet: {look.waiting} wait until they have not changed for "
        f"{settings.inbox_settle_seconds:g} s"
    )
