"""Where each script of a run stands: events from the runner, counts for whoever shows them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batch_avatar.clock import Clock


class Phase(StrEnum):
    WAITING = "waiting"
    CREATED = "created"
    RUNNING = "running"
    RENDERED = "rendered"
    ARCHIVED = "archived"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNFINISHED = "unfinished"


ENDED = frozenset({Phase.ARCHIVED, Phase.SKIPPED, Phase.FAILED, Phase.UNFINISHED})


@dataclass(frozen=True)
class Event:
    """A script moved on; `text` adds what a reader wants to know, e.g. the reason of a failure."""

    script_id: str
    phase: Phase
    job_id: str | None = None
    text: str = ""


class Progress:
    """Counts per phase, and the time left at the pace so far."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self._phases: dict[str, Phase] = {}
        self._counts: Counter[Phase] = Counter()

    def __call__(self, event: Event) -> None:
        before = self._phases.get(event.script_id)
        if before is not None:
            self._counts[before] -= 1
        self._phases[event.script_id] = event.phase
        self._counts[event.phase] += 1

    def counts(self) -> Counter[Phase]:
        return self._counts

    @property
    def total(self) -> int:
        return len(self._phases)

    @property
    def ended(self) -> int:
        return sum(self._counts[phase] for phase in ENDED)

    def elapsed_seconds(self) -> float:
        return self._clock.monotonic() - self._started

    def seconds_left(self) -> float | None:
        """None until the first script that cost time has ended."""
        counts = self.counts()
        ended = sum(counts[phase] for phase in ENDED - {Phase.SKIPPED})
        left = self.total - self.ended
        return self.elapsed_seconds() / ended * left if ended else None
