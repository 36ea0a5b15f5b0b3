"""Who may create now: the pace of creates and the slots of unfinished jobs, per resource."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batch_avatar.clock import Clock

BACKOFF_SECONDS = (60.0, 120.0, 240.0, 240.0)
"""Waits after a 429 that names none: the 1-2-4-4 minutes that the service's quota page advises."""

UNCLEAR_ROW = 5  # creates without an answer that are no accident
LEAST_WAIT_SECONDS = 1.0  # also where the service says 0, or it would be asked in a loop
MARGIN = 1.01
"""Creates leave here evenly, and arrive there a little unevenly; 1 % keeps two from meeting in one window."""


class Admission:
    """For one resource in one process. Waiting costs no thread and no request."""

    def __init__(self, *, clock: Clock, creates_per_minute: float, max_unfinished_jobs: int) -> None:
        self._clock = clock
        self._spacing_seconds = MARGIN * 60.0 / creates_per_minute if creates_per_minute else 0.0
        self._slots = asyncio.Semaphore(max_unfinished_jobs)
        self._turn = asyncio.Lock()
        self._next_create = clock.monotonic()
        self._refusals = 0
        self._unclear = 0
        self._paused_until = self._next_create

    async def enter(self) -> None:
        """Wait for a slot and then for the pace; pair with `leave`."""
        await self._slots.acquire()
        try:
            await self.turn()
        except BaseException:
            self._slots.release()
            raise

    async def adopt(self) -> None:
        """Wait for a slot only: the job exists, nothing will be created."""
        await self._slots.acquire()

    def leave(self) -> None:
        """The job has ended, or never came to be."""
        self._slots.release()

    async def turn(self) -> None:
        """Wait until one create may be sent. First come, first served."""
        async with self._turn:
            while (wait := self._next_create - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait)
            self._next_create = self._clock.monotonic() + self._spacing_seconds

    def accepted(self) -> None:
        """The service took a create: the next refusal starts counting anew."""
        self._refusals = self._unclear = 0

    def unclear(self) -> None:
        """A create had no usable answer; many in a row are a trouble of the service's, and it is left alone a while."""
        self._unclear += 1
        if self._unclear >= UNCLEAR_ROW:
            self.throttled(None)

    def throttled(self, retry_after_seconds: float | None) -> None:
        """The service refused a create for now: nobody sends before its time is over."""
        now = self._clock.monotonic()
        if now >= self._paused_until:  # many may be refused in one pause; that is one refusal
            self._refusals += 1
        if retry_after_seconds is None:
            step = BACKOFF_SECONDS[min(max(self._refusals, 1), len(BACKOFF_SECONDS)) - 1]
            retry_after_seconds = step * random.uniform(0.75, 1.25)  # noqa: S311 - spreading, not secrecy
        self._paused_until = max(self._paused_until, now + max(retry_after_seconds, LEAST_WAIT_SECONDS))
        self._next_create = max(self._next_create, self._paused_until)
