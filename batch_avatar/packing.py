"""Several scripts as the inputs of one job: which fit together, how many, and what each of them cost. Pure.

At two creates a minute (the service's default quota) a thousand scripts need more than eight hours to be sent one by
one; packed, the number of creates no longer is the limit.
"""

from __future__ import annotations

import hashlib
import json
import math
from statistics import median
from typing import TYPE_CHECKING

from batch_avatar.identity import normalise_newlines
from batch_avatar.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.models import Script

MAX_INPUTS = 1000  # documented
ROOM_BYTES = 8 * 1024  # of a request, for everything but the inputs: properties, description, a signed link
INPUT_BYTES = len('{"content":""},')
REMEMBERED = 20  # packs whose times are kept; what the service does now counts
OWN = frozenset({"script_id", "content", "description"})
"""Members that scripts of one job need not share."""


def pack_key(script: Script) -> str | None:
    """Equal for scripts that may be inputs of one job: all else but the text is said once. None: it goes alone."""
    if script.destination_container_url is not None:
        return None
    shared = script.model_dump(mode="json", exclude=set(OWN), exclude_none=True)
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:16]


def input_bytes(script: Script) -> int:
    """How much of a request's body this script takes."""
    return len(json.dumps(normalise_newlines(script.content), ensure_ascii=False).encode()) - 2 + INPUT_BYTES


def fitting(sizes: Sequence[int], count: int) -> int:
    """How many of the first `count` inputs fit into one request; at least 1."""
    room, fit = MAX_BODY_BYTES - ROOM_BYTES, 0
    for size in sizes[: min(count, MAX_INPUTS)]:
        room -= size
        if room < 0:
            break
        fit += 1
    return max(fit, 1)


def derive_pack_id(members: Sequence[tuple[str, int]], *, archive_id: str) -> str:
    """16 hexadecimal digits from the members' content ids and attempts, in their order."""
    said = json.dumps({"archive_id": archive_id, "members": [list(member) for member in members]})
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def pack_job_id(pack_id: str) -> str:
    """A pack is sent once: whatever is missing of it afterwards goes alone."""
    return f"pack-{pack_id}-1"


def share(total: int, weights: Sequence[int], number: int) -> int:
    """What input `number` (from 1) bears of a pack's total, by weight; all shares together are exactly the total."""
    whole = sum(weights)
    if not whole:
        return total if number == 1 else 0
    before = sum(weights[: number - 1])
    return total * (before + weights[number - 1]) // whole - total * before // whole


class PackSizer:
    """How many inputs the next pack gets: a fixed number, or what makes all packs end together.

    With g seconds between creates, n scripts left and m seconds of a job's time per input, packs that shrink from
    sqrt(2 g n / m) on all end at the same moment, after sqrt(2 g n m) seconds. Equal packs of sqrt(g n / m) need
    sqrt(2) times as long, as the last one starts when the others have ended. m is learned: where the service renders
    the inputs of one job side by side, it is small, and packs grow.
    """

    def __init__(self, fixed: int | None) -> None:
        self._fixed = fixed
        self._seen: list[float] = []

    def note(self, *, took_seconds: float, predicted_seconds: float) -> None:
        """A pack ended: what it took, and what its inputs were predicted to take one after another."""
        if predicted_seconds > 0:
            self._seen = [*self._seen, took_seconds / predicted_seconds][-REMEMBERED:]

    def seconds_per_input(self, predicted_seconds: float) -> float:
        """Of a job's time, for an input that alone is predicted to take so long."""
        return predicted_seconds * (median(self._seen) if self._seen else 1.0)

    def size(self, *, left: int, spacing_seconds: float, mean_seconds: float) -> int:
        """For the next pack, with so many scripts left. 1 where creates are not paced: nothing is gained then."""
        if self._fixed is not None:
            return self._fixed
        per_input = max(self.seconds_per_input(mean_seconds), 1e-3)
        return max(1, min(MAX_INPUTS, left, math.ceil(math.sqrt(2 * spacing_seconds * left / per_input))))
