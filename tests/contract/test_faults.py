"""Every fault, and how rules choose."""

import contextlib
import json

import pytest
import requests
from pydantic import ValidationError

from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.faults import (
    Change,
    Cut,
    Delay,
    DropAfter,
    DropBefore,
    FailJob,
    FaultRule,
    Faults,
    Garbage,
    Slow,
    Status,
    StickJob,
)
from batch_avatar.emulator.options import Progression
from tests.support.waiting import ANSWER_SECONDS

DROPPED = requests.exceptions.ConnectionError


def rule(operation, action, **options):
    return FaultRule(operation=operation, action=action, **options)


def test_a_status_fault_answers_with_code_message_and_wait(speech):
    action = Status(status=503, code="ServiceUnavailable", message="Busy.", retry_after_seconds=7)
    speech.emulator.set_faults([rule("get", action)])
    answer = speech.get()
    assert answer.status_code == 503
    assert answer.json() == {"error": {"code": "ServiceUnavailable", "message": "Busy."}}
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize(("after", "accepted"), [(False, 0), (True, 1)])
def test_a_failed_create_may_or_may_not_have_had_its_effect(speech, after, accepted):
    speech.emulator.set_faults([rule("create", Status(status=500, after_effect=after))])
    assert speech.put().status_code == 500
    assert speech.emulator.stats()["creates"]["accepted"] == accepted


@pytest.mark.parametrize(("action", "accepted"), [(DropBefore(), 0), (DropAfter(), 1)])
def test_a_dropped_create_may_or_may_not_have_had_its_effect(speech, action, accepted):
    speech.emulator.set_faults([rule("create", action, at_most=1)])
    with pytest.raises(DROPPED):
        speech.put()
    assert speech.emulator.stats()["creates"]["accepted"] == accepted
    assert speech.emulator.stats()["requests"]["create"] == {"dropped": 1}
    assert speech.get().status_code == (200 if accepted else 404)


def test_a_change_shows_other_members_in_a_job_and_in_those_of_a_list_that_it_means(speech):
    speech.put("one-job")
    speech.put("two-job")
    members = {"description": "another", "properties.timeToLiveInHours": 7}  # right at any time of a job's life
    rules = [rule("get", Change(members=members)), rule("list", Change(members=members, matching="^one"))]
    speech.emulator.set_faults(rules)

    job = speech.get("two-job").json()
    assert (job["description"], job["properties"]["timeToLiveInHours"]) == ("another", 7)
    shown = {job["id"]: job["properties"]["timeToLiveInHours"] for job in speech.list().json()["value"]}
    assert (shown["one-job"], shown["two-job"]) == (7, 744)


def test_a_dropped_delete_may_have_had_its_effect(speech):
    speech.finished()
    speech.emulator.set_faults([rule("delete", DropAfter())])
    with pytest.raises(DROPPED):
        speech.delete()
    assert speech.get().status_code == 404


@pytest.mark.parametrize("body", ["html", "truncated_json", "empty", "not_an_object"])
def test_garbage_is_no_job(speech, body):
    speech.created()
    speech.emulator.set_faults([rule("get", Garbage(body=body))])
    answer = speech.call("GET", speech.url("job-1"))
    assert answer.status_code == 200
    with contextlib.suppress(ValueError):
        assert not isinstance(json.loads(answer.content), dict)


def test_a_cut_body_announces_the_whole_length(speech):
    speech.created()
    speech.emulator.set_faults([rule("get", Cut(fraction=0.5))])
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        speech.get()


def test_a_delay_waits_and_goes_on(start):
    speech = start(grace_seconds=0)  # the long delay is under way when it stops
    speech.created()
    speech.emulator.set_faults([rule("get", Delay(seconds=60))])
    with pytest.raises(requests.exceptions.ReadTimeout):
        speech.session.get(speech.url("job-1"), params={"api-version": "2024-08-01"}, timeout=(ANSWER_SECONDS, 0.05))
    speech.emulator.set_faults([rule("get", Delay(seconds=0.2))])
    assert speech.get().elapsed.total_seconds() >= 0.2


def test_a_stuck_job_stays_where_it_is_until_released(speech):
    speech.emulator.set_faults([rule("create", StickJob(status="Running"), job_id="^stuck")])
    speech.created("stuck-1")
    speech.created("job-1")
    speech.emulator.settle()
    speech.emulator.advance(100_000)
    assert speech.status("job-1") == "Succeeded"
    assert speech.status("stuck-1") == "Running"
    assert speech.delete("stuck-1").status_code == 400
    assert speech.emulator.release("stuck-1") == 1
    assert speech.status("stuck-1") == "Succeeded"


def test_a_stuck_job_can_finish_late_by_itself(start):
    speech = start(progression=Progression.after_seconds(start_delay=1, overhead=10, per_video_second=0))
    speech.emulator.set_faults([rule("create", StickJob(release_after_seconds=3600))])
    speech.created()
    speech.emulator.settle()
    speech.emulator.advance(3599)
    assert speech.status() == "NotStarted"
    speech.emulator.advance(2)
    assert speech.status() == "Running"
    speech.emulator.advance(10)
    assert speech.status() == "Succeeded"


def test_clearing_the_rules_does_not_heal_a_chosen_job(speech):
    speech.emulator.set_faults([rule("create", FailJob(code="X"))])
    speech.created()
    speech.emulator.clear_faults()
    speech.emulator.settle()
    assert speech.status() == "Failed"


def test_rules_skip_stop_and_select():
    faults = Faults([rule("get", DropBefore(), job_id="^a", skip_first=1, at_most=2)])
    fired = [faults.for_request("get", "abc") is not None for _ in range(5)]
    assert fired == [False, True, True, False, False]
    assert faults.for_request("get", "xyz") is None
    assert faults.for_request("list", None) is None
    assert faults.report()[0]["matched"] == 5
    assert faults.report()[0]["fired"] == 2


def test_the_first_rule_that_fires_decides():
    faults = Faults([rule("any", DropBefore(), at_most=1), rule("get", DropAfter())])
    kinds = [faults.for_request("get", "abc").kind for _ in range(2)]
    assert kinds == ["drop_before", "drop_after"]


def test_probabilities_follow_the_seed():
    def draw(seed):
        faults = Faults([rule("get", DropBefore(), probability=0.5)], seed=seed)
        return [faults.for_request("get", "abc") is not None for _ in range(40)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert 10 < sum(draw(1)) < 30


def test_job_faults_and_request_faults_are_drawn_apart():
    faults = Faults([rule("create", FailJob()), rule("create", DropAfter())])
    assert faults.for_request("create", "abc").kind == "drop_after"
    assert faults.for_job("abc").kind == "fail_job"


@pytest.mark.parametrize(
    "fields",
    [
        {"operation": "get", "action": FailJob()},
        {"operation": "get", "action": Slow(bytes_per_second=1)},
        {"operation": "get", "action": DropBefore(), "job_id": "("},
        {"operation": "gett", "action": DropBefore()},
        {"operation": "get", "action": {"kind": "explode"}},
        {"operation": "get", "action": DropBefore(), "often": True},
    ],
    ids=str,
)
def test_a_senseless_rule_is_refused(fields):
    with pytest.raises(ValidationError):
        FaultRule(**fields)


def test_rules_travel_as_json():
    rules = [rule("get", Garbage(body="html"), job_id="a"), rule("create", StickJob())]
    assert [FaultRule.model_validate_json(item.model_dump_json()) for item in rules] == rules


@pytest.mark.parametrize(
    ("shape", "kind", "expected"),
    [
        ("ga", "json", {"error": {"code": "C", "message": "M"}}),
        ("gateway", "json", {"error": {"code": "418", "message": "M"}}),
        (
            "preview_flat",
            "json",
            {"code": "InvalidRequest", "message": "M", "innerError": {"code": "C", "message": "M"}},
        ),
        ("problem_details", "problem+json", None),
        ("storage_xml", "xml", None),
    ],
)
def test_errors_have_five_shapes(speech, shape, kind, expected):
    speech.emulator.set_faults([rule("get", Status(status=418, code="C", message="M", shape=shape))])
    answer = speech.session.get(speech.url("job-1"), params={"api-version": "2024-08-01"}, timeout=ANSWER_SECONDS)
    assert answer.status_code == 418
    assert kind in answer.headers["Content-Type"]
    if expected is not None:
        assert answer.json() == expected
    elif shape == "problem_details":
        assert answer.json()["errors"] == {"": ["M"]}
    else:
        assert b"<Error><Code>C</Code><Message>M</Message></Error>" in answer.content


def test_text_in_xml_is_escaped():
    assert b"&lt;b&gt;" in ApiError(400, "C", "<b>", shape="storage_xml").body()
