"""What a batch had spent before it was started again, as its claims and receipts say. Pure."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.archive.records import SentAttempt
from batch_avatar.planning.prices import Usage

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from batch_avatar.archive.index import ArchiveIndex


class SpentBefore(NamedTuple):
    """Jobs of a batch, by `job_id` and `script_id`: what those under way are predicted to take, and the others took."""

    under_way: Mapping[str, Mapping[str, Usage]]
    billed: Mapping[str, Mapping[str, Usage]]


def spent_before(index: ArchiveIndex, batch: str, *, of: Container[str] | None = None) -> SpentBefore:
    """Return what the claims that name this batch have cost, or will. `of`: count these scripts only."""
    under_way: defaultdict[str, dict[str, Usage]] = defaultdict(dict)
    billed: defaultdict[str, dict[str, Usage]] = defaultdict(dict)
    for (script_id, content_id), claim in index.claims.items():
        if claim.get("batch") != batch or (of is not None and script_id not in of):
            continue
        if (expected := Usage.read(claim.get("expected", ""))) is None:
            continue
        receipt = index.receipts.get((script_id, content_id), {})
        for sent in SentAttempt.read(claim.get("sent", "")):
            archived = receipt.get("job_id") == sent.job_id
            cost = sent.billed or (_billed(receipt, expected) if archived else None)
            if cost is None:
                under_way[sent.job_id][script_id] = expected
            else:
                billed[sent.job_id][script_id] = replace(expected, seconds=cost[0], characters=cost[1])
    return SpentBefore(under_way, billed)


def _billed(receipt: Mapping[str, str], expected: Usage) -> tuple[int, int]:
    """Return the seconds and characters of a receipt; if it does not tell them, those of its video and prediction."""
    seconds = int(float(receipt.get("seconds") or receipt.get("video") or expected.seconds))
    return seconds, int(receipt.get("characters") or expected.characters)
