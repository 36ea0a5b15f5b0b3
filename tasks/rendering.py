"""The body that the flows share: render a batch as task runs, and show it in the UI."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from prefect.runtime import flow_run
from prefect.states import Failed

from batch_avatar.errors import BatchAvatarError, InputError
from batch_avatar.identity import signed_properties
from batch_avatar.planning.order import Order
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.report import BatchReport
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.scripts.manifest import check_scripts, read_scripts
from batch_avatar.service.wire.generations import wire_for
from tasks.crashes import crashed_too_often
from tasks.reporting import final_state, publish_report, summary_of, told_to_prefect
from tasks.steps import task_chain
from tasks.wanted import watching_wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from prefect.client.schemas.objects import State

    from batch_avatar.models import Permits, Script
    from batch_avatar.rendering.run import Run
    from batch_avatar.settings import Settings


def run_name() -> str:
    """Return the name of this flow run in claims, receipts and the report."""
    return f"flow-{flow_run.id}"


def gather_scripts(settings: Settings, *, sources: Sequence[str], scripts: Sequence[Script]) -> Sequence[Script]:
    """Return the scripts of the sources and those given as values.

    Raises:
        ManifestError: scripts have faults; the message lists every fault of every script.
        InputError: a signed link came as a parameter, where everyone who opens the UI could read it, or a script is
            given both as a parameter and in a source.
    """
    wire, defaults = wire_for(settings.api_version), settings.video_defaults()
    if signed := sorted({name for script in scripts for name in signed_properties(script)}):
        raise InputError(f"{', '.join(signed)}: holds a signature; put the script in a manifest instead")
    if not sources:
        return check_scripts(scripts, defaults=defaults, wire=wire)
    read = read_scripts(sources, defaults=defaults, wire=wire)
    given = check_scripts(scripts, defaults=defaults, wire=wire) if scripts else ()
    if twice := {script.script_id for script in given} & set(read.script_ids):
        raise InputError(f"given as a parameter and in a source: {', '.join(sorted(twice))}")
    for script in given:
        read.add(script)
    return read


async def render_as_task_runs(
    settings: Settings,
    scripts: Sequence[Script],
    *,
    permits: Permits | None = None,
    order: Order = Order.LONGEST,
    pack: int = 1,
    batch: str = "",
) -> State[None]:
    """Render the scripts, show it in the UI, and return the state to end the flow run with.

    After a cancellation the table still says where each script stands. `batch`: the run that this one is a part of.
    """

    async def work(run: Run) -> BatchReport:
        async with told_to_prefect(run):
            return await render_scripts(scripts, task_chain(), permits=permits, order=order, pack=pack)

    return await reported(settings, work, batch=batch)


async def reported(
    settings: Settings, work: Callable[[Run], Awaitable[BatchReport | State[None]]], *, batch: str = ""
) -> State[None]:
    """Do the work as a run, publish its report, and return the state to end the flow run with."""
    if (poisoned := await crashed_too_often()) is not None:
        return poisoned
    async with (
        watching_wanted(batch) as wanted,
        open_run(settings, run_name(), batch=batch, gate_of=wanted.gate_of) as run,
    ):
        try:
            done = await work(run)
        except BatchAvatarError as error:  # service or archive cannot be read: a message, not a stack trace
            return Failed(message=str(error), data=error)
        except asyncio.CancelledError:
            if run.report is None:
                raise
            await publish_report(run.report)
            return wanted.end(f"stopped: {summary_of(run.report)}")
        if not isinstance(done, BatchReport):
            return done
        await publish_report(done)
    return final_state(done)
