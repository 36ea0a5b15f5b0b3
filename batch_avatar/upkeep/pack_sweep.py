"""Settle packs that runs have left behind: archive each input or record its failure, then delete the job."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from batch_avatar.errors import AlreadyArchived, ArchiveConflict, BatchAvatarError, ClaimedElsewhere, JobFailed
from batch_avatar.rendering import giving_up
from batch_avatar.rendering.packs.members import delete_if_settled, has_video, read_pack

if TYPE_CHECKING:
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.run import Run

logger = logging.getLogger(__name__)


async def settle_pack(run: Run, chain: Chain, job_id: str) -> None:
    """Archive or give up every input of a pack that has ended, and then delete its job.

    Raises:
        BatchAvatarError: the first error of an input; all other inputs are settled, and the job stays.
    """
    c = run.connections
    pack = await read_pack(run, job_id)
    errors: list[BatchAvatarError] = []
    for member in pack.member_refs():
        held = await c.control(c.archive.read_claim, member.script_id, member.content_id)
        if held is None or held.claim.last.number != member.attempt or held.claim.last.over:
            continue
        if (receipt := await c.control(c.archive.read_receipt, member.script_id, member.content_id)) is not None:
            if not await c.control(has_video, c, receipt):
                text = "its receipt's video is gone: render it again, which costs nothing as long as its pack is there"
                errors.append(ArchiveConflict(text, script_id=member.script_id, job_id=job_id))
            continue
        try:
            await chain.archive(member)
        except AlreadyArchived:
            continue
        except JobFailed as error:
            try:
                await giving_up.record_failure({"script_id": member.script_id}, member, error)
            except ClaimedElsewhere:
                logger.info("%s has gone on to another attempt", member.script_id)
        except BatchAvatarError as error:  # one input without a video must not keep the others from being archived
            errors.append(error)
    if errors:
        raise errors[0]
    await delete_if_settled(run, chain, job_id)
