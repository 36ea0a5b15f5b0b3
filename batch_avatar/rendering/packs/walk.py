"""What a pack's members share on their walks: they hold one slot, give up together, and the last deletes the job."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from batch_avatar.archive.records import Superseded
from batch_avatar.errors import (
    AlreadyArchived,
    ClaimedElsewhere,
    DeleteRefused,
    JobFailed,
    JobOverdue,
)
from batch_avatar.rendering.claims import update_last
from batch_avatar.rendering.packs.members import read_pack, try_to_delete

if TYPE_CHECKING:
    from batch_avatar.models import JobRef
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.run import Run
    from batch_avatar.service.slot import Slot


class PackWalk:
    """A pack's members in one run. Members in other runs, or in none, are looked up in the archive."""

    def __init__(self, run: Run, chain: Chain, ref: JobRef) -> None:
        self._run = run
        self._c = run.connections
        self._chain = chain
        self._ref = ref
        self._present: set[str] = set()
        self._settled: set[str] = set()
        self._without: set[str] = set()
        self._slot: Slot | None = None
        self._keep = False
        self._given_up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deleting: asyncio.Task[None] | None = None
        self._overdue: JobOverdue | None = None

    def join(self, script_id: str, slot: Slot) -> None:
        self._present.add(script_id)
        if self._slot is None:
            self._slot = slot.handed_over()
        else:
            slot.leave()

    def ended(self) -> None:
        """Release the slot, because the job has ended or is given up."""
        if self._slot is not None:
            self._slot.leave()

    @property
    def empty(self) -> bool:
        """Whether all members have left."""
        return not self._present

    def keep(self) -> None:
        """Keep the job, because one of its videos is doubtful and a person may want to compare."""
        self._keep = True

    async def give_up(self, script_id: str, error: JobOverdue) -> None:
        """Note that a member has no video in the job, and wait until the job is deleted.

        The job is deleted once all members that are left have said so; first every claim notes that it is given up.

        Raises:
            JobOverdue: the job cannot be deleted; it may still finish, so none of its scripts is sent again.
            LateSuccess: the job succeeded at the last moment and is to be archived.
        """
        self._without.add(script_id)
        self._delete_if_empty(error)
        await asyncio.shield(self._given_up)

    async def leave(self, script_id: str, *, settled: bool) -> None:
        """Note that a member leaves. The last one to leave deletes the job.

        `settled`: the member has a receipt or a dead letter, or goes on with an attempt of its own.
        """
        self._present.discard(script_id)
        self._without.discard(script_id)
        if settled:
            self._settled.add(script_id)
        self._delete_if_empty(None)
        if self._present or self._keep:
            return
        self.ended()
        self._run.ended.pop(self._ref.service_id, None)
        await try_to_delete(self._run, self._chain, self._ref.job_id, known=self._settled)

    async def _has_no_video(self, ref: JobRef) -> bool:
        """Return whether this member has no video in the job.

        A member that is not in this run may have its video in staging. It is archived first, because it is deleted
        with the job.
        """
        if ref.script_id in self._without:
            return True
        held = await self._c.control(self._c.archive.read_claim, ref.script_id, ref.content_id)
        if held is None or held.claim.last.number != ref.attempt or held.claim.last.over:
            return False
        try:
            await self._chain.archive(ref)
        except AlreadyArchived:
            return False
        except (JobFailed, JobOverdue):
            return True
        return False

    def _delete_if_empty(self, error: JobOverdue | None) -> None:
        """Delete an overdue job once every member that is left is without a video, so that none still copies one."""
        self._overdue = error or self._overdue
        if self._without and self._without >= self._present and self._overdue and self._deleting is None:
            self._deleting = asyncio.create_task(self._delete(self._overdue), name=f"give up {self._ref.job_id}")

    async def _delete(self, error: JobOverdue) -> None:
        try:
            pack = await read_pack(self._run, self._ref.job_id)
            refs = tuple([ref for ref in pack.member_refs() if await self._has_no_video(ref)])
            for ref in refs:
                with suppress(ClaimedElsewhere):  # the member has gone on in another run
                    await update_last(self._c, ref, {"ended": f"{error.code}: {error.message}"[:1000]})
            proof = Superseded(ref=pack.ref(), internal_id=error.job.internal_id, reason=str(error), members=refs)
            if not self._keep:
                await self._chain.delete(proof)
        except DeleteRefused:
            self._given_up.set_exception(error)
        except BaseException as reason:  # noqa: BLE001 - told to every member that waits
            self._given_up.set_exception(reason)
        else:
            if self._keep:  # nothing is sent again beside a job that is kept and has not ended
                self._given_up.set_exception(error)
            else:
                self._given_up.set_result(None)
