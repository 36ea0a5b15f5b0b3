"""How often a run has crashed, where Prefect, or what stands in front of it, gives odd answers."""

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Crashed, Running

from tasks.crashes import crashed_too_often
from tests.support.tiny_server import Answer, TinyServer

STORY = [state.model_dump(mode="json") for state in (Running(), Crashed()) * 3]
ODD = {
    "html": Answer(body=b"<h1>Sign in</h1>"),
    "another schema": Answer(body={"states": []}),
    "404": Answer(404, body={"detail": "not found"}),
    "500": Answer(500),
}


@pytest.fixture
def ended_by(flow_run):
    """`await ended_by(states=..., variable=...)`: the state that a run ends with which comes back a fourth time."""
    flow_run.run_count = 4

    async def ask(*, states, variable):
        def answer(path):
            return states if "flow_run_states" in path else variable if "variables" in path else Answer(404)

        with TinyServer() as server, temporary_settings({PREFECT_API_URL: f"{server.url}/api"}):
            server.answers = [answer]
            return await crashed_too_often()

    return ask


async def test_a_run_that_crashed_as_often_as_allowed_ends(ended_by):
    state = await ended_by(states=Answer(body=STORY), variable=Answer(404))
    assert state.is_failed()
    assert "has crashed 3 times" in state.message
    allowed = Answer(body={"name": "batch_avatar_max_crashes", "value": 4})
    assert await ended_by(states=Answer(body=STORY), variable=allowed) is None


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_a_run_goes_on_where_its_crashes_cannot_be_counted(ended_by, odd):
    assert await ended_by(states=odd, variable=Answer(404)) is None


@pytest.mark.parametrize(
    "odd", [ODD["html"], ODD["another schema"], ODD["500"], Answer(body={"name": "x", "value": {}})]
)
async def test_a_run_goes_on_where_nobody_knows_how_many_are_allowed(ended_by, odd):
    assert await ended_by(states=Answer(body=STORY), variable=odd) is None
