"""Workers stop on a real Prefect server: their runs end or go to others, and nobody else's run is touched."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from click.testing import CliRunner
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Cancelling, Completed, Pending, Running, Scheduled

from batch_avatar.errors import InputError
from deployments.drain import LOOK_SECONDS, MARGIN_SECONDS, SILENCE_SECONDS, Worker, hand_over, main, wait
from deployments.draining import PREFIX

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(420)]

SECONDS = 30
NOBODY = "http://127.0.0.1:1/api"  # nobody listens there


class ActingClock:
    """Time passes only in `sleep`, in which a test lets something happen."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.acts = []
        """What happens in the first sleep, in the second, ..."""

    def now(self) -> datetime:
        return datetime(2026, 11, 21, 9, 0, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.elapsed += seconds
        if self.acts:
            await self.acts.pop(0)()


@pytest.fixture
def clock():
    return ActingClock()


@pytest.fixture
async def pool(client):
    """The name of a pool of this test alone."""
    name = f"pool-{uuid4().hex[:8]}"
    await client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    yield name
    with suppress(ObjectNotFound):
        await client.delete_work_pool(name)
    for variable in await client.read_variables():
        if variable.name.startswith(PREFIX):
            await client.delete_variable_by_name(variable.name)


@pytest.fixture
async def run(client, pool):
    """`run("a", Pending(), Running())`: a flow run that worker a has taken through these states."""
    flow_id = await client.create_flow_from_name(f"flow-{uuid4().hex[:8]}")

    async def create(worker, *states, tags=("batch-avatar",), in_pool=pool, name="render it", **options):
        deployment = await client.create_deployment(
            flow_id=flow_id,
            name=f"d-{uuid4().hex[:8]}",
            work_pool_name=in_pool,
            tags=list(tags),
            **options,
        )
        created = await client.create_flow_run_from_deployment(deployment, name=name)
        await client.update_flow_run_labels(
            created.id, {"prefect.worker.name": worker, "prefect.worker.type": "process"}
        )
        for state in states:
            await client.set_flow_run_state(created.id, state)
        return created.id

    yield create
    await client.delete_flow(flow_id)


@pytest.fixture
def worker(client, pool):
    def named(name):
        return Worker(client, name, pool)

    return named


async def states(client, run_ids):
    return [(await client.read_flow_run(run_id)).state_name for run_id in run_ids]


async def is_paused(client, pool):
    return (await client.read_work_pool(pool)).is_paused


async def test_what_a_worker_leaves_behind_goes_to_another_one(client, pool, run, worker, clock):
    at_work = await run("a", Pending(), Running(), name="at work")
    taken = await run("a", Pending(), name="taken")
    said = []
    await hand_over(worker("a"), clock=clock, tell=said.append)
    assert sorted(said) == ["at work: handed over", "taken: handed over"]
    assert await states(client, [at_work, taken]) == ["AwaitingRetry"] * 2
    offered = await client.get_scheduled_flow_runs_for_work_pool(pool)
    assert {response.flow_run.id for response in offered} == {at_work, taken}
    message = (await client.read_flow_run(at_work)).state.message
    assert message == "the worker a has stopped; another one goes on"


async def test_nobody_elses_run_is_touched(client, run, worker, clock):
    other_pool = f"pool-{uuid4().hex[:8]}"
    await client.create_work_pool(WorkPoolCreate(name=other_pool, type="process"))
    untouched = {
        "of another worker": await run("ab", Pending(), Running()),
        "another project's": await run("a", Pending(), Running(), tags=["another"]),
        "in another pool": await run("a", Pending(), Running(), in_pool=other_pool),
        "being cancelled": await run("a", Pending(), Running(), Cancelling()),
        "ended": await run("a", Pending(), Running(), Completed()),
        "not begun": await run("a", Scheduled(scheduled_time=datetime.now(UTC) + timedelta(days=1))),
    }
    before = await states(client, untouched.values())
    said = []
    await hand_over(worker("a"), clock=clock, tell=said.append)
    await client.delete_work_pool(other_pool)
    assert dict(zip(untouched, await states(client, untouched.values()), strict=True)) == dict(
        zip(untouched, before, strict=True)
    )
    assert said == []


async def test_a_run_that_is_handed_over_gives_back_the_slot_of_its_deployment(client, run, worker, clock):
    """Else it would be in its own way, and a deployment that cancels what comes second would cancel it."""
    cancels = ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    run_id = await run("a", Pending(), Running(), concurrency_limit=1, concurrency_options=cancels)
    await hand_over(worker("a"), clock=clock, tell=str)
    await client.set_flow_run_state(run_id, Pending())
    assert await states(client, [run_id]) == ["Pending"]


async def test_more_runs_than_fit_on_a_page_are_all_found(client, pool, run, clock):
    run_ids = [await run(name, Pending()) for name in ("b", "a", "b", "a", "b")]
    await hand_over(Worker(client, "a", pool, page=2), clock=clock, tell=str)
    assert (await states(client, run_ids)).count("AwaitingRetry") == 2


async def test_a_drain_pauses_the_pool_until_the_runs_have_ended(client, pool, run, worker, clock):
    run_id = await run("a", Pending(), Running())
    waiting = await run("a")
    seen, said = [], []

    async def look():
        seen.append((await is_paused(client, pool), await client.get_scheduled_flow_runs_for_work_pool(pool)))

    async def end():
        await client.set_flow_run_state(run_id, Completed())

    clock.acts = [look, end]
    await wait(worker("a"), seconds=SECONDS, clock=clock, tell=said.append)
    assert seen == [(True, [])], "nobody gets a new run"
    assert said == [f"work pool {pool}: paused", "worker a: no run is left"]
    assert clock.elapsed < SECONDS
    assert await is_paused(client, pool), "until the worker is gone"

    await hand_over(worker("a"), clock=clock, tell=said.append)
    assert said[2:] == [f"work pool {pool}: resumed"]
    assert not await is_paused(client, pool)
    [offered] = await client.get_scheduled_flow_runs_for_work_pool(pool)
    assert offered.flow_run.id == waiting
    assert [variable.name for variable in await client.read_variables() if variable.name.startswith(PREFIX)] == []


async def test_a_run_that_was_taken_just_before_the_pause_is_waited_for(client, run, worker, clock):
    """Its label comes a moment after its state."""
    run_id = await run("nobody", Pending())

    async def label():
        await client.update_flow_run_labels(run_id, {"prefect.worker.name": "a"})

    clock.acts = [label]
    said = []
    await wait(worker("a"), seconds=SECONDS, clock=clock, tell=said.append)
    assert said[-1] == f"worker a: after {SECONDS} s still at work: render it"


async def test_when_the_time_is_over_the_drain_names_what_is_left(run, worker, clock):
    await run("a", Pending(), Running(), name="render shard 0001")
    await run("a", Pending(), Running(), Cancelling(), name="render shard 0002")
    await run("b", Pending(), Running(), name="render shard 0003")
    said = []
    await wait(worker("a"), seconds=SECONDS, clock=clock, tell=said.append)
    assert said[-1].startswith(f"worker a: after {SECONDS} s still at work: ")
    assert {name for name in ("0001", "0002", "0003") if name in said[-1]} == {"0001", "0002"}
    assert clock.elapsed < SECONDS + LOOK_SECONDS + 1


async def test_the_last_of_two_that_drain_together_resumes_the_pool(client, pool, worker, clock):
    for name in ("a", "b"):
        await wait(worker(name), seconds=SECONDS, clock=clock, tell=str)
    await hand_over(worker("a"), clock=clock, tell=str)
    assert await is_paused(client, pool)
    await hand_over(worker("b"), clock=clock, tell=str)
    assert not await is_paused(client, pool)


async def test_a_pool_that_is_resumed_under_a_drain_is_paused_again(client, pool, run, worker, clock):
    """As when another worker leaves at the very moment in which this one begins."""
    run_id = await run("a", Pending(), Running())

    async def resume():
        await client.update_work_pool(pool, WorkPoolUpdate(is_paused=False))

    async def end():
        assert await is_paused(client, pool)
        await client.set_flow_run_state(run_id, Completed())

    clock.acts = [resume, end]
    await wait(worker("a"), seconds=SECONDS, clock=clock, tell=str)
    assert await is_paused(client, pool)


async def test_a_pool_that_a_person_has_paused_stays_paused(client, pool, worker, clock):
    await client.update_work_pool(pool, WorkPoolUpdate(is_paused=True))
    said = []
    await wait(worker("a"), seconds=SECONDS, clock=clock, tell=said.append)
    await hand_over(worker("a"), clock=clock, tell=said.append)
    assert said == ["worker a: no run is left"]
    assert await is_paused(client, pool)


async def test_a_worker_that_crashed_resumes_nothing_that_it_has_not_paused(client, pool, worker, clock):
    await wait(worker("b"), seconds=SECONDS, clock=clock, tell=str)
    await hand_over(worker("a"), clock=clock, tell=str)
    assert await is_paused(client, pool)


async def test_a_machine_that_died_while_it_drained_does_not_keep_the_pool_paused(client, pool, worker, clock):
    await wait(worker("dead"), seconds=SECONDS, clock=clock, tell=str)
    clock.elapsed += SECONDS + MARGIN_SECONDS + 1
    await wait(worker("a"), seconds=SECONDS, clock=clock, tell=str)
    await hand_over(worker("a"), clock=clock, tell=str)
    assert not await is_paused(client, pool)
    assert [variable.name for variable in await client.read_variables() if variable.name.startswith(PREFIX)] == []


async def test_a_worker_that_comes_back_resumes_what_it_paused_before_it_died(client, pool, worker, clock):
    await wait(worker("a"), seconds=SECONDS, clock=clock, tell=str)
    clock.elapsed += SECONDS + MARGIN_SECONDS + 1
    await hand_over(worker("a"), clock=clock, tell=str)
    assert not await is_paused(client, pool)


async def test_workers_with_names_that_look_alike_have_notes_of_their_own(client, pool, worker, clock):
    for name in ("host.1", "host-1", "HOST.1", "höst", ""):
        await wait(worker(name), seconds=SECONDS, clock=clock, tell=str)
    notes = [variable for variable in await client.read_variables() if variable.name.startswith(PREFIX)]
    assert {variable.value["worker"] for variable in notes} == {"host.1", "host-1", "HOST.1", "höst", ""}
    assert await is_paused(client, pool)


async def test_a_pool_that_does_not_exist_is_an_error(client, clock):
    with pytest.raises(InputError, match="there is no work pool nowhere"):
        await wait(Worker(client, "a", "nowhere"), seconds=SECONDS, clock=clock, tell=str)


async def test_a_server_that_is_gone_holds_up_a_stop_for_a_minute_only(clock):
    said = []

    async def pass_time():
        assert said == []
        clock.elapsed += SILENCE_SECONDS - LOOK_SECONDS

    clock.acts = [pass_time]
    async with PrefectClient(NOBODY) as client:
        await wait(Worker(client, "a"), seconds=600, clock=clock, tell=said.append)
    assert len(said) == 1
    assert "does not answer" in said[0]
    assert clock.elapsed == SILENCE_SECONDS


@pytest.fixture
def shell(monkeypatch, tmp_path):
    """`shell(url, *arguments)` runs the command against the server at that address, or against none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))

    def invoke(url, *arguments, password=None):
        if url is None:
            monkeypatch.delenv("PREFECT_API_URL", raising=False)
            return CliRunner().invoke(main, arguments)
        monkeypatch.setenv("PREFECT_API_URL", url)
        with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: password}):
            return CliRunner().invoke(main, arguments)

    return invoke


def test_a_hand_over_without_a_server_is_no_failure(shell):
    done = shell(NOBODY, "hand-over", "--worker", "a")
    assert done.exit_code == 0
    assert "does not answer" in done.stderr


def test_without_a_configured_server_none_is_started(shell):
    for step in ("wait", "hand-over"):
        done = shell(None, step, "--worker", "a")
        assert done.exit_code == 2
        assert "PREFECT_API_URL is not set" in done.stderr


def test_the_two_commands_of_the_unit_file(shell, stack, pool):
    url = f"{stack.prefect_url}/api"
    password = stack.environment["PREFECT_API_AUTH_STRING"]
    waited = shell(url, "wait", "--worker", "a", "--pool", pool, "--seconds", "0", password=password)
    handed = shell(url, "hand-over", "--worker", "a", "--pool", pool, password=password)
    assert (waited.exit_code, handed.exit_code) == (0, 0), waited.output + handed.output
    assert waited.stdout == f"work pool {pool}: paused\nworker a: no run is left\n"
    assert handed.stdout == f"work pool {pool}: resumed\n"
