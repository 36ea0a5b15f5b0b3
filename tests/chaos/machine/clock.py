"""A clock for tests that live through many failures: what is waited for minutes is over at once."""

from __future__ import annotations

import asyncio
import threading
import time

from batch_avatar.clock import SystemClock

HONEST_SECONDS = 0.6  # polls and the settling of absences, as the machine sets them, are shorter and really waited out
SHORT_SECONDS = 0.15


class ImpatientClock(SystemClock):
    """Longer waits take a moment only, and `monotonic` jumps by the rest.

    Wall time never jumps: claims grow old by the storage's clock and jobs by the service's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._skipped = 0.0

    def monotonic(self) -> float:
        with self._lock:
            return time.monotonic() + self._skipped

    async def sleep(self, seconds: float) -> None:
        if seconds <= HONEST_SECONDS:
            await asyncio.sleep(seconds)
            return
        await asyncio.sleep(SHORT_SECONDS)
        self.skip(seconds - SHORT_SECONDS)

    def waited(self) -> float:
        """Like `monotonic`, without what was skipped."""
        return time.monotonic()

    def skip(self, seconds: float) -> None:
        with self._lock:
            self._skipped += seconds
