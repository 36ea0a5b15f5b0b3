"""A forwarder in front of the storage. It plays download faults and records the headers that a client sent.

It signs its own links. They expire by service time, so a stepped clock can let them expire.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode

import urllib3

from batch_avatar.emulator.clock import format_http_date, format_time
from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.faults import Cut, Delay, DropAfter, DropBefore, Garbage, Slow, Status
from batch_avatar.emulator.web.gate import Answer, drop, error_of, send_answer, spoil

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from batch_avatar.emulator.faults import RequestAction
    from batch_avatar.emulator.service.operations import Service

    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PIECE_BYTES = 256 * 1024
_OWN_LIFE = timedelta(hours=1)
"""Lifetime of the front's own link to the storage. The client's link was already checked by service time."""
_NOT_FORWARDED = frozenset({"host", "connection", "authorization", "ocp-apim-subscription-key", "content-length"})
_RECONNECT = urllib3.Retry(
    total=None,
    connect=3,
    read=3,
    redirect=False,
    status=0,
    other=0,
    allowed_methods=("GET", "HEAD"),
    respect_retry_after_header=False,
)
"""Azurite closes a connection that was idle for 5 s, perhaps just as it is used again. Only connection and read errors
are retried; an answer is always passed on, whatever its status is."""
_NOT_RETURNED = frozenset({"connection", "keep-alive", "transfer-encoding", "date"})


class StorageFront:
    """An ASGI application for GET and HEAD of output blobs."""

    def __init__(self, service: Service, endpoint: str) -> None:
        self._service = service
        self._endpoint = endpoint
        self._account = str(service.outputs.storage.account_name)
        self._secret = secrets.token_bytes(32)
        self._pool = urllib3.PoolManager(
            num_pools=2, maxsize=32, retries=_RECONNECT, ca_certs=service.options.storage_certificate
        )

    def close(self) -> None:
        """Close the connections to the storage."""
        self._pool.clear()

    def mint_link(self, container: str, blob_name: str) -> str:
        """Return a link to this front. Its parameters are named as in a storage signature."""
        now = self._service.clock.now()
        expiry = now + timedelta(seconds=self._service.options.link_lifetime_seconds)
        path = f"/{self._account}/{container}/{blob_name}"
        query = {
            "sv": "2024-08-04",
            "st": (now - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "se": expiry.isoformat(),
            "sr": "b",
            "sp": "r",
            "sig": self._sign(path, expiry.isoformat()),
        }
        return f"{self._endpoint}{quote(path)}?{urlencode(query)}"

    async def __call__(self, scope: Any, receive: Any, send: Send) -> None:
        del receive  # GET and HEAD have no body
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        job_id = job_of(scope["path"])
        fault = self._service.faults.for_request("download", job_id, self._service.store.name_of(job_id))

        def record(status: int | str) -> None:  # before the answer is sent: its reader must find it in the log
            self._record(scope, headers, fault, status)

        if isinstance(fault, DropBefore | DropAfter):
            record("dropped")
            await drop(scope)
            return
        if isinstance(fault, Delay):
            await asyncio.sleep(fault.seconds)
        try:
            if isinstance(fault, Status):
                raise error_of(fault)
            blob = self._check(scope)
        except ApiError as error:
            answer = Answer.of_error(error)
        else:
            if not isinstance(fault, Garbage):
                await self._forward(scope["method"], blob, headers, fault, send, record)
                return
            answer = spoil(Answer(200), fault)
        record(answer.status)
        answer.headers["date"] = format_http_date(self._service.clock.now())
        await send_answer(answer, send)

    async def _forward(  # noqa: PLR0917
        self,
        method: str,
        blob: tuple[str, str],
        headers: dict[str, str],
        fault: RequestAction | None,
        send: Send,
        record: Callable[[int | str], None],
    ) -> None:
        loop, workers = asyncio.get_running_loop(), self._service.workers
        url = self._service.outputs.sign_link(*blob, life=_OWN_LIFE)
        onward = {name: value for name, value in headers.items() if name not in _NOT_FORWARDED}
        answer = await loop.run_in_executor(
            workers,
            lambda: self._pool.request(method, url, headers=onward, preload_content=False, decode_content=False),
        )
        try:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _NOT_RETURNED]
            if not self._service.options.content_md5:  # Azurite adds one to small whole downloads
                kept = [(name, value) for name, value in kept if name.lower() != "content-md5"]
            kept.append(("date", format_http_date(self._service.clock.now())))
            encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in kept]
            record(answer.status)
            await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
            length = answer.headers.get("content-length")  # errors of the storage itself have none
            left = math.inf if length is None else int(length) * (fault.fraction if isinstance(fault, Cut) else 1)
            while left >= 1 and method == "GET":
                piece = await loop.run_in_executor(workers, answer.read, int(min(_PIECE_BYTES, left)))
                if not piece:
                    break
                left -= len(piece)
                await self._send_piece(piece, fault, send)
            if not isinstance(fault, Cut):  # returning without an end makes uvicorn close the connection
                await send({"type": "http.response.body", "body": b""})
        finally:
            if isinstance(fault, Cut):
                answer.close()
            answer.release_conn()

    async def _send_piece(self, piece: bytes, fault: RequestAction | None, send: Send) -> None:
        if not isinstance(fault, Slow):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            return
        step = max(1, fault.bytes_per_second // 10)
        for offset in range(0, len(piece), step):
            await send({"type": "http.response.body", "body": piece[offset : offset + step], "more_body": True})
            await asyncio.sleep(0.1)

    def _check(self, scope: Any) -> tuple[str, str]:
        """Return container and blob name of a valid link, or raise the error that the storage would send."""
        if scope["method"] not in ("GET", "HEAD"):
            raise ApiError(405, "UnsupportedHttpVerb", "Only GET and HEAD are supported.", shape="storage_xml")
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
        expiry, signature = query.get("se", ""), query.get("sig", "")
        _, _, container, name = (scope["path"].split("/", 3) + [""] * 4)[:4]
        genuine = hmac.compare_digest(signature.encode(), self._sign(scope["path"], expiry).encode())
        if not genuine or datetime.fromisoformat(expiry) <= self._service.clock.now():
            raise ApiError(
                403, "AuthenticationFailed", "Server failed to authenticate the request.", shape="storage_xml"
            )
        return container, name

    def _sign(self, path: str, expiry: str) -> str:
        return hmac.new(self._secret, f"{path}\n{expiry}".encode(), hashlib.sha256).hexdigest()

    def _record(self, scope: Any, headers: dict[str, str], fault: RequestAction | None, status: int | str) -> None:
        job_id = job_of(scope["path"])
        self._service.counters.request(
            {
                "operation": "download",
                "job_id": job_id,
                "name": self._service.store.name_of(job_id),
                "method": scope["method"],
                "path": scope["path"],
                "status": status,
                "fault": fault.kind if fault else None,
                "at": format_time(self._service.clock.now()),
                "range": headers.get("range"),
                "header_names": sorted(headers),
                "had_speech_key": "ocp-apim-subscription-key" in headers,
                "had_authorization": "authorization" in headers,
            }
        )


def job_of(path: str) -> str | None:
    """Return the job id in `/account/container/resource/job/file`; None for any other path."""
    parts = path.split("/")
    return parts[4] if len(parts) == len(("", "account", "container", "resource", "job", "file")) else None
