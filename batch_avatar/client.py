"""The service over HTTP: create, get, list, delete, open_output. One pooled session, no secrets elsewhere.

GET, HEAD and DELETE are tried again here, a few times, jittered, and as `Retry-After` says. A create never is:
its answer may be lost while its effect is not, so `submission.py` alone decides what happens next.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

import requests

from batch_avatar.errors import (
    AccessRefused,
    CreateUnclear,
    DeleteRefused,
    JobExists,
    JobNotFound,
    LinkExpired,
    RequestRefused,
    ResultLost,
    ServiceError,
    ServiceUnavailable,
    Throttled,
    TransferError,
)
from batch_avatar.session import HostAuth, NoAuth
from batch_avatar.wire import WireRequest, decode_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batch_avatar.clock import Clock
    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.session import Credential
    from batch_avatar.wire import JobPage, Wire

CONNECT_SECONDS = 5.0
MAX_PAGES = 500  # 50,000 jobs; a list that does not end is a loop


logger = logging.getLogger(__name__)

T = TypeVar("T")


class AvatarClient:
    """One Speech resource. Every method blocks, for `request_timeout_seconds` a try and short waits between tries."""

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
        self._clock = clock
        self._timeout = (CONNECT_SECONDS, request_timeout_seconds)
        self._credential = credential
        self._auth = HostAuth(endpoint, credential)

    def prepare(self) -> None:
        """Fetch what the next request needs, e.g. a token, ahead of it."""
        self._credential.header()

    def create(self, script: Script, *, job_id: str, description: str) -> SynthesisJob:
        """Send once.

        Raises:
            JobExists, RequestRefused, AccessRefused, Throttled: the service has not taken it.
            CreateUnclear: it may or may not have.
        """
        request = self._wire.encode_create(script, job_id=job_id, description=description)
        try:
            response = self._send(request)
            if response.status_code >= 500 or response.status_code == 408:  # noqa: PLR2004 - HTTP statuses
                raise self._error(response, CreateUnclear, job_id)
            self._raise_for_status(response, job_id)
            return self._decode(response, self._wire.decode_job)
        except ServiceUnavailable as error:
            raise CreateUnclear(
                f"no readable answer to the create: {error.message}",
                job_id=job_id,
                request_id=error.request_id,
            ) from None

    def get(self, service_id: str) -> SynthesisJob:
        """The job as it is now, with fresh links.

        Raises:
            JobNotFound: also where the service answers 204, as the sibling API does for absent jobs.
        """
        response = self._send(self._wire.encode_get(service_id))
        self._raise_for_status(response, service_id)
        if response.status_code == 204:  # noqa: PLR2004 - No Content
            raise self._error(response, JobNotFound, service_id)
        return self._decode(response, self._wire.decode_job)

    def list_pages(self) -> Iterator[JobPage]:
        """Pages of jobs, newest first. Follows path and query of the service's links, on its own endpoint.

        Raises:
            ServiceUnavailable: also where the links lead in a circle or off the list.
        """
        request = self._wire.encode_list()
        url: str | None = f"{self._endpoint}{request.path}?{urlencode(request.query)}"
        seen: set[str] = set()
        while url:
            if url in seen or len(seen) >= MAX_PAGES:
                raise ServiceUnavailable("the job list does not end: its next link was followed before")
            seen.add(url)
            response = self._send(WireRequest("GET", url, {}))
            self._raise_for_status(response, None)
            page = self._decode(response, self._wire.decode_page)
            if page.unreadable:
                logger.warning("%d jobs of the list cannot be read and are left out", page.unreadable)
            yield page
            url = self._next(url, page.next_link)

    def _next(self, url: str, link: str | None) -> str | None:
        """The next page on our own endpoint: links were seen to name the regional host behind a custom domain."""
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
        """Delete the job and its result; already gone counts as deleted.

        Raises:
            DeleteRefused: the job has not ended.
        """
        response = self._send(self._wire.encode_delete(service_id))
        if response.status_code in (204, 404):
            return
        if response.status_code in (400, 409):
            raise self._error(response, DeleteRefused, service_id)
        self._raise_for_status(response, service_id)

    @contextmanager
    def open_output(self, sas_url: str, *, offset: int = 0, etag: str | None = None) -> Iterator[requests.Response]:
        """Stream a result from its link, from byte `offset` of the same version (`etag`).

        Raises:
            LinkExpired: read the job again for a new link.
            ResultLost: there is no such blob.
            TransferError: anything that may pass.
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
        except requests.RequestException as error:
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

    def _send(self, request: WireRequest) -> requests.Response:
        url = request.path if "://" in request.path else self._endpoint + request.path
        headers = {"Accept": "application/json"}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        try:
            for may_renew in (True, False):
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
        except requests.RequestException as error:
            raise ServiceUnavailable(f"{self._host} does not answer ({_kind(error)})") from None
        except (ValueError, UnicodeError):  # from http.client, with the header's value in its text
            raise AccessRefused("the key or token holds characters that no HTTP header can carry") from None

    def _decode(self, response: requests.Response, decode: Callable[..., T]) -> T:
        try:
            return decode(response.json(), observed_at=self._observed_at(response))
        except (ValueError, TypeError) as error:
            raise ServiceUnavailable(
                f"{self._host} sent a body that cannot be read ({type(error).__name__})",
                http_status=response.status_code,
                request_id=_request_id(response),
            ) from None

    def _observed_at(self, response: requests.Response) -> datetime:
        """The service's own clock at this answer, so that deadlines do not depend on ours."""
        try:
            return parsedate_to_datetime(response.headers["Date"]).astimezone(UTC)
        except (KeyError, ValueError):
            return self._clock.now()

    def _raise_for_status(self, response: requests.Response, job_id: str | None) -> None:
        status = response.status_code
        if status < 300:  # noqa: PLR2004 - HTTP success
            return
        said = str(decode_problem(response.content)).lower()
        match status:
            case 401 | 403:
                kind: type[ServiceError] = AccessRefused
            case 404 if job_id is None or response.request.method == "PUT":
                kind = ServiceUnavailable if job_id is None else AccessRefused
                raise kind(
                    f"{self._host} has no batch avatar API; check the endpoint and its region",
                    http_status=404,
                    job_id=job_id,
                    request_id=_request_id(response),
                )
            case 404:
                kind = JobNotFound
            case 409:
                kind = JobExists
            case 429:
                kind = Throttled
            case 400 if "too many" in said and "job" in said:  # the older generation's form of "200 at once"
                kind = Throttled
            case 400 if "already exist" in said:
                kind = JobExists
            case _ if status == 408 or status >= 500 or status < 400:  # noqa: PLR2004 - HTTP statuses
                kind = ServiceUnavailable
            case _:
                kind = RequestRefused
        raise self._error(response, kind, job_id)

    def _error(self, response: requests.Response, kind: type[ServiceError], job_id: str | None) -> ServiceError:
        problem = decode_problem(response.content)
        return kind(
            str(problem),
            code=problem.code or str(response.status_code),
            http_status=response.status_code,
            retry_after_seconds=self._retry_after(response),
            job_id=job_id,
            request_id=_request_id(response),
        )

    def _retry_after(self, response: requests.Response) -> float | None:
        """Seconds, from either form of the header (RFC 9110, section 10.2.3)."""
        value = response.headers.get("Retry-After", "")
        if value.isdecimal():
            return float(value)
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max(0.0, (until - self._observed_at(response)).total_seconds())


def _request_id(response: requests.Response) -> str | None:
    return response.headers.get("apim-request-id") or response.headers.get("x-ms-request-id")


def _kind(error: requests.RequestException) -> str:
    """The error's kind without its text, which may hold a signed link."""
    return type(error).__name__
