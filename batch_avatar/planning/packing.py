"""Put several scripts into one job: which fit together, how many, and what each of them cost. Pure.

At two creates a minute (the service's default quota) it takes more than eight hours to send a thousand scripts one by
one; with packs, the number of creates is no longer the limit.
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
    from batch_avatar.planning.order import Lane

MAX_INPUTS = 1000  # documented
ROOM_BYTES = 8 * 1024  # of a request, kept for everything but the inputs: properties, description, a signed link
INPUT_BYTES = len('{"content":""},')
REMEMBERED = 20  # packs whose times are kept, because only what the service does now counts
LEAST_SHARE = 0.01  # for inputs that add no time to a job; then the size of a request limits a pack
DEADLINE_SHARE = 0.5  # of a job's deadline that predictions may fill: single predictions are off by a third (seen)
OWN = frozenset({"script_id", "content", "description", "columns"})
"""Members that may differ between the scripts of one job."""


def pack_key(script: Script) -> str | None:
    """Return a key that is equal for scripts that may share a job: only texts differ. None: the script goes alone."""
    if script.destination_container_url is not None:
        return None
    shared = script.model_dump(mode="json", exclude=set(OWN), exclude_none=True)
    return hashlib.sha256(json.dumps(shared, sort_keys=True).encode()).hexdigest()[:16]


def input_bytes(script: Script) -> int:
    """Return how many bytes of a request's body this script takes."""
    return len(json.dumps(normalise_newlines(script.content), ensure_ascii=False).encode()) - 2 + INPUT_BYTES


def fitting(sizes: Sequence[int], count: int) -> int:
    """Return how many of the first `count` inputs fit into one request; at least 1."""
    room, fit = MAX_BODY_BYTES - ROOM_BYTES, 0
    for size in sizes[: min(count, MAX_INPUTS)]:
        room -= size
        if room < 0:
            break
        fit += 1
    return max(fit, 1)


def next_count(lane: Lane, sizer: PackSizer, *, spacing_seconds: float, left_seconds: float) -> int:
    """Return how many scripts of this lane share the next job; the times are those of `PackSizer.size`."""
    count = sizer.size(lane.seconds(), spacing_seconds=spacing_seconds, left_seconds=left_seconds)
    return fitting(lane.sizes(count), count)


def derive_pack_id(members: Sequence[tuple[str, int]], *, archive_id: str) -> str:
    """Return 16 hexadecimal digits from the members' content ids and attempts, in their order."""
    said = json.dumps({"archive_id": archive_id, "members": [list(member) for member in members]})
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def pack_job_id(pack_id: str) -> str:
    """Return the `job_id` of a pack. Its attempt is always 1, because scripts that a pack did not render go alone."""
    return f"pack-{pack_id}-1"


def share(total: int, weights: Sequence[int], number: int) -> int:
    """Return what input `number` (from 1) bears of a pack's total, by weight; the shares add up to it exactly."""
    whole = sum(weights)
    if not whole:
        return total if number == 1 else 0
    before = sum(weights[: number - 1])
    return total * (before + weights[number - 1]) // whole - total * before // whole


class PackSizer:
    """Decides how many inputs the next pack gets: a fixed number, or as many as make all packs end together.

    With g seconds between creates and W seconds of job time left, all packs end at the same moment if the first takes
    sqrt(2 g W) seconds, and each one g seconds less than the one before. Packs of equal times need sqrt(2) times as
    long, because the last one starts when the others have ended. Packs of equal numbers need three times as long if the
    longest scripts go first, because the first pack has all of those (simulated). How much an input adds to a job's
    time is learned: it is little if the service renders the inputs of a job side by side, and then packs grow.

    No pack is predicted to take more than `DEADLINE_SHARE` of `deadline_seconds`: no script of a late pack may be sent
    again while the pack may still finish.
    """

    def __init__(self, fixed: int | None, *, deadline_seconds: float = math.inf) -> None:
        self._fixed = fixed
        self._most_seconds = DEADLINE_SHARE * deadline_seconds
        self._shares: list[float] = []

    def note(self, *, took_seconds: float, predicted_seconds: Sequence[float]) -> None:
        """Learn from a pack that ended: how long it took, and how long each input was predicted to take alone."""
        longest = max(predicted_seconds)
        if others := sum(predicted_seconds) - longest:
            share = (took_seconds - longest) / others
            self._shares = [*self._shares, max(share, LEAST_SHARE)][-REMEMBERED:]

    def job_seconds(self, predicted_seconds: Sequence[float]) -> float:
        """Return how long a job of these inputs takes, as far as is known."""
        longest = max(predicted_seconds)
        return longest + self._share * (sum(predicted_seconds) - longest)

    @property
    def _share(self) -> float:
        """The share of its time alone by which an input makes a job longer."""
        return median(self._shares) if self._shares else 1.0

    def size(self, seconds: Iterable[float], *, spacing_seconds: float, left_seconds: float) -> int:
        """Return how many inputs the next pack gets.

        Unless the number is fixed, it is 1 if creates are not paced, because a pack gains nothing then. `seconds`:
        predicted for each of the next scripts alone; `left_seconds`: the sum for all that wait.
        """
        room = self._most_seconds
        if self._fixed is None:
            room = min(room, math.sqrt(2 * spacing_seconds * self._share * left_seconds))
        count, most = 0, self._fixed or MAX_INPUTS
        for alone in islice(seconds, most):
            takes = self._share * alone
            if takes / 2 > room:  # the pack comes closer to its time without this input
                break
            room -= takes
            count += 1
        return max(count, 1)
