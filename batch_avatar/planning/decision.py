"""Decide what to do with a script that is wanted and not archived. Pure, and the only place that decides it.

`submission.py` observes, asks `decide`, and carries out the move.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batch_avatar.models import JobStatus
from batch_avatar.service.wire.messages import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batch_avatar.archive.records import Held
    from batch_avatar.models import SynthesisJob
    from batch_avatar.receipt import Attempt, Receipt

LOOKS = 2
"""How many looks in a row must find a job absent before anything is concluded from it."""


CONTENT_CODES = frozenset(
    code.lower()
    for code in (
        # 2024-08-01 and its audio sibling: `ErrorCode` in batchavatar.json and batchsynthesis.json, both in
        # azure-rest-api-specs.
        *("BadRequest", "BadArgument", "UnsupportedMediaType"),
        # 3.1-preview1: its audio pages, and issues 1813 and 2285 of the Speech SDK's samples.
        *("InvalidRequest", "InvalidParameter", "InvalidPayload"),
        # Speech to text, whose codes look the same: `ErrorCode` and `DetailedErrorCode` in speechtotext.json, v3.2
        # (azure-rest-api-specs). Those of them that speak of an input, a language or a model.
        *("InvalidArgument", "UnprocessableEntity", "InvalidParameterValue", "InvalidRequestBodyFormat"),
        *("EmptyRequest", "InvalidLocale", "UnsupportedLanguageCode", "InvalidModel", "ModelDeprecated"),
    )
)
"""Error codes of failed jobs whose input is at fault, in lower case: these are not sent again at all."""

OWN_CODES = frozenset(
    code.lower()
    for code in (
        "Aborted",  # the one code of a failed job that was seen (learn.microsoft.com, question 2057445)
        # 2024-08-01: `ErrorCode` in batchavatar.json; UnexpectedError was seen inside 3.1-preview1's 500 (issue 2285).
        *("InternalServerError", "ServiceUnavailable", "TooManyRequests", "UnexpectedError"),
        # Speech to text: `ErrorCode` in speechtotext.json, v3.2.
        *("PipelineError", "InternalCommunicationFailed", "Conflict"),
        # The Speech SDK: `CancellationErrorCode` (learn.microsoft.com).
        *("ConnectionFailure", "ServiceTimeout", "ServiceError", "RuntimeError"),
        # Azure's common codes for 500 and 503: "Service Management Status and Error Codes" (learn.microsoft.com).
        *("InternalError", "OperationTimedOut", "ServerBusy"),
        *("Timeout", "ServerError"),  # documented nowhere; they can mean nothing else
    )
)
"""Error codes of failed jobs where the service itself is at fault, in lower case, however often it says the same."""
_OWN_STATUS = re.compile(r"5\d\d|408|429")  # gateways give the HTTP status as the code (seen)


def fails_alike(code: str | None, ended: str, before: Iterable[Attempt]) -> bool:
    """Return whether an earlier job of this script alone ended for the same reason, so that another would as well.

    `ended`: how claims say how an attempt ended; it is compared by its `words_of`. Pure.
    """
    if code is None or _is_own(code):
        return False
    return any(words_of(attempt.ended) == words_of(ended) for attempt in before if attempt.ended and not attempt.input)


def blames_input(code: str | None) -> bool:
    """Return whether a failed job's code says that its input is at fault. Pure."""
    return code is not None and code.strip().lower() in CONTENT_CODES


def _is_own(code: str) -> bool:
    said = code.strip().lower()
    return said in OWN_CODES or _OWN_STATUS.fullmatch(said) is not None


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
        failed = seen.job.status == JobStatus.FAILED and not seen.job.odd  # a result that is there is archived
        return Move.NEXT_ATTEMPT if failed and rules.retry_failed and claim.last.ended is not None else Move.ADOPT
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
