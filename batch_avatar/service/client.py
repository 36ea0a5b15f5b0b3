"""The service over HTTP: create, get, list, delete, open_output. One pooled session; no secret goes elsewhere.

GET, HEAD and DELETE are retried here a few times, with jitter and as `Retry-After` says. A create is never retried
here: the job may exist although the answer was lost, so `submission.py` alone decides what happens next.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from batch_avatar.errors import (
    CreateUnclear,
    DeleteRefused,
    JobNotFound,
    ServiceError,
    ServiceUnavailable,
)
from batch_avatar.service.answers import Answers, in_our_spelling
from batch_avatar.service.exchange import Exchange
from batch_avatar.service.links import is_loopback, judge_link
from batch_avatar.service.results import OUTPUT_SECONDS, open_result
from batch_avatar.service.wire.members import parse_json
from batch_avatar.service.wire.messages import PAGE_SIZE, WireRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    import requests

    from batch_avatar.clock import Clock
    from batch_avatar.models import JobRef, Script, SynthesisJob
    from batch_avatar.service.exchange import Answer
    from batch_avatar.service.session import Credential
    from batch_avatar.service.wire.generations import Wire
    from batch_avatar.service.wire.messages import JobPage

MAX_PAGES = 10_000
"""A longer list is taken for one without an end. Jobs live for 31 days, and at 20 a minute these are 9,000 pages."""


logger = logging.getLogger(__name__)

T = TypeVar("T")


class AvatarClient:
    """Client of one Speech resource. Methods block, up to `request_timeout_seconds` a try, plus short waits between."""

    def __init__(
        self,
        *,
        endpoint: str,
        credential: Credential,
        wire: Wire,
        session: requests.Session,
        clock: Clock,
        request_timeout_seconds: float,
    ) -> None:
        self._endpoint = endpoint
        self._host = urlsplit(endpoint).netloc
        self._wire = wire
        self._session = session
        self._timeout_seconds = request_timeout_seconds
        self._exchange = Exchange(
            endpoint=endpoint, credential=credential, session=session, timeout_seconds=request_timeout_seconds
        )
        self._answers = Answers(self._host, clock)
        self._loopback = is_loopback(urlsplit(endpoint).hostname or "")
        self._told: set[str] = set()

    def create(
        self,
        script: Script,
        *,
        job_id: str,
        description: str,
        contents: Sequence[str] = (),
        check: Callable[[], None] | None = None,
    ) -> SynthesisJob:
        """Send a create once. `contents`, if given, are the inputs in place of the script's own content.

        `check` is called last, after a token has been fetched, and prevents the create by raising.

        Raises:
            JobExists, RequestRefused, AccessRefused, Throttled: the service has not created the job.
            ServiceUnavailable: Microsoft Entra does not answer, so nothing was sent.
            CreateUnclear: the service may or may not have created the job.
        """
        inputs = contents or (script.content,)
        request = self._wire.encode_create(script, job_id=job_id, description=description, inputs=inputs)
        self._exchange.prepare()  # what is raised here is no unclear create: nothing has been sent
        try:
            answer = self._exchange.send(request, check)
            if answer.status >= 500 or answer.status == 408:  # noqa: PLR2004 - HTTP statuses
                raise self._answers.error(answer, CreateUnclear, job_id)
            self._answers.raise_for_status(answer, job_id)
            return self._asked_for(answer, job_id, as_display_name=self.service_names_jobs)
        except ServiceUnavailable as error:
            raise CreateUnclear(
                f"no readable answer to the create: {error.message}",
                job_id=job_id,
                request_id=error.request_id,
            ) from None

    def get(self, service_id: str) -> SynthesisJob:
        """Return the job as it is now, with fresh links.

        Raises:
            JobNotFound: there is no such job; also for 204, which the sibling API answers for absent jobs.
            ServiceUnavailable: no answer, or one that cannot be read or is about another job.
        """
        answer = self._exchange.send(self._wire.encode_get(service_id))
        self._answers.raise_for_status(answer, service_id)
        if answer.status == 204:  # noqa: PLR2004 - No Content
            raise self._answers.error(answer, JobNotFound, service_id)
        return self._asked_for(answer, service_id)

    @property
    def service_names_jobs(self) -> bool:
        """Whether the service chooses the ids of jobs."""
        return self._wire.service_names_jobs

    def look(self, ref: JobRef) -> SynthesisJob | None:
        """Return the job, None if there is none. Look by its id, or by our name where the service's id is not known.

        Of several jobs with one name the oldest is returned, so that every run finds the same one.

        Raises:
            ServiceUnavailable: no answer, or a list that cannot be read whole and so does not prove the job absent.
        """
        if not self.service_names_jobs or ref.service_id != ref.job_id:
            try:
                return self.get(ref.service_id)
            except JobNotFound:
                return None
        named: dict[str, SynthesisJob] = {}
        for page in self.list_pages(overlap=True):
            if page.unreadable or any("displayName" in job.unreadable for job in page.jobs):
                raise ServiceUnavailable("some jobs of the list cannot be read; one of them may be the one looked for")
            named |= {job.service_id: job for job in page.jobs if job.job_id == ref.job_id}
        return min(named.values(), key=lambda job: job.born, default=None)

    def list_pages(self, *, overlap: bool = False) -> Iterator[JobPage]:
        """Yield pages of jobs, newest first. Of the service's links only path and query are followed.

        With `overlap` every job is on two pages: a job that is deleted meanwhile moves others onto pages already read.

        Raises:
            ServiceUnavailable: no answer, or links that lead in a circle or away from the list.
        """
        url: str | None = self._list_url(0)
        seen: set[str] = set()
        skip = 0
        while url:
            if url in seen or len(seen) >= MAX_PAGES:
                raise ServiceUnavailable("the job list does not end: its next link was followed before")
            seen.add(url)
            try:
                answer = self._exchange.send(WireRequest("GET", url, {}))
                self._answers.raise_for_status(answer, None)
                page = self._decode(answer, self._wire.decode_page)
            except ServiceError as error:
                error.about(doing=f"listing the jobs of {self._host}")
                raise
            page = replace(page, jobs=tuple(self._ours(job) for job in page.jobs))
            if page.unreadable:
                few = f"{page.unreadable} jobs of the list cannot be read and are left out"
                self._tell_once("id or status", f"{self._host}: {few}: they have no id, or no status")
            yield page
            following = self._next(url, page.next_link)
            size = len(page.jobs) + page.unreadable
            if (overlap and size == 0) or (following == url and size < PAGE_SIZE):
                return  # the old generation's documents show a last page whose next link is its own
            if overlap and following:
                skip += max(size // 2, 1)
                following = self._list_url(skip)
            url = following

    def _list_url(self, skip: int) -> str:
        request = self._wire.encode_list(skip=skip)
        return f"{self._endpoint}{request.path}?{urlencode(request.query)}"

    def _next(self, url: str, link: str | None) -> str | None:
        """Return the URL of the next page on our own endpoint.

        Links were seen to name the regional host behind a custom domain.
        """
        if link is None:
            return None
        jobs = self._wire.encode_list().path
        try:
            parts = urlsplit(urljoin(url, link))
        except ValueError:
            raise ServiceUnavailable("the job list's next link is malformed") from None
        if parts.path.rstrip("/") != jobs:
            raise ServiceUnavailable(f"the job list goes on elsewhere, at {parts.netloc}{parts.path}")
        return f"{self._endpoint}{parts.path}?{parts.query}"

    def delete(self, service_id: str) -> None:
        """Delete the job and its result. A job that is already gone counts as deleted.

        Raises:
            DeleteRefused: the job has not ended.
        """
        answer = self._exchange.send(self._wire.encode_delete(service_id))
        if answer.status in (204, 404):
            return
        if answer.status in (400, 409):
            raise self._answers.error(answer, DeleteRefused, service_id)
        self._answers.raise_for_status(answer, service_id)

    def open_output(
        self,
        sas_url: str,
        *,
        offset: int = 0,
        etag: str | None = None,
        ours: bool = False,
        seconds: float = OUTPUT_SECONDS,
    ) -> AbstractContextManager[requests.Response]:
        """Stream a result as `open_result` does. `ours`: we signed its link, so it is not judged.

        Raises:
            LinkRefused: the link leads where no result of the service can be.
        """
        if not ours:
            judge_link(sas_url, loopback=self._loopback)
        return open_result(
            self._session, sas_url, offset=offset, etag=etag, timeout_seconds=self._timeout_seconds, seconds=seconds
        )

    def _asked_for(self, answer: Answer, name: str, *, as_display_name: bool = False) -> SynthesisJob:
        """Return the job of an answer about one job. Its id may come back in another case, and is put into ours.

        Raises:
            ServiceUnavailable: the answer cannot be read, or is about another job.
        """
        job = self._ours(self._decode(answer, self._wire.decode_job))
        shown = (job.display_name or name) if as_display_name else job.service_id
        if shown.casefold() != name.casefold():
            raise ServiceUnavailable(
                f"{self._host} answered about another job, {shown}, when {name} was asked for; the answer is not used",
                http_status=answer.status,
                job_id=name,
                request_id=answer.request_id,
            )
        return job if as_display_name else in_our_spelling((job,), (name,))[0]

    def _ours(self, job: SynthesisJob) -> SynthesisJob:
        for member in job.unreadable:
            self._tell_once(
                member, f"{member} of job {job.job_id} at {self._host} cannot be read; such members are left out"
            )
        return job.model_copy(update={"resource": self._host})

    def _tell_once(self, about: str, text: str) -> None:
        """Log what would be the same with each listing. `about` is one of a few words."""
        if about not in self._told:
            self._told.add(about)
            logger.warning("%s", text)

    def _decode(self, answer: Answer, decode: Callable[..., T]) -> T:
        try:
            return decode(parse_json(answer.body), observed_at=self._answers.observed_at(answer))
        except (ValueError, TypeError) as error:
            raise ServiceUnavailable(
                f"{self._host} sent a body that cannot be read ({type(error).__name__})",
                http_status=answer.status,
                request_id=answer.request_id,
            ) from None
