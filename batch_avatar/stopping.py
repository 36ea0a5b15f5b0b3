"""One switch that ends a run: nothing new is sent, and threads that wait for a socket are woken."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from batch_avatar.errors import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Stopping:
    """The switch. Any thread may throw it, and every step checks it."""

    def __init__(self) -> None:
        self._thrown = threading.Event()
        self._lock = threading.Lock()
        self._wake: set[Callable[[], None]] = set()

    def throw(self) -> None:
        """Stop the run. Throwing the switch again does nothing more."""
        self._thrown.set()
        with self._lock:
            for wake in self._wake:
                with suppress(OSError, ValueError, RuntimeError):  # what it wakes has just been closed
                    wake()

    def check(self) -> None:
        """Raise Stopped once the switch is thrown."""
        if self._thrown.is_set():
            raise Stopped("the run was stopped; run it again to continue")

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Inside the context a stop calls `wake`, from another thread, e.g. to shut a socket that is being read."""
        with self._lock:
            self._wake.add(wake)
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._wake.discard(wake)
