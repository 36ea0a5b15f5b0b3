"""A road to a storage, on which chosen requests get an answer of the test's own, before or after they took effect."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.road import Road, Traveller

if TYPE_CHECKING:
    from collections.abc import Callable

ERROR = '<?xml version="1.0" encoding="utf-8"?><Error><Code>{0}</Code><Message>The storage says {0}.</Message></Error>'
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Proxy &nbsp; says no.<br></body></html>"


@dataclass
class Answer:
    """What is said to requests that `wanted` takes, by their method and their path with the query.

    `after`: the storage carries the request out first. `times`: how often; None for always.
    """

    wanted: Callable[[str, str], bool]
    status: int
    headers: list[tuple[str, str]]
    content: bytes
    after: bool = False
    times: int | None = None


@dataclass
class Seen:
    requests: list[tuple[str, str]] = field(default_factory=list)

    def count(self, wanted: Callable[[str, str], bool]) -> int:
        return sum(wanted(*request) for request in self.requests)


class AnsweringRoad(Road):
    """Forwards all but the requests that have an answer; `seen` has all of them."""

    def __init__(self, storage_url: str) -> None:
        super().__init__(storage_url, _Traveller)
        self.seen = Seen()
        self._answers: list[Answer] = []
        self._lock = threading.Lock()

    def refuse(self, wanted, code: str | None, status: int, *, after: bool = False, times: int | None = None) -> None:
        """Answer with an error of the storage; without a code, with the page of a proxy."""
        if code is None:
            self.say(wanted, status, PAGE, {"Content-Type": "text/html"}, after=after, times=times)
            return
        headers = {"x-ms-error-code": code, "Content-Type": "application/xml"}
        self.say(wanted, status, ERROR.format(code).encode(), headers, after=after, times=times)

    def say(self, wanted, status: int, content: bytes, headers, *, after: bool = False, times=None) -> None:
        with self._lock:
            self._answers.append(Answer(wanted, status, list(headers.items()), content, after, times))

    def honest(self) -> None:
        """Forward everything from now on."""
        with self._lock:
            self._answers.clear()

    def reset(self) -> None:
        """Be honest and forget what was seen, for the next test."""
        self.honest()
        self.seen.requests.clear()

    def take(self, method: str, path: str) -> Answer | None:
        with self._lock:
            self.seen.requests.append((method, path))
            found = next((one for one in self._answers if one.wanted(method, path)), None)
            if found is not None and found.times is not None:
                found.times -= 1
                if not found.times:
                    self._answers.remove(found)
            return found

    def connection_string(self, direct: str) -> str:
        """The connection string of the storage, by this road."""
        return direct.replace(f"http://{self.storage}", self.url)


class _Traveller(Traveller):
    def travel(self) -> None:
        answer = self.server.take(self.command, self.path)
        if answer is None:
            super().travel()
            return
        if answer.after:
            self.forward()
        self.answer(answer.status, answer.headers, answer.content)


def ends(method: str, ending: str):
    """Requests of this method to a path (without its query) that ends so."""
    return lambda said, path: said == method and path.split("?")[0].endswith(ending)
