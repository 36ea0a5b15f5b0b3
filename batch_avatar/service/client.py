"""The service over HTTP: create, get, list, delete, open_output. One pooled session; no secret goes elsewhere.

GET, HEAD and DELETE are retried here a few times, with jitter and as `Retry-After` says. A create is never retried
here: the job may exist although the answer was lost, so `submission.py` alone decides what happens next.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from batch_avatar.errors import (
    AccessRefused,
    CreateUnclear,
    DeleteRefused,
    JobNotFound,
    LinkExpired,
    ResultLost,
    ServiceUnavailable,
    TransferError,
)
from batch_avatar.service.answers import Answers, request_id_of
from batch_avatar.service.session import NO_ANSWER, HostAuth, NoAuth
from batch_avatar.service.wire.messages import PAGE_SIZE, WireRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import requests

    from batch_avatar.clock import Clock
    from batch_avatar.models import JobRef, Script, SynthesisJob
    from batch_avatar.service.session import Credential
    from batch_avatar.service.wire.generations import Wire
    from batch_avatar.service.wire.messages import JobPage

CONNECT_SECONDS = 5.0
MAX_PAGES = 500  # 50,000 jobs; a longer list is taken for a loop


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
        self._timeout = (CONNECT_SECONDS, request_timeout_seconds)
        self._credential = credential
        self._answers = Answers(self._host, clock)
        self._auth = HostAuth(endpoint, credential)

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
            CreateUnclear: the service may or may not have created the job.
        """
        inputs = contents or (script.content,)
        request = self._wire.encode_create(script, job_id=job_id, description=description, inputs=inputs)
        try:
            response = self._send(request, check)
            if response.status_code >= 500 or response.status_code == 408:  # noqa: PLR2004 - HTTP statuses
                raise self._answers.error(response, CreateUnclear, job_id)
            self._answers.raise_for_status(response, job_id)
            return self._decode_job(response)
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
        """
        response = self._send(self._wire.encode_get(service_id))
        self._answers.raise_for_status(response, service_id)
        if response.status_code == 204:  # noqa: PLR2004 - No Content
            raise self._answers.error(response, JobNotFound, service_id)
        return self._decode_job(response)

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
            if page.unreadable:
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
            response = self._send(WireRequest("GET", url, {}))
            self._answers.raise_for_status(response, None)
            page = self._decode(response, self._wire.decode_page)
            page = replace(page, jobs=tuple(self._ours(job) for job in page.jobs))
            if page.unreadable:
                logger.warning("%d jobs of the list cannot be read and are left out", page.unreadable)
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
        response = self._send(self._wire.encode_delete(service_id))
        if response.status_code in (204, 404):
            return
        if response.status_code in (400, 409):
            raise self._answers.error(response, DeleteRefused, service_id)
        self._answers.raise_for_status(response, service_id)

    @contextmanager
    def open_output(self, sas_url: str, *, offset: int = 0, etag: str | None = None) -> Iterator[requests.Response]:
        """Stream a result from its link, starting at byte `offset` of the version `etag`.

        Raises:
            LinkExpired: the link is refused; read the job again for a new one.
            ResultLost: there is no such blob.
            TransferError: any other trouble, which may pass.
        """
        headers = {"Accept-Encoding": "identity"}
        if offset and etag:
            headers |= {"Range": f"bytes={offset}-", "If-Match": etag}
        try:
            response = self._session.get(
                sas_url,
                stream=True,
                timeout=self._timeout,
                headers=headers,
                auth=NoAuth(),
                allow_redirects=False,
            )
        except NO_ANSWER as error:
            raise TransferError(f"the result's host does not answer ({_kind(error)})") from None
        with response:
            match response.status_code:
                case 200 | 206:
                    yield response
                case 401 | 403:
                    raise LinkExpired("the result's link is refused; it may have expired")
                case 404:
                    raise ResultLost("the result is not in the service's storage")
                case status:
                    raise TransferError(f"the result's host answers {status}")

    def _send(self, request: WireRequest, check: Callable[[], None] | None = None) -> requests.Response:
        url = request.path if "://" in request.path else self._endpoint + request.path
        headers = {"Accept": "application/json"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            for may_renew in (True, False):
                if check is not None:
                    self._credential.header()
                    check()
                response = self._session.request(
                    request.method,
                    url,
                    params=request.query,
                    data=request.body,
                    headers=headers,
                    timeout=self._timeout,
                    auth=self._auth,
                    allow_redirects=False,
                )
                if response.status_code != 401 or not may_renew or not self._credential.renew():  # noqa: PLR2004
                    break
            return response  # noqa: TRY300 - the loop always binds it
        except NO_ANSWER as error:
            raise ServiceUnavailable(f"{self._host} does not answer ({_kind(error)})") from None
        except (ValueError, UnicodeError):  # from http.client; its text holds the header's value
            raise AccessRefused("the key or token holds characters that no HTTP header can carry") from None

    def _decode_job(self, response: requests.Response) -> SynthesisJob:
        return self._ours(self._decode(response, self._wire.decode_job))

    def _ours(self, job: SynthesisJob) -> SynthesisJob:
        return job.model_copy(update={"resource": self._host})

    def _decode(self, response: requests.Response, decode: Callable[..., T]) -> T:
        try:
            return decode(response.json(), observed_at=self._answers.observed_at(response))
        except (ValueError, TypeError) as error:
            raise ServiceUnavailable(
                f"{self._host} sent a body that cannot be read ({type(error).__name__})",
                http_status=response.status_code,
                request_id=request_id_of(response),
            ) from None


def _kind(error: Exception) -> str:
    """Return the name of the error's class; its text may hold a signed link."""
    return type(error).__name__
