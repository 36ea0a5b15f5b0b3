"""HTTP sessions: pooled, without cookies, with retries of idempotent requests, and a credential for one host only."""

from __future__ import annotations

import random
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol, Self, cast
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.util.retry import Retry

from batch_avatar.service.http_headers import read_date, read_retry_after
from batch_avatar.service.time_limit import LimitedAdapter

if TYPE_CHECKING:
    from types import TracebackType

    from urllib3 import BaseHTTPResponse
    from urllib3.connectionpool import ConnectionPool

NO_ANSWER = (requests.RequestException, HTTPError)
"""What a request may raise; the requests library lets some of urllib3's own errors through."""
POOL_SIZE = 32  # more threads than this only wait for the interpreter (measured with requests 2.34)
TRIES = 4  # of an idempotent request, the first one included
IDEMPOTENT = frozenset({"GET", "HEAD", "DELETE"})


class JitteredRetry(Retry):
    """urllib3's Retry with three changes.

    A Retry-After is read as everywhere here, as urllib3 raises errors over odd ones. One that many threads are told
    at once is spread over one to two times its length. After an error, only idempotent requests are retried: urllib3
    checks the method only for some kinds of errors, and not for TLS errors.
    """

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if error is not None and method not in IDEMPOTENT:
            raise MaxRetryError(cast("ConnectionPool", _pool), url or "", error)
        return super().increment(method, url, response, error, _pool, _stacktrace)

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        now = read_date(response.headers.get("Date"))
        told = read_retry_after(response.headers.get("Retry-After"), now=now)
        if told is None:
            return None
        return min(told, self.retry_after_max) * random.uniform(1, 2)  # noqa: S311 - spreading, not secrecy


class OnceReadSession(requests.Session):
    """A session that reads the environment's proxies and certificates once for each host.

    The requests library reads them for each request, which was a twelfth of all CPU time of a run (profiled, 15
    requests a script).
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[object, ...], dict[str, Any]] = {}

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        if proxies:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        key = (*_origin(url), verify, cert)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = dict(super().merge_environment_settings(url, {}, None, verify, cert))
        return {**known, "proxies": dict(known["proxies"]), "stream": bool(stream)}

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None: no redirect is followed, and this library reads the whole body of one that is not."""


def open_session(*, retry: Retry | None = None) -> requests.Session:
    """Return a pooled session that threads can share, without cookies, its own credentials or those of `.netrc`."""
    session = OnceReadSession()
    session.auth = NoAuth()
    adapter = LimitedAdapter(max_retries=retry or Retry(0, read=False), pool_maxsize=POOL_SIZE, pool_block=True)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def idempotent_retry() -> Retry:
    """Return the retry of GET, HEAD and DELETE. After the last try its answer is returned, whatever it is."""
    return JitteredRetry(
        total=TRIES - 1,
        backoff_factor=0.2,
        backoff_jitter=0.2,
        backoff_max=5,
        status_forcelist=(408, 429, 500, 502, 503, 504),
        allowed_methods=IDEMPOTENT,
        retry_after_max=5,  # longer waits hold no thread, see rendering/retry.py
        raise_on_status=False,
        redirect=False,
    )


class Credential(Protocol):
    """Gives the header that opens the service, and may ask Microsoft Entra for it."""

    def header(self) -> tuple[str, str]: ...

    def renew(self, refused: str) -> bool:
        """Use the header's value that was refused no more. Return True if another one may be had."""
        ...


class HostAuth(AuthBase):
    """Adds a credential's header to requests for one scheme and host only; also keeps `.netrc` out."""

    def __init__(self, endpoint: str, header: tuple[str, str]) -> None:
        self._origin = _origin(endpoint)
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if _origin(request.url or "") == self._origin:
            name, value = self._header
            request.headers[name] = value
        return request


def _origin(url: str) -> tuple[str, str]:
    """Return scheme and host with port, in lower case, as case makes no difference in either."""
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


class NoAuth(AuthBase):
    """Adds nothing: storage links carry their own signature; neither a credential nor `.netrc` goes with them."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
