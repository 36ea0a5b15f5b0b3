"""Where each script of a run stands: events from the runner, and counts for displays."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batch_avatar.clock import Clock
    from batch_avatar.models import Outcome


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
STEPS = {Phase.CREATED: 1, Phase.RUNNING: 2, Phase.RENDERED: 3, **dict.fromkeys(ENDED, 4)}
"""How many of the four steps from create to end a script has taken."""


@dataclass(frozen=True)
class Event:
    """A script moved on. `text` adds what a reader wants to know, e.g. the reason for a failure.

    `outcome` is set once the script has ended.
    """

    script_id: str
    phase: Phase
    job_id: str | None = None
    text: str = ""
    outcome: Outcome | None = None


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

    @property
    def share(self) -> float:
        """The share of all steps of all scripts that is done, from 0 to 1."""
        steps = sum(STEPS[phase] * count for phase, count in self._counts.items() if phase in STEPS)
        return steps / (4 * self.total) if self.total else 1.0

    def elapsed_seconds(self) -> float:
        return self._clock.monotonic() - self._started

    def seconds_left(self) -> float | None:
        """Estimate the seconds until all scripts have ended; None until the first one that took time has ended."""
        counts = self.counts()
        ended = sum(counts[phase] for phase in ENDED - {Phase.SKIPPED})
        left = self.total - self.ended
        return self.elapsed_seconds() / ended * left if ended else None
