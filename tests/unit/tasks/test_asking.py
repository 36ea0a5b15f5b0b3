"""What a process believes of the answers, and of the lack of them, when it asks whether its run is still wanted."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from prefect.client.schemas.objects import FlowRun
from prefect.states import Cancelled, Running

from tasks.wanted import ASK_SECONDS, Verdict, Wanted

HTML = httpx.Response(200, html="<h1>Sign in</h1>")
OTHER_SCHEMA = httpx.Response(200, json={"run": "of a later Prefect"})
GONE = httpx.Response(404, json={"detail": "Flow run not found"})
AWAY = httpx.Response(500)
STOPPED = "stopped"


def there(run):
    return httpx.Response(200, json=run.model_dump(mode="json"))


@pytest.fixture
def asking(clock, flow_run, prefect_client):
    """`await asking([answer, ...])`: the verdict after each ask, and `STOPPED` if the work was cancelled.

    An answer is what the server says of the run itself, or a pair: that, and what it says of the parent.
    """

    async def ask(answers, parent=None):
        told = []
        now = None

        def answer(request):
            own, of_parent = now if isinstance(now, tuple) else (now, None)
            chosen = own if request.url.path.endswith(str(flow_run.id)) else of_parent
            if isinstance(chosen, Exception):
                raise chosen
            return httpx.Response(chosen.status_code, content=chosen.content, headers=chosen.headers)

        async def work():
            nonlocal now
            wanted = Wanted(prefect_client(answer), parent=parent, gate_of=lambda _: None)
            try:
                for now in answers:  # noqa: B007 - the server reads it
                    await wanted.check()
                    told.append(wanted.verdict)
                    await clock.advance(ASK_SECONDS)
            except asyncio.CancelledError:
                told.extend((wanted.verdict, STOPPED))

        await asyncio.create_task(work())
        return told

    return ask


@pytest.mark.parametrize(
    "answer",
    [HTML, OTHER_SCHEMA, AWAY, httpx.ConnectError("refused"), httpx.InvalidURL("odd"), RuntimeError("odd")],
    ids=["html", "another schema", "error 500", "no connection", "no HTTPError", "anything else"],
)
async def test_no_answer_of_any_kind_means_wanted_and_is_told_once(asking, warnings_told, answer):
    assert await asking([answer] * 3) == [Verdict.WANTED] * 3
    assert len(warnings_told) == 1
    assert "Prefect cannot be asked whether this run is still wanted" in warnings_told[0]


async def test_each_kind_of_error_is_told_once(asking, warnings_told):
    forbidden = httpx.Response(403)
    assert await asking([AWAY, HTML, forbidden, AWAY, HTML, forbidden]) == [Verdict.WANTED] * 6
    assert ["500 Internal" in text for text in warnings_told] == [True, False, False]
    assert ["JSONDecodeError" in text for text in warnings_told] == [False, True, False]
    assert ["403 Forbidden" in text for text in warnings_told] == [False, False, True]


async def test_a_parent_whose_answer_cannot_be_read(asking, flow_run):
    assert await asking([(there(flow_run), HTML)], parent=uuid4()) == [Verdict.WANTED]


async def test_a_run_is_gone_once_two_asks_in_a_row_say_so(asking, flow_run, warnings_told):
    assert await asking([there(flow_run), GONE, GONE]) == [Verdict.WANTED] * 2 + [Verdict.TAKEN, STOPPED]
    assert len(warnings_told) == 1


async def test_a_run_that_was_never_there_is_gone_too(asking):
    assert await asking([GONE, GONE]) == [Verdict.WANTED, Verdict.TAKEN, STOPPED]


@pytest.mark.parametrize("between", ["it is there", HTML, AWAY], ids=["there", "html", "error 500"])
async def test_whatever_comes_between_clears_the_first(asking, flow_run, between):
    between = there(flow_run) if isinstance(between, str) else between
    assert await asking([GONE, between, GONE, between, GONE]) == [Verdict.WANTED] * 5


async def test_a_parent_is_gone_once_two_asks_in_a_row_say_so(asking, flow_run):
    own, parent = there(flow_run), uuid4()
    here = there(FlowRun(id=parent, flow_id=uuid4(), state=Running(), run_count=1))
    assert (
        await asking([(own, GONE), (own, here), (own, GONE), (own, HTML), (own, GONE)], parent=parent)
        == [Verdict.WANTED] * 5
    )
    assert await asking([(own, GONE), (own, GONE)], parent=parent) == [Verdict.WANTED, Verdict.CANCELLED, STOPPED]


async def test_one_404_each_of_the_run_and_its_parent_are_no_two_of_one(asking, flow_run):
    own, parent = there(flow_run), uuid4()
    here = there(FlowRun(id=parent, flow_id=uuid4(), state=Running(), run_count=1))
    assert await asking([(GONE, here), (own, GONE)], parent=parent) == [Verdict.WANTED] * 2


async def test_while_one_is_not_yet_believed_gone_the_other_still_counts(asking, flow_run):
    parent = uuid4()
    ended = FlowRun(id=parent, flow_id=uuid4(), state=Cancelled(), run_count=1)
    assert await asking([(GONE, there(ended))], parent=parent) == [Verdict.CANCELLED, STOPPED]
    own = flow_run.model_copy(update={"state": Cancelled()})
    assert await asking([(there(own), GONE)], parent=parent) == [Verdict.TAKEN, STOPPED]


async def test_an_answer_about_another_run_is_no_answer(asking, flow_run, warnings_told):
    other = there(FlowRun(id=uuid4(), flow_id=uuid4(), state=Cancelled(), run_count=1))
    assert await asking([other] * 3) == [Verdict.WANTED] * 3
    assert len(warnings_told) == 1
    assert await asking([(there(flow_run), other)] * 3, parent=uuid4()) == [Verdict.WANTED] * 3


async def test_a_run_without_a_state_is_no_answer(asking, flow_run):
    parent = uuid4()
    stateless = there(flow_run.model_copy(update={"state": None}))
    assert await asking([stateless] * 3) == [Verdict.WANTED] * 3
    bare = there(FlowRun(id=parent, flow_id=uuid4(), state=None, run_count=1))
    assert await asking([(there(flow_run), bare)] * 3, parent=parent) == [Verdict.WANTED] * 3
