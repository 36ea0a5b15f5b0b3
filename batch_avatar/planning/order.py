"""Which script goes next, and to which resource: pure.

A resource takes the next script in the moment in which it may create. So the one that is free first, and would finish
it first, gets it; and no script belongs to a resource before it is claimed there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batch_avatar.planning.plan import PlanItem


class Order(StrEnum):
    LONGEST = "longest"  # predicted; so that no long video starts last
    MANIFEST = "manifest"  # as they were given


@dataclass(frozen=True, slots=True)
class Waiting:
    """A script that waits for its create.

    `number` is its place among the scripts, `seconds` its predicted rendering.
    """

    item: PlanItem
    number: int
    seconds: float
    size_bytes: int = 0


@dataclass
class Lane:
    """Scripts that the same resources can do, and that may share a job where `key` is given; the next one last."""

    hosts: frozenset[str]
    key: str | None
    waiting: list[Waiting] = field(default_factory=list)
    total_seconds: float = 0.0

    def seconds(self) -> Iterator[float]:
        """Predicted, of each, in the order in which they would be taken."""
        return (waiting.seconds for waiting in reversed(self.waiting))

    def sizes(self, count: int) -> list[int]:
        """Bytes of the next ones, in the order in which they would be taken."""
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
        """Whether there is anything that this resource can do."""
        return any(lane.waiting and host in lane.hosts for lane in self._lanes.values())

    def seconds_for(self, host: str) -> float:
        """Predicted, of all that this resource can do."""
        return sum(lane.total_seconds for lane in self._lanes.values() if host in lane.hosts)

    def take(self, host: str, count_of: Callable[[Lane], int] = lambda _: 1) -> list[Waiting]:
        """The next for this resource, and as many that may share its job as `count_of` says; empty where nothing is.

        What few resources can do goes first where most work is left for each of them; then the longest script.
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
        """What is left, with the resources that could have done it."""
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
