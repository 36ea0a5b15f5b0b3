"""The paths of 3.1-preview1: no api-version, POST creates, and lists have `values` and `@nextLink`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response

from batch_avatar.emulator.web.paths import PREVIEW_BATCH
from batch_avatar.emulator.web.transport import json_answer, origin_of, read_json_body, read_page, run_in_thread

if TYPE_CHECKING:
    from batch_avatar.emulator.service.operations import Service


def add_preview_routes(app: FastAPI, service: Service) -> None:
    """Add the four operations of 3.1-preview1; `docs/emulator-differences.md` says where each behaviour is from."""

    async def create(request: Request) -> Response:
        body = await read_json_body(request, service.options)
        created = await run_in_thread(service, service.create_preview, body)
        return json_answer(created.view, status=201)

    async def get(job_id: str) -> Response:
        view = service.get(job_id, "3.1")
        return Response(status_code=204) if view is None else json_answer(view)

    async def delete(job_id: str) -> Response:
        await run_in_thread(service, service.delete, job_id, "3.1")
        return Response(status_code=204)

    async def list_page(request: Request) -> Response:
        skip, size = read_page(request, service.options, size_name="top")
        views, more = service.list_page(skip, size, "3.1")
        page: dict[str, Any] = {"values": views}
        if more:
            query = urlencode({"skip": skip + size, "top": size})
            page["@nextLink"] = f"{origin_of(request)}{PREVIEW_BATCH}?{query}"
        return json_answer(page)

    for path, method, endpoint in (
        (PREVIEW_BATCH, "POST", create),
        (PREVIEW_BATCH, "GET", list_page),
        (PREVIEW_BATCH + "/{job_id}", "GET", get),
        (PREVIEW_BATCH + "/{job_id}", "DELETE", delete),
    ):
        app.add_api_route(path, endpoint, methods=[method], response_model=None)
