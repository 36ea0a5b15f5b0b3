"""Scripts whose id is new, and that say what is archived under another id: folders were moved or read from above. Pure.

`render hr it` and `render --recursive .` give the same files the ids `welcome` and `hr/welcome`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from batch_avatar.identity import form_digest
from batch_avatar.planning.changes import Change
from batch_avatar.planning.plan import PlanItem, PlanState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from batch_avatar.planning.changes import Archived


def find_moved(
    new: Mapping[str, Collection[str]], archived: Mapping[str, Iterable[Archived]], wanted: Collection[str]
) -> dict[str, Change]:
    """Return, of the new scripts, those that are archived under another id with the same last part.

    `new`: the digests of a script's forms, by script_id. An id that is `wanted` as well has not become another one.
    """
    by_end: defaultdict[str, list[str]] = defaultdict(list)
    for script_id in new:
        by_end[_end(script_id)].append(script_id)
    found: dict[str, Change] = {}
    for before, receipts in archived.items():
        if before in wanted or _end(before) not in by_end:
            continue
        for receipt in receipts:
            digest = form_digest(receipt.form)
            for script_id in by_end[_end(before)]:
                known = found.get(script_id)
                newer = known is None or known.since.archived_at < receipt.archived_at
                if digest in new[script_id] and newer:
                    found[script_id] = Change(receipt, (), before=before)
    return found


def tell_moved(items: Sequence[PlanItem], moved: Mapping[str, Change]) -> list[PlanItem]:
    """Return the items with the moved ones as changed."""
    return [
        replace(item, state=PlanState.CHANGED, detail=str(moved[item.script_id])) if item.script_id in moved else item
        for item in items
    ]


def _end(script_id: str) -> str:
    return script_id.rpartition("/")[2]
