"""A clock for waits that need not be as long as they are."""

from __future__ import annotations

from batch_avatar.clock import SystemClock


class HurriedClock(SystemClock):
    """Waits a moment where others wait longer; notes how long they would."""

    def __init__(self):
        self.waited = []

    async def sleep(self, seconds):
        self.waited.append(seconds)
        await super().sleep(min(seconds, 0.05))
