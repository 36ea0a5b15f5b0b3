"""A road to the storage on which signed links die and videos break off; everything else gets through."""

from __future__ import annotations

import http.client
import threading
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BREAKS_AT = 0.4  # of the body
DEAD = (
    b'<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>'
    b"<Message>Signature not valid in the specified time frame.</Message></Error>"
)


class BadRoad(ThreadingHTTPServer):
    """Of each video's reads through a signed link the first is refused and the second breaks off."""

    daemon_threads = True
    request_queue_size = 128  # the 5 of socketserver are fewer than the threads of a run

    def __init__(self, storage_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Traveller)
        self.storage = urlsplit(storage_url).netloc
        self.reads: dict[str, int] = {}
        self.lock = threading.Lock()

    def fate_of(self, path: str, query: str) -> int:
        """How often this video was read before; beyond what goes wrong for all else."""
        if parse_qs(query).get("sr") != ["b"]:
            return 2
        with self.lock:
            self.reads[path] = self.reads.get(path, -1) + 1
            return self.reads[path]


class _Traveller(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        parts = urlsplit(self.path)
        fate = self.server.fate_of(parts.path, parts.query)
        if fate == 0:
            self._answer(403, [("x-ms-error-code", "AuthenticationFailed")], DEAD)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with closing(http.client.HTTPConnection(self.server.storage, timeout=30)) as onward:
            onward.request(self.command, self.path, body=body, headers=dict(self.headers.items()))
            answer = onward.getresponse()
            content = answer.read()
        kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in ("transfer-encoding", "connection")]
        self._answer(answer.status, kept, content, share=BREAKS_AT if fate == 1 else 1)

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes, *, share: float = 1) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() != "content-length" or self.command == "HEAD":
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: int(len(content) * share)])
        if share < 1:
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815 - named by http.server

    def log_message(self, *_: object) -> None:
        """Nothing: the links carry signatures."""


@contextmanager
def bad_road(storage_url: str):
    """The road; ends with the block."""
    with BadRoad(storage_url) as road:
        thread = threading.Thread(target=road.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield road
        finally:
            road.shutdown()
            thread.join()
