"""A parent that waits for its children while Prefect, or what stands in front of it, gives odd answers."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Cancelled, Cancelling, Completed, Pending, Running, Scheduled

from batch_avatar.clock import TOLD_SECONDS
from batch_avatar.errors import BatchAvatarError
from batch_avatar.planning.options import RenderOptions
from batch_avatar.rendering.report import BatchReport
from tasks.children import ALONE_SECONDS, LOOK_SECONDS, Children, MissingDeployment, cancel_children_of
from tasks.patience import REFUSED_SECONDS
from tests.support.tiny_server import Answer, TinyServer

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
HTML, OTHER_SCHEMA = Answer(body=b"<h1>Sign in</h1>"), Answer(body={"runs": []})
GONE, BROKEN = Answer(404, body={"detail": "not found"}), Answer(500)
ODD = {"html": HTML, "another schema": OTHER_SCHEMA, "404": GONE, "500": BROKEN}


TOO_LONG = 3600.0
"""Longer than anything here takes that has an end."""


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
        assert sum(self.slept) < TOO_LONG, "it waits without an end"


async def wanted():
    """Say that the run is wanted."""


class Server(TinyServer):
    """Prefect's. `given` has answers for each kind of request; the last one is given again and again."""

    def __init__(self, given):
        super().__init__()
        self.given = {part: list(answers) for part, answers in given.items()}
        self.answers = [self.choose]

    def choose(self, path):
        for part, answers in self.given.items():
            if part in path:
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return Answer(404)

    def asked(self, part):
        return [request for request in self.requests if part in request.path]


@pytest.fixture
def shard(flow_run):
    return f"flow-{flow_run.id}/0001"


@pytest.fixture
def child(shard):
    """`child(state)`: the run of the only shard."""
    run = FlowRun(id=uuid4(), flow_id=uuid4(), name="render shard", parameters={"shard": shard})
    return lambda state: run.model_copy(update={"state": state})


def listed(*runs):
    return Answer(body=[run.model_dump(mode="json") for run in runs])


@pytest.fixture
def children_of(shard):
    """`await children_of(looks, **others)`: what the parent had in the end, after it waited for its children.

    `looks` are the answers to its requests for all children, `others` those to other requests.
    """

    async def wait(looks, still_wanted=wanted, shards=(shard,), **others):
        clock, read_here = PassingClock(), []

        async def report(*_):
            return REPORT.to_json()

        async def read(name):
            read_here.append(name)
            raise BatchAvatarError("there is nothing to render in this test")

        run = SimpleNamespace(
            connections=SimpleNamespace(clock=clock, control=report, archive=SimpleNamespace(read_run_document=None)),
            name=shard.partition("/")[0],
        )
        children = Children(run, options=RenderOptions(), limits={}, read=read, still_wanted=still_wanted)
        with (
            Server({"flow_runs/filter": looks, **others}) as server,
            temporary_settings({PREFECT_API_URL: f"{server.url}/api"}),
        ):
            reports = await children.render(shards)
        return SimpleNamespace(
            reports=[one.run for one in reports],
            slept=clock.slept,
            read_here=read_here,
            server=server,
            unreported=children.unreported,
        )

    return wait


async def test_an_error_of_asking_does_not_end_the_parent_and_is_told_once(children_of, child, warnings_told):
    async def broken():
        raise ValueError("odd")

    seen = await children_of([listed(child(Running()))] * 3 + [listed(child(Completed()))], broken)
    assert seen.reports == ["child"]
    assert seen.slept == [LOOK_SECONDS] * 3, "the children are looked at all the same"
    assert len(warnings_told) == 1


@pytest.mark.parametrize("odd", [*ODD.values(), Answer(body=[{"run": "of a later Prefect"}])])
async def test_an_odd_answer_about_the_children_does_not_end_the_parent_and_is_told_once(
    children_of, child, warnings_told, odd
):
    seen = await children_of([listed(child(Running())), odd, odd, listed(child(Completed()))])
    assert seen.reports == ["child"]
    assert seen.slept == [LOOK_SECONDS] * 3
    assert len(warnings_told) == 1


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_the_first_question_for_the_children_is_asked_until_it_is_answered(
    children_of, child, warnings_told, odd
):
    seen = await children_of([odd, odd, listed(child(Running())), listed(child(Completed()))])
    assert seen.reports == ["child"]
    assert seen.server.asked("create_flow_run") == [], "it has its child"
    assert len(warnings_told) == 1


async def test_a_list_that_never_ends_is_no_list(children_of, child, warnings_told):
    endless = listed(*(FlowRun(id=uuid4(), flow_id=uuid4(), state=Running()) for _ in range(200)))
    seen = await children_of([endless, endless, listed(child(Completed()))])
    assert seen.reports == ["child"]
    assert len(warnings_told) == 1


REFUSALS = {401: "PREFECT_API_AUTH_STRING", 403: "may read and change flow runs", 422: "same version"}


@pytest.mark.parametrize(("status", "step"), REFUSALS.items())
@pytest.mark.parametrize("before", [0, 1], ids=["at first", "later"])
async def test_what_prefect_refuses_for_long_ends_the_parent_with_the_next_step(
    children_of, child, status, step, before
):
    refused = Answer(status, body={"exception_message": "Not for you.", "exception_detail": []})
    seen = await children_of([*[listed(child(Running()))] * before, refused])

    assert seen.reports == []
    assert sum(seen.slept) == REFUSED_SECONDS + before * LOOK_SECONDS
    assert (seen.unreported.failure_class, seen.unreported.code) == ("stopped", "PrefectRefuses")
    for part in (str(status), "Not for you.", step, "run again"):
        assert part in seen.unreported.message


async def test_a_child_that_may_not_be_taken_over_and_is_taken_by_nobody_ends_the_parent(children_of, child):
    seen = await children_of([listed(child(Scheduled()))], set_state=[Answer(403)])

    assert (seen.read_here, seen.unreported.code) == ([], "PrefectRefuses")


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_refusal_that_passes_ends_nothing(children_of, child, status):
    some = [Answer(status, body={})] * int(REFUSED_SECONDS / LOOK_SECONDS)
    running = listed(child(Running()))
    seen = await children_of([*some, running, *some, running, *some, listed(child(Completed()))])

    assert (seen.reports, seen.unreported.code) == (["child"], "ChildRunEnded")


@pytest.mark.parametrize("odd", [HTML, BROKEN, GONE])
async def test_what_a_wait_may_mend_is_waited_for_and_told_again_after_each_minute(
    children_of, child, warnings_told, odd
):
    minutes = 10
    looks = int(minutes * TOLD_SECONDS / LOOK_SECONDS)
    seen = await children_of([*[odd] * looks, listed(child(Completed()))])

    assert seen.reports == ["child"]
    assert len(warnings_told) == minutes


async def test_a_child_without_a_state_is_asked_for_again(children_of, child):
    seen = await children_of([listed(child(Running())), *[listed(child(None))] * 9, listed(child(Completed()))])
    assert seen.reports == ["child"]
    assert seen.server.asked("set_state") == [], "nobody knows whether it waits"


async def test_a_child_is_deleted_once_two_looks_in_a_row_say_so(children_of, child):
    running = listed(child(Running()))
    seen = await children_of([running, listed(), running, listed(), running, listed(child(Completed()))])
    assert seen.reports == ["child"]
    seen = await children_of([running, listed(), listed()])
    assert (seen.reports, seen.slept) == ([], [LOOK_SECONDS] * 2)


def refused(run, status="REJECT"):
    """The server leaves the run as it is."""
    state = Running().model_dump(mode="json")
    state["state_details"]["flow_run_id"] = str(run.id)
    details = {"type": f"{status.lower()}_details", "reason": "it may not"}
    return Answer(body={"state": state, "status": status, "details": details})


def accepted(run_id, state):
    body = state.model_dump(mode="json")
    body["state_details"]["flow_run_id"] = str(run_id)
    return Answer(201, body={"state": body, "status": "ACCEPT", "details": {"type": "accept_details"}})


@pytest.mark.parametrize("odd", [*ODD, "refused", "another run"])
async def test_no_shard_is_rendered_here_before_prefect_has_said_that_its_child_is_cancelled(
    children_of, child, shard, warnings_told, odd
):
    waiting = child(Scheduled())
    answer = {
        **ODD,
        "refused": refused(waiting),
        "another run": accepted(uuid4(), Cancelled()),
    }[odd]
    seen = await children_of([listed(waiting)], set_state=[answer, answer, accepted(waiting.id, Cancelled())])
    assert seen.read_here == [shard]
    assert len(seen.server.asked("set_state")) == 3, "it was asked until it said so"
    assert sum(seen.slept) == ALONE_SECONDS + 2 * LOOK_SECONDS
    assert len([text for text in warnings_told if "taken over" in text]) == 1


def deployment():
    return Answer(body={"id": str(uuid4()), "name": "ad-hoc", "flow_id": str(uuid4())})


def started(run):
    return Answer(201, body=run.model_dump(mode="json"))


TASK_RUN = Answer(201, body={"id": str(uuid4()), "task_key": "t", "dynamic_key": "0"})


@pytest.mark.parametrize("odd", ["html", "another schema", "500", "another run"])
async def test_a_child_that_cannot_be_started_is_started_at_the_next_look(children_of, child, warnings_told, odd):
    other = FlowRun(id=uuid4(), flow_id=uuid4(), state=Scheduled(), parameters={"shard": "flow-of-another/0001"})
    answer = {**ODD, "another run": started(other)}[odd]
    seen = await children_of(
        [listed(), listed(), listed(), listed(child(Completed()))],
        create_flow_run=[answer, answer, started(child(Scheduled()))],
        task_runs=[TASK_RUN],
        name=[deployment()],
    )
    assert seen.reports == ["child"]
    keys = {json.loads(request.body)["idempotency_key"] for request in seen.server.asked("create_flow_run")}
    assert len(keys) == 1, "so that no second child comes of it"
    assert len(warnings_told) == 1


@pytest.mark.parametrize("answer", [BROKEN, Answer(403)], ids=["500", "403"])
async def test_while_no_child_can_be_started_the_parent_renders(children_of, shard, answer):
    """However long: with so many shards a refusal lasts for longer than is waited for any other answer."""
    shards = [f"{shard}{number}" for number in range(int(2 * REFUSED_SECONDS / LOOK_SECONDS))]
    told = {"create_flow_run": [answer], "task_runs": [TASK_RUN], "name": [deployment()]}
    seen = await children_of([listed()], shards=shards, **told)
    assert seen.read_here == shards
    assert sum(seen.slept) == ALONE_SECONDS + (len(shards) - 1) * LOOK_SECONDS


async def test_a_deployment_is_missing_once_two_answers_in_a_row_say_so(children_of, child):
    told = {"create_flow_run": [started(child(Scheduled()))], "task_runs": [TASK_RUN]}
    seen = await children_of([listed(), listed(child(Completed()))], name=[GONE, deployment()], **told)
    assert seen.reports == ["child"]
    with pytest.raises(MissingDeployment, match="prefect deploy --all"):
        await children_of([listed()], name=[GONE, GONE], **told)


@pytest.fixture
def cancelling(flow_run):
    """`await cancelling(**given)`: the ids of the runs that were told to end."""

    async def cancel(**given):
        with (
            Server({"flow_runs/filter": given.pop("looks"), **given}) as server,
            temporary_settings({PREFECT_API_URL: f"{server.url}/api"}),
        ):
            await cancel_children_of(flow_run.id)
        return [request.path.split("/")[-2] for request in server.asked("set_state")]

    return cancel


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_children_that_cannot_be_read_are_told_and_end_by_themselves(cancelling, warnings_told, odd):
    assert await cancelling(looks=[odd]) == []
    assert len(warnings_told) == 1
    assert "end by themselves" in warnings_told[0]


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_one_child_that_cannot_be_cancelled_keeps_no_other_from_it(cancelling, child, warnings_told, odd):
    first, second = child(Running()), child(Running()).model_copy(update={"id": uuid4()})
    done = await cancelling(looks=[listed(first, second)], set_state=[odd, accepted(second.id, Cancelling())])
    assert done == [str(first.id), str(second.id)]
    assert len(warnings_told) == 1


async def test_a_run_that_is_no_child_of_ours_is_never_cancelled(cancelling, child):
    foreign = FlowRun(id=uuid4(), flow_id=uuid4(), state=Running(), parameters={"shard": f"flow-{uuid4()}/0001"})
    plain = FlowRun(id=uuid4(), flow_id=uuid4(), state=Running(), parameters={})
    own = child(Running())
    answer = accepted(own.id, Cancelling())
    assert await cancelling(looks=[listed(foreign, own, plain)], set_state=[answer]) == [str(own.id)]


@pytest.mark.parametrize(
    ("state", "told"), [(Running(), "CANCELLING"), (Pending(), "CANCELLED"), (Scheduled(), "CANCELLED")]
)
async def test_a_child_that_does_not_run_yet_is_cancelled_at_once(flow_run, child, state, told):
    """Nobody would end one that is only `Cancelling`, as it has no process yet."""
    waiting = child(state)
    with (
        Server({"flow_runs/filter": [listed(waiting)], "set_state": [accepted(waiting.id, Cancelled())]}) as server,
        temporary_settings({PREFECT_API_URL: f"{server.url}/api"}),
    ):
        await cancel_children_of(flow_run.id)

    assert [json.loads(request.body)["state"]["type"] for request in server.asked("set_state")] == [told]
