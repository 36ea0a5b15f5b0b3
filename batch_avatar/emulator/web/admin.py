"""`/emulator/...`: counts, history, faults and the clock. Access is not checked: the emulator is on loopback only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import FastAPI, Request  # noqa: TC002 - FastAPI reads the annotations at run time
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from batch_avatar.emulator.clock import format_time
from batch_avatar.emulator.errors import bad_request
from batch_avatar.emulator.faults import FaultRule

if TYPE_CHECKING:
    from batch_avatar.emulator.service.operations import Service

_T = TypeVar("_T")
_RULES = TypeAdapter(list[FaultRule])


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid")

    advance_seconds: float = Field(ge=0)


def add_admin_routes(app: FastAPI, service: Service) -> None:
    """Add the routes that control and observe the emulator."""

    async def health() -> dict[str, Any]:
        return {"status": "ok", "time": format_time(service.clock.now())}

    async def stats() -> dict[str, Any]:
        return service.stats()

    async def jobs() -> dict[str, Any]:
        return {"jobs": service.jobs()}

    async def requests(request: Request) -> dict[str, Any]:
        return {"requests": service.counters.requests(request.query_params.get("operation"))}

    async def set_faults(request: Request) -> dict[str, Any]:
        rules = await _read(request, _RULES)
        service.set_faults(rules)
        return {"faults": service.faults.report()}

    async def clear_faults() -> dict[str, Any]:
        service.set_faults([])
        return {"faults": []}

    async def step(request: Request) -> dict[str, Any]:
        seconds = (await _read(request, TypeAdapter(_Step))).advance_seconds
        return {"time": format_time(service.clock.advance(seconds))}

    async def release(request: Request) -> dict[str, Any]:
        return {"released": service.release(request.query_params.get("id"))}

    for path, method, endpoint in (
        ("health", "GET", health),
        ("stats", "GET", stats),
        ("jobs", "GET", jobs),
        ("requests", "GET", requests),
        ("faults", "POST", set_faults),
        ("faults", "DELETE", clear_faults),
        ("clock", "POST", step),
        ("release", "POST", release),
    ):
        app.add_api_route(f"/emulator/{path}", endpoint, methods=[method], response_model=None)


async def _read(request: Request, adapter: TypeAdapter[_T]) -> _T:
    try:
        return adapter.validate_json(await request.body())
    except ValidationError as error:
        raise bad_request(str(error)) from error
