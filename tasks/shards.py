"""Spread a batch over child flow runs: cut it into shards in the archive, and give each child the name of one.

So parameters stay small, children need no file of the parent's machine, and a parent that starts over finds the same
shards and its children. A child that dies loses nothing: the next run of the batch continues from claims and receipts.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from prefect.runtime import flow_run
from prefect.states import Failed

from batch_avatar.errors import BatchAvatarError, InputError
from batch_avatar.identity import signed_properties
from batch_avatar.models import Outcome, OutcomeKind, Script
from batch_avatar.planning.budget import Budget, Spending, Spent
from batch_avatar.planning.plan import Action, PlanState
from batch_avatar.rendering.connect import open_connections, open_run
from batch_avatar.rendering.outcomes import build_report, settled
from batch_avatar.rendering.preparing import survey
from batch_avatar.rendering.preparing.preparation import preview
from batch_avatar.rendering.progress import Event, Phase
from batch_avatar.scripts.manifest import recheck_scripts
from batch_avatar.service.wire.generations import wire_for
from tasks.children import Children, MissingDeployment, cancel_children_of
from tasks.crashes import crashed_too_often
from tasks.plans import publish_plan
from tasks.rendering import run_name
from tasks.reporting import final_state, publish_report, told_to_prefect
from tasks.wanted import watching_wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from prefect.client.schemas.objects import State

    from batch_avatar.models import FailureFacts
    from batch_avatar.planning.options import RenderOptions
    from batch_avatar.planning.permits import Permits
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.preparing.preparation import Prepared
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.rendering.run import Run
    from batch_avatar.settings import Settings

logger = logging.getLogger("batch_avatar.shards")

SHARD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[0-9]{1,9}")


async def render_as_child_runs(
    settings: Settings, scripts: Sequence[Script], options: RenderOptions, *, scripts_per_run: int
) -> State[None]:
    """Start a child run per shard, wait for all of them, and report on the whole batch."""
    if (poisoned := await crashed_too_often()) is not None:
        if poisoned.is_cancelled():  # its process died before the hook could cancel the children
            await cancel_children_of(flow_run.id)
        return poisoned
    if signed := sorted({name for script in scripts for name in signed_properties(script)}):
        return Failed(message=f"{', '.join(signed)}: holds a signature; render without scripts_per_run")
    async with watching_wanted() as wanted, open_run(settings, run_name(), gate_of=wanted.gate_of) as run:
        c = run.connections
        async with told_to_prefect(run):
            for script in scripts:
                run.tell(Event(script.script_id, Phase.WAITING))
            try:
                found = await preview(scripts, options)  # which changes are accepted, and what the budget reaches
                await publish_plan(found, budget=options.budget)
                decided = decided_outcomes(c, found)
                missing = [script for script in scripts if script.script_id not in decided]
                limits = await _cut(run, missing, scripts_per_run, partial(_limits, run, found, options.budget))
                run.spending, run.is_part = Spending(), True  # from now on for the shards that are rendered here
                children = Children(
                    run,
                    options=replace(options, permits=permits_of_children(options.permits, settings)),
                    limits=limits,
                    read=_shard_reader(c),
                    still_wanted=wanted.check,
                )
                shards = list(limits)
                reports = await children.render(shards)
                report = await _sum_up(run, scripts, reports, decided, unreported=children.unreported)
            except (BatchAvatarError, MissingDeployment) as error:  # a message, not a stack trace
                return Failed(message=str(error), data=error)
            except asyncio.CancelledError:  # a hook cancels the children once this process has ended
                return wanted.end("stopped, with its child runs; the next run goes on where they end")
        run.report = report
        try:
            await c.control(c.archive.write_run_document, run.name, "report.json", report.to_json())
        except BatchAvatarError as error:
            logger.warning("the report cannot be written to the archive: %s; %s; %s", error, report.sums, report.billed)
        await publish_report(report, remarks=[children.links()])
    return final_state(report)


def batch_of(shard: str | None) -> str:
    """Return the run that cut this shard."""
    return (shard or "").partition("/")[0]


async def read_shard(settings: Settings, shard: str) -> Sequence[Script]:
    """Return the scripts of a shard that a parent run has written, named `<run>/<number>`.

    Raises:
        InputError: there is no shard of that name.
    """
    async with open_connections(settings) as c:
        return await _shard_reader(c)(shard)


def _shard_reader(c: Connections) -> Callable[[str], Awaitable[Sequence[Script]]]:
    async def read(shard: str) -> Sequence[Script]:
        if not SHARD.fullmatch(shard):  # a parameter, of which a path is made
            raise InputError("a shard is named <run>/<number>, as its parent run names it")
        run, _, number = shard.partition("/")
        text = await c.control(c.archive.read_run_document, run, f"shards/{number}.jsonl")
        if text is None:
            raise InputError(f"there is no shard {shard} in the archive")
        try:
            scripts = [Script.model_validate_json(line) for line in text.split("\n")]  # U+2028 may stand inside a line
        except ValueError:  # its text repeats what it read
            raise InputError(f"the shard {shard} does not hold scripts") from None
        return recheck_scripts(scripts, wire=wire_for(c.settings.api_version))

    return read


def permits_of_children(permits: Permits, settings: Settings) -> Permits:
    """Return the permits of the child runs: which changes are accepted is decided here, for all shards together."""
    return permits.with_setting(keep_changed=settings.keep_changed).model_copy(update={"accept_changes": True})


def decided_outcomes(c: Connections, found: Prepared) -> dict[str, Outcome]:
    """Return the outcomes of scripts that no child run gets: changed ones that are left, those beyond the budget."""
    decided = [
        item
        for item in found.plan.items
        if item.state in (PlanState.CHANGED, PlanState.KEPT) or found.action_of(item) is Action.LEAVE
    ]
    outcomes = [settled(item, prefix=c.archive.prefix_of(item.ref())) for item in decided]
    return {outcome.script_id: outcome for outcome in outcomes if outcome is not None}


def _limits(run: Run, found: Prepared, budget: Budget, shards: Sequence[Sequence[str]]) -> list[Budget]:
    """Divide the budget among shards, which are lists of script_ids."""
    if budget.unlimited:
        return [Budget() for _ in shards]
    usages = {found.plan.items[number].script_id: one.usage for number, one in found.candidates.items()}

    def predicted(shard: Sequence[str]) -> Spent:
        spent = Spent()
        for script_id in shard:
            if script_id in usages:
                spent = spent.plus(usages[script_id], run.spending.prices, jobs=1)
        return spent

    return budget.divided([predicted(shard) for shard in shards])


async def _cut(
    run: Run,
    scripts: Sequence[Script],
    size: int,
    limits_of: Callable[[Sequence[Sequence[str]]], list[Budget]],
) -> dict[str, Budget]:
    """Return the shards' names and what each may spend.

    Shards are written once, so that a parent that starts over does not cut them again.
    """
    c = run.connections
    written = await c.control(c.archive.read_run_document, run.name, "shards.json")
    if written is not None:
        known = await c.control(c.archive.read_run_document, run.name, "limits.json")
        limits = json.loads(known) if known is not None else {}
        return {str(name): Budget.model_validate(limits.get(name, {})) for name in json.loads(written)}
    parts = [scripts[start : start + size] for start in range(0, len(scripts), size)]
    names = [f"{run.name}/{number:04d}" for number in range(1, len(parts) + 1)]
    given = limits_of([[script.script_id for script in part] for part in parts])
    budgets = dict(zip(names, given, strict=True))
    for name, part in zip(names, parts, strict=True):
        lines = [script.model_dump_json(exclude_unset=True) for script in part]
        document = f"shards/{name.rpartition('/')[2]}.jsonl"
        await c.control(c.archive.write_run_document, run.name, document, "\n".join(lines))
    told = {name: limit.model_dump(mode="json", exclude_none=True) for name, limit in budgets.items()}
    await c.control(c.archive.write_run_document, run.name, "limits.json", json.dumps(told))
    await c.control(c.archive.write_run_document, run.name, "shards.json", json.dumps(names))
    return budgets


async def _sum_up(
    run: Run,
    scripts: Sequence[Script],
    reports: Sequence[BatchReport],
    decided: dict[str, Outcome],
    *,
    unreported: FailureFacts,
) -> BatchReport:
    """Return one report of the batch; scripts of which no child has reported are looked up in the archive.

    `unreported`: what is said of those that are not archived.
    """
    c = run.connections
    outcomes = decided | {outcome.script_id: outcome for report in reports for outcome in report.outcomes}
    silent = [script for script in scripts if script.script_id not in outcomes]
    planned = {item.script_id: item for item in (await survey.plan(silent)).items} if silent else {}
    for script_id, item in planned.items():
        archived = item.state is PlanState.ARCHIVED
        outcomes[script_id] = Outcome(
            script_id=script_id,
            job_id=item.ref().job_id,
            outcome=OutcomeKind.ARCHIVED if archived else OutcomeKind.UNFINISHED,
            blob_prefix=c.archive.prefix_of(item.ref()) if archived else None,
            error=None if archived else unreported,
        )
    told = [outcomes[script.script_id].model_copy(update={"columns": script.columns or {}}) for script in scripts]
    return build_report(run.name, told)
