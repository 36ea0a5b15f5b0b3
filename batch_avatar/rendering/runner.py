"""Render a batch: plan what is missing, send it over all resources, and give every script an outcome."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.errors import AccessRefused, BatchAvatarError
from batch_avatar.planning.order import Order, Queue
from batch_avatar.planning.packing import next_count
from batch_avatar.planning.plan import PlanState
from batch_avatar.rendering.connections import CONTROL_THREADS
from batch_avatar.rendering.creates import budget_spent
from batch_avatar.rendering.outcomes import build_report, own_mistake, settled
from batch_avatar.rendering.packs.members import try_to_delete
from batch_avatar.rendering.preparing.preparation import check_wanted, prepare, sizer_for
from batch_avatar.rendering.preparing.queueing import NOBODY, queue_of
from batch_avatar.rendering.progress import Event, Phase
from batch_avatar.rendering.run import Run, current_run
from batch_avatar.rendering.walk import Walks
from batch_avatar.service.slot import Slot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from batch_avatar.models import JobRef, Script
    from batch_avatar.planning.budget import Budget
    from batch_avatar.planning.order import Lane, Waiting
    from batch_avatar.planning.packing import PackSizer
    from batch_avatar.planning.permits import Permits
    from batch_avatar.planning.plan import Plan, PlanItem
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.preparing.preparation import Prepared
    from batch_avatar.rendering.report import BatchReport
    from batch_avatar.service.resource import Resource

logger = logging.getLogger(__name__)

REPORT_SECONDS = 10.0  # for the report of a stopped run, out of the 30 s in which it ends
ADOPTIONS = 500  # scripts taken up at once; slots do not limit them, as a claim that a dead run left needs no slot


async def publish_report(report: BatchReport) -> None:
    """Keep the report for the code that began the run, and write it to the archive if the archive takes it."""
    run = current_run()
    run.report = report
    try:
        await run.connections.control(run.connections.archive.write_report, run.name, report.json_pieces())
    except Exception as error:  # noqa: BLE001 - whatever it is, the scripts are paid for and have ended
        report.was_not_written(own_mistake(error).message)
        logger.warning("the report cannot be written to the archive: %s; %s; %s", error, report.sums, report.billed)


async def render_scripts(
    scripts: Sequence[Script],
    chain: Chain,
    *,
    permits: Permits | None = None,
    order: Order = Order.LONGEST,
    pack: int = 1,
    budget: Budget | None = None,
    publish: Callable[[BatchReport], Awaitable[None]] = publish_report,
    publish_plan: Callable[[Prepared], Awaitable[None]] | None = None,
) -> BatchReport:
    """Render the scripts that are not archived yet, in the current run; the report is also written to the archive.

    `pack`: the most scripts that share a job; 0 chooses by what is left and how fast jobs may be created. `budget`:
    what the run may spend. The run's `listeners` are told every step of every script. `publish` gets the report, also
    after a cancellation, and `publish_plan` what the run is about to do.
    Several batches may share the run at the same time, with the same permits and budget and no script in two of them.

    One bad script never stops the others; only refused access and what hits one after another stop new creates. When
    the task is cancelled, nothing new is sent, transfers stop at their next piece, and the report says what is in
    flight.

    Raises:
        InputError: a script_id is given twice, or packs or a limit of cost are wanted that settings do not allow.
        ServiceError, ArchiveError: service or archive cannot be read; nothing was created.
    """
    run = current_run()
    await check_wanted(scripts, pack=pack, budget=budget)
    batch = _Batch(run, chain, scripts, order=order, sizer=sizer_for(run, pack), publish=publish)
    return await batch.run(
        partial(prepare, scripts, permits=permits, order=order, pack=pack, budget=budget), publish_plan
    )


class _Batch:
    def __init__(
        self,
        run: Run,
        chain: Chain,
        scripts: Sequence[Script],
        *,
        order: Order,
        sizer: PackSizer | None,
        publish: Callable[[BatchReport], Awaitable[None]],
    ) -> None:
        self._run = run
        self._c = run.connections
        self._chain = chain
        self._scripts = scripts
        self._names = [script.script_id for script in scripts]
        self._order = order
        self._queue = Queue(order)
        self._sizer = sizer
        self._publish = publish
        self._walks = Walks(run, chain, scripts, self._names, sizer)
        self._leftovers = asyncio.Semaphore(CONTROL_THREADS)
        self._adoptions = asyncio.Semaphore(ADOPTIONS)
        self._feeders: dict[str, asyncio.Task[None]] = {}

    async def run(
        self,
        prepared: Callable[[], Awaitable[Prepared]],
        publish_plan: Callable[[Prepared], Awaitable[None]] | None,
    ) -> BatchReport:
        for name in self._names:
            self._run.tell(Event(name, Phase.WAITING))
        found = await prepared()
        plan, self._queue = found.plan, queue_of(found.candidates.values(), self._order)
        logger.info("plan: %s", ", ".join(f"{count} {state}" for state, count in plan.counts().items()))
        self._run.learn(plan.items)
        if publish_plan is not None:
            await publish_plan(found)
        self._c.job_listeners.append(self._walks.job_changed)
        try:
            async with asyncio.TaskGroup() as group:
                self._begin(plan, group)
            self._end_rest()
        except asyncio.CancelledError:
            self._c.stopping.throw()
            self._walks.stopped(plan.items)
            with suppress(TimeoutError):
                async with asyncio.timeout(REPORT_SECONDS):
                    await self._report()
            raise
        finally:
            self._c.job_listeners.remove(self._walks.job_changed)
        return await self._report()

    def _begin(self, plan: Plan, group: asyncio.TaskGroup) -> None:
        """End the scripts that need no step, take up those that already have a job or a claim, and queue the rest."""
        for number, item in enumerate(plan.items):
            outcome = settled(item, prefix=self._c.archive.prefix_of(item.ref()))
            if outcome is not None:
                self._walks.end(outcome)
                if item.leftovers:
                    group.create_task(self._delete_leftovers(item))
            elif not item.to_create:
                group.create_task(self._take_up(item, number), name=item.script_id)
        for job_id in plan.packs:
            group.create_task(self._delete_pack(job_id))
        for resource in self._c.resources.values():
            if resource.set_aside is None and self._queue.waits_for(resource.host):
                self._feeders[resource.host] = group.create_task(self._feed(resource, group), name=resource.name)
        self._walks.stop.add_done_callback(lambda _: self._trim())
        self._walks.on_set_aside = self._trim

    async def _feed(self, resource: Resource, group: asyncio.TaskGroup) -> None:
        """While scripts wait that this resource can render, start the next one whenever it may create there."""
        while self._queue.waits_for(resource.host) and self._run.spending.jobs_left != 0:
            slot = Slot(resource, held=False)
            try:
                if resource.watcher.down or resource.unread:
                    await resource.watcher.answering()
                    resource.unread = False
                await resource.watcher.looking_while(slot.hold())
                await slot.begin()
                await resource.admission.turn()
            except BatchAvatarError as error:
                slot.leave()
                self._walks.set_aside(resource, error)
                return
            except BaseException:
                slot.leave()
                raise
            if resource.watcher.down or self._run.halted is not None or resource.set_aside is not None:
                slot.leave()
                if not resource.watcher.down:
                    return
                continue
            taken = self._queue.take(resource.host, partial(self._count, resource))
            self._trim()
            if not taken:
                slot.leave()
            elif len(taken) > 1:
                group.create_task(self._send_pack(taken, slot, group))
            else:
                group.create_task(self._walks.walk(taken[0].item, taken[0].number, slot), name=taken[0].item.script_id)

    def _trim(self) -> None:
        """Cancel the feeders that have nothing left to send, or may not send any more."""
        for host, feeder in self._feeders.items():
            ended = self._run.halted is not None or self._c.resources[host].set_aside is not None
            if (ended or not self._queue.waits_for(host)) and feeder is not asyncio.current_task():
                feeder.cancel()

    def _count(self, resource: Resource, lane: Lane) -> int:
        """Return how many scripts share the next job of this resource."""
        if self._sizer is None or resource.alone:
            return 1
        able = sum(known.set_aside is None and known.host in lane.hosts for known in self._c.resources.values())
        spacing = resource.admission.spacing_seconds / max(able, 1)
        left = self._queue.seconds_for(resource.host)
        return next_count(lane, self._sizer, spacing_seconds=spacing, left_seconds=left)

    async def _send_pack(self, taken: Sequence[Waiting], slot: Slot, group: asyncio.TaskGroup) -> None:
        """Send one create for all of these scripts; a script that is not an input of it goes alone."""
        for waiting in taken:
            self._walks.begun.add(waiting.item.script_id)
        refs: tuple[JobRef, ...] = ()
        try:
            scripts = tuple(self._scripts[waiting.number] for waiting in taken)
            refs = await self._chain.submit_pack(scripts, slot.resource.host)
        except AccessRefused as error:
            self._walks.set_aside(slot.resource, error)
        except Exception as error:
            if not isinstance(error, BatchAvatarError):
                logger.exception("a pack of %d ended because of a mistake in this program", len(taken))
            slot.leave()
            for waiting in taken:
                self._walks.end(self._walks.outcome_of(own_mistake(error), waiting.item))
            return
        slot.sent()
        by_name = {ref.script_id: ref for ref in refs}
        if refs:
            slot.resource.taken()
            predicted = (waiting.seconds for waiting in taken if waiting.item.script_id in by_name)
            self._walks.predicted_seconds[refs[0].job_id] = tuple(predicted)
        for waiting in sorted(
            taken, key=lambda waiting: waiting.item.script_id not in by_name
        ):  # members of the pack first, because the first one here gets the slot
            ref = by_name.get(waiting.item.script_id)
            own = Slot(slot.resource, held=False) if slot.given else slot.handed_over()
            walk = self._walks.walk(waiting.item, waiting.number, own, ref=ref)
            group.create_task(walk, name=waiting.item.script_id)

    async def _take_up(self, item: PlanItem, number: int) -> None:
        """Go on with a script that has a job or a claim, at the resource where that is."""
        async with self._adoptions:
            resource = self._c.resources.get(item.resource)
            if resource is None or (resource.set_aside is not None and item.state is not PlanState.ALIVE):
                resource = self._walks.another(self._scripts[number]) or resource
            if resource is None:
                self._walks.end(self._walks.outcome_of(self._run.halted or NOBODY, item))
                return
            slot = Slot(resource, held=False)
            if item.state is PlanState.ALIVE:
                slot.take()
            await self._walks.walk(item, number, slot)

    def _end_rest(self) -> None:
        """End the scripts that were never taken from the queue, with the reason why nothing more is sent."""
        for waiting, hosts in self._queue.rest():
            reasons = [known.set_aside for host in hosts if (known := self._c.resources[host]).set_aside is not None]
            if self._run.halted is not None:  # by this batch or by another over the same connections
                reasons.append(self._run.halted)
            elif self._run.spending.jobs_left == 0:
                reasons.append(budget_spent(self._run, "jobs"))
            self._walks.end(self._walks.outcome_of(reasons[-1] if reasons else NOBODY, waiting.item))

    async def _report(self) -> BatchReport:
        report = build_report(self._run.name, self._walks.outcomes)
        await self._publish(report)
        return report

    async def _delete_leftovers(self, item: PlanItem) -> None:
        """Delete jobs of an archived script: a run died between receipt and delete, or paid twice for one name."""
        async with self._leftovers:
            try:
                receipt = await self._c.control(self._c.archive.read_receipt, item.script_id, item.content_id)
            except BatchAvatarError as error:
                logger.warning("the receipt of %s cannot be read, its job stays: %s", item.script_id, error)
                return
            if receipt is not None:
                for left in item.leftovers:
                    await self._walks.delete(
                        receipt.model_copy(update={"service_id": left.service_id, "resource": left.resource})
                    )

    async def _delete_pack(self, job_id: str) -> None:
        """Delete the job of a pack whose run died before it did so, unless a member still needs the job."""
        async with self._leftovers:
            await try_to_delete(self._run, self._chain, job_id)
