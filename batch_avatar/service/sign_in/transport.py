"""The HTTP of the identity library: bounded in time, and heard."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import RequestsTransport

from batch_avatar.service.sign_in.verdict import Heard

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

CONNECT_SECONDS = 5.0
TOKEN_SECONDS = 20.0  # for one answer of Microsoft Entra, which takes a second
MOST_WAIT_SECONDS = 10.0  # between two tries; whoever waits for the token may be a create
MOST_CHARACTERS = 4_000  # of a refusal

_heard: ContextVar[list[Heard] | None] = ContextVar("batch_avatar_heard", default=None)


@contextmanager
def hearing() -> Iterator[list[Heard]]:
    """Give the list of answers to requests for tokens that are made inside the `with` block, which grows."""
    heard: list[Heard] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


class TokenTransport(RequestsTransport):  # type: ignore[misc]  # the library gives it no type
    """Each answer heeds `time_limit`, each wait that one asks for is bounded, and each is told to `hearing`."""

    def __init__(self, session: requests.Session) -> None:
        super().__init__(
            session=session, connection_timeout=CONNECT_SECONDS, read_timeout=TOKEN_SECONDS, session_owner=False
        )

    def send(self, request: Any, **kwargs: Any) -> Any:
        heard = _heard.get()
        host = urlsplit(request.url).hostname or ""
        try:
            response = super().send(request, **kwargs)
        except AzureError as error:
            if heard is not None:
                heard.append(Heard(host, None, kind=type(error).__name__))
            raise
        if heard is not None:
            refused = response.status_code >= 400  # noqa: PLR2004 - HTTP statuses
            heard.append(Heard(host, response.status_code, response.text()[:MOST_CHARACTERS] if refused else ""))
        return response

    def sleep(self, duration: float) -> None:
        super().sleep(bounded_wait(duration))


def bounded_wait(seconds: float) -> float:
    return max(0.0, min(seconds, MOST_WAIT_SECONDS))
