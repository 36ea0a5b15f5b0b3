"""What an answer of the service means: its time, which of our errors it is, and how long it says to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.errors import (
    AccessRefused,
    JobExists,
    JobNotFound,
    RequestRefused,
    ServiceError,
    ServiceUnavailable,
    Throttled,
    TooManyJobs,
)
from batch_avatar.service.http_headers import read_date, read_retry_after
from batch_avatar.service.wire.messages import decode_problem

if TYPE_CHECKING:
    from datetime import datetime

    from batch_avatar.clock import Clock
    from batch_avatar.service.exchange import Answer


class Answers:
    """Reads the answers of one host."""

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock

    def observed_at(self, answer: Answer) -> datetime:
        """Return the service's own time at this answer, so that deadlines do not depend on our clock."""
        return read_date(answer.headers.get("Date")) or self._clock.now()

    def raise_for_status(self, answer: Answer, job_id: str | None) -> None:
        status = answer.status
        if answer.ok:
            return
        said = str(decode_problem(answer.body)).lower()
        match status:
            case 401 | 403:
                kind: type[ServiceError] = AccessRefused
            case 404 if job_id is None or answer.method in ("PUT", "POST"):
                kind = ServiceUnavailable if job_id is None else AccessRefused
                raise kind(
                    f"{self._host} has no batch avatar API; check the endpoint and its region",
                    http_status=404,
                    job_id=job_id,
                    request_id=answer.request_id,
                )
            case 404:
                kind = JobNotFound
            case 409:
                kind = JobExists
            case 400 | 429 if "too many" in said and "job" in said:  # 400: the older generation's "200 at once"
                kind = TooManyJobs
            case 429:
                kind = Throttled
            case 400 if "already exist" in said:
                kind = JobExists
            case _ if status == 408 or status >= 500 or status < 400:  # noqa: PLR2004 - HTTP statuses
                kind = ServiceUnavailable
            case _:
                kind = RequestRefused
        raise self.error(answer, kind, job_id)

    def error(self, answer: Answer, kind: type[ServiceError], job_id: str | None) -> ServiceError:
        problem = decode_problem(answer.body)
        return kind(
            str(problem),
            code=problem.code or str(answer.status),
            http_status=answer.status,
            retry_after_seconds=read_retry_after(answer.headers.get("Retry-After"), now=self.observed_at(answer)),
            job_id=job_id,
            request_id=answer.request_id,
        )
