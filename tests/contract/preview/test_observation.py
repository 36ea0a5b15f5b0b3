"""3.1-preview1: what the emulator counts by name, and faults that are aimed at a name."""

import pytest
import requests

from batch_avatar.emulator.faults import DropAfter, DropBefore, FailJob, FaultRule, Garbage, Status, StickJob
from batch_avatar.emulator.options import Progression
from tests.support.waiting import ANSWER_SECONDS

DROPPED = requests.exceptions.ConnectionError


def rule(operation, action, **fields):
    return FaultRule(operation=operation, action=action, **fields)


def test_creates_are_counted_by_name_and_by_id(preview):
    ids = [preview.created(name)["id"] for name in ("one", "two", "one")]
    creates = preview.emulator.stats()["creates"]
    assert creates["accepted_by_name"] == {"one": 2, "two": 1}
    assert creates["accepted_by_id"] == dict.fromkeys(ids, 1)


def test_refusals_are_counted_by_the_inner_code(start, make_preview_body):
    preview = start(creates_per_minute=1).preview
    preview.post(make_preview_body(inputs=[]))
    preview.post()
    assert preview.emulator.stats()["creates"]["refused_by_code"] == {
        "400 InvalidPayload": 1,
        "429 TooManyRequests": 1,
    }


def test_seconds_billed_twice_stand_beside_the_unique_ones(speech, make_preview_body):
    longer = make_preview_body(inputs=[{"text": "x" * 60}])
    speech.preview.finished("one")
    speech.preview.finished("one")
    speech.preview.finished("long", longer)
    speech.finished("job-1")
    stats = speech.emulator.stats()
    assert stats["billed_seconds_by_name"] == {"one": 2, "long": 4, "job-1": 1}
    assert stats["unique_seconds_by_name"] == {"one": 1, "long": 4, "job-1": 1}
    assert stats["billed_seconds"] == 7
    assert stats["unique_seconds"] == 6


def test_a_name_that_only_failed_has_no_unique_second(preview):
    preview.emulator.set_faults([rule("create", FailJob(), at_most=1)])
    preview.finished("one")
    stats = preview.emulator.stats()
    assert stats["billed_seconds_by_name"] == {"one": 1}
    assert stats["unique_seconds"] == 0
    preview.finished("one")
    stats = preview.emulator.stats()
    assert stats["billed_seconds"] == 2
    assert stats["unique_seconds_by_name"] == {"one": 1}


def test_the_history_tells_names_in_both_generations(speech):
    speech.created("job-1")
    job_id = speech.preview.created("one")["id"]
    told = [(job["id"], job["name"], job["incarnation"]) for job in speech.emulator.jobs()]
    assert told == [("job-1", "job-1", 0), (job_id, "one", 0)]
    speech.preview.created("one")
    assert speech.emulator.jobs()[-1]["incarnation"] == 1


def test_the_request_log_tells_names_as_far_as_they_are_known(speech):
    job_id = speech.preview.finished("one")["id"]
    speech.preview.list()
    speech.preview.delete(job_id)
    speech.preview.get(job_id)
    speech.preview.get("absent")
    speech.get("job-1")
    told = [(entry["operation"], entry["job_id"], entry["name"]) for entry in speech.emulator.requests()]
    assert told == [
        ("create", None, "one"),
        ("get", job_id, "one"),
        ("list", None, None),
        ("delete", job_id, "one"),
        ("get", job_id, "one"),
        ("get", "absent", None),
        ("get", "job-1", "job-1"),
    ]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"displayName": 7}', b"{", b'{"displayName": "\xff"}'])
def test_a_body_without_a_readable_name_is_refused_and_logged_without_one(preview, body):
    answer = preview.call("POST", preview.url(), data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert preview.emulator.requests()[-1]["name"] is None


def test_an_endless_body_is_not_searched_for_its_name(start):
    preview = start(body_limit_bytes=1000).preview
    body = b'{"displayName": "one", "description": "' + b"x" * 3_000_000 + b'"}'
    answer = preview.call("POST", preview.url(), data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert "larger than 1000 bytes" in answer.json()["message"]
    assert preview.emulator.requests()[-1]["name"] is None


def test_a_create_is_chosen_by_its_name(preview):
    preview.emulator.set_faults([rule("create", DropBefore(), job_id="^one$")])
    with pytest.raises(DROPPED):
        preview.created("one")
    preview.created("two")
    assert preview.emulator.stats()["creates"]["accepted_by_name"] == {"two": 1}


def test_a_lost_answer_leaves_a_job_that_only_the_list_shows(preview):
    preview.emulator.set_faults([rule("create", DropAfter(), job_id="one", at_most=1)])
    with pytest.raises(DROPPED):
        preview.created("one")
    assert preview.names() == ["one"]
    preview.created("one")
    assert preview.names() == ["one", "one"]


def test_a_job_fault_is_chosen_by_the_name_and_never_by_the_id(preview):
    preview.emulator.set_faults([rule("create", FailJob(), job_id="^[0-9a-f]{8}-|unlucky")])
    assert preview.finished("unlucky-1")["status"] == "Failed"
    assert preview.finished("episode")["status"] == "Succeeded"


@pytest.mark.parametrize("by", ["id", "name"])
@pytest.mark.parametrize("operation", ["get", "delete"])
def test_reads_and_deletes_are_chosen_by_id_or_name(preview, operation, by):
    one, two = preview.finished("one"), preview.finished("two")
    aim = one["id"] if by == "id" else "^one$"
    preview.emulator.set_faults([rule(operation, DropBefore(), job_id=aim)])
    act = preview.get if operation == "get" else preview.delete
    with pytest.raises(DROPPED):
        act(one["id"])
    assert act(two["id"]).status_code < 300


def test_a_download_is_chosen_by_the_name(start):
    preview = start(storage_front=True).preview
    one, two = preview.finished("one"), preview.finished("two")
    preview.emulator.set_faults([rule("download", Status(status=403, shape="storage_xml"), job_id="^one$")])
    statuses = [requests.get(job["outputs"]["result"], timeout=ANSWER_SECONDS).status_code for job in (one, two)]
    assert statuses == [403, 200]
    assert [entry["name"] for entry in preview.emulator.requests("download")] == ["one", "two"]


def test_a_stuck_job_is_released_by_its_name(preview):
    preview.emulator.set_faults([rule("create", StickJob())])
    ids = [preview.created(name)["id"] for name in ("one", "one", "two")]
    assert preview.emulator.release("one") == 2
    preview.emulator.settle()
    assert [preview.get(job_id).json()["status"] for job_id in ids] == ["Succeeded", "Succeeded", "NotStarted"]


def test_an_injected_error_has_the_shape_of_this_generation_unless_the_rule_names_one(preview):
    preview.emulator.set_faults([rule("list", Status(status=500, message="M"))])
    assert preview.list().json() == {
        "code": "InternalServerError",
        "message": "M",
        "innerError": {"code": "UnexpectedError", "message": "M"},
    }
    preview.emulator.set_faults([rule("list", Status(status=503, code="C", message="M", shape="ga"))])
    answer = preview.call("GET", preview.url(), shape="error")
    assert answer.json() == {"error": {"code": "C", "message": "M"}}


def test_an_error_after_the_effect_leaves_a_job_behind(preview):
    preview.emulator.set_faults([rule("create", Status(status=500, after_effect=True))])
    answer = preview.post()
    assert answer.status_code == 500
    assert answer.json()["innerError"]["code"] == "UnexpectedError"
    assert preview.names() == ["episode-1"]


@pytest.mark.parametrize("body", ["html", "empty", "not_an_object"])
def test_garbage_is_no_list(preview, body):
    preview.created()
    preview.emulator.set_faults([rule("list", Garbage(body=body))])
    answer = preview.call("GET", preview.url())
    assert answer.status_code == 200
    assert b"values" not in answer.content


def test_drawn_run_times_follow_seed_and_name_and_not_the_id(start):
    def spans(seed):
        preview = start(seed=seed, progression=Progression.lognormal(mean_seconds=100, start_delay=0)).preview
        for name in ("one", "two", "one"):
            preview.created(name)
        preview.emulator.settle()
        preview.emulator.advance(100_000)
        jobs = preview.emulator.jobs()
        assert {job["status"] for job in jobs} == {"Succeeded"}
        return [job["run_seconds"] for job in jobs]

    first = spans(1)
    assert first == pytest.approx(spans(1), abs=0.001)
    assert first != pytest.approx(spans(2), abs=0.001)
    assert first[0] != pytest.approx(first[2], abs=0.001)
