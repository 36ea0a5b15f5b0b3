"""Limits the creates that the resource accepts in a minute."""

from __future__ import annotations

import math
import threading
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from batch_avatar.emulator.errors import ApiError

if TYPE_CHECKING:
    from batch_avatar.emulator.clock import ServiceClock
    from batch_avatar.emulator.options import Generation

_MINUTE = timedelta(minutes=1)


class Allowance:
    """Counts the creates in a sliding minute of service time (D: 2 a minute on S0). A limit of 0 means no limit."""

    def __init__(self, limit: int, clock: ServiceClock) -> None:
        self._limit = limit
        self._clock = clock
        self._spent: deque[datetime] = deque()
        self._lock = threading.Lock()

    def spend(self, generation: Generation = "2024") -> datetime:
        """Count one create and return its time, which `refund` takes.

        Raises:
            ApiError: 429, because the limit is reached.
        """
        with self._lock:
            now = self._clock.now()
            while self._spent and self._spent[0] <= now - _MINUTE:
                self._spent.popleft()
            if self._limit and len(self._spent) >= self._limit:
                free = self._spent[0] + _MINUTE
                wait = self._clock.real_seconds((free - now).total_seconds())
                error = _refuse(max(1, math.ceil(wait)))
                raise _tell_rate(error, self._limit, free) if generation == "3.1" else error
            if self._limit:
                self._spent.append(now)
        return now

    def refund(self, spent_at: datetime) -> None:
        """Take back the create that was counted at this time."""
        with self._lock:
            if spent_at in self._spent:
                self._spent.remove(spent_at)


def _refuse(real_seconds: int) -> ApiError:
    """Return the 429 in the words that were seen (O), with real seconds: a client cannot wait in service time."""
    return ApiError(
        429,
        "TooManyRequests",
        "Requests to the batch avatar API have exceeded call rate limit of your current Speech S0 pricing tier. "
        f"Please retry after {real_seconds} seconds.",
        shape="gateway",
        retry_after_seconds=real_seconds,
    )


def _tell_rate(error: ApiError, limit: int, free: datetime) -> ApiError:
    """Add the shape and the headers of 3.1-preview1 (D: the audio docs). Its times are service time, rounded up."""
    reset = datetime.fromtimestamp(math.ceil(free.timestamp()), UTC)
    error.shape = "preview_flat"
    error.more_headers = {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": f"{reset:%Y-%m-%dT%H:%M:%SZ}",
    }
    return error
