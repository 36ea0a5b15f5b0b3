"""Prepare a batch: check what is wanted, plan, leave out what the budget does not reach, and say what it will take.

`batch-avatar plan`, the first artifact of a flow run, and the run itself call this one function.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.errors import InputError, SettingsError
from batch_avatar.planning.budget import judge_budget
from batch_avatar.planning.forecast import forecast
from batch_avatar.planning.order import Order
from batch_avatar.planning.outlook import look_ahead
from batch_avatar.planning.packing import PackSizer
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.prices import missing_prices
from batch_avatar.rendering.preparing import survey
from batch_avatar.rendering.preparing.queueing import candidates, in_turn, judge_places, places_of, queue_of
from batch_avatar.rendering.run import current_run
from batch_avatar.resource_settings import PREVIEW_31

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from batch_avatar.models import Script
    from batch_avatar.planning.budget import Budget
    from batch_avatar.planning.forecast import Forecast
    from batch_avatar.planning.options import RenderOptions
    from batch_avatar.planning.outlook import Outlook
    from batch_avatar.planning.plan import Action, Plan, PlanItem
    from batch_avatar.planning.prices import Usage
    from batch_avatar.rendering.preparing.queueing import Candidate
    from batch_avatar.rendering.run import Run


@dataclass(frozen=True)
class Prepared:
    """A plan, what it will take, and the scripts that would be created, by number."""

    plan: Plan
    outlook: Outlook
    candidates: Mapping[int, Candidate]
    rerender_lost: bool = False

    def action_of(self, item: PlanItem) -> Action:
        """Return what the run does with it."""
        return item.action(rerender_lost=self.rerender_lost)


async def preview(scripts: Sequence[Script], options: RenderOptions) -> Prepared:
    """Return what the current run would do with these scripts. Raises as `check_wanted` and `prepare` do."""
    await check_wanted(scripts, pack=options.pack, budget=options.budget)
    return await prepare(scripts, **options.keywords())


async def prepare(
    scripts: Sequence[Script],
    *,
    permits: Permits | None = None,
    order: Order = Order.LONGEST,
    pack: int = 1,
    budget: Budget | None = None,
) -> Prepared:
    """Return what the current run would do with these scripts, after `check_wanted`. It creates nothing.

    `pack`: as in `render_scripts`. `budget`: what the run may spend; it holds for all batches of the run.

    Raises:
        SettingsError: a limit of cost is wanted, and a price is missing.
        ServiceError, ArchiveError: service or archive cannot be read.
    """
    run = current_run()
    prices = run.connections.settings.prices
    run.permits = permits or Permits()
    if budget is not None:
        run.spending.limit(budget, prices)
    plan = await survey.plan(scripts)
    items, known = judge_places(run, plan.items, candidates(run, plan.items, scripts, packed=pack != 1))
    _check_priced(run, (one.usage for one in known.values()))
    sizer = sizer_for(run, pack)
    items, known = _within_budget(run, replace(plan, items=items), known, order, sizer)
    outlook = look_ahead(
        items,
        {number: one.usage for number, one in known.items()},
        prices,
        rerender_lost=run.permits.rerender_lost,
        forecast=_played(run, plan, known, order, sizer),
        accuracy=run.accuracy,
    )
    return Prepared(replace(plan, items=items), outlook, known, run.permits.rerender_lost)


def _played(run: Run, plan: Plan, known: Mapping[int, Candidate], order: Order, sizer: PackSizer | None) -> Forecast:
    return forecast(queue_of(known.values(), order, all_of_them=True), places_of(run, plan), sizer=sizer)


def _within_budget(
    run: Run, plan: Plan, known: dict[int, Candidate], order: Order, sizer: PackSizer | None
) -> tuple[tuple[PlanItem, ...], dict[int, Candidate]]:
    """Leave out the scripts that the budget does not reach; return all items, and the scripts that are left.

    How many scripts share a job depends on how many there are, so with packs it is judged until nothing changes.
    """
    items = plan.items
    while known:
        numbers, jobs = in_turn(known, order), None
        if sizer is not None:
            packs = _played(run, plan, known, order, sizer).packs
            numbers = [number for pack in packs for number in pack]
            jobs = {number: job for job, pack in enumerate(packs) for number in pack}
        usages = {number: one.usage for number, one in known.items()}
        items = judge_budget(items, usages, run.spending, numbers=numbers, jobs=jobs)
        left = {number: one for number, one in known.items() if items[number].failure is None}
        if len(left) == len(known) or sizer is None:
            return items, left
        known = left
    return items, known


async def check_wanted(scripts: Sequence[Script], *, pack: int, budget: Budget | None) -> None:
    """Check what is wanted of a batch, before anything is read.

    Raises:
        InputError: a script_id is given twice.
        SettingsError: packs are wanted that settings or API generation do not allow, or a limit of cost without prices.
    """
    c = current_run().connections
    if budget is not None and budget.max_cost is not None and c.settings.prices is None:
        raise SettingsError("BATCH_AVATAR_PRICES is not set, so a limit of cost cannot be held")
    if twice := [name for name, count in Counter(script.script_id for script in scripts).items() if count > 1]:
        raise InputError(f"given twice: {', '.join(twice)}")
    if pack == 1:
        return
    if c.staging is None:
        raise SettingsError("packed jobs are written into BATCH_AVATAR_STAGING_CONTAINER, which is not set")
    if c.settings.api_version == PREVIEW_31:
        raise SettingsError(f"packed jobs need a later generation of the API than {PREVIEW_31}")
    await c.control(partial(c.staging.write_link, seconds=1))  # fails now rather than after claims were made


def _check_priced(run: Run, usages: Iterable[Usage]) -> None:
    """Refuse a limit of cost where the cost of some scripts is not known."""
    prices = run.spending.prices
    if run.spending.budget.max_cost is not None and prices is not None and (missing := missing_prices(usages, prices)):
        text = f"BATCH_AVATAR_PRICES has no {' and no '.join(missing)}, so a limit of cost cannot be held"
        raise SettingsError(text)


def sizer_for(run: Run, pack: int) -> PackSizer | None:
    """Return what decides how many scripts share a job; None if each has its own."""
    seconds = run.connections.settings.job_deadline_seconds
    return None if pack == 1 else PackSizer(pack or None, deadline_seconds=seconds)
