"""Flow runs on a real Prefect server with the settings we ship: what is recorded, what is shown, how they end."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import requests
from azure.storage.blob import ContainerClient

from tests.support.deploying import asked
from tests.support.scripts import script, write_manifest
from tests.support.waiting import until

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect"), pytest.mark.timeout(420)]

SLOWLY_SENT = 60  # scripts of a batch that takes five minutes to send and is cancelled at once


@pytest.fixture
def environment(environment):
    """Workers ask often what there is to do."""
    return environment | {"PREFECT_WORKER_QUERY_SECONDS": "2"}


def write_scripts(folder, count, **extra):
    scripts = [script(f"s{n:03d}", content=f"Tiny\u2028{n}.") for n in range(count)]
    scripts += [script("extra", content="Extra.", **extra)] if extra else []
    return write_manifest(folder, scripts)


def log_lines(api, run_id):
    """All that was logged for a flow run and its task runs, once no more comes."""
    lines, before = [], None
    while lines != before:
        time.sleep(2.5)  # the API's handler sends every 2 s
        before, lines = lines, []
        while not lines or len(lines) % 200 == 0:
            page = api("logs/filter", logs={"flow_run_id": {"any_": [run_id]}}, limit=200, offset=len(lines))
            lines += [log["message"] for log in page]
            if len(page) < 200:
                break
    return lines


def flow_run_of(api, link_text):
    run_id = link_text.split("/runs/flow-run/")[1][:36]
    return run_id, api("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})[0]


def forget_limit(stack, name):
    """Of creates; a bootstrap may have made it."""
    for limit in asked(stack, "POST", "v2/concurrency_limits/filter", json={}).json():
        if limit["name"] == name:
            asked(stack, "DELETE", f"v2/concurrency_limits/{limit['id']}")


def test_all_800_task_runs_of_200_scripts_are_recorded(command, api, tmp_path):
    write_scripts(tmp_path, 200)
    since = datetime.now(UTC)
    done = command("batch_avatar.commands.cli", "render", "scripts.jsonl", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["archived"] == 200
    run_id, run = flow_run_of(api, done.stderr)
    assert run["state"]["type"] == "COMPLETED"
    assert run["name"] == "render scripts.jsonl"

    def recorded():
        completed = {"state": {"type": {"any_": ["COMPLETED"]}}}
        return api("task_runs/count", flow_runs={"id": {"any_": [run_id]}}, task_runs=completed)

    assert until(recorded, 800) == 800
    artifacts = api("artifacts/filter", flow_runs={"id": {"any_": [run_id]}})
    by_key = {artifact["key"]: artifact for artifact in artifacts}
    assert sorted(by_key) == ["plan", "progress", "report", "scripts"]
    assert "| to create | 200 |" in by_key["plan"]["data"]
    rows = json.loads(by_key["scripts"]["data"])
    assert len(rows) == 200
    assert sum(row["characters billed"] for row in rows) == json.loads(done.stdout)["billed_characters"]
    assert all(row["video folder"].startswith(f"{row['script']}/") for row in rows)
    assert "| **scripts** | 200 |" in by_key["report"]["data"]
    assert by_key["progress"]["data"] == 100.0
    told = {"event": {"name": ["batch-avatar.script.archived"]}, "occurred": {"since": since.isoformat()}}

    def events():
        return api("events/filter", filter=told, limit=1)["total"]

    assert until(events, 200) == 200
    lines = log_lines(api, run_id)
    assert 400 <= len(lines) <= 430, "two a script, and a few of the run"
    assert len([line for line in lines if "script=s007 job=s007-" in line]) == 2
    again = command("batch_avatar.commands.cli", "render", "scripts.jsonl", "--json")
    assert json.loads(again.stdout)["skipped"] == 200
    run_id, _ = flow_run_of(api, again.stderr)
    assert api("task_runs/count", flow_runs={"id": {"any_": [run_id]}}) == 0
    assert len(log_lines(api, run_id)) < 10, "nothing has changed"


def test_a_batch_with_a_failed_script_ends_failed_and_says_which(command, api, tmp_path):
    write_scripts(tmp_path, 2, talking_avatar_style="on-a-horse")
    done = command("batch_avatar.commands.cli", "render", "scripts.jsonl", "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["archived"], report["failed"]) == (2, 1)
    _, run = flow_run_of(api, done.stderr)
    assert run["state"]["type"] == "FAILED"
    assert "2 archived" in run["state"]["message"]
    assert "first: extra" in run["state"]["message"]


def test_failed_jobs_get_another_attempt_or_a_dead_letter_also_as_task_runs(command, stack, tmp_path):
    abort = {
        "operation": "create",
        "at_most": 1,
        "job_id": "s000-",
        "action": {"kind": "abort_job", "after_seconds": 1},
    }
    fail = {"operation": "create", "job_id": "s001-", "action": {"kind": "fail_job", "code": "BadRequest"}}
    faults = requests.post(f"{stack.service_url}/emulator/faults", json=[abort, fail], timeout=30)
    assert faults.ok, faults.text
    write_scripts(tmp_path, 3)
    done = command("batch_avatar.commands.cli", "render", "scripts.jsonl", "--json")
    requests.delete(f"{stack.service_url}/emulator/faults", timeout=30).raise_for_status()
    outcomes = {outcome["script_id"]: outcome for outcome in json.loads(done.stdout)["outcomes"]}
    assert {name: outcome["outcome"] for name, outcome in outcomes.items()} == {
        "s000": "archived",
        "s001": "failed",
        "s002": "archived",
    }, done.stderr[-3000:]
    assert outcomes["s000"]["job_id"].endswith("-2")
    assert outcomes["s001"]["error"]["class"] == "job"


def test_a_wrong_key_gives_exit_code_3_also_in_a_flow_run(command, environment, tmp_path):
    write_scripts(tmp_path, 2)
    environment["BATCH_AVATAR_SPEECH_KEY"] = "0" * 32
    done = command("batch_avatar.commands.cli", "render", "scripts.jsonl")
    assert (done.returncode, "access refused" in done.stderr) == (3, True), done.stderr
    assert done.stderr.count("401: Access denied") == 1, done.stderr


def test_no_secret_reaches_the_prefect_database(command, api, stack, environment, tmp_path):
    write_scripts(tmp_path, 3, talking_avatar_style="on-a-horse")
    command("batch_avatar.commands.cli", "render", "scripts.jsonl")
    secrets = [
        environment["BATCH_AVATAR_SPEECH_KEY"],
        environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"].split("AccountKey=")[1].split(";")[0],
        "sig=",
    ]
    sinks = {
        # Parameters are kept as they were given, signed links of other tests too.
        "flow runs": [run | {"parameters": {}} for run in api("flow_runs/filter", limit=200)],
        "task runs": api("task_runs/filter", limit=200),
        "logs": api("logs/filter", limit=200),
        "artifacts": api("artifacts/filter", limit=200),
        "flow run states": api("events/filter", limit=50),
    }
    for sink, content in sinks.items():
        text = json.dumps(content).replace("sig=REDACTED", "")
        found = [text[text.index(secret) - 60 :][:160] for secret in secrets if secret in text]
        assert not found, sink
    database = (stack.folder / "prefect" / "prefect.db").read_bytes()
    assert not [secret for secret in secrets[:2] if secret.encode() in database]


@pytest.mark.usefixtures("worker")
def test_deployments_run_on_a_worker_and_in_shards(command, api, tmp_path):
    source = write_scripts(tmp_path, 7)
    deployments = {
        f"{api('flows/filter', flows={'id': {'any_': [d['flow_id']]}})[0]['name']}/{d['name']}": d
        for d in api("deployments/filter")
    }
    assert set(deployments) == {
        "render-script/ad-hoc", "render-batch/ad-hoc", "render-inbox/scheduled", "sweep-jobs/hourly",
    }  # fmt: skip

    sources = json.dumps([str(source)])
    started = command(
        "prefect", "deployment", "run", "render-batch/ad-hoc", "--param", f"sources={sources}",
        "--param", "scripts_per_run=3", "--watch",
    )  # fmt: skip
    assert started.returncode == 0, started.stdout + (tmp_path / "worker.log").read_text()
    runs = api("flow_runs/filter", flow_runs={"deployment_id": {"any_": [deployments["render-batch/ad-hoc"]["id"]]}})
    parents = [run for run in runs if run["parent_task_run_id"] is None]
    children = [run for run in runs if run["parent_task_run_id"] is not None]
    assert [run["state"]["type"] for run in parents] == ["COMPLETED"]
    assert "7 archived" in parents[0]["state"]["message"]
    assert [run["state"]["type"] for run in children] == ["COMPLETED"] * 3
    assert {run["work_queue_name"] for run in children} == {"shards"}
    parent = parents[0]["id"][:8]
    assert {run["name"] for run in children} == {f"render shard 000{number} of flow-{parent}" for number in (1, 2, 3)}

    script = {
        "script_id": "by-hand", "content": "Hello.", "voice": "en-US-AvaMultilingualNeural",
        "talking_avatar_character": "lisa", "talking_avatar_style": "casual-sitting",
    }  # fmt: skip
    started = command(
        "prefect", "deployment", "run", "render-script/ad-hoc", "--param", f"script={json.dumps(script)}", "--watch"
    )
    assert started.returncode == 0, started.stdout + (tmp_path / "worker.log").read_text()


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    "story",
    [
        (("RUNNING", "CRASHED") * 3, ("FAILED", "this run has crashed 3 times")),
        (("RUNNING", "CANCELLING", "CRASHED"), ("CANCELLED", "cancelled")),
        (("RUNNING", "CRASHED"), ("COMPLETED", "0 archived, 2 archived before")),
    ],
)
def test_a_run_that_comes_back_ends_where_it_has_crashed_too_often_or_was_cancelled(
    command, api, stack, tmp_path, story
):
    life, (wanted, said) = story
    source = write_scripts(tmp_path, 2)
    assert command("batch_avatar.commands.cli", "render", "scripts.jsonl", "--engine", "local").returncode == 0
    named = {"flows": {"name": {"any_": ["render-batch"]}}, "deployments": {"name": {"any_": ["ad-hoc"]}}}
    (deployment,) = api("deployments/filter", **named)
    body = {"parameters": {"sources": [str(source)]}, "state": {"type": "PENDING"}}
    run = api(f"deployments/{deployment['id']}/create_flow_run", **body)
    for state in life:
        api(f"flow_runs/{run['id']}/set_state", state={"type": state}, force=True)
    again = {"type": "SCHEDULED", "name": "AwaitingRetry"}
    api(f"flow_runs/{run['id']}/set_state", state=again, force=True)

    def seen():
        return api("flow_runs/filter", flow_runs={"id": {"any_": [run["id"]]}})[0]

    def ended():
        now = seen()["state"]  # in one answer: an automation may bring it back as well
        return now["type"], said in (now["message"] or "")

    try:
        assert until(ended, (wanted, True)) == (wanted, True), (tmp_path / "worker.log").read_text()[-3000:]
    finally:  # else the automation may give it to the worker of another test
        asked(stack, "DELETE", f"flow_runs/{run['id']}")


@pytest.mark.usefixtures("deployments")
def test_the_form_shows_help_for_every_parameter(api):
    for deployment in api("deployments/filter"):
        for name, about in deployment["parameter_openapi_schema"]["properties"].items():
            assert about.get("description"), f"{deployment['name']}: {name}"
    script = next(d for d in api("deployments/filter") if "script" in d["parameter_openapi_schema"]["properties"])
    members = script["parameter_openapi_schema"]["definitions"]["Script"]["properties"]
    assert [name for name, about in members.items() if not about.get("description")] == []


@pytest.mark.usefixtures("worker")
def test_a_batch_cancelled_in_the_ui_sends_nothing_more_and_says_what_is_in_flight(
    command, api, stack, release, tmp_path
):
    source = write_scripts(tmp_path, SLOWLY_SENT)
    started = command(
        *("prefect", "deployment", "run", "render-batch/ad-hoc", "--param", f"sources={json.dumps([str(source)])}"),
        *("--job-variable", f"env={json.dumps({'BATCH_AVATAR_CREATES_PER_MINUTE': '12'})}"),
    )
    assert started.returncode == 0, started.stdout + started.stderr
    run_id = re.search(r"UUID: ([0-9a-f-]{36})", started.stdout)[1]

    def accepted():
        seen = requests.get(f"{stack.service_url}/emulator/jobs", timeout=30).json()["jobs"]
        return [job for job in seen if job["status"] == "NotStarted" and not job["deleted"]]

    log = tmp_path / "worker.log"
    assert until(lambda: len(accepted()) >= 2, wanted=True), log.read_text()
    api(f"flow_runs/{run_id}/set_state", state={"type": "CANCELLING", "name": "Cancelling"})
    state = until(lambda: api("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})[0]["state_type"], "CANCELLED")
    sent = len(accepted())
    assert state == "CANCELLED", log.read_text()
    assert sent < SLOWLY_SENT
    tables = api("artifacts/filter", artifacts={"flow_run_id": {"any_": [run_id]}, "key": {"any_": ["scripts"]}})
    rows = json.loads(tables[0]["data"])
    assert [row["outcome"] for row in rows] == ["unfinished"] * SLOWLY_SENT
    assert sum("goes on at the service" in row["error"] for row in rows) in (sent, sent - 1)

    assert len(accepted()) <= sent, "nothing was sent after the stop"
    assert "ERROR" not in log.read_text()
    assert "Traceback" not in log.read_text()
    release()
    done = command("batch_avatar.commands.cli", "render", "scripts.jsonl", "--json", "--engine", "local")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["archived"] == SLOWLY_SENT, report


def test_creates_of_all_runs_wait_for_the_limit_that_the_server_keeps_for_the_resource(
    command, environment, stack, tmp_path
):
    storage = environment["BATCH_AVATAR_STORAGE_CONNECTION_STRING"]
    resource = environment["BATCH_AVATAR_ENDPOINT"].removeprefix("http://")
    name = f"batch-avatar-{resource}"
    since = requests.get(f"{stack.service_url}/emulator/stats", timeout=30).json()["creates"]["accepted"]
    write_scripts(tmp_path, 4)

    def accepted():
        return requests.get(f"{stack.service_url}/emulator/stats", timeout=30).json()["creates"]["accepted"] - since

    def archived():
        with ContainerClient.from_connection_string(storage, environment["BATCH_AVATAR_CONTAINER"]) as archive:
            names = archive.list_blob_names() if archive.exists() else ()
            return sum(name.endswith("/receipt.json") for name in names)

    forget_limit(stack, name)
    limit = {"name": name, "limit": 1, "slot_decay_per_second": 0.0001}
    asked(stack, "POST", "v2/concurrency_limits/", json=limit, seconds=0)
    try:
        with ThreadPoolExecutor(1) as beside:
            running = beside.submit(command, "batch_avatar.commands.cli", "render", "scripts.jsonl", "--json")
            first = until(archived, 1), accepted()
            asked(stack, "PATCH", f"v2/concurrency_limits/{name}", json={"slot_decay_per_second": 100})
            done = running.result()
    finally:
        forget_limit(stack, name)

    assert first == (1, 1), "the next create is granted in hours; without the limit it leaves 0.02 s later"
    assert (done.returncode, json.loads(done.stdout)["archived"]) == (0, 4), done.stderr


def test_without_such_a_limit_the_run_says_so_once_and_paces_itself(command, api, environment, stack, tmp_path):
    resource = environment["BATCH_AVATAR_ENDPOINT"].removeprefix("http://")
    forget_limit(stack, f"batch-avatar-{resource}")
    write_scripts(tmp_path, 2)
    done = command("batch_avatar.commands.cli", "render", "scripts.jsonl", "--json")
    run_id, _ = flow_run_of(api, done.stderr)

    def told():
        logs = api("logs/filter", logs={"flow_run_id": {"any_": [run_id]}})
        return sum("this run paces its creates by itself" in log["message"] for log in logs)

    assert json.loads(done.stdout)["archived"] == 2
    assert until(told, 1) == 1
