"""How many seconds may still be billed, and when the next create may be sent."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from batch_avatar.errors import BatchAvatarError

if TYPE_CHECKING:
    from batch_avatar.clock import Clock

MOST_SECONDS = 10
"""Billed seconds of one run, at most."""
BURST = 2
"""Creates that may come one right after the other, if none came before: the service's quota is two a minute."""
MARGIN = 1.03
"""Requests do not take equally long to arrive."""


class TooDear(BatchAvatarError):
    """A create is not sent, because its job might be billed beyond the limit."""


class Spending:
    """What was spent, in seconds: reserved before each create, and given back where it is refused."""

    def __init__(self, most: int = MOST_SECONDS) -> None:
        self._most = most
        self.seconds = 0
        self.told = 0
        """As far as jobs told."""

    def reserve(self, seconds: int) -> None:
        """Raise TooDear where the limit would be passed."""
        if self.seconds + seconds > self._most:
            raise TooDear(f"it could be billed, beyond {self._most} seconds in all")
        self.seconds += seconds

    def give_back(self, seconds: int) -> None:
        self.seconds -= seconds

    def correct(self, reserved: int, billed: int) -> None:
        """Take what a job told: more than was reserved counts."""
        self.told += billed
        self.seconds += max(0, billed - reserved)


class Pace:
    """Lets two creates pass in the time in which the settings allow two."""

    def __init__(self, clock: Clock, creates_per_minute: float) -> None:
        self._clock = clock
        self.window_seconds = MARGIN * 60 * BURST / creates_per_minute if creates_per_minute else 0.0
        self._sent: deque[float] = deque(maxlen=BURST)

    def seconds_until_room(self, creates: int = 1) -> float:
        """Return how long to wait until so many creates, at most two, may be sent one after the other."""
        taken = BURST - creates
        if len(self._sent) <= taken:
            return 0.0
        free = self._sent[len(self._sent) - 1 - taken] + self.window_seconds
        return max(0.0, free - self._clock.monotonic())

    async def wait(self, creates: int = 1) -> None:
        while (seconds := self.seconds_until_room(creates)) > 0:
            await self._clock.sleep(seconds + 0.01)

    def note(self) -> None:
        self._sent.append(self._clock.monotonic())
