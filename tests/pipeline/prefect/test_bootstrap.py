"""A real Prefect server is set up as the deployments need it, and a second time nothing is changed."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from uuid import uuid4

import pytest
from click.testing import CliRunner
from prefect.client.schemas.actions import BlockDocumentCreate, VariableUpdate, WorkPoolCreate
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Crashed, Failed, Running

from batch_avatar.errors import InputError
from batch_avatar.resource_settings import ResourceSettings
from deployments.automation_files import read_automations, sends_message
from deployments.bootstrap import main, set_up
from tests.support.loopback import Loopback

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(420)]

PATIENCE_SECONDS = 200
WATCHING = [automation.name for automation in read_automations() if not sends_message(automation)]
TELLING = [automation.name for automation in read_automations() if sends_message(automation)]
MAX_CRASHES = "batch_avatar_max_crashes"


@pytest.fixture
async def pool(client):
    """The name of a pool of this test alone, on a server that has nothing of ours, before and afterwards."""
    name = f"pool-{uuid4().hex[:8]}"
    await forget_all(client)
    yield name
    await forget_all(client)
    with suppress(ObjectNotFound):
        await client.delete_work_pool(name)


async def forget_all(client):
    for automation in await client.read_automations():
        if automation.name.startswith("batch-avatar: "):
            await client.delete_automation(automation.id)
    with suppress(ObjectNotFound):
        await client.delete_variable_by_name(MAX_CRASHES)


@pytest.fixture
async def west(client):
    """`west(pace)`: a resource with a name of this test's own."""
    name = f"west-{uuid4().hex[:8]}"

    def paced(creates_per_minute):
        return ResourceSettings(name=name, endpoint="http://127.0.0.1:1", creates_per_minute=creates_per_minute)

    yield paced
    with suppress(ObjectNotFound):
        await client.delete_global_concurrency_limit_by_name(f"batch-avatar-{name}")


async def lines(client, pool, **options):
    return [line async for line in set_up(client, pool=pool, **options)]


def changes(said):
    """Without what is told each time."""
    return [line for line in said if not line.startswith("left out")]


async def until(look, wanted):
    """Ask again until the answer is the wanted one."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (seen := await look()) != wanted and time.monotonic() < give_up:  # noqa: ASYNC110 - in another process
        await asyncio.sleep(0.1)
    return seen


async def test_a_new_server_is_set_up_and_a_second_time_nothing_changes(client, pool, west):
    said = await lines(client, pool, resources=[west(2)])
    assert changes(said) == [
        f"work pool {pool}: created",
        f"work queue {pool}/shards: created, before all others",
        f"limit batch-avatar-{west(2).name}: created, 2 creates a minute",
        f"variable {MAX_CRASHES}: created, 3",
        *(f'automation "{name}": created' for name in WATCHING),
    ]
    [left_out] = set(said) - set(changes(said))
    assert all(f'"{name}"' in left_out for name in TELLING)

    assert (await client.read_work_pool(pool)).type == "process"
    queues = {queue.name: queue.priority for queue in await client.read_work_queues(work_pool_name=pool)}
    assert queues.keys() == {"default", "shards"}
    assert queues["shards"] < queues["default"], "the lower number goes first"
    limit = await client.read_global_concurrency_limit_by_name(f"batch-avatar-{west(2).name}")
    assert (limit.limit, limit.active) == (1, True)
    assert limit.slot_decay_per_second * 60 == pytest.approx(2)
    assert (await client.read_variable_by_name(MAX_CRASHES)).value == 3

    assert changes(await lines(client, pool, resources=[west(2)])) == ["nothing to change"]


async def test_a_dry_run_tells_the_same_and_changes_nothing(client, pool, west):
    dry = await lines(client, pool, resources=[west(2)], dry_run=True)
    assert await client.read_variable_by_name(MAX_CRASHES) is None
    with pytest.raises(ObjectNotFound):
        await client.read_work_pool(pool)
    done = await lines(client, pool, resources=[west(2)])
    assert [line.replace(": would be ", ": ") for line in dry] == done
    assert sum("would be" in line for line in dry) == len(changes(done))


async def test_what_somebody_changed_is_mended_and_what_was_switched_off_stays_off(client, pool):
    await lines(client, pool)
    [found] = await client.read_automations_by_name("batch-avatar: no heartbeat")
    looser = found.trigger.model_copy(update={"within": found.trigger.within * 2})
    changed = found.model_dump(exclude={"owner_resource"}) | {"trigger": looser, "enabled": False}
    await client.update_automation(found.id, AutomationCore.model_validate(changed))
    [off] = await client.read_automations_by_name("batch-avatar: run again")
    await client.pause_automation(off.id)

    assert changes(await lines(client, pool)) == ['automation "batch-avatar: no heartbeat": changed (trigger)']

    [mended] = await client.read_automations_by_name("batch-avatar: no heartbeat")
    assert (mended.id, mended.enabled, mended.trigger.within) == (found.id, False, found.trigger.within)
    [still_off] = await client.read_automations_by_name("batch-avatar: run again")
    assert not still_off.enabled
    assert changes(await lines(client, pool)) == ["nothing to change"]


async def test_a_limit_follows_the_settings(client, pool, west):
    name = f"batch-avatar-{west(2).name}"
    await lines(client, pool, resources=[west(2)])
    for pace, said in [
        (10, "set to 10 creates a minute"),
        (0, "switched off, as the settings say unpaced"),
        (2, "set to 2 creates a minute"),
    ]:
        assert changes(await lines(client, pool, resources=[west(pace)])) == [f"limit {name}: {said}"]
        limit = await client.read_global_concurrency_limit_by_name(name)
        assert limit.active == bool(pace)
        assert changes(await lines(client, pool, resources=[west(pace)])) == ["nothing to change"]
    assert limit.slot_decay_per_second * 60 == pytest.approx(2)


async def test_an_unpaced_resource_gets_no_limit(client, pool, west):
    said = await lines(client, pool, resources=[west(0)])
    assert not [line for line in said if line.startswith("limit")]


async def test_a_value_that_was_chosen_is_kept(client, pool):
    await lines(client, pool)
    await client.update_variable(VariableUpdate(name=MAX_CRASHES, value=7))
    assert changes(await lines(client, pool)) == ["nothing to change"]
    assert (await client.read_variable_by_name(MAX_CRASHES)).value == 7


async def test_a_queue_that_prefect_made_behind_the_others_comes_first(client, pool):
    await client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    await client.create_work_queue("shards", work_pool_name=pool)
    assert f"work queue {pool}/default: put behind shards" in await lines(client, pool)
    queues = {queue.name: queue.priority for queue in await client.read_work_queues(work_pool_name=pool)}
    assert queues["shards"] < queues["default"]
    assert changes(await lines(client, pool)) == ["nothing to change"]


async def test_a_pool_of_another_type_or_a_paused_one_is_left_so_and_told(client, pool):
    await client.create_work_pool(WorkPoolCreate(name=pool, type="docker", is_paused=True))
    said = await lines(client, pool)
    assert f"work pool {pool}: is of type docker, not process, and is left so" in said
    assert any(line.startswith(f"work pool {pool}: is paused") for line in said)
    found = await client.read_work_pool(pool)
    assert (found.type, found.is_paused) == ("docker", True)


@pytest.fixture
def inbox():
    """A web server of this test and what was posted to it: (its URL, the bodies)."""
    bodies = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with Loopback(Handler) as server:
        yield f"{server.url}/", bodies


@pytest.fixture
async def blocks(client):
    """`blocks(type, url)` saves a block: (its type and name, its id). It is deleted afterwards."""
    saved = []

    async def save(slug, url):
        kind = await client.read_block_type_by_slug(slug)
        schema = await client.get_most_recent_block_schema_for_block_type(kind.id)
        name = f"alerts-{uuid4().hex[:8]}"
        document = BlockDocumentCreate(name=name, data={"url": url}, block_type_id=kind.id, block_schema_id=schema.id)
        saved.append((await client.create_block_document(document)).id)
        return f"{slug}/{name}", saved[-1]

    yield save
    for block_id in saved:
        await client.delete_block_document(block_id)


async def test_messages_go_through_the_named_block_and_stay_there(client, pool, blocks, inbox):
    slack, slack_id = await blocks("slack-webhook", "https://hooks.slack.com/services/a/b/c")
    said = await lines(client, pool, notify=slack)
    assert {f'automation "{name}": created' for name in TELLING} <= set(said)
    for name in TELLING:
        [automation] = await client.read_automations_by_name(name)
        assert [(action.type, action.block_document_id) for action in automation.actions] == [
            ("send-notification", slack_id)
        ]
    assert await lines(client, pool) == ["nothing to change"]

    webhook, webhook_id = await blocks("webhook", inbox[0])
    moved = await lines(client, pool, notify=webhook)
    assert moved == [f'automation "{name}": changed (actions)' for name in TELLING]
    for name in TELLING:
        [automation] = await client.read_automations_by_name(name)
        assert [(action.type, action.block_document_id) for action in automation.actions] == [
            ("call-webhook", webhook_id)
        ]
    assert await lines(client, pool) == ["nothing to change"]


async def test_a_block_that_cannot_send_is_refused_and_nothing_is_done(client, pool):
    with pytest.raises(InputError, match="no such block"):
        await lines(client, pool, notify="slack-webhook/nobody")
    with pytest.raises(InputError, match="no such block"):
        await lines(client, pool, notify="slack-webhook")
    assert await client.read_automations_by_name(WATCHING[0]) == []


@pytest.fixture
async def run(client, pool):
    """`run(*tags)` gives the id of a flow run of a deployment with these tags."""
    flow_id = await client.create_flow_from_name(f"flow-{uuid4().hex[:8]}")

    async def create(*tags):
        await lines(client, pool)
        deployment = await client.create_deployment(
            flow_id=flow_id, name=f"d-{uuid4().hex[:8]}", work_pool_name=pool, tags=list(tags)
        )
        return (await client.create_flow_run_from_deployment(deployment, name="render it")).id

    yield create
    await client.delete_flow(flow_id)


async def test_a_crashed_run_of_ours_goes_back_to_its_queue_and_no_other(client, run):
    ours, other, never_ran = await run("batch-avatar"), await run("another"), await run("batch-avatar")
    for run_id in (ours, other):
        await client.set_flow_run_state(run_id, Running())
    for run_id in (never_ran, other, ours):
        await client.set_flow_run_state(run_id, Crashed(message="killed"))

    async def state_name():
        return (await client.read_flow_run(ours)).state_name

    assert await until(state_name, "AwaitingRetry") == "AwaitingRetry"
    assert {(await client.read_flow_run(run_id)).state_name for run_id in (other, never_ran)} == {"Crashed"}


async def test_a_failed_run_is_told_with_its_name_its_reason_and_a_link(client, pool, run, blocks, inbox):
    url, bodies = inbox
    webhook, _ = await blocks("webhook", url)
    await lines(client, pool, notify=webhook)
    run_id = await run("batch-avatar")
    await client.set_flow_run_state(run_id, Failed(message='2 archived, 1 failed; first: "extra"'))

    async def told():
        return len(bodies)

    assert await until(told, 1) == 1
    assert bodies[0]["text"].startswith("Batch Avatar: render it failed\n\n")
    assert '2 archived, 1 failed; first: "extra"' in bodies[0]["text"]
    assert f"/runs/flow-run/{run_id}" in bodies[0]["text"]


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A shell in which nothing is set, in a folder without `.env`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    for name in ("PREFECT_API_URL", "BATCH_AVATAR_ENDPOINT", "BATCH_AVATAR_RESOURCES"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_without_a_configured_server_the_command_says_which_variable_is_missing(nowhere):  # noqa: ARG001
    done = CliRunner().invoke(main, [])
    assert done.exit_code == 2
    assert "PREFECT_API_URL is not set" in done.stderr
    assert "limits: left out, BATCH_AVATAR_ENDPOINT: is not set" in done.stdout


def test_a_server_that_does_not_answer_is_an_error_and_no_traceback(nowhere):
    url = "http://127.0.0.1:1/api"  # nobody listens there
    nowhere.setenv("PREFECT_API_URL", url)
    with temporary_settings({PREFECT_API_URL: url}):
        done = CliRunner().invoke(main, ["--dry-run"])
    assert done.exit_code == 2
    assert f"the Prefect server at {url} does not answer" in done.stderr


def test_the_command_sets_up_the_server(nowhere, stack, pool):
    url = f"{stack.prefect_url}/api"
    nowhere.setenv("PREFECT_API_URL", url)
    with temporary_settings(
        {PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: stack.environment["PREFECT_API_AUTH_STRING"]}
    ):
        first, second = (CliRunner().invoke(main, ["--pool", pool]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert f"work pool {pool}: created" in first.stdout
    assert second.stdout.splitlines()[-1] == "nothing to change"
