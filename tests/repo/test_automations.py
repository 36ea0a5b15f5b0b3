"""The automations of deployments/automations: understood by Prefect to the last key, and about the right events."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import yaml
from prefect.events.schemas.automations import AutomationCore
from prefect.server.events.jinja_filters import all_filters
from prefect.server.events.schemas.automations import AutomationCreate, EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.server.schemas.responses import FlowRunResponse
from prefect.server.utilities.user_templates import register_user_template_filters, render_user_template_sync
from prefect.settings import PREFECT_UI_URL, temporary_settings
from prefect.types._datetime import now

from batch_avatar.commands.stack import ROOT
from deployments.automation_files import FOLDER, Channel, read_automations, sends_message, sent_through

FILES = sorted(FOLDER.glob("*.yaml"))
AUTOMATIONS = {path.stem: AutomationCore.model_validate(yaml.safe_load(path.read_text())) for path in FILES}
NOTIFICATIONS = {stem: automation for stem, automation in AUTOMATIONS.items() if sends_message(automation)}
RUN_ID = "0b9a1f6e-7a7e-4b0e-9c5e-3a4d5b6c7d8e"
TAG = {"prefect.resource.id": "prefect.tag.batch-avatar", "prefect.resource.role": "tag"}
HEARTBEAT = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"


def of_run(event, *related, **labels):
    """As Prefect 3.8's server and engine send it."""
    resource = {
        "prefect.resource.id": f"prefect.flow-run.{RUN_ID}",
        "prefect.resource.name": "render scripts",
        "prefect.run-count": "1",
        "prefect.state-message": 'no heartbeat for "120" s',
    }
    return ReceivedEvent(
        occurred=now("UTC"), event=event, resource=resource | labels, related=list(related), id=uuid4()
    )


def of_script(*related):
    run = {"prefect.resource.id": f"prefect.flow-run.{RUN_ID}", "prefect.resource.role": "flow-run"}
    payload = {
        "script_id": "welcome",
        "job_id": "welcome-d4ac1b08fb29d342-1",
        "error_class": "job",
        "code": "BadRequest",
        "message": 'no avatar "bob"',
    }
    resource = {"prefect.resource.id": "batch-avatar.script.welcome", "prefect.resource.name": "welcome"}
    return ReceivedEvent(
        occurred=now("UTC"),
        event="batch-avatar.script.failed",
        resource=resource,
        related=[run, *related],
        payload=payload,
        id=uuid4(),
    )


def of_resource():
    return ReceivedEvent(
        occurred=now("UTC"),
        event="batch-avatar.resource.throttled",
        resource={"prefect.resource.id": "batch-avatar.resource.west"},
        payload={"pause_seconds": 60.0, "message": "429: too many requests"},
        id=uuid4(),
    )


def trigger_of(stem):
    """As the server reads it."""
    return EventTrigger.model_validate(AUTOMATIONS[stem].trigger.model_dump())


def test_there_are_automations_and_all_of_them_are_read():
    assert AUTOMATIONS
    assert [automation.name for automation in read_automations()] == [a.name for a in AUTOMATIONS.values()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_key_is_one_that_prefect_would_ignore(path):
    raw, read = yaml.safe_load(path.read_text()), AUTOMATIONS[path.stem]
    assert set(raw) <= set(AutomationCore.model_fields)
    assert set(raw["trigger"]) <= set(type(read.trigger).model_fields)
    for given, action in zip(raw["actions"], read.actions, strict=True):
        assert set(given) <= set(type(action).model_fields)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_server_takes_it_with_its_templates(path):
    AutomationCreate.model_validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_name_is_that_of_the_file_and_no_file_decides_what_is_switched_on(path):
    raw = yaml.safe_load(path.read_text())
    assert raw["name"] == f"batch-avatar: {path.stem.replace('-', ' ')}"
    assert "enabled" not in raw
    assert raw["description"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_page_about_automations_names_it(path):
    assert f"`{path.stem.replace('-', ' ')}`" in (ROOT / "docs" / "automations.md").read_text()


def test_a_run_is_dead_after_three_heartbeats_at_the_earliest():
    lines = (ROOT / "deployments" / "worker.env").read_text().splitlines()
    [beat] = [int(line.partition("=")[2]) for line in lines if line.startswith(f"{HEARTBEAT}=")]
    assert AUTOMATIONS["no-heartbeat"].trigger.within >= 3 * timedelta(seconds=beat)
    runs = yaml.safe_load((ROOT / "prefect.yaml").read_text())["definitions"]["work_pool"]["job_variables"]["env"]
    assert int(runs[HEARTBEAT]) == beat, "also under a worker that was started without worker.env"


@pytest.mark.parametrize(
    ("stem", "event"),
    [
        ("no-heartbeat", "prefect.flow-run.heartbeat"),
        ("not-started", "prefect.flow-run.Pending"),
        ("run-again", "prefect.flow-run.Crashed"),
        ("run-failed", "prefect.flow-run.Failed"),
        ("run-stays-crashed", "prefect.flow-run.Crashed"),
        ("no-run-for-a-day", "prefect.flow-run.Completed"),
    ],
)
def test_runs_of_our_deployments_are_watched_and_no_others(stem, event):
    trigger = trigger_of(stem)
    other_tag = TAG | {"prefect.resource.id": "prefect.tag.another"}
    assert trigger.covers(of_run(event, TAG))
    assert trigger.covers(of_run(event, other_tag, TAG))
    assert not trigger.covers(of_run(event, other_tag))
    assert not trigger.covers(of_run(event))
    assert not trigger.covers(of_run("prefect.flow-run.Late", TAG))


def test_the_tag_is_that_of_the_deployments():
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert [deployment["name"] for deployment in deployments if "batch-avatar" not in deployment.get("tags", [])] == []


def test_failed_scripts_and_throttled_resources_are_told():
    assert trigger_of("script-failed").covers(of_script(TAG))
    assert not trigger_of("script-failed").covers(of_script())
    assert trigger_of("throttled").covers(of_resource())


def test_a_run_that_crashed_before_it_ever_ran_is_not_run_again():
    """The flow, which counts crashes, is never reached: a folder that is missing would crash it for ever."""
    assert not trigger_of("run-again").covers(of_run("prefect.flow-run.Crashed", TAG, **{"prefect.run-count": "0"}))
    assert trigger_of("run-again").covers(of_run("prefect.flow-run.Crashed", TAG, **{"prefect.run-count": "2"}))


@pytest.mark.parametrize("stem", ["no-heartbeat", "not-started"])
@pytest.mark.parametrize("state", ["Completed", "Failed", "Crashed", "Cancelling", "Cancelled", "AwaitingRetry"])
def test_a_run_that_has_left_its_process_is_not_taken_for_dead(stem, state):
    assert trigger_of(stem).expects(f"prefect.flow-run.{state}")


@pytest.mark.parametrize("stem", ["no-heartbeat", "not-started", "run-stays-crashed", "no-run-for-a-day"])
def test_what_starts_a_wait_starts_it_anew_each_time(stem):
    """Prefect begins a new wait only at an event that is both `after` and `expect`, as long as the old one stands."""
    trigger = trigger_of(stem)
    assert trigger.after <= trigger.expect


CONTEXTS = {
    "run-failed": of_run("prefect.flow-run.Failed", TAG),
    "run-stays-crashed": of_run("prefect.flow-run.Crashed", TAG),
    "script-failed": of_script(TAG),
    "no-run-for-a-day": of_run("prefect.flow-run.Completed", TAG),
    "throttled": of_resource(),
}
SAYS = {
    "run-failed": ["render scripts", 'no heartbeat for "120" s', f"http://ui/runs/flow-run/{RUN_ID}"],
    "run-stays-crashed": ["render scripts", 'no heartbeat for "120" s', f"http://ui/runs/flow-run/{RUN_ID}"],
    "script-failed": ["welcome", "BadRequest", 'no avatar "bob"', "-1", f"http://ui/runs/flow-run/{RUN_ID}"],
    "no-run-for-a-day": ["render scripts", "24 hours", f"http://ui/runs/flow-run/{RUN_ID}"],
    "throttled": ["west", "429: too many requests", "60.0 s"],
}


def rendered(template, event):
    register_user_template_filters(all_filters)
    about_run = event is not None and (event.event.startswith("prefect.flow-run") or event.related)
    run = FlowRunResponse(id=UUID(RUN_ID), name="render scripts", flow_id=uuid4()) if about_run else None
    with temporary_settings({PREFECT_UI_URL: "http://ui"}):
        return render_user_template_sync(template, {"event": event, "flow_run": run})


@pytest.mark.parametrize("stem", NOTIFICATIONS)
def test_a_message_names_the_run_with_a_link_the_script_and_the_reason(stem):
    [action] = NOTIFICATIONS[stem].actions
    text = rendered(action.subject, CONTEXTS[stem]) + "\n" + rendered(action.body, CONTEXTS[stem])
    assert [part for part in SAYS[stem] if part not in text] == [], text
    assert "None" not in text


def test_where_no_run_has_ever_completed_there_is_no_last_one_to_name():
    [action] = NOTIFICATIONS["no-run-for-a-day"].actions
    assert rendered(action.body, None) == "Check that a worker is running and that the work pool is not paused."


@pytest.mark.parametrize("stem", NOTIFICATIONS)
def test_through_a_webhook_the_same_message_is_json(stem):
    [action] = NOTIFICATIONS[stem].actions
    [call] = sent_through(NOTIFICATIONS[stem], Channel(uuid4(), is_webhook=True)).actions
    event = CONTEXTS[stem]
    expected = rendered(action.subject, event) + "\n\n" + rendered(action.body, event)
    assert json.loads(rendered(call.payload, event)) == {"text": expected}
