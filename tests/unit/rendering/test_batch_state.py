"""How scripts end, what they cost, and when a run takes no more."""

from datetime import UTC, datetime
from string import ascii_lowercase
from types import SimpleNamespace

import pytest

from batch_avatar.catalog.prices import AvatarKind, VoiceKind
from batch_avatar.errors import AccessRefused, JobFailed, RequestRefused, Stopped
from batch_avatar.models import Outcome, OutcomeKind, SynthesisJob
from batch_avatar.planning.budget import Spending
from batch_avatar.planning.plan import PlanItem, PlanState
from batch_avatar.planning.prices import Usage
from batch_avatar.rendering.batch_state import BatchState
from batch_avatar.rendering.progress import Phase
from batch_avatar.service.resource import REFUSED_IN_A_ROW, SYSTEMIC, Resource

SCRIPT_IDS = ["s1", "s2", "sent", "begun", "waiting", "ended"]
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def resource(name):
    unused = dict.fromkeys(("client", "admission", "watcher", "deadlines"))
    return Resource(name=name, host=f"{name}.example", **unused)


@pytest.fixture
def here():
    return resource("here")


@pytest.fixture
def there():
    return resource("there")


@pytest.fixture
def events():
    return []


@pytest.fixture
def start(here, there, events):
    """`start()`: of a run with these two resources, or with those that are named."""

    def begin(*resources, spending=None):
        known = {one.host: one for one in resources or (here, there)}
        archive = SimpleNamespace(prefix_of=lambda ref: f"{ref.script_id}/{ref.content_id}/")
        run = SimpleNamespace(
            connections=SimpleNamespace(resources=known, archive=archive),
            tell=events.append,
            halted=None,
            spending=spending or Spending(),
        )
        return BatchState(run, SCRIPT_IDS)

    return begin


def refused(message="The request is invalid.", code="BadRequest"):
    return RequestRefused(message, code=code)


def job(status="Running", service_id="job-1", **members):
    return SynthesisJob(service_id=service_id, status=status, observed_at=NOW, **members)


def item(script_id="s1", content_id="0" * 16):
    return PlanItem(script_id, content_id, PlanState.NEW)


def archived(script_id="s1", seconds=0, characters=0):
    return Outcome(
        script_id=script_id, outcome=OutcomeKind.ARCHIVED, billed_seconds=seconds, billed_characters=characters
    )


# Why a run takes no more


def told(caplog):
    """By the state alone: other threads may have something to say at any time."""
    return [record.message for record in caplog.records if record.name == "batch_avatar.rendering.batch_state"]


async def test_one_resource_set_aside_leaves_the_run_going(start, here, caplog):
    state = start()

    state.set_aside(here, AccessRefused("The key is wrong."))

    assert not state.stop.done()
    assert here.set_aside is not None
    assert told(caplog) == ["here is set aside: The key is wrong."]


async def test_a_run_stops_when_the_last_resource_is_set_aside(start, here, there):
    state = start()

    state.set_aside(here, AccessRefused("The key is wrong."))
    state.set_aside(there, AccessRefused("This key as well."))

    assert state.stop.result().message == "This key as well."


async def test_a_resource_is_set_aside_once_for_its_first_reason(start, here, caplog):
    state = start()

    for reason in ("first", "second"):
        state.set_aside(here, AccessRefused(reason))

    assert here.set_aside.message == "first"
    assert len(told(caplog)) == 1


async def test_the_only_resource_is_not_said_to_be_set_aside_but_to_end_the_run(start, here, caplog):
    state = start(here)

    state.set_aside(here, AccessRefused("The key is wrong."))

    assert state.stop.done()
    assert told(caplog) == ["no more jobs are created: The key is wrong."]


async def test_a_run_stops_once_for_the_first_reason(start):
    state = start()

    for reason in ("first", "second"):
        state.stop_with(Stopped(reason))

    assert state.stop.result().message == "first"


# Systemic refusals


def refuse(state, where, error):
    where.refused(error)
    state.note_refusal(where)


async def test_five_refusals_of_one_kind_in_a_row_set_that_resource_aside(start, here, there):
    state = start()
    for number in range(SYSTEMIC):
        assert here.set_aside is None, number
        refuse(state, here, refused())

    assert here.set_aside.code == "Systemic"
    assert there.set_aside is None
    assert not state.stop.done()


async def test_refusals_are_counted_for_each_resource_by_itself(start, here, there):
    state = start()
    for _ in range(SYSTEMIC - 1):
        refuse(state, here, refused())
        refuse(state, there, refused())

    assert (here.set_aside, there.set_aside) == (None, None)


ANOTHER_CODE = [{"code": f"Code{number % 2}"} for number in range(REFUSED_IN_A_ROW)]
ANOTHER_MESSAGE = [{"message": f"The {part} is missing."} for part in ascii_lowercase[:REFUSED_IN_A_ROW]]


@pytest.mark.parametrize("kinds", [ANOTHER_CODE, ANOTHER_MESSAGE], ids=["code", "message"])
async def test_refusals_of_different_kinds_set_a_resource_aside_after_more_of_them(start, here, kinds):
    state = start()
    for number, kind in enumerate(kinds):
        assert here.set_aside is None, number
        refuse(state, here, refused(**kind))

    assert here.set_aside.code == "Systemic"
    assert "for different reasons" in here.set_aside.message


async def test_quoted_parts_ids_and_numbers_make_no_other_kind(start, here):
    state = start()
    for number in range(SYSTEMIC):
        refuse(state, here, refused(message=f"The voice '{ascii_lowercase[number]}' of s{number} is unknown."))

    assert here.set_aside.code == "Systemic"


@pytest.mark.parametrize("kinds", [[{}] * (SYSTEMIC - 1), ANOTHER_CODE[:-1]], ids=["one kind", "different kinds"])
async def test_a_script_that_is_taken_begins_the_count_anew(start, here, kinds):
    state = start()
    for kind in kinds:
        refuse(state, here, refused(**kind))
    here.taken()
    for kind in kinds:
        refuse(state, here, refused(**kind))

    assert here.set_aside is None


async def test_the_message_names_the_code_and_the_way_on(start, here):
    state = start(here)
    for _ in range(SYSTEMIC):
        refuse(state, here, refused())

    assert "BadRequest" in str(state.stop.result())
    assert "--retry-failed" in str(state.stop.result())


# What it cost


async def test_attempts_that_were_given_up_are_billed_on_top_and_once(start):
    state = start()
    for seconds in (10, 20):
        billing = {"talkingAvatarDurationSeconds": seconds, "neuralCharacters": 2 * seconds}
        state.bill("s1", JobFailed("failed", job=job("Failed", billing=billing), worth_another_attempt=True))

    state.end(archived("s1", seconds=5, characters=7))
    state.end(archived("s2", seconds=5, characters=7))

    figures = [(one.billed_seconds, one.billed_characters) for one in state.outcomes[:2]]
    assert figures == [(35, 67), (5, 7)]


async def test_a_failed_attempt_counts_in_the_budget_as_what_its_job_says_that_it_was_billed(start):
    spending = Spending()
    state = start(spending=spending)
    usage = Usage(30.0, 100, AvatarKind.STANDARD, VoiceKind.NEURAL)
    failed = job("Failed", billing={"talkingAvatarDurationSeconds": 10, "neuralCharacters": 20})
    spending.reserve(failed.job_id, {"s1": usage})
    spending.reserve("other-1", {"s2": usage})

    state.bill("s1", JobFailed("failed", job=failed, worth_another_attempt=True))
    state.bill("s2", JobFailed("failed", job=job("Failed", "other-1"), worth_another_attempt=True))

    assert (spending.spent.seconds, spending.spent.jobs) == (10, 2)


# Who is told


async def test_all_scripts_of_a_job_are_told_of_its_progress_until_they_are_through_with_it(start, events):
    state = start()
    for name in ("s1", "s2"):
        state.sent(name, "pack-1", "job-1")
    state.sent("s3", "other", "job-2")
    events.clear()

    state.job_changed(job("Running"))
    state.through("s1", "job-1")
    state.job_changed(job("Succeeded"))
    state.through("s2", "job-1")
    state.job_changed(job("Succeeded"))

    told = sorted((event.script_id, event.phase) for event in events)
    assert told == [("s1", Phase.RUNNING), ("s2", Phase.RENDERED), ("s2", Phase.RUNNING)]


async def test_a_status_that_nobody_knows_is_told_to_nobody(start, events):
    state = start()
    state.sent("s1", "job-1", "job-1")
    events.clear()

    state.job_changed(job("Resting"))

    assert events == []


async def test_a_run_that_is_stopped_says_of_every_script_where_it_stands(start):
    state = start()
    state.sent("sent", "job-1", "job-1")
    state.begun.update({"sent", "begun"})
    state.end(archived("ended"))

    state.stopped([item(name) for name in ("sent", "begun", "waiting", "ended")])

    *unfinished, ended = state.outcomes[SCRIPT_IDS.index("sent") :]
    said = {one.script_id: one.error.message for one in unfinished}
    assert "its job goes on at the service" in said["sent"]
    assert "may just have been sent" in said["begun"]
    assert "was not sent" in said["waiting"]
    assert {one.outcome for one in unfinished} == {OutcomeKind.UNFINISHED}
    assert (ended.script_id, ended.outcome) == ("ended", OutcomeKind.ARCHIVED)
