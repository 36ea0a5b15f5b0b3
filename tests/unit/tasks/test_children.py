"""A parent that waits for its children while Prefect, or what stands in front of it, gives odd answers."""

from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Completed, Running

from batch_avatar.models import Permits
from batch_avatar.planning.order import Order
from batch_avatar.rendering.report import BatchReport
from tasks.children import LOOK_SECONDS, Children
from tests.support.tiny_server import Answer, TinyServer

SHARD = "a-run/0001"
REPORT = BatchReport(
    run="child",
    scripts=0,
    archived=0,
    skipped=0,
    failed=0,
    unfinished=0,
    billed_seconds=0,
    billed_characters=0,
    outcomes=(),
)


class PassingClock:
    """Its sleeps end at once."""

    def __init__(self):
        self.slept = []

    def now(self):
        return datetime.now(UTC)

    def monotonic(self):
        return sum(self.slept)

    async def sleep(self, seconds):
        self.slept.append(seconds)


@pytest.fixture
def children_of(flow_run):  # noqa: ARG001 - the parent
    """`await children_of(looks, still_wanted)`: the reports, the clock, after the parent waited for its only child.

    `looks` are the answers to its requests for all children.
    """

    async def wait(looks, still_wanted):
        clock = PassingClock()

        async def read(*_):
            return REPORT.to_json()

        run = SimpleNamespace(
            connections=SimpleNamespace(clock=clock, control=read, archive=SimpleNamespace(read_run_document=None))
        )
        children = Children(run, permits=Permits(), order=Order.LONGEST, pack=1, read=None, still_wanted=still_wanted)
        with TinyServer() as server:
            looks = iter(looks)
            server.answers = [lambda path: Answer(404) if "csrf" in path else next(looks)]
            with temporary_settings({PREFECT_API_URL: f"{server.url}/api"}):
                return await children.render([SHARD]), clock

    child = FlowRun(
        id=uuid4(), flow_id=uuid4(), parent_task_run_id=None, name="render shard", parameters={"shard": SHARD}
    )
    wait.running, wait.done = (
        Answer(body=[child.model_copy(update={"state": state}).model_dump(mode="json")])
        for state in (Running(), Completed())
    )
    return wait


async def test_an_error_of_asking_does_not_end_the_parent_and_is_told_once(children_of, warnings_told):
    async def broken():
        raise ValueError("odd")

    reports, clock = await children_of([children_of.running] * 3 + [children_of.done], broken)
    assert [report.run for report in reports] == ["child"]
    assert clock.slept == [LOOK_SECONDS] * 3, "the children are looked at all the same"
    assert len(warnings_told) == 1


@pytest.mark.parametrize(
    "odd", [Answer(body=b"<h1>Sign in</h1>"), Answer(body={"runs": []}), Answer(body=[{"run": "of a later Prefect"}])]
)
async def test_an_odd_answer_about_the_children_does_not_end_the_parent_and_is_told_once(
    children_of, warnings_told, odd
):
    async def wanted():
        """Say that the run is wanted."""

    reports, clock = await children_of([children_of.running, odd, odd, children_of.done], wanted)
    assert [report.run for report in reports] == ["child"]
    assert clock.slept == [LOOK_SECONDS] * 3
    assert len(warnings_told) == 1
