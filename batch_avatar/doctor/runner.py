"""Carry the checks out: those that do not rest on each other at once, and none that rests on a failed one.

The threads are left alone when the last check is there, as one of them may wait for an answer for long.
"""

from __future__ import annotations

import logging
import queue
import threading
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

from batch_avatar.doctor.checks import Status, failed, skipped
from batch_avatar.errors import BatchAvatarError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.clock import Clock
    from batch_avatar.doctor.checks import Check, Step

logger = logging.getLogger(__name__)


def run_steps(steps: Sequence[Step], clock: Clock) -> list[Check]:
    """Return the checks of all steps, in the order of the steps and their names. Blocking."""
    course = _Course(steps, clock)
    while course.goes_on():
        course.begin()
        course.wait()
    return [course.made[name] for step in steps for name in step.names]


class _Course:
    """Which steps have begun and ended. Steps are named by their place in the list."""

    def __init__(self, steps: Sequence[Step], clock: Clock) -> None:
        self._steps = steps
        self._clock = clock
        self._until: dict[int, float] = {}
        self._left = set(range(len(steps)))
        self._results: queue.SimpleQueue[tuple[int, list[Check]]] = queue.SimpleQueue()
        self._causes: dict[str, str] = {}
        """The failed check for each check that has failed, or was not made because of it."""
        self.made: dict[str, Check] = {}

    def goes_on(self) -> bool:
        return bool(self._left)

    def begin(self) -> None:
        """Begin, or skip, every step whose turn it is."""
        for number in sorted(self._left - self._until.keys()):
            step = self._steps[number]
            if not {*step.needs, *step.after} <= self.made.keys():
                continue
            self._until[number] = self._clock.monotonic() + step.seconds
            if causes := [self._causes[name] for name in step.needs if name in self._causes]:
                self._results.put((number, [_after(name, causes[0]) for name in step.names]))
                self._causes.update(dict.fromkeys(step.names, causes[0]))
            else:
                tell = partial(copy_context().run, self._tell, number)
                threading.Thread(target=tell, daemon=True).start()

    def wait(self) -> None:
        """Take the result of one step, or end the one that has had its time."""
        running = self._until.keys() & self._left
        first = min(running, key=lambda number: self._until[number])
        try:
            number, checks = self._results.get(timeout=max(0.0, self._until[first] - self._clock.monotonic()))
        except queue.Empty:
            step = self._steps[first]
            number, checks = first, [failed(step.names[0], f"no answer within {step.seconds:g} s", step.too_late)]
        if number in self._left:
            self._end(number, checks)

    def _end(self, number: int, checks: list[Check]) -> None:
        self._left.discard(number)
        self.made.update((check.name, check) for check in checks)
        cause = next((check.name for check in checks if check.status is Status.FAILED), "")
        for name in self._steps[number].names:
            unmade = name not in self.made
            if unmade:
                self.made[name] = _after(name, cause) if cause else skipped(name, "nothing to look at")
            if cause and (unmade or self.made[name].status is Status.FAILED):
                self._causes[name] = cause if unmade else name

    def _tell(self, number: int) -> None:
        self._results.put((number, _work(self._steps[number])))


def _after(name: str, cause: str) -> Check:
    return skipped(name, f"after {cause}")


def _work(step: Step) -> list[Check]:
    checks: list[Check] = []
    try:
        checks.extend(step.work())  # what was found before an error stays
    except BatchAvatarError as error:
        checks.append(failed(_next(step, checks), str(error), step.too_late))
    except Exception as error:  # a mistake of ours must not hide what the other checks say
        logger.debug("a check ended because of a mistake in this program", exc_info=True)
        found = f"a mistake in this program ({type(error).__name__})"
        checks.append(failed(_next(step, checks), found, "report it, with the output of `batch-avatar doctor --json`"))
    return checks


def _next(step: Step, checks: Sequence[Check]) -> str:
    made = {check.name for check in checks}
    return next((name for name in step.names if name not in made), step.names[-1])
