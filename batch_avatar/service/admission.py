"""When a resource may get another job: the pace of creates and the slots of unfinished jobs.

**The pace** is the configured one until the service refuses a create. The refused pace is then remembered as the
service's own. Creates go on a tenth below it, and every accepted create raises the pace along a cubic curve: quickly
back towards the remembered pace, for long just below it, then ever faster beyond it, up to the configured one. A
straight line that is slow enough for 10 refusals per 1,000 creates idles twice as long in each round, and takes three
times as many creates to find that the service has become twice as fast.

Without a configured pace, the remembered pace is what the service accepted in the minute before the first refusal. If
that was little, as when a run has just begun, creates go on at ten a minute, and the pace doubles with each that is
accepted; the next refusal then remembers what was accepted in the minute before it, however little that is.

A refusal lowers the pace only if a create was accepted since the pace was last lowered. Two refusals in a row mean that
the wait was too short, or that others were faster; neither means that this pace is too fast.

**The slots** are those that the service has, less the jobs of others that listings show, less those that refusals have
shown to be taken by jobs that no listing shows.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from batch_avatar.clock import Clock

BACKOFF_SECONDS = (60.0, 120.0, 240.0, 240.0)
"""Waits after a 429 that names no wait: the 1-2-4-4 minutes that the service's quota page advises."""

FULL_SECONDS = (10.0, 20.0, 40.0, 60.0)
"""Waits when all slots are taken and the service names no wait: about as long as between two listings, then longer."""

UNCLEAR_ROW = 5  # so many creates in a row without an answer are no accident
LEAST_WAIT_SECONDS = 1.0  # even where the service says 0, which would make a loop of requests
MARGIN = 1.01
"""Creates leave here evenly and arrive at the service a little unevenly; going 1 % slower keeps two from meeting in one
of its windows."""

CUT = 0.1  # share of the pace that a refusal takes off
FIRST_CLIMB = 20  # creates from the first cut back to the refused pace; few, as what was learned may be far off
CLIMB = 150  # the same in the long run; measured: 5 to 9 refusals per 1,000 creates
CLIMB_PAUSES = 10  # a climb lasts at least so many pauses, so that pauses cost at most a tenth of the time
COUNTABLE = 10  # so many creates in a minute measure the service's pace to a tenth
RECENT_LOOKS = 4  # listings; measured: refusals per 1,000 creates fall from 10 to 6 where others keep all slots full
DOUBLINGS = 60  # after so many doublings a pace no longer limits anything
LEAST_SHARE = 0.1
"""The least pace, as a share of the most that was accepted in a minute. Without it refusals that no pace avoids would
end in a standstill."""


class Admission:
    """Admission to one resource, in one process and event loop. Waiting costs no thread and no request."""

    def __init__(
        self,
        *,
        clock: Clock,
        creates_per_minute: float,
        max_unfinished_jobs: int,
        gate: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._clock = clock
        self.gate = gate
        """What every create waits for last, e.g. a pace that machines share."""
        self._most_slots = self._limit = max_unfinished_jobs
        self._held = self._others = 0
        self._full = 0  # creates that were refused for want of a slot in the last pause
        self._seen: deque[int] = deque(maxlen=RECENT_LOOKS)
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turn = asyncio.Lock()
        self._created_at = -math.inf
        self._paused_until = -math.inf
        self._refusals = 0
        self._unclear: set[str] = set()
        self._ceiling = creates_per_minute / MARGIN if creates_per_minute else math.inf
        self._refused_pace = math.inf  # creates a minute, as all paces; 0 while it is unknown
        self._counting = False  # the refused pace is what was accepted in the minute before this pause
        self._since = 0  # creates accepted since the last cut, outside pauses
        self._climb = FIRST_CLIMB / 2  # creates from a cut back to the refused pace; doubles with each cut
        self._taken: deque[float] = deque()  # when creates were accepted, in the last minute
        self._most_taken = 0

    @property
    def held(self) -> int:
        """Slots that this process holds."""
        return self._held

    @property
    def slots(self) -> int:
        """How many unfinished jobs the resource takes, as far as is known."""
        return self._limit

    @property
    def pause_seconds(self) -> float:
        """Seconds from now during which nobody may create."""
        return max(self._paused_until - self._clock.monotonic(), 0.0)

    @property
    def resumes_at(self) -> datetime:
        """The time, by our clock, until which nobody may create."""
        return self._clock.now() + timedelta(seconds=self.pause_seconds)

    @property
    def spacing_seconds(self) -> float:
        """Seconds between two creates at the present pace; 0 if creates are unpaced."""
        return 60.0 / self._pace()

    async def wait_for_slot(self) -> None:
        """Wait for a slot, without a turn to create. First come, first served."""
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        self._fill()
        try:
            await slot
        except asyncio.CancelledError:
            if not slot.cancelled():  # granted at the moment of the cancellation
                self.leave()
            raise

    def take(self) -> None:
        """Count a slot that an existing job occupies already, even if none is free."""
        self._held += 1

    def leave(self) -> None:
        """Release a slot: its job has ended or was never created."""
        self._held -= 1
        self._fill()

    def see_others(self, count: int) -> None:
        """Note how many unfinished jobs of others the service's list shows on this resource.

        Each listing gives back one of the slots that refusals took, and those that more jobs of others now explain.
        If others had more jobs a few listings ago, one slot more is left to them, as they mostly take it again.
        """
        self._seen.append(count)
        others = min(max(self._seen), count + 1) if count else 0
        self._limit = min(self._limit + 1 + max(others - self._others, 0), self._most_slots)
        self._others = others
        self._fill()

    async def turn(self) -> None:
        """Wait until one create may be sent. First come, first served."""
        async with self._turn:
            await self._due()
            if self.gate is not None:
                await self.gate()
                await self._due()  # the service may have refused another create meanwhile
            self._created_at = self._clock.monotonic()

    def accepted(self) -> None:
        """Note that the service accepted a create. The next refusal counts as the first in a row."""
        self._refusals = 0
        self._unclear.clear()
        self._taken.append(self._clock.monotonic())
        taken = self._taken_in_last_minute()
        self._most_taken = max(self._most_taken, taken)
        if not self.pause_seconds:
            self._since += 1
        elif self._counting and (
            self._refused_pace or taken >= COUNTABLE
        ):  # in a burst, refusals may arrive before the answers to accepted creates
            self._refused_pace = max(self._refused_pace, taken)

    def unclear(self, job_id: str | None = None) -> None:
        """Note a create without a usable answer. Many in a row mean that the service has trouble, so creates pause.

        Those of one job count once: it alone may be the cause.
        """
        self._unclear.add(job_id or f"the create {len(self._unclear)}")
        if len(self._unclear) >= UNCLEAR_ROW:
            self._pause(None, BACKOFF_SECONDS)

    def throttled(self, retry_after_seconds: float | None, *, full: bool = False) -> None:
        """Note that the service refused a create for now. Nobody creates before the wait is over.

        `full`: it refused because of the number of unfinished jobs, not because of the pace.
        """
        anew = not self.pause_seconds  # several refusals in one pause count as one
        self._pause(retry_after_seconds, FULL_SECONDS if full else BACKOFF_SECONDS)
        if full:
            self._full = 1 if anew else self._full + 1  # these hold slots here but none at the service
            self._limit = min(max(self._held + self._others - self._full, 1), self._limit)
        elif anew:
            self._slow_down()

    def _fill(self) -> None:
        while self._waiting and self._held + self._others < self._limit:
            slot = self._waiting.popleft()
            if not slot.done():
                self._held += 1
                slot.set_result(None)

    async def _due(self) -> None:
        while (wait := max(self._created_at + self.spacing_seconds - self._clock.monotonic(), self.pause_seconds)) > 0:
            await self._clock.sleep(wait)

    def _pause(self, told_seconds: float | None, steps: tuple[float, ...]) -> None:
        if not self.pause_seconds:
            self._refusals += 1
        if told_seconds is None:
            step = steps[min(max(self._refusals, 1), len(steps)) - 1]
            told_seconds = step * random.uniform(0.75, 1.25)  # noqa: S311 - spreading, not secrecy
        until = self._clock.monotonic() + max(told_seconds, LEAST_WAIT_SECONDS)
        self._paused_until = max(self._paused_until, until)

    def _pace(self) -> float:
        if self._refused_pace == 0:
            return min(COUNTABLE * 2.0 ** min(self._since, DOUBLINGS), self._ceiling)
        return min(self._refused_pace * (1 + CUT * (self._since / self._climb - 1) ** 3), self._ceiling)

    def _slow_down(self) -> None:
        pace, taken = self._pace(), self._taken_in_last_minute()
        self._counting = self._refused_pace == 0 or pace == math.inf
        if self._counting:
            enough = COUNTABLE if pace == math.inf else 1
            self._refused_pace = taken if self._since and taken >= enough else 0
        elif self._since:
            measured = max(taken, COUNTABLE, pace / 2)  # lower by half at most: that minute may contain a pause
            self._refused_pace = max(min(pace, measured), LEAST_SHARE * self._most_taken)
        else:
            return
        wanted = max(CLIMB, CLIMB_PAUSES * self._refused_pace * self.pause_seconds / 60)
        self._climb = max(min(2 * self._climb, wanted), taken)  # a minute's count cannot show a faster climb
        self._since = 0

    def _taken_in_last_minute(self) -> int:
        while self._taken and self._taken[0] <= self._clock.monotonic() - 60:
            self._taken.popleft()
        return len(self._taken)
