"""A flow run, and Prefect's own client with a server whose answers a test chooses."""

import logging
from types import SimpleNamespace
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from prefect.states import Running

from batch_avatar.rendering.connections import sharing
from tests.support.manual_clock import ManualClock

API = "http://prefect.example/api"
LOCAL_ROAD = httpx.MockTransport
"""It answers within the same turn of the event loop, so that no time limit can pass."""


@pytest.fixture
def clock():
    """The clock of the open connections."""
    clock = ManualClock()
    with sharing(SimpleNamespace(clock=clock)):
        yield clock


@pytest.fixture
def flow_run():
    """The run whose process this is."""
    run = FlowRun(id=uuid4(), flow_id=uuid4(), name="a-run", state=Running(), run_count=1)
    with (
        temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False}),
        FlowRunContext.model_construct(flow=None, flow_run=run, client=None),
    ):
        yield run


@pytest.fixture
def warnings_told(flow_run):  # noqa: ARG001 - the run whose log it is
    """The warnings in the run's log and in that of its children, as text."""
    told = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: told.append(record.getMessage())
    logs = [logging.getLogger(name) for name in ("prefect.flow_runs", "batch_avatar.children")]
    for log in logs:
        log.addHandler(handler)
    yield told
    for log in logs:
        log.removeHandler(handler)


@pytest.fixture
def prefect_client():
    """`prefect_client(answer)`: Prefect's client; `answer` is a function from a request to a response."""

    def client(answer):
        return PrefectClient(API, httpx_settings={"transport": LOCAL_ROAD(answer)})

    return client
