"""The HTTP surface. FastAPI's own error bodies never leave it."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from batch_avatar.emulator.admin import add_admin_routes
from batch_avatar.emulator.errors import ApiError, bad_request
from batch_avatar.emulator.gate import Gate
from batch_avatar.emulator.validation import check_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from batch_avatar.emulator.service import Service

_BATCH = "/avatar/batchsyntheses"
_CODES = {404: "NotFound", 405: "MethodNotAllowed"}
_INT32 = 2**31 - 1
_P = ParamSpec("_P")
_T = TypeVar("_T")


def create_app(service: Service) -> FastAPI:
    """Build the application over one service."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_exception_handler(HTTPException, _shape_http_error)
    app.add_exception_handler(ApiError, _shape_api_error)
    app.add_middleware(Gate, service=service)
    api = _Api(service)
    app.add_api_route(_BATCH, api.list, methods=["GET"], response_model=None)
    app.add_api_route(_BATCH + "/", api.list, methods=["GET"], response_model=None)
    app.add_api_route(_BATCH + "/{job_id}", api.create, methods=["PUT"], response_model=None)
    app.add_api_route(_BATCH + "/{job_id}", api.get, methods=["GET"], response_model=None)
    app.add_api_route(_BATCH + "/{job_id}", api.delete, methods=["DELETE"], response_model=None)
    app.add_api_route("/avatar/operations/{operation_id}", api.operation, methods=["GET"], response_model=None)
    add_admin_routes(app, service)
    return app


class _Api:
    """The routes. Whatever waits for the storage runs on the service's own threads."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def create(self, request: Request, job_id: str) -> Response:
        version = self._check_version(request)
        body = await self._read_body(request)
        kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise ApiError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                "UnsupportedMediaType",
                "The content type must be application/json.",
            )
        operation_id = request.headers.get("operation-id")
        created = await self._in_thread(self._service.create, job_id, body, operation_id)
        location = f"{_origin(request)}/avatar/operations/{created.operation_id}"
        headers = {
            "Operation-Id": created.operation_id,
            "Operation-Location": f"{location}?{urlencode({'api-version': version})}",
        }
        return _json(created.view, status=201, headers=headers)

    async def get(self, request: Request, job_id: str) -> Response:
        self._check_version(request)
        check_id(job_id)
        view = self._service.get(job_id)
        return Response(status_code=204) if view is None else _json(view)

    async def delete(self, request: Request, job_id: str) -> Response:
        self._check_version(request)
        check_id(job_id)
        await self._in_thread(self._service.delete, job_id)
        return Response(status_code=204)

    async def list(self, request: Request) -> Response:
        version = self._check_version(request)
        limit = self._service.options.page_size_limit
        skip = _read_int(request, "skip", default=0, least=0)
        size = _read_int(request, "maxpagesize", default=limit, least=1)
        if size > limit:
            if self._service.options.oversized_page == "refuse":
                raise bad_request(f"The maxpagesize must be at most {limit}.", target="maxpagesize")
            size = limit
        views, more = self._service.list_page(skip, size)
        page: dict[str, Any] = {"value": views}
        if more:
            query = urlencode({"api-version": version, "skip": skip + size, "maxpagesize": size})
            page["nextLink"] = f"{_origin(request)}{_BATCH}/?{query}"
        return _json(page)

    async def operation(self, request: Request, operation_id: str) -> Response:
        self._check_version(request)
        check_id(operation_id, what="The operation id")
        return _json(self._service.operation(operation_id))

    def _check_version(self, request: Request) -> str:
        version = request.query_params.get("api-version")
        if not version:
            raise bad_request("The api-version is required.", target="api-version")
        if version not in self._service.options.api_versions:
            raise bad_request(f"The api-version {version} is not supported.", target="api-version")
        return version

    async def _read_body(self, request: Request) -> bytes:
        """Read at most the limit into memory, and the rest away, so that the client hears the answer."""
        limit = self._service.options.body_limit_bytes
        body = bytearray()
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size <= limit:
                body += piece
        if size > limit:
            status = HTTPStatus(self._service.options.oversize_status)
            code = "BadRequest" if status is HTTPStatus.BAD_REQUEST else "RequestEntityTooLarge"
            raise ApiError(status, code, f"The request body is larger than {limit} bytes.")
        return bytes(body)

    async def _in_thread(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._service.workers, lambda: function(*args, **kwargs))


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _read_int(request: Request, name: str, *, default: int, least: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text[:11]) <= _INT32):
        raise bad_request(f"The {name} is invalid.", target=name)
    return int(text)


def _json(content: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    media_type = "application/json; charset=utf-8"
    return Response(json.dumps(content), status_code=status, headers=dict(headers or {}), media_type=media_type)


async def _shape_http_error(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = {404: "Resource not found.", 405: "The method is not allowed here."}.get(status, "Bad request.")
    return await _shape_api_error(_, ApiError(status, _CODES.get(status, "BadRequest"), message))


async def _shape_api_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return Response(error.body(), status_code=error.status, headers=error.headers())
