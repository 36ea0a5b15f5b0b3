"""What a flow run shows is worth nothing beside its work: where it cannot be shown, the run goes on."""

import pytest
from prefect.artifacts import acreate_table_artifact
from prefect.settings import PREFECT_API_URL, temporary_settings

from batch_avatar.rendering.outcomes import build_report
from tasks.reporting import ProgressArtifact, publish_report, show
from tests.support.tiny_server import Answer, TinyServer

ODD = {
    "html": Answer(body=b"<h1>Sign in</h1>"),
    "another schema": Answer(body=[]),
    "404": Answer(404, body={"detail": "not found"}),
    "500": Answer(500),
}
pytestmark = pytest.mark.usefixtures("flow_run")


@pytest.fixture(params=ODD.values(), ids=ODD)
def odd_prefect(request):
    with TinyServer() as server, temporary_settings({PREFECT_API_URL: f"{server.url}/api"}):
        server.answers = [lambda path: Answer(404) if "csrf" in path else request.param]
        yield server


async def test_a_run_goes_on_without_its_progress(odd_prefect, clock, warnings_told):
    progress = ProgressArtifact(clock)
    await progress.start()
    await progress.finish()
    assert len(warnings_told) == 1, "and it is not updated where it was never made"
    assert "progress" in warnings_told[0]
    assert odd_prefect.requests


@pytest.mark.usefixtures("odd_prefect")
async def test_a_run_goes_on_without_its_report(warnings_told):
    await publish_report(build_report("r", []))
    assert len(warnings_told) == 2, "its table and its page"


@pytest.mark.usefixtures("odd_prefect")
async def test_a_sweep_goes_on_without_its_table(warnings_told):
    await show("the table of jobs", acreate_table_artifact(table=[{"job": "a"}], key="jobs", description="1 to keep"))
    assert ["the table of jobs" in text for text in warnings_told] == [True]
    assert "Traceback" not in warnings_told[0]
