"""The only place that reads time or sleeps."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, date, datetime
from typing import Protocol

TOLD_SECONDS = 60.0
"""Whoever waits longer than this for others says so before."""


def today() -> date:
    """Return the day in UTC, for what is compared with the dates of documents."""
    return datetime.now(UTC).date()


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the wall time in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of a clock that never goes back."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
