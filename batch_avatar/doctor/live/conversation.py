"""The requests: each is sent once, and its answer kept; those that are refused for their rate are sent again later."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from batch_avatar.doctor.live.answers import Evidence
from batch_avatar.doctor.live.bodies import encoded
from batch_avatar.doctor.live.redacting import header_names, told
from batch_avatar.errors import ServiceUnavailable
from batch_avatar.service.http_headers import read_date, read_retry_after
from batch_avatar.service.wire.avatar_2024 import JOBS
from batch_avatar.service.wire.members import parse_json
from batch_avatar.service.wire.messages import PAGE_SIZE, WireRequest, decode_problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from batch_avatar.clock import Clock
    from batch_avatar.doctor.live.spending import Pace, Spending
    from batch_avatar.service.exchange import Answer, Exchange

TRIES = 6
"""Of a request that is refused for its rate. The service's documents advise waits of up to four minutes."""
READ_TRIES = 3
"""Of a read or delete that gets no answer, or a 5xx."""
PAUSE_SECONDS = 2.0
THROTTLED_SECONDS = 30.0
"""The wait where a 429 tells none: at two creates a minute one is free then."""
STOP_SECONDS = 15.0
"""For the answer to a create that is on its way when the run is stopped."""

T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """One request and its answer."""

    doing: str
    at: float
    """Seconds of the clock that never goes back, before the request."""
    answered_at: float
    """The same, when the answer was there."""
    answer: Answer = field(repr=False)
    hidden: tuple[str, ...] = field(default=(), repr=False)

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def creates(self) -> bool:
        return self.answer.method == "PUT"

    @property
    def accepted(self) -> bool:
        return self.answer.ok

    @property
    def body(self) -> Mapping[str, Any]:
        """The answer as an object; an empty one if it is none."""
        try:
            value = parse_json(self.answer.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def date(self) -> datetime | None:
        return read_date(self.answer.headers.get("Date"))

    @property
    def retry_after(self) -> float | None:
        return read_retry_after(self.answer.headers.get("Retry-After"), now=self.date)

    @property
    def refusal(self) -> tuple[str, str]:
        """Code and message of an error, without secrets and names; two empty texts if it is none."""
        if self.accepted:
            return "", ""
        problem = decode_problem(self.answer.body)
        return told(problem.code or "", self.hidden), told(str(problem), self.hidden)

    def evidence(self, note: str = "") -> Evidence:
        code, message = self.refusal
        names = header_names(self.answer.headers)
        return Evidence(self.doing, self.status, code, message, names, told(note, self.hidden))


class Conversation:
    """With one Speech resource. What it has created is in `created`, also where the answer was lost."""

    def __init__(
        self,
        *,
        exchange: Exchange,
        clock: Clock,
        api_version: str,
        pace: Pace,
        spending: Spending,
        hidden: tuple[str, ...],
        poll_seconds: float,
        tell: Callable[[str], None],
    ) -> None:
        self._exchange = exchange
        self.clock = clock
        self._query = {"api-version": api_version}
        self.pace = pace
        self.spending = spending
        self._hidden = hidden
        self.poll_seconds = poll_seconds
        self.tell = tell
        self.created: dict[str, None] = {}
        self.seen: list[Seen] = []

    async def create(
        self, doing: str, job_id: str, body: dict[str, Any], *, seconds: int, operation_id: str = "", tries: int = TRIES
    ) -> Seen:
        """Send a create when its turn has come. `seconds` may be billed if it is accepted; 0 if it cannot be.

        Raises:
            TooDear: nothing was sent, as it might be billed beyond the limit.
            ServiceUnavailable: no answer; the job may exist.
        """
        headers = {"Operation-Id": operation_id} if operation_id else {}
        request = WireRequest("PUT", f"{JOBS}/{job_id}", self._query, encoded(body), headers)
        self.spending.reserve(seconds)
        known = job_id in self.created
        for left in reversed(range(tries)):
            if tries > 1:
                await self.pace.wait()
            self.created[job_id] = None
            self.pace.note()
            seen = await self._send(doing, request)
            if seen.status != HTTPStatus.TOO_MANY_REQUESTS or not left:
                break
            await self._wait_as_told(seen)
        if not seen.accepted:
            self.spending.give_back(seconds)
            if not known and seen.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                del self.created[job_id]
        return seen

    async def read(
        self, doing: str, path: str = "", *, method: str = "GET", query: Mapping[str, str | None] | None = None
    ) -> Seen:
        """Send a request that changes nothing, or a delete. `query`: further parameters; None takes one away.

        Raises:
            ServiceUnavailable: no answer in three tries.
        """
        wanted = {name: value for name, value in (self._query | dict(query or {})).items() if value is not None}
        request = WireRequest(method, f"{JOBS}{path}" if not path.startswith("/avatar/") else path, wanted)
        throttled = failed = 0
        while True:
            try:
                seen = await self._send(doing, request)
            except ServiceUnavailable:
                failed += 1
                if failed >= READ_TRIES:
                    raise
            else:
                if seen.status == HTTPStatus.TOO_MANY_REQUESTS and throttled < TRIES:
                    throttled += 1
                    await self._wait_as_told(seen)
                    continue
                failed += 1
                if seen.status < HTTPStatus.INTERNAL_SERVER_ERROR or failed >= READ_TRIES:
                    return seen
            await self.clock.sleep(PAUSE_SECONDS)

    def told(self, text: str) -> str:
        """Return a text as a report may hold it."""
        return told(text, self._hidden)

    async def get(self, doing: str, job_id: str) -> Seen:
        return await self.read(doing, f"/{job_id}")

    async def delete(self, doing: str, job_id: str) -> Seen:
        return await self.read(doing, f"/{job_id}", method="DELETE")

    async def jobs(self, doing: str, *, most_pages: int = 3) -> tuple[list[Mapping[str, Any]], Seen]:
        """Return the jobs of the first pages, and the last answer. Links are followed on our endpoint only."""
        seen = await self.read(doing, query={"maxpagesize": str(PAGE_SIZE)})
        jobs, pages = _listed(seen), 1
        while (link := seen.body.get("nextLink")) and isinstance(link, str) and pages < most_pages:
            parts = urlsplit(link)
            if parts.path.rstrip("/") != JOBS:
                break
            seen = await self.read(doing, query=dict(parse_qsl(parts.query)))
            more, pages = _listed(seen), pages + 1
            if not more:
                break
            jobs += more
        return jobs, seen

    async def _wait_as_told(self, seen: Seen) -> None:
        seconds = THROTTLED_SECONDS if seen.retry_after is None else seen.retry_after + 0.5
        self.tell(f"the service says 429; waiting {seconds:.0f} s")
        await self.clock.sleep(seconds)

    async def _send(self, doing: str, request: WireRequest) -> Seen:
        at = self.clock.monotonic()
        answer = await in_thread(partial(self._exchange.send, request))
        seen = Seen(doing, at, self.clock.monotonic(), answer, self._hidden)
        self.seen.append(seen)
        return seen


async def in_thread(call: Callable[[], T]) -> T:
    """Run a blocking call. If this is cancelled, the call is given some seconds to end: a create may be on its way."""
    task = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=STOP_SECONDS)
        if task.done() and not task.cancelled():
            task.exception()  # it is told by nobody else
        raise


def _listed(seen: Seen) -> list[Mapping[str, Any]]:
    jobs = seen.body.get("value")
    return [job for job in jobs if isinstance(job, dict)] if isinstance(jobs, list) else []
