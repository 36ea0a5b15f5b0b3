"""One request to the service and its answer: the credential, a limit of time, and a limit of size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_avatar.errors import AccessRefused, ServiceUnavailable
from batch_avatar.service.http_headers import read_request_id
from batch_avatar.service.session import NO_ANSWER, HostAuth
from batch_avatar.service.time_limit import time_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from batch_avatar.service.session import Credential
    from batch_avatar.service.wire.messages import WireRequest

CONNECT_SECONDS = 5.0
MOST_BYTES = 10_000_000  # a page of 100 jobs has some 300 KB; a body of a few KB can inflate to any size
MOST_ERROR_BYTES = 64_000  # of an error only the first words are used
PIECE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """An answer as it came, its body unpacked. Of an error's body only the first `MOST_ERROR_BYTES` are kept."""

    method: str
    status: int
    headers: Mapping[str, str]
    """Their names in any case."""
    body: bytes

    @property
    def ok(self) -> bool:
        return self.status < 300  # noqa: PLR2004 - HTTP success

    @property
    def request_id(self) -> str | None:
        """The service's own name for the request, to ask its support about."""
        return read_request_id(self.headers.get("apim-request-id")) or read_request_id(
            self.headers.get("x-ms-request-id")
        )


class Exchange:
    """Sends requests to one endpoint. Blocking, up to `timeout_seconds` a try, plus short waits between."""

    def __init__(
        self, *, endpoint: str, credential: Credential, session: requests.Session, timeout_seconds: float
    ) -> None:
        self._endpoint = endpoint
        self._host = urlsplit(endpoint).netloc
        self._credential = credential
        self._session = session
        self._seconds = timeout_seconds

    def prepare(self) -> None:
        """Have a key or token at hand. Nothing is sent to the service.

        Raises:
            ServiceUnavailable: Microsoft Entra does not answer.
            AccessRefused: there is no token.
        """
        self._credential.header()

    def send(self, request: WireRequest, check: Callable[[], None] | None = None) -> Answer:
        """Send the request, and once more with another key or token if there is one and the first is refused.

        `check` is called last, after a token has been fetched, and prevents the request by raising.

        Raises:
            ServiceUnavailable: no answer within the time, one that is too large, or none of Microsoft Entra.
            AccessRefused: there is no token, or one that no header can carry.
        """
        answer, access = self._once(request, check)
        if answer.status == 401 and self._credential.renew(access):  # noqa: PLR2004 - Unauthorized
            answer, _ = self._once(request, check)
        return answer

    def _once(self, request: WireRequest, check: Callable[[], None] | None) -> tuple[Answer, str]:
        """Return the answer, and the value of the header that was to open the service."""
        url = request.path if "://" in request.path else self._endpoint + request.path
        headers = {"Accept": "application/json", **request.headers}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        header = self._credential.header()
        if check is not None:
            check()
        auth = HostAuth(self._endpoint, header)
        try:
            with time_limit(self._seconds), self._open(request, url, headers, auth) as response:
                most = MOST_BYTES if response.ok else MOST_ERROR_BYTES
                body = _read(response, most)
        except NO_ANSWER as error:
            kind = type(error).__name__  # its text may hold a signed link
            raise ServiceUnavailable(f"{self._host} does not answer ({kind})") from None
        answer = Answer(request.method, response.status_code, response.headers, body[:most])
        if len(body) > most and answer.ok:
            raise ServiceUnavailable(
                f"{self._host} sent a body that is larger than {most:,} bytes",
                http_status=answer.status,
                request_id=answer.request_id,
            )
        return answer, header[1]

    def _open(self, request: WireRequest, url: str, headers: Mapping[str, str], auth: HostAuth) -> requests.Response:
        try:
            return self._session.request(
                request.method,
                url,
                params=request.query,
                data=request.body,
                headers=headers,
                timeout=(CONNECT_SECONDS, self._seconds),
                auth=auth,
                allow_redirects=False,
                stream=True,
            )
        except NO_ANSWER:
            raise
        except (ValueError, UnicodeError):  # from http.client; its text holds the header's value
            raise AccessRefused("the key or token holds characters that no HTTP header can carry") from None


def _read(response: requests.Response, most: int) -> bytes:
    """Read and unpack the body, up to a little more than `most` bytes."""
    body = bytearray()
    while len(body) <= most and (piece := response.raw.read(PIECE_BYTES, decode_content=True)):
        body += piece
    return bytes(body)
