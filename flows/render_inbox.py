"""Render scripts that are dropped as blobs into a container; for a schedule."""

from __future__ import annotations

from typing import Annotated

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed
from pydantic import Field

from batch_avatar.errors import InputError
from batch_avatar.planning.budget import Budget
from batch_avatar.planning.options import RenderOptions
from batch_avatar.planning.order import Order
from batch_avatar.planning.packing import MAX_INPUTS
from batch_avatar.planning.permits import Permits
from batch_avatar.settings import load_settings
from tasks.inbox import render_inbox_as_task_runs


@flow(name="render-inbox", flow_run_name="render the inbox", persist_result=False)
async def render_inbox(
    *,
    accept_changes: bool = False,
    keep_changed: bool = False,
    allow_long: bool = False,
    retry_failed: bool = False,
    rerender_lost: bool = False,
    order: Order = Order.LONGEST,
    pack: Annotated[int, Field(ge=0, le=MAX_INPUTS)] = 1,
    max_minutes: Annotated[float, Field(ge=0)] | None = None,
    max_cost: Annotated[float, Field(ge=0)] | None = None,
    max_jobs: Annotated[int, Field(ge=0)] | None = None,
) -> State[None]:
    """Render what lies in the inbox and what is dropped meanwhile; the run is green only when all of it is archived.

    Args:
        accept_changes: Render changed scripts, however many there are, and those of which only the look changed.
        keep_changed: Leave archived scripts of which only the look changed as they are; they are moved to processed/.
        allow_long: Send scripts whose video is predicted to be far longer than 20 minutes, where the service cuts.
        retry_failed: Send scripts again that failed for good in an earlier run; each may be billed again.
        rerender_lost: Send scripts again that were paid for and are lost, or were archived without their video.
        order: Of the scripts taken together, "longest" sends the longest predicted video first; "manifest" sends the
            oldest drop first.
        pack: Send up to this many scripts in one job; 0 chooses what is fastest. Needs a staging container.
        max_minutes: Create no more jobs than for so many minutes of video, as predicted. The drops that are left out
            stay in the inbox for a later run.
        max_cost: Create no more jobs than cost so much, as predicted, in the currency of BATCH_AVATAR_PRICES.
        max_jobs: Create no more jobs than this.
    """
    permits = Permits(
        retry_failed=retry_failed,
        rerender_lost=rerender_lost,
        accept_changes=accept_changes,
        keep_changed=keep_changed,
        allow_long=allow_long,
    )
    try:
        settings = load_settings()
    except InputError as error:
        return Failed(message=f"{error} - nothing was sent")
    budget = Budget.model_validate({"max_minutes": max_minutes, "max_cost": max_cost, "max_jobs": max_jobs})
    options = RenderOptions(permits=permits, order=order, pack=pack, budget=budget)
    return await render_inbox_as_task_runs(settings, options)
