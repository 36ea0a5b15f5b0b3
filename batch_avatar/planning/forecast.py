"""When a batch will have ended: the run's own rules of order, pace, slots and packs, played in advance. Pure.

The queue and the size of packs are the run's own code. A resource creates when it has a turn and a free slot, and each
job takes as long as is predicted.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from batch_avatar.planning.packing import next_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from batch_avatar.planning.order import Lane, Queue, Waiting
    from batch_avatar.planning.packing import PackSizer

AFTER_SECONDS = 8.0
"""From the end of a job to its video in the archive: 3 s to notice it, as measured at 200 jobs in flight
(docs/benchmarks), and some seconds to copy it. A choice; a batch takes hours."""


@dataclass(frozen=True)
class Place:
    """A resource. `spacing_seconds`: between two creates, 0 if they are unpaced.

    `busy_seconds`: when each slot that is taken now is predicted to be free, from now.
    """

    host: str
    spacing_seconds: float
    slots: int
    busy_seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Forecast:
    """Times from now. `packs`: the scripts of each job by their numbers, in the order of the creates."""

    ends_seconds: float
    last_create_seconds: float
    packs: tuple[tuple[int, ...], ...]

    @property
    def jobs(self) -> int:
        """How many jobs are created."""
        return len(self.packs)


def forecast(queue: Queue, places: Sequence[Place], *, sizer: PackSizer | None = None) -> Forecast:
    """Play the queue to its end, and return what came of it. It takes every script from the queue.

    `sizer`: decides how many scripts share a job; None if each has its own.
    """
    ends = max((second for place in places for second in place.busy_seconds), default=0.0)
    last, packs = 0.0, []
    for at, took, taken in _played(queue, places, sizer):
        last, ends = max(last, at), max(ends, at + took)
        packs.append(tuple(waiting.number for waiting in taken))
    return Forecast(ends + AFTER_SECONDS if packs or ends else 0.0, last, tuple(packs))


def _played(
    queue: Queue, places: Sequence[Place], sizer: PackSizer | None
) -> Iterator[tuple[float, float, list[Waiting]]]:
    """Yield each create: when it is sent, how long its job takes, and the scripts that it is for."""
    free = {place.host: _slots(place) for place in places}
    turns = {place.host: 0.0 for place in places}
    by_host = {place.host: place for place in places}
    ready = [(free[place.host][0], number, place.host) for number, place in enumerate(places)]
    heapify(ready)
    while ready:
        at, number, host = heappop(ready)
        place = by_host[host]

        def count(lane: Lane, place: Place = place) -> int:
            able = sum(known in lane.hosts for known in by_host)
            spacing, left = place.spacing_seconds / max(able, 1), queue.seconds_for(place.host)
            return 1 if sizer is None else next_count(lane, sizer, spacing_seconds=spacing, left_seconds=left)

        taken = queue.take(host, count)
        if not taken:
            continue
        seconds = [waiting.seconds for waiting in taken]
        took = sizer.job_seconds(seconds) if sizer is not None and len(seconds) > 1 else seconds[0]
        yield at, took, taken
        heappop(free[host])
        heappush(free[host], at + took)
        turns[host] = at + place.spacing_seconds
        heappush(ready, (max(turns[host], free[host][0]), number, host))


def _slots(place: Place) -> list[float]:
    """Return when each slot is free, as a heap; there is at least one."""
    count = max(place.slots, 1)
    slots = [*sorted(place.busy_seconds)[-count:], *[0.0] * max(0, count - len(place.busy_seconds))]
    heapify(slots)
    return slots
