"""Creates that a resource answers with an error of its own, time after time: whose fault is it?

An error of the service says nothing about the script, unless the service takes other scripts meanwhile. Whether the job
exists all the same is looked for by whoever asks for a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batch_avatar.errors import CreateGivenUp, CreateUnclear, RequestRefused

if TYPE_CHECKING:
    from batch_avatar.errors import JobExists, ServiceError

MAX_SENDS = 3
"""Creates without a usable answer in a row; after so many the script is left unfinished for this try."""
OTHERS = 3
"""So many other creates must be accepted between the first and the last error before the script counts as the cause.
It must also have got `MAX_SENDS` errors: of errors at random, two often hit one script of a large batch."""
MOST_ERRORS = 6
"""After so many errors without this proof the script is left for another run."""
SERVER_ERROR = 500


def unclear(sends: int, last: CreateUnclear | JobExists | None, job_id: str) -> CreateUnclear:
    """Return the error after so many creates without a usable answer, with the last words of the service."""
    text = f"{sends} creates without a usable answer"
    if last is None:
        return CreateUnclear(text, job_id=job_id)
    return CreateUnclear(f"{text}, the last: {last.message}", code=last.code, job_id=job_id, request_id=last.request_id)


@dataclass
class _Errors:
    taken_before: int
    count: int
    last: CreateUnclear
    others: int = 0


@dataclass
class StubbornCreates:
    """What one resource answered to creates, by job id. Forgets a job with its verdict or its success."""

    _taken: int = 0
    _errors: dict[str, _Errors] = field(default_factory=dict)

    def accepted(self, job_id: str) -> None:
        self._taken += 1
        self._errors.pop(job_id, None)

    def unclear(self, job_id: str, error: CreateUnclear) -> None:
        """Note an error, if it is one that the service sent; without an answer nothing is known."""
        if error.http_status is None or error.http_status < SERVER_ERROR:
            return
        known = self._errors.setdefault(job_id, _Errors(self._taken, 0, error))
        known.count += 1
        known.others, known.last = self._taken - known.taken_before, error

    def check(self, job_id: str) -> None:
        """Raise the verdict, if there is one."""
        if (end := self.verdict(job_id)) is not None:
            raise end

    def verdict(self, job_id: str) -> ServiceError | None:
        """Return how a job ends that is known to be absent; None if it is to be sent again.

        `RequestRefused`: the script is the cause. `CreateGivenUp`: nobody can tell, and it was tried often enough.
        """
        known = self._errors.get(job_id)
        proved = known is not None and known.others >= OTHERS and known.count >= MAX_SENDS
        if known is None or not (proved or known.count >= MOST_ERRORS):
            return None
        del self._errors[job_id]
        last = known.last
        kind: type[ServiceError] = RequestRefused if proved else CreateGivenUp
        text = f"{known.count} creates were answered with {last.http_status}"
        if kind is RequestRefused:
            text += f" while {known.others} others were accepted, so the cause is in what is sent"
        return kind(
            f"{text}: {last.message}",
            http_status=last.http_status,
            code=last.code,
            job_id=job_id,
            request_id=last.request_id,
        )
