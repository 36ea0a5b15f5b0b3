"""What an answer of the service means: its time, which of our errors it is, and how long it says to wait."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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
from batch_avatar.service.wire.messages import decode_problem

if TYPE_CHECKING:
    import requests

    from batch_avatar.clock import Clock


class Answers:
    """Reads the answers of one host."""

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock

    def observed_at(self, response: requests.Response) -> datetime:
        """Return the service's own time at this answer, so that deadlines do not depend on our clock."""
        try:
            return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return self._clock.now()

    def raise_for_status(self, response: requests.Response, job_id: str | None) -> None:
        status = response.status_code
        if status < 300:  # noqa: PLR2004 - HTTP success
            return
        said = str(decode_problem(response.content)).lower()
        match status:
            case 401 | 403:
                kind: type[ServiceError] = AccessRefused
            case 404 if job_id is None or response.request.method in ("PUT", "POST"):
                kind = ServiceUnavailable if job_id is None else AccessRefused
                raise kind(
                    f"{self._host} has no batch avatar API; check the endpoint and its region",
                    http_status=404,
                    job_id=job_id,
                    request_id=request_id_of(response),
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
        raise self.error(response, kind, job_id)

    def error(self, response: requests.Response, kind: type[ServiceError], job_id: str | None) -> ServiceError:
        problem = decode_problem(response.content)
        return kind(
            str(problem),
            code=problem.code or str(response.status_code),
            http_status=response.status_code,
            retry_after_seconds=self._retry_after(response),
            job_id=job_id,
            request_id=request_id_of(response),
        )

    def _retry_after(self, response: requests.Response) -> float | None:
        """Return seconds from either form of the header (RFC 9110, section 10.2.3)."""
        value = response.headers.get("Retry-After", "")
        if value.isdecimal():
            return float(value)
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - self.observed_at(response)).total_seconds())


def request_id_of(response: requests.Response) -> str | None:
    return response.headers.get("apim-request-id") or response.headers.get("x-ms-request-id")
