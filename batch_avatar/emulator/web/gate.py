"""Stands in front of the application: checks access, plays faults, adds common headers, and counts requests."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from batch_avatar.emulator.clock import format_http_date, format_time
from batch_avatar.emulator.errors import OWN_SHAPES, ApiError
from batch_avatar.emulator.faults import Change, Cut, Delay, DropAfter, DropBefore, Garbage, Status
from batch_avatar.emulator.jobs.preview_request import read_display_name
from batch_avatar.emulator.web.paths import classify

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from batch_avatar.emulator.faults import RequestAction, Shape
    from batch_avatar.emulator.options import Generation
    from batch_avatar.emulator.service.operations import Service
    from batch_avatar.emulator.web.paths import Call

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)
_ACCESS_DENIED = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
    "for an active subscription and use a correct regional API endpoint for your resource."
)
_NO_DATA_ACTION = (
    "The principal `emulated` lacks the required data action "
    "`Microsoft.CognitiveServices/accounts/SpeechServices/avatar/action` to perform this operation."
)
_FREE = 'Only "Standard" subscriptions for the region of the called service are valid.'


@dataclass
class Answer:
    """A complete answer. It is held back until the faults of the request have been applied to it."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of_error(cls, error: ApiError) -> Answer:
        """Return the answer for an error."""
        return cls(error.status, error.headers(), error.body())


class Gate:
    """ASGI middleware around the API. Requests to `/emulator/...` pass through unchanged."""

    def __init__(self, app: Application, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/emulator/"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        call = classify(scope["method"], scope["path"])
        name: str | None = None
        request_id = str(uuid.uuid4())
        fault: RequestAction | None = None
        denied = self._denial(headers, call.generation)
        if denied is not None:
            answer: Answer | None = Answer.of_error(denied)
        else:
            name, receive = await self._find_name(call, receive)
            fault = self._service.faults.for_request(call.operation, call.job_id, name)
            answer = self._refuse(call) or await self._answer(scope, receive, fault, call.generation)
        self._service.counters.request(
            {
                "operation": call.operation,
                "job_id": call.job_id,
                "name": name,
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode("latin-1"),
                "status": answer.status if answer else "dropped",
                "fault": fault.kind if fault else None,
                "at": format_time(self._service.clock.now()),
                "request_id": request_id,
                "header_names": sorted(headers),
            }
        )
        if answer is None:
            await drop(scope)
            return
        date = self._service.clock.now() + timedelta(seconds=self._service.options.date_off_seconds)
        answer.headers |= {"apim-request-id": request_id, "date": format_http_date(date)}
        await send_answer(answer, send, cut=fault.fraction if isinstance(fault, Cut) else None)

    def _refuse(self, call: Call) -> Answer | None:
        """Count a request that is no create towards the limit, where all count; return the refusal of one too many."""
        if self._service.options.limited_requests == "all" and call.operation != "create":
            try:
                self._service.allowance.spend(call.generation)
            except ApiError as error:
                return Answer.of_error(error)
        return None

    async def _find_name(self, call: Call, receive: Receive) -> tuple[str | None, Receive]:
        """Return the client's name for the job, if it is known, and a `receive` to use from now on.

        A 3.1-preview1 create has the name only in its body, which is read for it.
        """
        if call.generation == "2024":
            return call.job_id, receive
        if call.operation == "create":
            return await _peek_name(receive, self._service.options.body_limit_bytes)
        return self._service.store.name_of(call.job_id), receive

    async def _answer(
        self, scope: Scope, receive: Receive, fault: RequestAction | None, generation: Generation
    ) -> Answer | None:
        """Return the answer, or None if the connection is to be dropped."""
        own = OWN_SHAPES[generation]
        if isinstance(fault, DropBefore):
            return None
        if isinstance(fault, Delay):
            await asyncio.sleep(fault.seconds)
        if isinstance(fault, Status) and not fault.after_effect:
            return Answer.of_error(error_of(fault, own))
        answer = await self._run(scope, receive, own)
        if isinstance(fault, DropAfter):
            return None
        if isinstance(fault, Status):
            return Answer.of_error(error_of(fault, own))
        if isinstance(fault, Garbage):
            answer = spoil(answer, fault)
        elif isinstance(fault, Change):
            answer = change(answer, fault)
        return answer

    async def _run(self, scope: Scope, receive: Receive, own: Shape) -> Answer:
        answer = Answer()

        async def collect(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        try:
            await self._app(scope, receive, collect)
        except ApiError as error:
            return Answer.of_error(error)
        except Exception:  # noqa: BLE001 - any failure is answered in the documented shape
            _log.exception("%s %s failed", scope["method"], scope["path"])
            self._service.counters.own_error()
            return Answer.of_error(
                ApiError(500, "InternalServerError", "The emulator has a fault of its own.", shape=own)
            )
        return answer

    def _denial(self, headers: dict[str, str], generation: Generation) -> ApiError | None:
        """Return why this client may not ask for anything; None if it may."""
        options = self._service.options
        key, given = headers.get("ocp-apim-subscription-key", ""), headers.get("authorization", "")
        keyed = hmac.compare_digest(key.encode(), options.key.encode())
        token = options.bearer_token
        known = token is not None and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
        if not (keyed or known):
            return ApiError(401, "401", _ACCESS_DENIED, shape="gateway")
        if not keyed and options.bearer_role == "none":
            return ApiError(401, "PermissionDenied", _NO_DATA_ACTION)
        if options.tier == "F0":
            return ApiError(403, "Forbidden", _FREE, shape=OWN_SHAPES[generation])
        return None


async def _peek_name(receive: Receive, limit: int) -> tuple[str | None, Receive]:
    """Read a body, up to a limit, to find the name in it. The returned `receive` delivers the whole body again."""
    held: deque[MutableMapping[str, Any]] = deque()
    body = bytearray()
    more = True
    while more and len(body) <= limit:
        message = await receive()
        held.append(message)
        body += message.get("body", b"")
        more = message.get("more_body", False)

    async def replay() -> MutableMapping[str, Any]:
        return held.popleft() if held else await receive()

    return read_display_name(bytes(body)), replay


def error_of(fault: Status, own: Shape = "ga") -> ApiError:
    """Return the error of a status fault; `own` is the shape if the fault names none."""
    return ApiError(
        fault.status,
        fault.code,
        fault.message,
        shape=fault.shape or own,
        retry_after_seconds=fault.retry_after_seconds,
    )


def spoil(answer: Answer, fault: Garbage) -> Answer:
    """Replace the body by a wrong one. The status stays (204 becomes 200) unless the fault names one."""
    whole = answer.body or json.dumps({"id": "x"}).encode()
    bodies = {
        "html": b"<html><head><title>Service</title></head><body>Our services aren't available</body></html>",
        "truncated_json": whole[: max(1, len(whole) // 2)],
        "empty": b"",
        "not_an_object": b'["unexpected"]',
    }
    kind = "text/html" if fault.body == "html" else "application/json; charset=utf-8"
    status = fault.status or (200 if answer.status == HTTPStatus.NO_CONTENT else answer.status)
    return Answer(status, {"content-type": kind}, bodies[fault.body])


def change(answer: Answer, fault: Change) -> Answer:
    """Change the members of the answer's job, or of each job in its list that the fault means."""
    try:
        body = json.loads(answer.body)
    except ValueError:
        return answer
    if not isinstance(body, dict):
        return answer
    listed = body.get("value", body.get("values"))
    for job in listed if isinstance(listed, list) else [body]:
        names = (str(job.get("id")), str(job.get("displayName")))
        if fault.matching is None or any(re.search(fault.matching, name) for name in names):
            for name, value in fault.members.items():
                _set_member(job, name.split("."), value)
    return Answer(answer.status, answer.headers, json.dumps(body).encode())


def _set_member(job: dict[str, Any], path: list[str], value: Any) -> None:
    *outer, last = path
    for name in outer:
        job = job.setdefault(name, {})
    job[last] = value


async def send_answer(answer: Answer, send: Send, *, cut: float | None = None) -> None:
    """Send an answer. `cut`: announce the whole length, send only this fraction of the body, and close."""
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    if answer.status != HTTPStatus.NO_CONTENT:
        headers["content-length"] = str(len(answer.body))
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    if cut is None or not answer.body:
        await send({"type": "http.response.body", "body": answer.body})
    else:  # uvicorn closes the connection when an application returns before the end of its body
        await send(
            {
                "type": "http.response.body",
                "body": answer.body[: int(len(answer.body) * cut)],
                "more_body": True,
            }
        )


async def drop(scope: Scope) -> None:
    """Close the connection without an answer. This needs the protocol class of `server.py`."""
    scope["extensions"]["emulator.close"]()
    await asyncio.sleep(0)  # lets the transport tell the server that the connection is lost
    await asyncio.sleep(0)
