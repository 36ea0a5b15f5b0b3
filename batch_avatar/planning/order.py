"""Choose which script goes next, and to which resource. Pure.

A resource takes the next script at the moment when it may create. So each script goes to the resource that is free
first and would finish it first, and belongs to no resource before it is claimed there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batch_avatar.planning.plan import PlanItem


class Order(StrEnum):
    LONGEST = "longest"  # by predicted rendering, so that no long video starts last
    MANIFEST = "manifest"  # as they were given


@dataclass(frozen=True, slots=True)
class Waiting:
    """A script that waits for its create.

    `number` is its place among the scripts, `seconds` its predicted rendering time.
    """

    item: PlanItem
    number: int
    seconds: float
    size_bytes: int = 0


@dataclass
class Lane:
    """Scripts that the same resources can render; with a `key` they may share a job. The next script stands last."""

    hosts: frozenset[str]
    key: str | None
    waiting: list[Waiting] = field(default_factory=list)
    total_seconds: float = 0.0

    def seconds(self) -> Iterator[float]:
        """Return the predicted seconds of each script, in the order in which they would be taken."""
        return (waiting.seconds for waiting in reversed(self.waiting))

    def sizes(self, count: int) -> list[int]:
        """Return the bytes of the next `count` scripts, in the order in which they would be taken."""
        return [waiting.size_bytes for waiting in self.waiting[: -count - 1 : -1]]


class Queue:
    """All scripts that wait for a create."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._lanes: dict[tuple[frozenset[str], str | None], Lane] = {}
        self._sorted = True

    def __len__(self) -> int:
        return sum(len(lane.waiting) for lane in self._lanes.values())

    def add(self, waiting: Waiting, *, hosts: frozenset[str], key: str | None = None) -> None:
        lane = self._lanes.setdefault((hosts, key), Lane(hosts, key))
        lane.waiting.append(waiting)
        lane.total_seconds += waiting.seconds
        self._sorted = False

    def waits_for(self, host: str) -> bool:
        """Return whether any script waits that this resource can render."""
        return any(lane.waiting and host in lane.hosts for lane in self._lanes.values())

    def seconds_for(self, host: str) -> float:
        """Return the predicted seconds of all scripts that this resource can render."""
        return sum(lane.total_seconds for lane in self._lanes.values() if host in lane.hosts)

    def take(self, host: str, count_of: Callable[[Lane], int] = lambda _: 1) -> list[Waiting]:
        """Take the next script for this resource, with as many for its job as `count_of` says; empty if none waits.

        In the order LONGEST, the scripts go first whose resources have the most work left per resource, so those
        that few resources can render are not left to the end; among them, the longest goes first.
        """
        self._sort()
        able = [lane for lane in self._lanes.values() if lane.waiting and host in lane.hosts]
        if not able:
            return []
        if self._order is Order.MANIFEST:
            lane = min(able, key=lambda lane: lane.waiting[-1].number)
        else:
            work: dict[frozenset[str], float] = {}
            for lane in able:
                work[lane.hosts] = work.get(lane.hosts, 0.0) + lane.total_seconds / len(lane.hosts)
            lane = max(able, key=lambda lane: (work[lane.hosts], lane.waiting[-1].seconds))
        count = count_of(lane) if lane.key is not None else 1
        taken = [lane.waiting.pop() for _ in range(min(count, len(lane.waiting)))]
        lane.total_seconds -= sum(waiting.seconds for waiting in taken)
        return taken

    def rest(self) -> list[tuple[Waiting, frozenset[str]]]:
        """Return the scripts that are left, with the resources that could have rendered them."""
        return [(waiting, lane.hosts) for lane in self._lanes.values() for waiting in lane.waiting]

    def _sort(self) -> None:
        if self._sorted:
            return
        self._sorted = True
        for lane in self._lanes.values():
            if self._order is Order.LONGEST:
                lane.waiting.sort(key=lambda waiting: (waiting.seconds, -waiting.number))
            else:
                lane.waiting.sort(key=lambda waiting: -waiting.number)
