"""Creates that a resource answers with an error of its own, or puts off, time after time: whose fault is it?

Neither says anything about the script, unless the service takes other scripts meanwhile. Whether the job exists all the
same after an error is looked for by whoever asks for a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batch_avatar.errors import CreateGivenUp, CreateUnclear, RequestRefused

if TYPE_CHECKING:
    from batch_avatar.errors import JobExists, ServiceError, Throttled

MAX_SENDS = 3
"""Creates without a usable answer in a row; after so many the script is left unfinished for this try."""
OTHERS = 3
"""So many other creates must be accepted between the first and the last error before the script counts as the cause.
It must also have got `MAX_SENDS` errors: of errors at random, two often hit one script of a large batch."""
MOST_ERRORS = 6
"""After so many errors without this proof the script is left for another run."""
MOST_PUT_OFF = 10
"""After so many refusals for now, with `OTHERS` accepted between each two, a create is left for another run. Where
others take the slots, each refusal hits by chance; so many in a row do not."""
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

    taken: int = 0
    """How many creates were accepted."""
    _errors: dict[str, _Errors] = field(default_factory=dict)

    def accepted(self, job_id: str) -> None:
        self.taken += 1
        self._errors.pop(job_id, None)

    def unclear(self, job_id: str, error: CreateUnclear) -> None:
        """Note an error, if it is one that the service sent; without an answer nothing is known."""
        if error.http_status is None or error.http_status < SERVER_ERROR:
            return
        known = self._errors.setdefault(job_id, _Errors(self.taken, 0, error))
        known.count += 1
        known.others, known.last = self.taken - known.taken_before, error

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


@dataclass
class PutOff:
    """The refusals for now that one create has got in a row, on a resource that took `taken` creates before the last.

    A full service is waited for, as long as it says so. No job takes a slot for longer than `patience_seconds`, so a
    create that finds no room for longer is left for another run, as is one that finds none while others do.
    """

    patience_seconds: float
    _count: int = 0
    _taken: int = 0
    _since: float = 0.0

    def verdict(self, error: Throttled, taken: int, at: float) -> CreateGivenUp | None:
        """Note a refusal, and return how the create ends; None if it is to be sent again.

        `taken`: as `StubbornCreates` counts; `at`: now, in seconds of a monotonic clock.
        """
        if self._count == 0:
            self._since = at
        if self._count == 0 or taken - self._taken >= OTHERS:
            self._count, self._taken = self._count + 1, taken
        if self._count < MOST_PUT_OFF and at - self._since < self.patience_seconds:
            return None
        how = f"for {(at - self._since) / 3600:.1f} h"
        if self._count >= MOST_PUT_OFF:
            how = f"{self._count} times, each time after it had taken others"
        return CreateGivenUp(
            f"the service refused this create for now {how}: {error.message}; run again later",
            http_status=error.http_status,
            code=error.code,
            job_id=error.job_id,
            request_id=error.request_id,
        )
