"""A time limit for whole answers. A socket's own timeout begins anew with each byte, so a body that drips has none.

Inside `time_limit` every answer, its head included, must have come within the given seconds; an answer that is read on
after the `with` block keeps its limit. Each try of a request has the time anew.
"""

from __future__ import annotations

import http.client
import io
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from batch_avatar.clock import SystemClock

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer

_seconds: ContextVar[float | None] = ContextVar("batch_avatar_time_limit", default=None)
_clock = SystemClock()


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Give every answer that begins in the `with` block so many seconds from its beginning to its end."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


class _Limited(io.RawIOBase):
    """A socket's bytes, until the time is over; then it raises TimeoutError as the socket itself does."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, seconds: float) -> None:
        self._raw = raw
        self._sock = sock
        self._silence_seconds = sock.gettimeout()
        self._ends_at = _clock.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._ends_at - _clock.monotonic()
        if left <= 0:
            raise TimeoutError("the answer is not whole after the time that it is given")
        silence = self._silence_seconds
        self._sock.settimeout(left if silence is None else min(left, silence))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LimitedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        seconds = _seconds.get()
        if seconds is not None:
            self.fp = io.BufferedReader(_Limited(self.fp.detach(), sock, seconds))


class _Connection(HTTPConnection):
    response_class = _LimitedResponse


class _TlsConnection(HTTPSConnection):
    response_class = _LimitedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class LimitedAdapter(HTTPAdapter):
    """An adapter whose answers heed `time_limit`, with a proxy and without."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager
