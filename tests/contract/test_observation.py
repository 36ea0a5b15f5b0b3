"""What the emulator counts, and how it is driven over HTTP."""

import pytest
import requests

from batch_avatar.emulator.faults import DropBefore, FailJob, FaultRule, StickJob
from tests.support.waiting import ANSWER_SECONDS


@pytest.fixture
def admin(speech):
    def call(method, path, **options):
        url = f"{speech.emulator.endpoint}/emulator/{path}"
        return requests.request(method, url, timeout=ANSWER_SECONDS, **options)

    return call


def test_stats_tell_creates_requests_bills_and_deletes(speech, admin, make_body):
    speech.finished("job-1")
    speech.put("job-1")
    speech.put("job-2", make_body(inputs=[]))
    speech.delete("job-1")
    stats = admin("GET", "stats").json()
    assert stats == speech.emulator.stats()
    assert stats["creates"] == {
        "accepted": 1,
        "accepted_by_id": {"job-1": 1},
        "accepted_by_name": {"job-1": 1},
        "packs": 0,
        "inputs": 1,
        "refused": 2,
        "refused_by_code": {"409 Conflict": 1, "400 BadRequest": 1},
    }
    assert stats["requests"] == {
        "create": {"201": 1, "409": 1, "400": 1},
        "get": {"200": 1},
        "delete": {"204": 1},
    }
    assert stats["requests_total"] == 5
    assert stats["deletes"] == 1
    assert stats["billed_seconds"] == 1
    assert stats["billed_characters"] == 29
    assert stats["unfinished"] == 0


def test_failed_jobs_are_billed_apart(speech):
    speech.emulator.set_faults([FaultRule(operation="create", action=FailJob(), job_id="2")])
    speech.finished("job-1")
    speech.finished("job-2")
    billed = speech.emulator.stats()["billed"]
    assert billed["succeeded"]["jobs"] == billed["failed"]["jobs"] == 1


def test_a_job_is_billed_once_however_often_it_is_read(speech):
    speech.finished()
    for _ in range(5):
        speech.get()
        speech.list()
        speech.emulator.stats()
    assert speech.emulator.stats()["billed"]["succeeded"]["jobs"] == 1


def test_the_history_keeps_deleted_jobs(speech, admin):
    speech.finished()
    speech.delete()
    (job,) = admin("GET", "jobs").json()["jobs"]
    assert job["id"] == "job-1"
    assert job["deleted"]
    assert job["removed"] == "deleted"
    assert [blob["role"] for blob in job["outputs"]] == ["video", "summary"]
    assert job["billed"]["seconds"] == 1
    assert job["first_reported_terminal"]


def test_the_request_log_tells_names_of_headers_but_no_values(speech, admin):
    speech.get()
    (entry,) = admin("GET", "requests", params={"operation": "get"}).json()["requests"]
    assert entry["job_id"] == "job-1"
    assert entry["status"] == 404
    assert "ocp-apim-subscription-key" in entry["header_names"]
    assert speech.emulator.key not in str(entry)


def test_the_request_log_is_bounded(start):
    speech = start(request_log_size=3)
    for _ in range(5):
        speech.list()
    assert len(speech.emulator.requests()) == 3
    assert speech.emulator.stats()["requests_total"] == 5


def test_faults_are_set_and_cleared_over_http(speech, admin):
    rule = FaultRule(operation="get", action=DropBefore()).model_dump(mode="json")
    assert admin("POST", "faults", json=[rule]).json()["faults"][0]["rule"] == rule
    with pytest.raises(requests.exceptions.ConnectionError):
        speech.get()
    assert speech.emulator.stats()["faults"][0]["fired"] == 1
    assert admin("DELETE", "faults").json() == {"faults": []}
    assert speech.get().status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", [{"operation": "get"}]),
        ("faults", {"operation": "get"}),
        ("faults", [{"operation": "download", "action": {"kind": "drop_before"}}]),
        ("clock", {"advance_seconds": -1}),
        ("clock", {}),
    ],
)
def test_senseless_orders_are_refused(admin, path, body):
    answer = admin("POST", path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "BadRequest"


def test_the_clock_is_stepped_over_http(admin):
    before = admin("GET", "health").json()["time"]
    after = admin("POST", "clock", json={"advance_seconds": 3600}).json()["time"]
    assert int(after[11:13]) == (int(before[11:13]) + 1) % 24
    assert after[14:] == before[14:]
    assert admin("GET", "health").json() == {"status": "ok", "time": after}


def test_stuck_jobs_are_released_over_http(speech, admin):
    speech.emulator.set_faults([FaultRule(operation="create", action=StickJob())])
    speech.created()
    assert admin("POST", "release").json() == {"released": 1}
    assert admin("POST", "release").json() == {"released": 0}


def test_driving_the_emulator_is_not_counted_as_a_request(speech, admin):
    admin("GET", "stats")
    admin("GET", "nothing")
    assert speech.emulator.stats()["requests_total"] == 0
