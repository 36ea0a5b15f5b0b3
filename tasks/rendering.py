"""The body that the flows share: render a batch as task runs, and show it in the UI."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.states import Failed

from batch_avatar.clock import today
from batch_avatar.errors import BatchAvatarError, InputError
from batch_avatar.identity import signed_properties
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.report import BatchReport
from batch_avatar.rendering.runner import render_scripts
from batch_avatar.scripts.findings import log_warnings
from batch_avatar.scripts.manifest import check_scripts, read_scripts
from batch_avatar.scripts.reading import Roots
from batch_avatar.scripts.voices import Known
from batch_avatar.service.voices.kept import known_voices
from batch_avatar.service.wire.generations import wire_for
from tasks.asking import RUN_PREFIX
from tasks.crashes import crashed_too_often
from tasks.plans import publish_plan
from tasks.reporting import final_state, publish_report, summary_of, told_to_prefect
from tasks.steps import task_chain
from tasks.wanted import watching_wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from prefect.client.schemas.objects import State

    from batch_avatar.models import Script
    from batch_avatar.planning.options import RenderOptions
    from batch_avatar.rendering.run import Run
    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.spool import ScriptSpool
    from batch_avatar.settings import Settings

logger = logging.getLogger("batch_avatar.scripts")

PROJECT = Path(__file__).resolve().parents[1]
"""The folder of the deployment: flows, tasks and prefect.yaml."""


def run_name() -> str:
    """Return the name of this flow run in claims, receipts and the report."""
    return f"{RUN_PREFIX}{flow_run.id}"


def source_roots(settings: Settings) -> Roots | None:
    """Return the folders below which this flow run reads scripts; None if it may read any file.

    Whoever may start a run of a deployment names the files, and has them read aloud. A run without a deployment was
    started on this machine, by somebody who can read them anyway.
    """
    context = FlowRunContext.get()
    if context is not None and context.flow_run is not None and context.flow_run.deployment_id is None:
        return None
    folders = settings.source_roots or (PROJECT,)
    return Roots(tuple(folder.resolve() for folder in folders), hidden=bool(settings.source_roots))


def gather_scripts(
    settings: Settings, *, sources: Sequence[str], scripts: Sequence[Script], choice: SourceChoice | None = None
) -> Sequence[Script]:
    """Return the scripts of the sources and those given as values. `choice`: how the sources are read.

    Raises:
        ManifestError: scripts have faults; the message lists every fault of every script.
        InputError: a signed link came as a parameter, where everyone who opens the UI could read it, or a script is
            given both as a parameter and in a source.
    """
    wire, defaults = wire_for(settings.api_version), settings.video_defaults()
    if signed := sorted({name for script in scripts for name in signed_properties(script)}):
        raise InputError(f"{', '.join(signed)}: holds a signature; put the script in a manifest instead")
    sources = [source for source in sources if source.strip()]  # forms send fields that were left empty
    filling = choice is not None and choice.filling() is not None
    if not sources and not scripts and not filling:
        raise InputError("nothing to render: enter sources (folders or manifests, as the worker sees them) or scripts")
    known = Known(today(), known_voices())
    if not sources and not filling:
        return _told(check_scripts(scripts, defaults=defaults, wire=wire, known=known))
    read = read_scripts(sources, defaults=defaults, wire=wire, roots=source_roots(settings), choice=choice, known=known)
    if not scripts:
        return _told(read)
    given = check_scripts(scripts, defaults=defaults, wire=wire, known=known)
    if twice := {script.script_id for script in given} & set(read.script_ids):
        raise InputError(f"given as a parameter and in a source: {', '.join(sorted(twice))}")
    read.warnings.extend(given.warnings)
    for script in given:
        read.add(script)
    return _told(read)


def _told(scripts: ScriptSpool) -> ScriptSpool:
    log_warnings(logger, scripts.warnings)
    return scripts


async def render_as_task_runs(
    settings: Settings, scripts: Sequence[Script], options: RenderOptions, *, batch: str = ""
) -> State[None]:
    """Render the scripts, show it in the UI, and return the state to end the flow run with.

    Before anything is sent a page says what the run is going to do. After a cancellation the table still says where
    each script stands. `batch`: the run that this one is a part of.
    """

    async def work(run: Run) -> BatchReport:
        async with told_to_prefect(run):
            shown = partial(publish_plan, budget=options.budget)
            return await render_scripts(scripts, task_chain(), publish_plan=shown, **options.keywords())

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
