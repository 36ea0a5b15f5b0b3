"""Service time, which can be scaled or stepped. The emulator takes every decision about time by this clock."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ServiceClock:
    """Tells service time, which runs `scale` times as fast as real time, or only when told to.

    `scale` is in service seconds per real second. A stepped clock moves only by `advance`; its `scale` still converts
    service seconds for callers that need a real waiting time. `monotonic` returns real seconds.
    """

    def __init__(
        self,
        *,
        scale: float = 1.0,
        stepped: bool = False,
        start: datetime | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        if scale <= 0:
            raise ValueError("scale must be above zero")
        self.scale = scale
        self.stepped = stepped
        self._start = start or datetime.now(UTC)
        self._monotonic = monotonic
        self._origin = monotonic()
        self._advanced_seconds = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the service time, in UTC."""
        elapsed = 0.0 if self.stepped else (self._monotonic() - self._origin) * self.scale
        with self._lock:
            return self._start + timedelta(seconds=elapsed + self._advanced_seconds)

    def advance(self, seconds: float) -> datetime:
        """Move service time ahead by `seconds` and return the new time."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        with self._lock:
            self._advanced_seconds += seconds
        return self.now()

    def at_real(self, moment: datetime) -> datetime:
        """Return the service time at a moment of real time, unless somebody advances the clock before then."""
        return self.now() + timedelta(seconds=(moment - datetime.now(UTC)).total_seconds() * self.scale)

    def real_seconds(self, service_seconds: float) -> float:
        """Convert a span of service seconds to real seconds."""
        return service_seconds / self.scale


def format_time(moment: datetime, *, zulu: bool = True) -> str:
    """Write a time as the service does: 7 fraction digits and `Z`; without `Z` sometimes 6 digits.

    Source: the examples in the docs, where `lastActionDateTime` loses its `Z` when the job's status first changes.
    """
    short = not zulu and moment.microsecond % 2 == 0
    fraction = f"{moment.microsecond:06d}" if short else f"{moment.microsecond:06d}0"
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{fraction}{'Z' if zulu else ''}"


def format_short_time(moment: datetime) -> str:
    """Write a time as 3.1-preview1 does: with milliseconds and always with `Z`."""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def format_http_date(moment: datetime) -> str:
    """Write the `Date` header in service time, so that a client can correct its own clock by it."""
    days = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{days[moment.weekday()]}, {moment:%d} {months[moment.month - 1]} {moment:%Y %H:%M:%S} GMT"
