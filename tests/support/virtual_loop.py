"""Tests in the virtual time of their whole event loop: for thousands of events, where nothing is done in threads."""

from __future__ import annotations

from functools import wraps

from benchmarks.virtual_time import LoopClock, run_virtually

__all__ = ["LoopClock", "in_virtual_time"]


def in_virtual_time(test):
    """Decorates an async function. A `LoopClock` in it tells the loop's time, which jumps over all waiting."""

    @wraps(test)
    def run(*args, **given):
        return run_virtually(test(*args, **given))

    return run
