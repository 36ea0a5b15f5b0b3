"""A road to the storage, on which chosen requests are held up or find their connection closed."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.waiting import ANSWER_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Incident:
    """What happens to the first request that `wanted` takes, by its method and its path with the query."""

    wanted: Callable[[str, str], bool]
    closes: bool
    arrived: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)


class StorageRoad(ThreadingHTTPServer):
    """Forwards all that comes; connections stay open, as the storage's do."""

    daemon_threads = True

    def __init__(self, storage_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Traveller)
        self.storage = urlsplit(storage_url).netloc
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._incidents: list[Incident] = []
        self._lock = threading.Lock()

    def close_at(self, wanted: Callable[[str, str], bool]) -> Incident:
        """Close the connection when such a request comes, without an answer."""
        return self._expect(Incident(wanted, closes=True))

    @contextmanager
    def held(self, wanted: Callable[[str, str], bool]):
        """Hold such a request up until the end of the block."""
        incident = self._expect(Incident(wanted, closes=False))
        try:
            yield incident
        finally:
            incident.over.set()

    def _expect(self, incident: Incident) -> Incident:
        with self._lock:
            self._incidents.append(incident)
        return incident

    def take(self, method: str, path: str) -> Incident | None:
        with self._lock:
            found = next((one for one in self._incidents if one.wanted(method, path)), None)
            if found is not None:
                self._incidents.remove(found)
            return found


class _Traveller(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        incident = self.server.take(self.command, self.path)
        if incident is not None:
            incident.arrived.set()
            if incident.closes:
                self.close_connection = True
                return
            incident.over.wait()
        onward = http.client.HTTPConnection(self.server.storage, timeout=ANSWER_SECONDS)
        onward.request(self.command, self.path, body=body, headers=dict(self.headers.items()))
        answer = onward.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "keep-alive", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(answer.headers.get("Content-Length", len(content))))
        self.end_headers()
        self.wfile.write(content)
        onward.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _forward  # noqa: N815 - named by http.server

    def log_message(self, *_: object) -> None:
        """Nothing: the links carry signatures."""


@contextmanager
def open_road(storage_url: str):
    """The road; ends with the block."""
    with StorageRoad(storage_url) as road:
        thread = threading.Thread(target=road.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield road
        finally:
            road.shutdown()
            thread.join()
