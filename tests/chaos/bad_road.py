"""A road to the storage on which signed links die and videos break off; everything else gets through."""

from __future__ import annotations

import threading
from urllib.parse import parse_qs, urlsplit

from tests.support.road import Road, Traveller

BREAKS_AT = 0.4  # of the body
DEAD = (
    b'<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code>'
    b"<Message>Signature not valid in the specified time frame.</Message></Error>"
)


class BadRoad(Road):
    """Of each video's reads through a signed link the first is refused and the second breaks off."""

    def __init__(self, storage_url: str) -> None:
        super().__init__(storage_url, _Traveller)
        self.reads: dict[str, int] = {}
        self.lock = threading.Lock()

    def fate_of(self, path: str, query: str) -> int:
        """How often this video was read before; beyond what goes wrong for all else."""
        if parse_qs(query).get("sr") != ["b"]:
            return 2
        with self.lock:
            self.reads[path] = self.reads.get(path, -1) + 1
            return self.reads[path]


class _Traveller(Traveller):
    def travel(self) -> None:
        parts = urlsplit(self.path)
        fate = self.server.fate_of(parts.path, parts.query)
        if fate == 0:
            self.answer(403, [("x-ms-error-code", "AuthenticationFailed")], DEAD)
        else:
            self.answer(*self.forward(), share=BREAKS_AT if fate == 1 else 1)
