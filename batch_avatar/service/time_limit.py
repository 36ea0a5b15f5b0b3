"""A limit of time for whole requests. A socket's own timeout begins anew with each byte, so what drips has none.

Inside `time_limit` every try of a request has the given seconds from its beginning to the end of its answer:
connecting, a tunnel through a proxy, the TLS handshake, sending, the head and the body. The body may be given more time
than the rest. An answer that is read on after the `with` block keeps its limit. An answer that is not streamed is
bounded in its size as well.

Three things have limits of their own. Looking up a name takes what the resolver allows. Each address of a name is tried
for the connect timeout. Behind a SOCKS proxy, or a proxy that is itself spoken to over TLS, each byte of the handshakes
has the connect timeout.
"""

from __future__ import annotations

import http.client
import io
import math
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException

from batch_avatar.clock import SystemClock

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    import requests
    from _typeshed import WriteableBuffer

MOST_BYTES = 10_000_000  # of an answer that is not streamed, unpacked: a token has some 2,000
PIECE_BYTES = 64 * 1024


class _Limit(NamedTuple):
    seconds: float
    head_seconds: float
    most_bytes: int


_limit: ContextVar[_Limit | None] = ContextVar("batch_avatar_time_limit", default=None)
_clock = SystemClock()


@contextmanager
def time_limit(seconds: float, *, head_seconds: float = math.inf, most_bytes: int = MOST_BYTES) -> Iterator[None]:
    """Give every try of a request that begins in the `with` block so many seconds, less if a limit around it says so.

    `head_seconds`: until the head of the answer is there. `most_bytes`: of an answer that is not streamed.
    """
    outer = _limit.get() or _Limit(math.inf, math.inf, most_bytes)
    whole = min(seconds, outer.seconds)
    token = _limit.set(_Limit(whole, min(head_seconds, outer.head_seconds, whole), most_bytes))
    try:
        yield
    finally:
        _limit.reset(token)


def _timeout(ends_at: float, silence_seconds: float | None) -> float:
    """Return the timeout for the next step on a socket. Raise TimeoutError, as a socket does, when no time is left."""
    left = ends_at - _clock.monotonic()
    if left <= 0:
        raise TimeoutError("the request is not through after the time that it is given")
    return left if silence_seconds is None else min(left, silence_seconds)


class _Limited(io.RawIOBase):
    """A socket's bytes, until the time is over; then it raises TimeoutError as the socket itself does."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, ends_at: float) -> None:
        self._raw = raw
        self._sock = sock
        self._silence_seconds = sock.gettimeout()
        self.ends_at = ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(_timeout(self.ends_at, self._silence_seconds))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LimitedResponse(http.client.HTTPResponse):
    """An answer whose head must be there at the first of these times, and all of it at the second."""

    def __init__(self, sock: socket.socket, *args: Any, ends_at: float | None, whole_at: float, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._limited = None if ends_at is None else _Limited(self.fp.detach(), sock, ends_at)
        self._whole_at = whole_at
        if self._limited is not None:
            self.fp = io.BufferedReader(self._limited)

    def begin(self) -> None:
        super().begin()
        if self._limited is not None:
            self._limited.ends_at = self._whole_at


class _LimitedConnection:
    """Mixed into a connection of urllib3. The limit is that of the present try; each sets it anew."""

    ends_at: float | None = None
    """When the head of the answer must be there, by our monotonic clock; None without a limit."""
    whole_at: float = math.inf
    timeout: float | None
    sock: socket.socket | None

    @property
    def response_class(self) -> partial[_LimitedResponse]:
        return partial(_LimitedResponse, ends_at=self.ends_at, whole_at=self.whole_at)

    def _new_conn(self) -> socket.socket:
        """Connect. A TLS handshake that follows has the time that the socket is left with, as a whole (`ssl`)."""
        if self.ends_at is not None:
            self.timeout = _timeout(self.ends_at, self.timeout)
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        if self.ends_at is not None:
            try:
                sock.settimeout(_timeout(self.ends_at, self.timeout))
            except TimeoutError:
                sock.close()
                raise
        return sock

    def send(self, data: Any) -> None:
        """Send in pieces: over TLS, each part that a slow reader takes would begin the socket's timeout anew."""
        if self.ends_at is None or not isinstance(data, bytes):
            super().send(data)  # type: ignore[misc]
            return
        for start in range(0, len(data), PIECE_BYTES):
            if self.sock is not None:
                self.sock.settimeout(_timeout(self.ends_at, self.timeout))
            super().send(data[start : start + PIECE_BYTES])  # type: ignore[misc]


class _LimitedPool:
    """Mixed into a pool of urllib3, whose every try of a request begins with a connection from the pool."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)  # type: ignore[misc]
        limit, now = _limit.get(), _clock.monotonic()
        connection.ends_at = now + limit.head_seconds if limit else None
        connection.whole_at = now + limit.seconds if limit else math.inf
        return connection


@cache
def _limited(pool: type[Any]) -> type[Any]:
    """Return the class of pools, plain, TLS or SOCKS, with the limit mixed in."""
    connection = type(f"Limited{pool.ConnectionCls.__name__}", (_LimitedConnection, pool.ConnectionCls), {})
    return type(f"Limited{pool.__name__}", (_LimitedPool, pool), {"ConnectionCls": connection})


def _limit_pools(manager: Any) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _limited(pool) for scheme, pool in pools.items()}


class LimitedAdapter(HTTPAdapter):
    """An adapter whose requests heed `time_limit`, with a proxy and without."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _limit_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            _limit_pools(manager)
        return manager

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().send(*args, **kwargs)
        limit = _limit.get()
        if limit is not None and not kwargs.get("stream"):
            response._content = _read_bounded(response, limit.most_bytes)  # noqa: SLF001 - else it is read unbounded
        return response


def _read_bounded(response: requests.Response, most: int) -> bytes:
    body = bytearray()
    for piece in response.iter_content(PIECE_BYTES):
        body += piece
        if len(body) > most:
            response.close()
            raise RequestException(f"the answer is larger than {most:,} bytes", response=response)
    return bytes(body)
