"""Decide what to do with a script that is wanted and not archived. Pure, and the only place that decides it.

`submission.py` observes, asks `decide`, and carries out the move.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batch_avatar.models import JobStatus

if TYPE_CHECKING:
    from batch_avatar.archive.ledger import Held
    from batch_avatar.models import SynthesisJob
    from batch_avatar.receipt import Receipt

LOOKS = 2
"""How many looks in a row must find a job absent before anything is concluded from it."""


class Move(StrEnum):
    """What to do with a script's claim next."""

    ARCHIVED = "archived"  # a receipt exists
    CLAIM = "claim"  # no claim yet
    ADOPT = "adopt"  # the job exists
    SEND = "send"  # the claim is ours, and its job is certainly absent
    TAKE_OVER = "take over"  # the claim's holder is gone, or the service refused the create
    NEXT_ATTEMPT = "next attempt"  # the last attempt was given up and its job is gone
    WAIT = "wait"  # another run holds the claim
    ELSEWHERE = "elsewhere"  # claimed on another resource, where this run cannot look
    LOOK_AGAIN = "look again"  # the job is absent, but not yet beyond doubt
    LOST = "lost"  # the job was paid for, is gone, and has no receipt


@dataclass(frozen=True)
class Seen:
    """One observation, of the service first and then of the archive.

    `looks`: how many looks in a row found the job absent; `absent_seconds`: from the first of them to this one.
    """

    held: Held | None
    job: SynthesisJob | None
    receipt: Receipt | None
    looks: int
    absent_seconds: float = 0.0


@dataclass(frozen=True)
class Rules:
    """What `decide` goes by, apart from what was seen.

    `resources`: the hosts where this run can look. `settle_seconds`: how long the job must be absent if it can only be
    looked for by name.
    """

    holder: str
    resources: frozenset[str]
    claim_seconds: float
    settle_seconds: float = 0.0
    retry_failed: bool = False


def decide(seen: Seen, rules: Rules) -> Move:  # noqa: C901, PLR0911 - one return per move
    """Return the next move. The order of the questions is the rule. Pure."""
    if seen.receipt is not None:
        return Move.ARCHIVED
    if seen.held is None:
        return Move.CLAIM
    claim = seen.held.claim
    if claim.last.over and claim.last.input:  # its pack may go on for the others; this script has left it
        return Move.NEXT_ATTEMPT
    if seen.job is not None:
        again = rules.retry_failed and claim.last.ended is not None and seen.job.status == JobStatus.FAILED
        return Move.NEXT_ATTEMPT if again else Move.ADOPT
    if claim.last.over:
        return Move.NEXT_ATTEMPT
    by_name = claim.last.service_id is None
    if seen.looks < LOOKS or (by_name and seen.absent_seconds < rules.settle_seconds):
        return Move.LOOK_AGAIN
    if claim.last.refused and claim.last.accepted_at is None and claim.last.ended is None:
        return Move.TAKE_OVER
    if claim.resource not in rules.resources:
        return Move.ELSEWHERE
    if claim.last.accepted_at is not None:  # also if it was given up: the job may have succeeded before it went away
        return Move.LOST
    if claim.last.ended is not None:
        return Move.NEXT_ATTEMPT
    if claim.holder == rules.holder and not claim.last.input:  # a pack's create may still be on its way
        return Move.SEND
    return Move.TAKE_OVER if seen.held.age_seconds > rules.claim_seconds else Move.WAIT
