"""What the archive says of packs: who their inputs are, what each bears of the bill, and whether all are settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.errors import ArchiveConflict
from batch_avatar.identity import parse_job_id
from batch_avatar.packing import share
from batch_avatar.records import SettledPack

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from batch_avatar.connections import Connections
    from batch_avatar.models import SynthesisJob
    from batch_avatar.records import Pack, PackMember
    from batch_avatar.stages import Chain


def load_pack(c: Connections, job_id: str) -> Pack:
    """Blocking. Who its inputs are; read once in a run.

    Raises:
        ArchiveConflict: nothing in the archive says so.
    """
    pack = c.packs.get(job_id)
    if pack is None:
        parsed = parse_job_id(job_id)
        pack = c.archive.read_pack(parsed[0]) if parsed is not None else None
        if pack is None:
            raise ArchiveConflict("the archive does not say who the inputs of this job are", job_id=job_id)
        c.packs[job_id] = pack
    return pack


async def read_pack(c: Connections, job_id: str) -> Pack:
    """As `load_pack`, without a thread of one's own."""
    return await c.control(load_pack, c, job_id)


async def delete_if_settled(c: Connections, chain: Chain, job_id: str, *, known: Collection[str] = ()) -> None:
    """Delete the pack once nobody needs it any more; `known` as in `is_settled`."""
    pack = await read_pack(c, job_id)
    if await is_settled(c, pack, known=known):
        await chain.delete(SettledPack(ref=pack.ref()))


async def is_settled(c: Connections, pack: Pack, *, known: Collection[str] = ()) -> bool:
    """Whether nobody needs the job any more; `known`: members, by script_id, of whom that is known."""
    for member in pack.members:
        if member.script_id not in known and not await c.control(_member_is_settled, c, member):
            return False
    return True


def _member_is_settled(c: Connections, member: PackMember) -> bool:
    """It has a receipt, or has gone on from this attempt, or has been given up with it."""
    held = c.archive.read_claim(member.script_id, member.content_id)
    if held is not None and (held.claim.last.number > member.attempt or held.claim.last.over):
        return True
    receipt = c.archive.read_receipt(member.script_id, member.content_id)
    return receipt is not None and not receipt.video.doubtful


def shared_billing(pack: Pack, job: SynthesisJob, number: int) -> Mapping[str, int]:
    """What input `number` bears of the job's bill: by characters, as the service bills the pack as a whole."""
    weights = [member.characters for member in pack.members]
    return {name: share(total, weights, number) for name, total in job.billing.items()}
