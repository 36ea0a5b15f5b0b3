"""The HTTP of the storage library: each try of a request has an end, also if the storage drips."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.core.pipeline.transport import RequestsTransport

from batch_avatar.service.time_limit import time_limit

if TYPE_CHECKING:
    import requests

CONNECT_SECONDS = 20
SILENCE_SECONDS = 60
"""Both as the library's own transport has them."""
REQUEST_SECONDS = 600.0
"""A block has 4 MiB, and the first part of a blob up to 32 MiB: 8 threads that write need 0.5 Mbit/s together."""
MOST_BYTES = 200_000_000
"""Of an answer that is not streamed. A listing has 5,000 blobs with up to 8 KB of metadata each."""


class StorageTransport(RequestsTransport):  # type: ignore[misc]  # the library gives it no type
    """Sends what the storage library asks for. The library tries again what fails; each try has the time anew."""

    def __init__(self, session: requests.Session, *, seconds: float = REQUEST_SECONDS) -> None:
        super().__init__(
            session=session,
            session_owner=False,
            connection_timeout=CONNECT_SECONDS,
            read_timeout=SILENCE_SECONDS,
        )
        self._seconds = seconds

    def send(self, request: Any, **kwargs: Any) -> Any:
        with time_limit(self._seconds, most_bytes=MOST_BYTES):
            return super().send(request, **kwargs)
