"""What an answer of the service means: its time, which of our errors it is, and how long it says to wait."""

from __future__ import annotations

import re
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
from batch_avatar.service.sign_in.refusals import next_step, refuses_access
from batch_avatar.service.wire.messages import decode_problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from batch_avatar.clock import Clock
    from batch_avatar.models import SynthesisJob
    from batch_avatar.service.exchange import Answer

_TOO_MANY_JOBS = re.compile(r"(?:there are )?too many (?:active |concurrent |unfinished )?jobs\b")
_EXISTS = re.compile(r"(?:the|a) (?:job|synthesis|batch synthesis)(?: with the id \S{1,64})? already exists?\b")
"""How messages begin, in lower case. Further on there may be a script's own words, which services repeat."""


class Answers:
    """Reads the answers of one host."""

    def __init__(self, host: str, clock: Clock) -> None:
        self._host = host
        self._clock = clock

    def observed_at(self, answer: Answer) -> datetime:
        """Return the service's own time at this answer, so that deadlines do not depend on our clock."""
        return read_date(answer.headers.get("Date")) or self._clock.now()

    def raise_for_status(self, answer: Answer, job_id: str | None) -> None:
        """Raise what the answer means. Only a create carries a script, so no other refusal is the script's fault."""
        status, creates = answer.status, answer.method in ("PUT", "POST")
        if answer.ok:
            return
        problem = decode_problem(answer.body)
        said = [part.lower() for part in problem.said]
        match status:
            case _ if refuses_access(status, [problem.code or "", *said]):
                kind: type[ServiceError] = AccessRefused
            case 404 if job_id is None or creates:
                kind = ServiceUnavailable if job_id is None else AccessRefused
                raise kind(
                    f"{self._host} has no batch avatar API; check the endpoint and its region",
                    http_status=404,
                    job_id=job_id,
                    request_id=answer.request_id,
                )
            case 404:
                kind = JobNotFound
            case 409 if creates:
                kind = JobExists
            case 400 | 429 if any(map(_TOO_MANY_JOBS.match, said)):  # 400: the older generation's "200 at once"
                kind = TooManyJobs
            case 429:
                kind = Throttled
            case 400 if creates and any(map(_EXISTS.match, said)):
                kind = JobExists
            case _ if not creates or status == 408 or status >= 500 or status < 400:  # noqa: PLR2004 - HTTP statuses
                kind = ServiceUnavailable
            case _:
                kind = RequestRefused
        raise self.error(answer, kind, job_id)

    def error(self, answer: Answer, kind: type[ServiceError], job_id: str | None) -> ServiceError:
        problem = decode_problem(answer.body)
        step = next_step(f"{problem.code} {problem}") if issubclass(kind, AccessRefused) else ""
        return kind(
            f"{problem}; {step}" if step else str(problem),
            code=problem.code or str(answer.status),
            http_status=answer.status,
            retry_after_seconds=read_retry_after(answer.headers.get("Retry-After"), now=self.observed_at(answer)),
            job_id=job_id,
            request_id=answer.request_id,
        )


def in_our_spelling(jobs: Iterable[SynthesisJob], ours: Iterable[str]) -> tuple[SynthesisJob, ...]:
    """Return the jobs, those that have one of our ids in another case with the id as we wrote it. Pure.

    Ids are keys here, and only case can differ: whether the service keeps it is not documented.
    """
    written = {service_id.casefold(): service_id for service_id in ours}
    found = ((job, written.get(job.service_id.casefold(), job.service_id)) for job in jobs)
    return tuple(job if job.service_id == name else job.model_copy(update={"service_id": name}) for job, name in found)
