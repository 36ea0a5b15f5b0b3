"""What stands before the application: access, faults, the headers that every answer has, and the counting."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import uuid
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from batch_avatar.emulator.clock import format_http_date, format_time
from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.faults import Cut, Delay, DropAfter, DropBefore, Garbage, Status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from batch_avatar.emulator.faults import RequestAction
    from batch_avatar.emulator.service import Service

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)
_JOB = re.compile(r"/avatar/batchsyntheses/([^/]+)")
_OPERATION = re.compile(r"/avatar/operations/([^/]+)")
_BY_METHOD = {"PUT": "create", "GET": "get", "DELETE": "delete"}

_ACCESS_DENIED = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
    "for an active subscription and use a correct regional API endpoint for your resource."
)


def classify(method: str, path: str) -> tuple[str, str | None]:
    """Name the operation of a request and the job it is about."""
    if path.rstrip("/") == "/avatar/batchsyntheses" and method == "GET":
        return "list", None
    if (match := _JOB.fullmatch(path)) and method in _BY_METHOD:
        return _BY_METHOD[method], unquote(match[1])
    if _OPERATION.fullmatch(path) and method == "GET":
        return "operation", None
    return "other", None


@dataclass
class Answer:
    """A whole answer, held back until it is known what goes wrong with it."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of_error(cls, error: ApiError) -> Answer:
        """Write an error."""
        return cls(error.status, error.headers(), error.body())


class Gate:
    """ASGI middleware around the API; `/emulator/...` passes untouched."""

    def __init__(self, app: Application, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/emulator/"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        operation, job_id = classify(scope["method"], scope["path"])
        request_id = str(uuid.uuid4())
        fault: RequestAction | None = None
        if not self._has_access(headers):
            answer: Answer | None = Answer.of_error(ApiError(401, "401", _ACCESS_DENIED, shape="gateway"))
        else:
            fault = self._service.faults.for_request(operation, job_id)
            answer = await self._answer(scope, receive, fault)
        self._service.counters.request(
            {
                "operation": operation,
                "job_id": job_id,
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
        answer.headers |= {"apim-request-id": request_id, "date": format_http_date(self._service.clock.now())}
        await send_answer(answer, send, cut=fault.fraction if isinstance(fault, Cut) else None)

    async def _answer(self, scope: Scope, receive: Receive, fault: RequestAction | None) -> Answer | None:
        """Give the answer, or None for a dropped connection."""
        if isinstance(fault, DropBefore):
            return None
        if isinstance(fault, Delay):
            await asyncio.sleep(fault.seconds)
        if isinstance(fault, Status) and not fault.after_effect:
            return Answer.of_error(error_of(fault))
        answer = await self._run(scope, receive)
        if isinstance(fault, DropAfter):
            return None
        if isinstance(fault, Status):
            return Answer.of_error(error_of(fault))
        if isinstance(fault, Garbage):
            return spoil(answer, fault)
        return answer

    async def _run(self, scope: Scope, receive: Receive) -> Answer:
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
        except Exception:  # noqa: BLE001 - whatever it is, the documented shape is the answer
            _log.exception("%s %s failed", scope["method"], scope["path"])
            self._service.counters.own_error()
            return Answer.of_error(ApiError(500, "InternalServerError", "The emulator has a fault of its own."))
        return answer

    def _has_access(self, headers: dict[str, str]) -> bool:
        key = headers.get("ocp-apim-subscription-key", "")
        if hmac.compare_digest(key.encode(), self._service.options.key.encode()):
            return True
        token = self._service.options.bearer_token
        given = headers.get("authorization", "")
        return token is not None and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def error_of(fault: Status) -> ApiError:
    """Turn a status fault into its error."""
    return ApiError(
        fault.status,
        fault.code,
        fault.message,
        shape=fault.shape,
        retry_after_seconds=fault.retry_after_seconds,
    )


def spoil(answer: Answer, fault: Garbage) -> Answer:
    """Replace a body by one that is not what it should be; the status stays unless the fault names one."""
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


async def send_answer(answer: Answer, send: Send, *, cut: float | None = None) -> None:
    """Send an answer whole, or the given fraction of its body under the whole length and then close."""
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
    """Close the connection without an answer; needs the protocol of `server.py`."""
    scope["extensions"]["emulator.close"]()
    await asyncio.sleep(0)  # let the transport tell the server that the connection is lost
    await asyncio.sleep(0)
