"""A road to a storage, on which tests let things happen to requests."""

from __future__ import annotations

import http.client
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from tests.support.loopback import Loopback
from tests.support.waiting import ANSWER_SECONDS

NOT_FORWARDED = ("transfer-encoding", "connection", "keep-alive")


class Road(Loopback):
    """`url` leads to the storage; what becomes of a request on the way, its `Traveller` says."""

    def __init__(self, storage_url: str, traveller: type[Traveller]) -> None:
        super().__init__(traveller)
        self.storage = urlsplit(storage_url).netloc

    def way(self, path: str) -> str:  # noqa: ARG002 - a road to several hosts goes by it
        """Host and port to which a request to this path goes on."""
        return self.storage


class Traveller(BaseHTTPRequestHandler):
    """One connection, which stays open as the storage's do."""

    protocol_version = "HTTP/1.1"

    def travel(self) -> None:
        """What becomes of a request."""
        self.answer(*self.forward())

    def forward(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """The storage's answer: status, headers, body."""
        with closing(http.client.HTTPConnection(self.server.way(self.path), timeout=ANSWER_SECONDS)) as onward:
            onward.request(self.command, self.path, body=self.body, headers=dict(self.headers.items()))
            answer = onward.getresponse()
            content = answer.read()
        return answer.status, [(k, v) for k, v in answer.getheaders() if k.lower() not in NOT_FORWARDED], content

    def answer(self, status: int, headers: list[tuple[str, str]], content: bytes, *, share: float = 1) -> None:
        """With less than the whole body the connection breaks off after so much of it."""
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

    def _set_out(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.travel()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _set_out  # noqa: N815 - named by http.server

    def log_message(self, *_: object) -> None:
        """Nothing: the links carry signatures."""
