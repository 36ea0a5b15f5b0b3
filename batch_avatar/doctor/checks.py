"""What a check is, what it says, and which checks others rest on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STEP_SECONDS = 30.0
"""For all requests of one step; most take less than a second."""


class Status(StrEnum):
    OK = "ok"
    FAILED = "failed"
    WARNING = "warning"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One line for people. `fix` are commands to paste, or what to do; whatever is in both, no secret is shown."""

    name: str
    status: Status
    found: str
    fix: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "found", line(self.found))
        object.__setattr__(self, "fix", "\n".join(line(part) for part in self.fix.split("\n")))


def ok(name: str, found: str) -> Check:
    return Check(name, Status.OK, found)


def failed(name: str, found: str, fix: str) -> Check:
    return Check(name, Status.FAILED, found, fix)


def warning(name: str, found: str, fix: str) -> Check:
    return Check(name, Status.WARNING, found, fix)


def skipped(name: str, why: str) -> Check:
    return Check(name, Status.SKIPPED, why)


@dataclass(frozen=True, slots=True)
class Step:
    """Work that gives one check for each of `names`, in this order; after a failed one it may give no more.

    It is begun when the checks of `needs` and `after` are there. If one of `needs` has failed, or could not be made
    because another one has, the step is skipped.
    """

    names: tuple[str, ...]
    work: Callable[[], Iterable[Check]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    seconds: float = STEP_SECONDS
    too_late: str = "run it again; if it stays so, look at the network and at the part that does not answer"
    """What to do if the work has not ended after `seconds`."""
