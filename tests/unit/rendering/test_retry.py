"""Which errors are worth the same step again, how often, and after how long."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest

from batch_avatar import errors
from batch_avatar.errors import (
    AccessRefused,
    ArchiveUnavailable,
    BatchAvatarError,
    JobFailed,
    LinkExpired,
    RequestRefused,
    ServiceUnavailable,
    StillRunning,
)
from batch_avatar.models import SynthesisJob
from batch_avatar.rendering import stages
from batch_avatar.rendering.connect import open_run
from batch_avatar.rendering.retry import (
    ARCHIVE,
    DELETE,
    SUBMIT,
    WAIT,
    RetryPolicy,
    _with_retries,
    is_retriable,
    plain_chain,
)
from batch_avatar.settings import Settings
from tests.support.manual_clock import ManualClock

POLICIES = {"submit": SUBMIT, "wait": WAIT, "archive": ARCHIVE, "delete": DELETE}
QUICK = RetryPolicy(3, (1, 10))


def failed():
    job = SynthesisJob(service_id="x", status="Failed", observed_at=datetime(2026, 11, 21, tzinfo=UTC))
    return JobFailed("aborted", job=job, worth_another_attempt=True)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def connections(azurite, clock):
    """Real connections that nobody calls: the steps of these tests are their own."""
    settings = Settings(
        endpoint="http://127.0.0.1:1",
        speech_key="key",
        storage_connection_string=azurite.connection_string(),
        container=f"retry-{uuid.uuid4().hex[:12]}",
    )
    async with open_run(settings, "r", clock=clock) as opened:
        yield opened


class Step:
    """Fails as told, then succeeds; remembers when it was tried."""

    def __init__(self, clock, *ends):
        self.at = []
        self._clock, self._ends = clock, list(ends)

    async def __call__(self, value):
        self.at.append(self._clock.monotonic())
        if self._ends and (end := self._ends.pop(0)) is not None:
            raise end
        return f"done {value}"


async def outcome(clock, step, policy=QUICK):
    with_retries = _with_retries(step, policy)
    task = asyncio.ensure_future(with_retries("x"))
    await clock.advance(10_000)
    assert task.done()
    return task


@pytest.mark.parametrize(("number", "delay"), [(0, 5), (1, 15), (2, 60), (3, 120), (4, 120), (1000, 120)])
def test_the_last_delay_repeats(number, delay):
    assert RetryPolicy(4, (5, 15, 60, 120)).delay(number) == delay


def test_a_policy_with_one_delay_has_no_other():
    assert {WAIT.delay(number) for number in (0, 1, 999)} == {1}


@pytest.mark.parametrize("name", POLICIES)
def test_every_step_has_delays_that_do_not_shrink(name):
    delays = POLICIES[name].delays_seconds

    assert delays
    assert list(delays) == sorted(delays)
    assert delays[0] > 0
    assert POLICIES[name].retries >= 3


def test_waiting_outlasts_the_longest_deadline_of_a_job():
    longest = Settings.model_fields["job_deadline_seconds"].default

    assert WAIT.retries * stages.WAIT_WINDOW_SECONDS > 10 * longest


def test_what_is_retriable_is_what_the_error_says():
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, BatchAvatarError):
            assert is_retriable(kind.__new__(kind)) is kind.retriable


@pytest.mark.parametrize("value", [None, "ServiceUnavailable", ValueError("x"), TimeoutError(), KeyError("retriable")])
def test_what_is_no_error_of_ours_is_not_retriable(value):
    assert is_retriable(value) is False


@pytest.mark.usefixtures("connections")
async def test_a_step_that_succeeds_is_taken_once(clock):
    step = Step(clock)

    task = await outcome(clock, step)

    assert (task.result(), step.at, clock.slept) == ("done x", [0], [])


@pytest.mark.usefixtures("connections")
async def test_a_retriable_error_takes_the_same_step_again_after_the_policys_delays(clock):
    step = Step(clock, ServiceUnavailable("a"), StillRunning("b"), LinkExpired("c"))

    task = await outcome(clock, step)

    assert task.result() == "done x"
    assert step.at == [0, 1, 11, 21]


@pytest.mark.usefixtures("connections")
async def test_the_last_error_ends_a_step_that_never_succeeds(clock):
    step = Step(clock, *(ArchiveUnavailable(str(number)) for number in range(10)))

    task = await outcome(clock, step)

    assert str(task.exception()) == "3"
    assert len(step.at) == 1 + QUICK.retries


@pytest.mark.parametrize(
    "error", [RequestRefused("no"), AccessRefused("no"), failed(), ValueError("a mistake"), KeyError("a mistake")]
)
@pytest.mark.usefixtures("connections")
async def test_any_other_error_ends_the_step_at_once(clock, error):
    step = Step(clock, error)

    task = await outcome(clock, step)

    assert task.exception() is error
    assert (step.at, clock.slept) == ([0], [])


@pytest.mark.usefixtures("connections")
async def test_an_error_that_is_not_retriable_ends_the_retries_of_one_that_was(clock):
    refused = AccessRefused("no")
    step = Step(clock, ServiceUnavailable("a"), refused, None)

    task = await outcome(clock, step)

    assert task.exception() is refused
    assert len(step.at) == 2


def test_the_plain_chain_is_the_four_stages_in_their_own_names():
    chain = plain_chain()

    for name in POLICIES:
        assert getattr(chain, name).__wrapped__ is getattr(stages, name)
