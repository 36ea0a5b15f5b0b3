"""The course of the questions: each step sends a few requests and yields answers. The order saves creates."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from batch_avatar.doctor.live import bodies
from batch_avatar.doctor.live.answers import found, unanswered
from batch_avatar.doctor.live.conversation import PAUSE_SECONDS, in_thread
from batch_avatar.doctor.live.judging import (
    by_status,
    has_ended,
    judge_created_time,
    judge_shown,
    judge_smallest_ttl,
    judge_unknown,
    status_name,
)
from batch_avatar.doctor.live.links import open_links
from batch_avatar.doctor.live.questions import OTHER
from batch_avatar.doctor.live.results import (
    judge_billing,
    judge_files,
    judge_lifetime,
    judge_minted,
    judge_subtitle,
    judge_summary,
    links_of,
)
from batch_avatar.errors import BatchAvatarError
from batch_avatar.service.wire.members import Members

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import requests

    from batch_avatar.doctor.live.answers import Answer
    from batch_avatar.doctor.live.conversation import Conversation, Seen

END_SECONDS = 900.0
"""The longest wait for a job to end; two seconds of video took four."""
LAG_SECONDS = 60.0
SOON_SECONDS = 2.0
"""A job of a second has not ended so soon; the fastest of the documents' examples took 3.6 s."""
TOO_LATE = "the service could be asked only some time later"
OPERATIONS = "/avatar/operations/"


class NoClip(BatchAvatarError):
    """The clip was not accepted, or did not succeed: what rests on it cannot be answered."""


def new_id() -> str:
    return f"{bodies.PREFIX}{secrets.token_hex(6)}"


async def ask_without_jobs(c: Conversation) -> AsyncIterator[Answer]:
    """Ask what needs no job."""
    absent = new_id()
    yield by_status("get_absent", await c.get("GET of an absent id", absent), {404: "404", 204: "204"})
    yield by_status("delete_absent", await c.delete("DELETE of an absent id", absent), {404: "404", 204: "204"})
    statuses = {400: "400", 404: "404", 200: "served"}
    missing = await c.read("list without api-version", query={"api-version": None})
    yield by_status("version_missing", missing, statuses)
    unknown = await c.read("list with an unknown api-version", query={"api-version": bodies.UNKNOWN_VERSION})
    yield by_status("version_unknown", unknown, statuses)
    large = await c.read("list with maxpagesize=101", query={"maxpagesize": "101"})
    yield by_status("page_too_large", large, {400: "refused", 200: "taken"})


class Clip:
    """The one clip: created, looked at until its end, and its result."""

    def __init__(self, conversation: Conversation, session: requests.Session, *, loopback: bool) -> None:
        self._c = conversation
        self._session = session
        self._loopback = loopback
        self.id = new_id()
        self.operation_id = new_id()
        self.hours = bodies.HOURS
        self.seconds = bodies.TEXT_SECONDS
        """Billed for it, at least as many as were reserved; a repeat may cost as much."""
        self.short_seconds = bodies.SHORT_SECONDS
        """The same of a short job."""
        self.sent: dict[str, Any] = {}
        self.job: Mapping[str, Any] = {}

    async def create(self) -> AsyncIterator[Answer]:
        """Create it: with a member that nobody knows, then without, then with a longer time to live."""
        tried: list[tuple[int, Seen]] = []
        seen = None
        for unknown, hours in ((True, bodies.HOURS), (False, bodies.HOURS), (False, bodies.LONGER_HOURS)):
            self.sent, self.hours = bodies.clip(unknown=unknown, hours=hours), hours
            seen = await self._create("PUT of the clip")
            tried.append((hours, seen))
            if seen.accepted or seen.status != HTTPStatus.BAD_REQUEST:
                break
        first = tried[0][1]
        if seen is None or not seen.accepted:
            code, message = first.refusal
            raise NoClip(f"the clip was refused: {first.status} {code} {message}")
        self.job = seen.body
        yield judge_smallest_ttl(tried)
        if len(tried) == 3:  # noqa: PLR2004 - the first was refused for either reason, or for both
            again = await self._again_with_unknown()
            yield again
        else:
            yield judge_unknown(first if seen is not first else None, seen)
        yield judge_created_time(seen, Members(seen.body).moment("createdDateTime"))
        get = await self._c.get("GET right after the create", self.id)
        if get.accepted and is_late(get, seen):
            yield unanswered("get_after_create", TOO_LATE, get.evidence())
        else:
            yield by_status("get_after_create", get, {200: "shown", 404: "absent", 204: "absent"})
        async for answer in self._ask_list(seen):
            yield answer
        yield await self._ask_operation(seen)

    async def _create(self, doing: str) -> Seen:
        return await self._c.create(
            doing, self.id, self.sent, seconds=bodies.TEXT_SECONDS, operation_id=self.operation_id
        )

    async def _again_with_unknown(self) -> Answer:
        """Send the member that nobody knows once more, to an id of its own."""
        body = bodies.short(self.hours) | {bodies.UNKNOWN: "x"}
        other = new_id()
        seen = await self._c.create("PUT with an unknown member", other, body, seconds=bodies.SHORT_SECONDS)
        if seen.accepted:
            await self._c.delete("DELETE of that job", other)
            return judge_unknown(None, seen)
        return found("unknown_members", "refused" if seen.status == HTTPStatus.BAD_REQUEST else OTHER, seen.evidence())

    async def _ask_list(self, created: Seen) -> AsyncIterator[Answer]:
        waited = 0.0
        while True:
            jobs, seen = await self._c.jobs("list right after the create")
            if any(job.get("id") == self.id for job in jobs):
                note = f"the look {seen.at - created.at:.0f} s after the create is the first that shows it"
                if not waited and is_late(seen, created):
                    yield unanswered("list_lag", TOO_LATE, seen.evidence(note))
                else:
                    yield found("list_lag", "late" if waited else "at_once", seen.evidence(note))
                return
            if waited >= LAG_SECONDS:
                yield unanswered("list_lag", f"the list did not show it within {LAG_SECONDS:.0f} s", seen.evidence())
                return
            await self._c.clock.sleep(PAUSE_SECONDS)
            waited += PAUSE_SECONDS

    async def _ask_operation(self, seen: Seen) -> Answer:
        location = seen.answer.headers.get("Operation-Location", "")
        path = urlsplit(location).path
        name = path.removeprefix(OPERATIONS)
        if not path.startswith(OPERATIONS) or not name.replace("-", "").replace(".", "").replace("_", "").isalnum():
            why = seen.evidence("it leads elsewhere" if location else "")
            return found("operation_location", OTHER if location else "no_header", why)
        answer = await self._c.read("GET of Operation-Location", path)
        if answer.status == HTTPStatus.OK and not {"id", "status"} <= answer.body.keys():
            return found("operation_location", OTHER, answer.evidence())
        return by_status("operation_location", answer, {200: "status", 404: "absent"})

    async def end(self) -> AsyncIterator[Answer]:
        """Wait until it ends, and look at what it shows and left."""
        seen = await wait_for_end(self._c, self.id, "the clip")
        self.job = seen.body
        if status_name(seen.body) != "succeeded":
            raise NoClip(f"the clip did not succeed: {status_name(seen.body) or seen.status}{_error_of(seen.body)}")
        for answer in judge_shown(self.sent, seen):
            yield answer
        answer, billed = judge_billing(seen)
        self._c.spending.correct(self.seconds, billed)
        self.seconds = max(self.seconds, billed)
        yield answer
        yield judge_subtitle(seen)
        yield judge_lifetime(seen)
        await self._c.clock.sleep(PAUSE_SECONDS)
        again = await self._c.get("GET of the ended clip again", self.id)
        yield judge_minted(seen, again)
        links = links_of(again.body)
        files = await in_thread(lambda: open_links(self._session, links, loopback=self._loopback))
        for answer in (*judge_files(seen, files), *judge_summary(seen.body, files)):
            yield answer


def _error_of(job: Mapping[str, Any]) -> str:
    properties = job.get("properties")
    error = properties.get("error") if isinstance(properties, dict) else None
    return f", {error.get('code')}: {error.get('message')}" if isinstance(error, dict) else ""


def is_late(seen: Seen, before: Seen) -> bool:
    """Return whether so much time passed between two requests that something may have happened meanwhile."""
    return seen.at - before.answered_at > SOON_SECONDS


async def wait_for_end(c: Conversation, job_id: str, what: str) -> Seen:
    """Return the last look at a job, which has ended unless it took too long."""
    c.tell(f"waiting until {what} has ended ...")
    began = c.clock.monotonic()
    while True:
        seen = await c.get(f"GET of {what}", job_id)
        waited = c.clock.monotonic() - began
        if has_ended(seen.body) or waited > (END_SECONDS if seen.body else LAG_SECONDS):
            return seen
        await c.clock.sleep(c.poll_seconds)
