"""Walk one script through the steps, from its slot to its outcome, over as many attempts as are due."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from batch_avatar.archive.records import DeadLetter
from batch_avatar.errors import (
    AccessRefused,
    AlreadyArchived,
    ArchiveRefused,
    BatchAvatarError,
    DeleteRefused,
    JobFailed,
    JobOverdue,
    LateSuccess,
    RequestRefused,
)
from batch_avatar.models import JobRef, JobStatus, Outcome
from batch_avatar.planning.plan import PlanState
from batch_avatar.rendering import giving_up
from batch_avatar.rendering.batch_state import BatchState
from batch_avatar.rendering.outcomes import archived, outcome_of_letter, own_mistake
from batch_avatar.rendering.packs.walk import PackWalk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.models import Script
    from batch_avatar.planning.packing import PackSizer
    from batch_avatar.planning.plan import PlanItem
    from batch_avatar.receipt import Receipt
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.resource import Resource
    from batch_avatar.service.slot import Slot

logger = logging.getLogger(__name__)


class Walks(BatchState):
    """The walks of one batch, and what they have in common."""

    def __init__(
        self,
        run: Run,
        chain: Chain,
        scripts: Sequence[Script],
        script_ids: Sequence[str],
        sizer: PackSizer | None,
    ) -> None:
        super().__init__(run, script_ids, lambda number: scripts[number].columns)
        self._chain = chain
        self._scripts = scripts
        self._sizer = sizer
        self.packs: dict[str, PackWalk] = {}
        self.predicted_seconds: dict[str, tuple[float, ...]] = {}
        """How long each input of a pack is predicted to take alone, by job_id."""

    async def walk(self, item: PlanItem, number: int, slot: Slot, *, ref: JobRef | None = None) -> None:
        """Walk a script to its outcome and note that. `number`: its place in the batch; `ref`: its job, if sent."""
        self.begun.add(item.script_id)
        self._run.slots[item.script_id] = slot
        try:
            outcome = await self._walk(item, number, slot, ref)
        except BatchAvatarError as error:
            outcome = self.outcome_of(error, item)
            if (
                isinstance(error, AlreadyArchived) and error.receipt.run == self._run.name
            ):  # the receipt was rebuilt, and this run paid for the video
                outcome = archived(error.receipt, prefix=self._c.archive.prefix_of(error.receipt))
        except Exception as error:
            logger.exception("script %s ended because of a mistake in this program", item.script_id)
            outcome = self.outcome_of(own_mistake(error), item)
        finally:
            slot.leave()
            self._run.slots.pop(item.script_id, None)
            self._run.expected_seconds.pop(item.script_id, None)
        self.end(outcome)

    async def _walk(self, item: PlanItem, number: int, slot: Slot, ref: JobRef | None) -> Outcome:
        script = self._scripts[number]
        predicted = self._run.predictor.predict(script).render_seconds
        if ref is not None and self._sizer is not None and ref.job_id in self.predicted_seconds:
            predicted = self._sizer.job_seconds(self.predicted_seconds[ref.job_id])
        self._run.expected_seconds[item.script_id] = predicted
        if item.state is PlanState.DAMAGED:
            await self._c.control(self._c.archive.retire_receipt, item.script_id, item.content_id)
        while True:
            if ref is None:
                sent = await self._sent(script, slot)
                if isinstance(sent, DeadLetter):
                    return outcome_of_letter(sent)
                ref = sent
            pack = self._joined(ref, slot)
            try:
                end = await self._attempt(item, script, ref, slot, pack)
            except Exception:
                await self._leave(pack, ref, settled=False)
                raise
            await self._leave(pack, ref, settled=True)
            if end is not None:
                return end
            ref = None

    async def _leave(self, pack: PackWalk | None, ref: JobRef, *, settled: bool) -> None:
        if pack is not None:
            await pack.leave(ref.script_id, settled=settled)
            if pack.empty:
                self.packs.pop(ref.job_id, None)
                self.predicted_seconds.pop(ref.job_id, None)

    async def _attempt(
        self, item: PlanItem, script: Script, ref: JobRef, slot: Slot, pack: PackWalk | None
    ) -> Outcome | None:
        """Follow one job to its end. Return the outcome, or None if another attempt is due."""
        self.sent(item.script_id, ref.job_id, ref.service_id)
        try:
            return await self._walked(item, script, ref, slot, pack)
        finally:
            self._run.odd_since.pop(ref.service_id, None)
            self._run.absent_since.pop(ref.service_id, None)
            self.through(item.script_id, ref.service_id, ref.resource)

    async def _walked(
        self, item: PlanItem, script: Script, ref: JobRef, slot: Slot, pack: PackWalk | None
    ) -> Outcome | None:
        try:
            letter = await self._waited(item, script, ref, pack)
            slot.leave()
            if letter is not None:
                return outcome_of_letter(letter)
            receipt = await self._archived(ref)
        except AlreadyArchived as error:
            await self._clean_up(error.receipt, item, ref)
            raise
        except _Again:
            return None
        except (JobFailed, JobOverdue) as error:
            if pack is None:
                raise
            return await self._without_video(item, script, ref, slot, pack=pack, error=error)
        if pack is not None and receipt.video.doubtful:
            pack.keep()
        await self._clean_up(receipt, item, ref)
        prefix, extras = self._c.archive.prefix_of(receipt), item.paid_beside(ref.service_id) if not ref.input else 0
        return archived(receipt, prefix=prefix, extras=extras)

    async def _waited(self, item: PlanItem, script: Script, ref: JobRef, pack: PackWalk | None) -> DeadLetter | None:
        """Wait until the job has succeeded. Return a dead letter if it failed for good.

        A pack that failed or is late may hold this script's video all the same.

        Raises:
            _Again: another attempt is due.
        """
        try:
            await self._chain.wait(ref)
        except (JobFailed, JobOverdue) as error:
            logger.warning("attempt %d of %s ended: %s", ref.attempt, item.script_id, error)
            if pack is not None:
                never = isinstance(error, JobOverdue) and error.job.status == JobStatus.NOT_STARTED
                self._c.resource_of(ref.resource).alone |= never  # set before the slot is free for another pack
                pack.ended()
                return None
            self.bill(item.script_id, error)
            proof = await giving_up.record_failure(giving_up.script_record(script), ref, error)
            try:
                await self._chain.delete(proof)
            except LateSuccess:
                return None
            except DeleteRefused:
                if isinstance(error, JobOverdue):
                    raise error from None  # the job may still finish, so it is neither replaced nor called failed
                raise
            if isinstance(proof, DeadLetter):
                return proof
            raise _Again from None
        if pack is not None:
            pack.ended()
            self._learn(ref)
        return None

    def _learn(self, ref: JobRef) -> None:
        """Note how long a pack took, once per pack."""
        job, predicted = self._run.ended.get(ref.service_id), self.predicted_seconds.pop(ref.job_id, None)
        if job and predicted and self._sizer and job.created_at and job.last_action_at:
            took = (job.last_action_at - job.created_at).total_seconds()
            self._sizer.note(took_seconds=took, predicted_seconds=predicted)

    async def _without_video(
        self,
        item: PlanItem,
        script: Script,
        ref: JobRef,
        slot: Slot,
        *,
        pack: PackWalk,
        error: JobFailed | JobOverdue,
    ) -> Outcome | None:
        """Give up an attempt whose pack has no video for this script.

        The script goes on alone unless its attempts are spent.
        """
        if isinstance(error, JobOverdue):
            try:
                await pack.give_up(item.script_id, error)
            except LateSuccess:
                return await self._walked(item, script, ref, slot, pack)
        self.bill(item.script_id, error)
        if isinstance(error, JobFailed) or ref.attempt >= self._c.settings.max_attempts:
            proof = await giving_up.record_failure(giving_up.script_record(script), ref, error)
            return outcome_of_letter(proof) if isinstance(proof, DeadLetter) else None
        return None

    def _joined(self, ref: JobRef, slot: Slot) -> PackWalk | None:
        """Join the pack if this job is one; all members of a pack share one slot."""
        if not ref.input:
            return None
        pack = self.packs.get(ref.job_id)
        if pack is None:
            pack = self.packs[ref.job_id] = PackWalk(self._run, self._chain, ref)
        pack.join(ref.script_id, slot)
        return pack

    async def _sent(self, script: Script, slot: Slot) -> JobRef | DeadLetter:
        """Send the script to the first resource that takes it. Return the job, or a dead letter if it is refused."""
        while True:
            resource = slot.resource
            try:
                if not slot.held:
                    await resource.watcher.looking_while(slot.hold())
                try:
                    ref = await self._chain.submit(script, resource.host)
                finally:
                    slot.sent()
            except RequestRefused as error:
                self.note_refusal(self._c.resources.get(error.resource or "", resource))
                return await giving_up.record_refusal(script, error)
            except AccessRefused as error:
                refused = self._c.resources.get(error.resource or "", resource)
                self.set_aside(refused, error)
                other = self.another(script)
                if refused is not resource or other is None:
                    raise
                slot.move(other)
                continue
            taken = self._c.resource_of(ref.resource)
            taken.taken()
            slot.follow(taken)
            return ref

    def another(self, script: Script) -> Resource | None:
        """Return the least paused resource that is not set aside and can render the script, if there is one."""
        able = [r for r in self._c.resources.values() if r.set_aside is None and r.can_render(script)]
        return min(able, key=lambda r: r.admission.pause_seconds, default=None)

    async def _archived(self, ref: JobRef) -> Receipt:
        """Archive the outputs and return the receipt. A video that the storage refuses stays at the service."""
        try:
            receipt = await self._chain.archive(ref)
        except ArchiveRefused as error:
            self.note_unarchived(error)
            raise
        except AccessRefused as error:
            self.set_aside(self._c.resource_of(ref.resource), error)
            raise
        self.note_archived(receipt)
        self._run.spending.settle(
            ref.job_id, ref.script_id, seconds=receipt.billed_seconds, characters=receipt.billed_characters
        )
        return receipt

    async def _clean_up(self, receipt: Receipt, item: PlanItem, ref: JobRef) -> None:
        """Delete what the receipt makes superfluous: a dead letter, and the jobs unless the video is doubtful."""
        if item.letter:
            await self._c.control(self._c.archive.delete_dead_letter, item.content_id)
        if not receipt.video.doubtful and not ref.input:  # a pack is deleted when all of it is settled
            for service_id in {ref.service_id, *item.named}:
                gone = receipt.model_copy(update={"service_id": service_id, "resource": ref.resource})
                await self.delete(gone)

    async def delete(self, receipt: Receipt) -> None:
        """Delete the remote job. A failure is only logged: it costs nothing, as the job expires by itself."""
        try:
            await self._chain.delete(receipt)
        except BatchAvatarError as error:
            logger.warning("archived, but the remote job stays for now: %s", error)
        except Exception:
            logger.exception("archived, but the remote job of %s stays for now", receipt.script_id)


class _Again(Exception):
    """Another attempt is due."""
