"""Several scripts as the inputs of one job: which fit together, how many, and what each of them cost. Pure.

At two creates a minute (the service's default quota) a thousand scripts need more than eight hours to be sent one by
one; packed, the number of creates no longer is the limit.
"""

from __future__ import annotations

import hashlib
import json
import math
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

from batch_avatar.identity import normalise_newlines
from batch_avatar.service.wire.messages import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from batch_avatar.models import Script

MAX_INPUTS = 1000  # documented
ROOM_BYTES = 8 * 1024  # of a request, for everything but the inputs: properties, description, a signed link
INPUT_BYTES = len('{"content":""},')
REMEMBERED = 20  # packs whose times are kept; what the service does now counts
LEAST_SHARE = 0.01  # where inputs take no time beside each other; what is too long for one request shows there
DEADLINE_SHARE = 0.5  # of a job's deadline may be filled by prediction: single ones are off by a third (seen)
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

    With g seconds between creates and W seconds of jobs' time left, packs that take sqrt(2 g W) seconds, and each g
    less than the one before, all end at the same moment. Packs of equal times need sqrt(2) times as long, as the last
    one starts when the others have ended. Packs of equal numbers need three times as long where the longest scripts go
    first, as the first pack has all of those (simulated). What an input adds to a job's time is learned: where the
    service renders the inputs of one job side by side it is little, and packs grow.

    No pack is predicted to take more than `DEADLINE_SHARE` of `deadline_seconds`: of one that is late nothing may be
    sent again while it may still finish.
    """

    def __init__(self, fixed: int | None, *, deadline_seconds: float = math.inf) -> None:
        self._fixed = fixed
        self._most_seconds = DEADLINE_SHARE * deadline_seconds
        self._shares: list[float] = []

    def note(self, *, took_seconds: float, predicted_seconds: Sequence[float]) -> None:
        """A pack ended: what it took, and what each of its inputs was predicted to take alone."""
        longest = max(predicted_seconds)
        if others := sum(predicted_seconds) - longest:
            share = (took_seconds - longest) / others
            self._shares = [*self._shares, max(share, LEAST_SHARE)][-REMEMBERED:]

    def job_seconds(self, predicted_seconds: Sequence[float]) -> float:
        """Of a job of these inputs, as far as is known."""
        longest = max(predicted_seconds)
        return longest + self._share * (sum(predicted_seconds) - longest)

    @property
    def _share(self) -> float:
        """Of what an input takes alone, by how much it makes a job longer."""
        return median(self._shares) if self._shares else 1.0

    def size(self, seconds: Iterable[float], *, spacing_seconds: float, left_seconds: float) -> int:
        """For the next pack. `seconds`: predicted alone, of the next scripts; `left_seconds`: of all that wait.

        1 where creates are not paced: nothing is gained then.
        """
        room = self._most_seconds
        if self._fixed is None:
            room = min(room, math.sqrt(2 * spacing_seconds * self._share * left_seconds))
        count, most = 0, self._fixed or MAX_INPUTS
        for alone in islice(seconds, most):
            takes = self._share * alone
            if takes / 2 > room:  # it fits better without than with it
                break
            room -= takes
            count += 1
        return max(count, 1)
