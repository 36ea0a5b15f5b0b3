"""Reads requests and writes answers for the routes of both generations."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from fastapi import Response

from batch_avatar.emulator.errors import ApiError, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi import Request

    from batch_avatar.emulator.options import EmulatorOptions
    from batch_avatar.emulator.service.operations import Service

_INT32 = 2**31 - 1
_P = ParamSpec("_P")
_T = TypeVar("_T")


async def read_json_body(request: Request, options: EmulatorOptions) -> bytes:
    """Return the body of a request.

    The body is read to its end even if it is too large, so that the client reads the answer; only the allowed size is
    kept in memory.

    Raises:
        ApiError: the body is too large, or its content type is not JSON.
    """
    limit = options.body_limit_bytes
    body = bytearray()
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size <= limit:
            body += piece
    if size > limit:
        status = HTTPStatus(options.oversize_status)
        code = "BadRequest" if status is HTTPStatus.BAD_REQUEST else "RequestEntityTooLarge"
        raise ApiError(status, code, f"The request body is larger than {limit} bytes.")
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "The content type must be application/json.",
        )
    return bytes(body)


def read_page(request: Request, options: EmulatorOptions, *, size_name: str) -> tuple[int, int]:
    """Return `skip` and the page size; the parameter of the size has a different name in each generation."""
    limit = options.page_size_limit
    skip = _read_int(request, "skip", default=0, least=0)
    size = _read_int(request, size_name, default=limit, least=1)
    if size > limit and options.oversized_page == "refuse":
        raise bad_request(f"The {size_name} parameter must be at most {limit}.", target=size_name)
    return skip, min(size, limit)


def _read_int(request: Request, name: str, *, default: int, least: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:11]) <= _INT32):
        raise bad_request(f"The {name} is invalid.", target=name)
    return int(text)


def origin_of(request: Request) -> str:
    """Return scheme and host as the client wrote them, for absolute links."""
    return f"{request.url.scheme}://{request.url.netloc}"


def json_answer(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer with a JSON body."""
    media_type = "application/json; charset=utf-8"
    return Response(json.dumps(content), status_code=status, headers=dict(headers or {}), media_type=media_type)


async def run_in_thread(service: Service, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run a function that waits for the storage on the service's own threads."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(service.workers, lambda: function(*args, **kwargs))
