"""A road on which a drawn list of mischief happens to requests, and which counts what passes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from tests.support.road import Road, Traveller

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.emulator.web.server import EmulatorServer

FOR_EVER = 1_000_000
"""So often that no run sees its end."""
MEANT = {"job": ("create", "get", "list")}
"""Operations that have a common name, because all of them show jobs."""
DRIPS = 120
DRIP_SECONDS = 0.1  # far below the request's timeout, so that only a deadline of the whole request ends it


@dataclass(frozen=True)
class Answer:
    """What a client is told. `arrives`: whole, cut, dropped, drips byte by byte, or endless (chunks, no last one)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    arrives: str = "whole"

    def with_header(self, name: str, value: str | None) -> Answer:
        """With this header alone of its name; None takes it away."""
        others = tuple(one for one in self.headers if one[0].lower() != name.lower())
        return replace(self, headers=others if value is None else (*others, (name, value)))


class Change(Protocol):
    """What becomes of an answer. `after`: the request has its effect first; else `answer` is an empty 200."""

    after: bool

    def of(self, answer: Answer) -> Answer: ...


@dataclass(frozen=True)
class Mischief:
    """From its `skip`-th request of this operation on, `times` answers are changed."""

    operation: str
    change: Change
    skip: int = 0
    times: int = 1

    def __str__(self) -> str:
        return json.dumps({"change": type(self.change).__name__, **asdict(self.change), **self._when()})

    def _when(self) -> dict[str, Any]:
        return {"operation": self.operation, "skip": self.skip, "times": self.times}


@dataclass
class Log:
    """What has passed: requests by operation, how often mischief was done, and bodies that were read drop by drop."""

    requests: Counter[str] = field(default_factory=Counter)
    kept_back: Counter[str] = field(default_factory=Counter)
    """Requests that were answered on the way."""
    fired: int = 0
    drained: int = 0
    served: set[str] = field(default_factory=set)
    """Digests of bodies that were changed on the way."""


class HostileRoad(Road):
    """Forwards everything, and does the mischief that `set_out` names."""

    def __init__(self, storage_url: str, traveller: type[HostileTraveller]) -> None:
        super().__init__(storage_url, traveller)
        self.log = Log()
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self._mischief: tuple[Mischief, ...] = ()
        self._seen: list[int] = []

    def set_out(self, mischief: Sequence[Mischief]) -> None:
        with self.lock:
            self._mischief = tuple(mischief)
            self._seen = [0] * len(mischief)

    def calm(self) -> None:
        self.set_out(())

    def close(self) -> None:
        self.closing.set()
        super().close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that has heard enough closes the connection."""

    def take(self, operation: str) -> Change | None:
        """What happens to this request; the first mischief that is due decides."""
        with self.lock:
            self.log.requests[operation] += 1
            for number, one in enumerate(self._mischief):
                if operation not in MEANT.get(one.operation, (one.operation,)):
                    continue
                self._seen[number] += 1
                if one.skip < self._seen[number] <= one.skip + one.times:
                    self.log.fired += 1
                    return one.change
        return None

    def keep_back(self, operation: str) -> None:
        with self.lock:
            self.log.kept_back[operation] += 1

    def note(self, answer: Answer) -> None:
        """Remember what a client may rightly take for a file."""
        told = dict(answer.headers).get("Content-Length", "")
        body = answer.body[: int(told)] if told.isdecimal() else answer.body
        with self.lock:
            if answer.status < 300:  # HTTP success
                self.log.served.add(hashlib.sha256(body).hexdigest())

    def total(self) -> int:
        with self.lock:
            return self.log.requests.total()


class AnswerRoad(HostileRoad):
    """In front of a service and of its storage; links that it passes on lead back to it."""

    def __init__(self, emulator: EmulatorServer) -> None:
        super().__init__(emulator.endpoint, AnswerTraveller)
        self.hosts = (emulator.storage_endpoint.encode(), self.url.encode())
        self._files = emulator.storage_endpoint.removeprefix("http://")

    def way(self, path: str) -> str:
        return self.storage if path.startswith(("/avatar/", "/api/")) else self._files


class HostileTraveller(Traveller):
    """Subclasses say of which operation a request is."""

    def operation(self) -> str:
        raise NotImplementedError

    def travel(self) -> None:
        change = self.server.take(operation := self.operation())
        if change is not None and not change.after:
            self.server.keep_back(operation)
        answer = self.passed_on() if change is None or change.after else Answer(200, (), b"")
        if change is not None:
            answer = change.of(answer)
            self.close_connection = True
            self.server.note(answer)
        self.send(answer)

    def passed_on(self) -> Answer:
        status, headers, body = self.forward()
        return Answer(status, tuple(headers), body)

    def send(self, answer: Answer) -> None:
        if answer.arrives == "dropped":
            self.close_connection = True
            return
        self.send_response_only(answer.status, "")
        told = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-length" not in told and answer.arrives != "endless":
            self.send_header("Content-Length", str(len(answer.body)))
        if answer.arrives == "endless":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        match answer.arrives:
            case "whole":
                self.wfile.write(answer.body)
            case "cut":
                self.wfile.write(answer.body[: len(answer.body) // 2])
            case "drips":
                self._drip(answer.body)
            case "endless":
                self.wfile.write(b"%x\r\n%s\r\n" % (len(answer.body), answer.body))

    def _drip(self, body: bytes) -> None:
        """So slowly that only who has no deadline for the whole request hears it to its end."""
        for number in range(DRIPS):
            self.wfile.write(body[number : number + 1] or b" ")
            self.wfile.flush()
            if self.server.closing.wait(DRIP_SECONDS):
                return
        with self.server.lock:
            self.server.log.drained += 1


class AnswerTraveller(HostileTraveller):
    def passed_on(self) -> Answer:
        answer = super().passed_on()
        body = answer.body.replace(*self.server.hosts) if answer.body[:1] == b"{" else answer.body
        return replace(answer, headers=answer.with_header("content-length", None).headers, body=body)

    def operation(self) -> str:
        path = self.path.partition("?")[0].rstrip("/")
        if self.server.way(path) != self.server.storage:
            name = path.rpartition("/")[2]
            return (
                "summary" if name.startswith("summary") else "subtitle" if name.endswith((".srt", ".vtt")) else "result"
            )
        if self.command in ("PUT", "POST"):
            return "create"
        if self.command == "DELETE":
            return "delete"
        return "list" if path.endswith(("/batchsyntheses", "/talkingavatar")) else "get"
