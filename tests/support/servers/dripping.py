"""A server that never comes to an end: it drips, is silent, or hardly reads."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

PATIENCE_SECONDS = 60
"""So long it waits for its client to hang up. It ends then, and says so at `close`: such a client would never end."""
PAUSE_SECONDS = 0.002


class DrippingServer:
    """Answers each connection with `beginning`, and then a byte at a time. Use it in a `with`, or `close` it.

    Without `drips` it is silent after the beginning. With `reads` it does not answer, and takes a request in parts of
    so many bytes. `tls`: it speaks TLS.
    """

    def __init__(
        self, beginning: bytes = b"", *, drips: bool = True, reads: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self._beginning = beginning
        self._drips = drips
        self._reads = reads
        self._tls = tls
        self._ends_at = time.monotonic() + PATIENCE_SECONDS
        self._over = threading.Event()
        self._outlasted = False
        self._listener = socket.socket()
        if reads:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.host}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,))
                self._threads.append(thread)
                thread.start()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), plain:
            plain.settimeout(PATIENCE_SECONDS)
            connection = self._tls.wrap_socket(plain, server_side=True) if self._tls else plain
            with connection:
                if not self._reads:
                    connection.recv(65536)
                    connection.sendall(self._beginning)
                connection.settimeout(PAUSE_SECONDS)
                self._go_on(lambda: self._step(connection))

    def _go_on(self, step: Callable[[], bool]) -> None:
        while step() and not self._over.wait(PAUSE_SECONDS):
            if time.monotonic() > self._ends_at:
                self._outlasted = True
                self._over.set()

    def _step(self, connection: socket.socket) -> bool:
        """Take one step. Return False once the client has hung up, unless that raises an error."""
        if self._drips and not self._reads:
            connection.sendall(b" ")
            return True
        try:
            return bool(connection.recv(self._reads or 1))
        except TimeoutError:
            return True

    def close(self) -> None:
        """End. Fail if a client would have stayed for ever."""
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()
        assert not self._outlasted, f"a client was still there after {PATIENCE_SECONDS} s of such an answer"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
