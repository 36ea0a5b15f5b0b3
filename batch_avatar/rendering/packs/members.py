"""What the archive knows about a pack: its members, their shares of the bill, and whether all of them are settled."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from batch_avatar.archive.records import SettledPack
from batch_avatar.errors import ArchiveConflict, BatchAvatarError, ClaimedElsewhere
from batch_avatar.identity import parse_job_id
from batch_avatar.planning.packing import share

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from batch_avatar.archive.records import Pack, PackMember
    from batch_avatar.archive.staging import Staging
    from batch_avatar.models import SynthesisJob
    from batch_avatar.receipt import Receipt
    from batch_avatar.rendering.chain import Chain
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.rendering.run import Run

logger = logging.getLogger(__name__)


def load_pack(run: Run, job_id: str) -> Pack:
    """Return the pack with its members; the archive is read once per run. Blocking.

    Raises:
        ArchiveConflict: the archive has no record of this pack.
    """
    pack = run.packs.get(job_id)
    if pack is None:
        parsed = parse_job_id(job_id)
        pack = run.connections.archive.read_pack(parsed[0]) if parsed is not None else None
        if pack is None:
            raise ArchiveConflict("the archive has no record of which scripts are in this pack", job_id=job_id)
        run.packs[job_id] = pack
    return pack


async def read_pack(run: Run, job_id: str) -> Pack:
    """Return the pack as `load_pack` does, for async callers."""
    return await run.connections.control(load_pack, run, job_id)


def check_staging(c: Connections, pack: Pack) -> Staging:
    """Return the staging container, which must be the one where this pack's outputs lie.

    Raises:
        ClaimedElsewhere: the outputs lie in a container that this run does not know.
    """
    if c.staging is None or c.settings.staging_container != pack.staging_container:
        raise ClaimedElsewhere(
            f"the videos of this pack lie in the container {pack.staging_container}; run again with "
            "BATCH_AVATAR_STAGING_CONTAINER set to that"
        )
    return c.staging


async def delete_if_settled(run: Run, chain: Chain, job_id: str, *, known: Collection[str] = ()) -> None:
    """Delete the pack's job and what it wrote, if no member needs it any more. `known` is as in `is_settled`.

    Raises:
        ArchiveConflict: the archive has no record of this pack.
        ClaimedElsewhere: this run does not know its container.
    """
    c = run.connections
    try:
        pack = await read_pack(run, job_id)
        check_staging(c, pack)
        if await is_settled(c, pack, known=known):
            await chain.delete(SettledPack(ref=pack.ref()))
    finally:
        run.packs.pop(job_id, None)


async def try_to_delete(run: Run, chain: Chain, job_id: str, *, known: Collection[str] = ()) -> None:
    """Do as `delete_if_settled`. If that fails, log it and keep the job for the next plan or sweep."""
    try:
        await delete_if_settled(run, chain, job_id, known=known)
    except BatchAvatarError as error:
        logger.warning("the job %s stays for now: %s", job_id, error)
    except Exception:
        logger.exception("the job %s stays for now", job_id)


async def is_settled(c: Connections, pack: Pack, *, known: Collection[str] = ()) -> bool:
    """Return whether no member needs the job any more. `known`: script_ids of members already known not to need it."""
    for member in pack.members:
        if member.script_id not in known and not await c.control(_member_is_settled, c, member):
            return False
    return True


def _member_is_settled(c: Connections, member: PackMember) -> bool:
    """Return whether the member has receipt and video, has another attempt by now, or was given up with this job."""
    held = c.archive.read_claim(member.script_id, member.content_id)
    if held is not None and (held.claim.last.number > member.attempt or held.claim.last.over):
        return True
    receipt = c.archive.read_receipt(member.script_id, member.content_id)
    return receipt is not None and not receipt.video.doubtful and has_video(c, receipt)


def has_video(c: Connections, receipt: Receipt) -> bool:
    """Return whether the receipt's video is still in the archive. Blocking."""
    return any(blob.name == receipt.video.blob_name for blob in c.archive.list_outputs(receipt.ref()))


def shared_billing(pack: Pack, job: SynthesisJob, number: int) -> Mapping[str, int]:
    """Return input `number`'s share of the job's bill, by characters; the service bills the pack as a whole."""
    weights = [member.characters for member in pack.members]
    return {name: share(total, weights, number) for name, total in job.billing.items()}
