"""The HTTP application. It never sends FastAPI's own error bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.jobs.validation import check_id
from batch_avatar.emulator.options import PREVIEW_1
from batch_avatar.emulator.web.admin import add_admin_routes
from batch_avatar.emulator.web.gate import Gate
from batch_avatar.emulator.web.paths import BATCH, generation_of
from batch_avatar.emulator.web.preview_routes import add_preview_routes
from batch_avatar.emulator.web.transport import json_answer, origin_of, read_json_body, read_page, run_in_thread

if TYPE_CHECKING:
    from batch_avatar.emulator.service.operations import Service

_CODES = {404: "NotFound", 405: "MethodNotAllowed"}


def create_app(service: Service) -> FastAPI:
    """Build the application for one service."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.add_exception_handler(HTTPException, _shape_http_error)
    app.add_exception_handler(ApiError, _shape_api_error)
    app.add_middleware(Gate, service=service)
    if versions := frozenset(service.options.api_versions) - {PREVIEW_1}:
        _add_routes(app, _Api(service, versions))
    if PREVIEW_1 in service.options.api_versions:
        add_preview_routes(app, service)
    add_admin_routes(app, service)
    return app


def _add_routes(app: FastAPI, api: _Api) -> None:
    """Add the routes of both api-versions of 2024."""
    for path, method, endpoint in (
        (BATCH, "GET", api.list),
        (BATCH + "/", "GET", api.list),
        (BATCH + "/{job_id}", "PUT", api.create),
        (BATCH + "/{job_id}", "GET", api.get),
        (BATCH + "/{job_id}", "DELETE", api.delete),
        ("/avatar/operations/{operation_id}", "GET", api.operation),
    ):
        app.add_api_route(path, endpoint, methods=[method], response_model=None)


class _Api:
    """The operations of both api-versions of 2024. Calls that wait for the storage run on the service's threads."""

    def __init__(self, service: Service, versions: frozenset[str]) -> None:
        self._service = service
        self._versions = versions

    async def create(self, request: Request, job_id: str) -> Response:
        version = self._check_version(request)
        body = await read_json_body(request, self._service.options)
        operation_id = request.headers.get("operation-id")
        created = await run_in_thread(self._service, self._service.create, job_id, body, operation_id)
        location = f"{origin_of(request)}/avatar/operations/{created.operation_id}"
        headers = {
            "Operation-Id": created.operation_id,
            "Operation-Location": f"{location}?{urlencode({'api-version': version})}",
        }
        return json_answer(created.view, status=201, headers=headers)

    async def get(self, request: Request, job_id: str) -> Response:
        self._check_version(request)
        check_id(job_id)
        view = self._service.get(job_id)
        return Response(status_code=204) if view is None else json_answer(view)

    async def delete(self, request: Request, job_id: str) -> Response:
        self._check_version(request)
        check_id(job_id)
        await run_in_thread(self._service, self._service.delete, job_id)
        return Response(status_code=204)

    async def list(self, request: Request) -> Response:
        version = self._check_version(request)
        skip, size = read_page(request, self._service.options, size_name="maxpagesize")
        views, more = self._service.list_page(skip, size)
        page: dict[str, Any] = {"value": views}
        if more:
            query = urlencode({"api-version": version, "skip": skip + size, "maxpagesize": size})
            page["nextLink"] = f"{origin_of(request)}{BATCH}/?{query}"
        return json_answer(page)

    async def operation(self, request: Request, operation_id: str) -> Response:
        self._check_version(request)
        check_id(operation_id, what="The operation id")
        return json_answer(self._service.operation(operation_id))

    def _check_version(self, request: Request) -> str:
        version = request.query_params.get("api-version")
        if version and version in self._versions:
            return version
        message = f"The api-version {version} is not supported." if version else "The api-version is required."
        status = self._service.options.bad_version_status
        raise ApiError(status, _CODES.get(status, "BadRequest"), message, target="api-version")


async def _shape_http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = {404: "Resource not found.", 405: "The method is not allowed here."}.get(status, "Bad request.")
    return await _shape_api_error(request, ApiError(status, _CODES.get(status, "BadRequest"), message))


async def _shape_api_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    error.speak(generation_of(request.url.path))
    return Response(error.body(), status_code=error.status, headers=error.headers())
