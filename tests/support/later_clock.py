"""A clock that shows a later time than this machine's, as if so much time had passed since."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from batch_avatar.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime


class LaterClock(SystemClock):
    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead
