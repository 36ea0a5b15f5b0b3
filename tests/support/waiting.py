"""Wait for what other processes do."""

from __future__ import annotations

import time

PATIENCE_SECONDS = 200
ANSWER_SECONDS = 120
"""For what comes at once, unless a busy machine stops; less than a test has."""


def until(look, wanted=True, *, seconds=PATIENCE_SECONDS):
    """Ask again until the answer is the wanted one; the last answer."""
    give_up = time.monotonic() + seconds
    while (seen := look()) != wanted and time.monotonic() < give_up:
        time.sleep(0.5)
    return seen
