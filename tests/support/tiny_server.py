"""A web server that gives the answers it was told."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.support.loopback import Loopback

KEY = "c4n4ry-key"
DATE = "Sat, 21 Nov 2026 09:00:00 GMT"


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    """Close the connection instead of answering."""
    cut: bool = False
    """Announce more bytes than come."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class TinyServer(Loopback):
    """Gives the answers it was told, the last one again and again, and remembers what it was asked.

    An answer may also be a function of the path.
    """

    def __init__(self):
        super().__init__(Answering)
        self.answers = [Answer(200, {"id": "my-job-01", "status": "Running"})]
        self.requests = []
        self.host = self.url.removeprefix("http://")

    @property
    def methods(self):
        return [request.method for request in self.requests]


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; without it each answer takes 40 ms

    def handle(self):
        with suppress(ConnectionError):  # the client has hung up
            super().handle()

    def _answer(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        server.requests.append(Request(self.command, self.path, headers, body))
        answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        answer = answer(self.path) if callable(answer) else answer
        if answer.drop:
            self.close_connection = True
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        content = b"" if answer.body is None else content
        self.send_response_only(answer.status)
        headers = {"Date": DATE, "apim-request-id": f"r-{len(server.requests)}"} | answer.headers
        if answer.status != 204:
            headers |= {"Content-Length": str(len(content) + (100 if answer.cut else 0))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.close_connection or answer.cut

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - names that http.server asks for

    def log_message(self, *_):
        """Stay silent."""
