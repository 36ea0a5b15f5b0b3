"""Results in the user's own container."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import generate_blob_sas

from batch_avatar.emulator.faults import FailJob, FaultRule, StickJob
from batch_avatar.emulator.options import Progression

TWO = [{"content": "First."}, {"content": "Second, a little longer."}]


def test_several_inputs_are_numbered_in_order_under_the_internal_id(speech, make_body, sign, container, check_schema):
    job = speech.finished(body=make_body(inputs=TWO, properties={"destinationContainerUrl": sign()}))
    folder = job["internalId"]
    assert sorted(container.list_blob_names()) == [
        f"{folder}/0001.mp4",
        f"{folder}/0002.mp4",
        f"{folder}/summary.json",
    ]
    assert job["outputs"] == {"result": folder, "summary": f"{folder}/summary.json"}
    assert job["properties"]["succeededCount"] == 2
    assert job["properties"]["durationInMilliseconds"] == 1000 + 1600
    with container.get_blob_client(f"{folder}/summary.json") as blob:
        summary = json.loads(blob.download_blob().readall())
    check_schema(summary, "summary")
    assert [result["texts"] for result in summary["results"]] == [["First."], ["Second, a little longer."]]


def test_the_destination_path_is_put_before_the_internal_id(speech, make_body, sign, container):
    properties = {"destinationContainerUrl": sign(), "destinationPath": "a/b/"}
    job = speech.finished(body=make_body(properties=properties))
    assert job["outputs"]["result"] == f"a/b/{job['internalId']}"
    assert f"a/b/{job['internalId']}/0001.mp4" in container.list_blob_names()


def test_the_container_url_is_never_shown_again(speech, make_body, sign):
    body = make_body(properties={"destinationContainerUrl": sign()})
    assert "sig=" not in speech.put(body=body).text
    speech.emulator.settle()
    assert "sig=" not in speech.get().text
    assert "sig=" not in speech.list().text
    assert "sig=" not in str(speech.emulator.jobs())


def test_checking_the_container_leaves_nothing_in_it(start, make_body, sign, container):
    speech = start()
    speech.created(body=make_body(properties={"destinationContainerUrl": sign()}))
    speech.emulator.settle()
    assert len(list(container.list_blob_names())) == 2


@pytest.mark.parametrize(
    "fault",
    ["expired", "read_only", "stored_policy", "unsigned", "other_host", "tampered", "blob", "no_url"],
)
def test_a_link_that_cannot_be_written_to_is_refused_as_problem_details(speech, make_body, sign, container, fault):
    good = sign()
    urls = {
        "expired": lambda: sign(hours=-0.1),
        "read_only": lambda: sign(permission="rl"),
        "stored_policy": lambda: sign(policy_id="policy"),
        "unsigned": lambda: container.url,
        "other_host": lambda: good.replace("127.0.0.1", "storage.example.com"),
        "tampered": lambda: good.replace("sig=", "sig=A"),
        "blob": lambda: _sign_blob(container),
        "no_url": lambda: "container",
    }
    body = make_body(properties={"destinationContainerUrl": urls[fault]()})
    answer = speech.put(body=body, shape="problemDetails")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["Properties.DestinationContainerUrl"]
    assert speech.get().status_code == 404


def _sign_blob(container):
    signature = generate_blob_sas(
        container.account_name,
        container.container_name,
        "x",
        account_key=container.credential.account_key,
        permission="rw",
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    return f"{container.url}?{signature}"


@pytest.mark.parametrize("taken", [True, False])
def test_delete_takes_the_users_blobs_along_unless_switched_off(start, make_body, sign, container, taken):
    speech = start(delete_destination_blobs=taken)
    speech.finished(body=make_body(properties={"destinationContainerUrl": sign()}))
    assert speech.delete().status_code == 204
    assert len(list(container.list_blob_names())) == (0 if taken else 2)


def test_a_container_url_that_expires_before_the_end_makes_the_job_fail(start, pack, sign, container):
    speech = start(progression=Progression.after_seconds(start_delay=0, overhead=3600, per_video_second=0))
    speech.created("early", pack("First.", "Second.", signed=sign(hours=1.1)))
    speech.created("late", pack("First.", "Second.", signed=sign(hours=0.9)))
    speech.emulator.settle()
    assert len(list(container.list_blob_names())) == 3
    speech.emulator.advance(3540)
    assert speech.status("late") == "Running"
    speech.emulator.advance(61)
    assert speech.status("early") == "Succeeded"
    job = speech.get("late").json()
    assert job["status"] == "Failed"
    assert job["properties"]["error"]["code"] == "InvalidRequest"
    assert job["properties"]["failedCount"] == 2
    assert "outputs" not in job
    assert speech.emulator.stats()["billed"]["failed"]["milliseconds"] == 2000


def test_a_job_that_fails_anyway_writes_no_summary_after_the_expiry(start, pack, sign, container):
    progression = Progression.after_seconds(start_delay=0, overhead=3600, per_video_second=0)
    speech = start(progression=progression, faults=(FaultRule(operation="create", action=FailJob(code="Bad")),))
    speech.created(body=pack("First.", "Second.", signed=sign(hours=0.9)))
    speech.emulator.settle()
    speech.emulator.advance(3601)
    job = speech.get().json()
    assert job["properties"]["error"]["code"] == "Bad"
    assert "outputs" not in job
    assert list(container.list_blob_names()) == []


def test_a_scaled_clock_brings_the_expiry_nearer_only_in_service_time(start, pack, sign):
    progression = Progression.after_seconds(start_delay=0, overhead=3600, per_video_second=0)
    speech = start(progression=progression, time_scale=10)
    speech.created(body=pack("First.", "Second.", signed=sign(hours=0.2)))
    speech.emulator.settle()
    speech.emulator.advance(3700)
    assert speech.status() == "Succeeded"


@pytest.mark.parametrize("gone", ["before", "within"])
def test_a_container_that_can_no_longer_be_written_to_makes_the_job_fail(start, pack, container, gone):
    speech = start(faults=(FaultRule(operation="create", action=StickJob()),))
    speech.created(body=pack("First.", "Second."))
    if gone == "before":
        container.delete_container()
    else:  # as far as the second video: somebody holds a lease on a blob of its name
        name = f"{speech.emulator.jobs()[0]['internal_id']}/0002.mp4"
        with container.get_blob_client(name) as blob:
            blob.upload_blob(b"taken")
            blob.acquire_lease()
    speech.emulator.release()
    speech.emulator.settle()
    job = speech.get().json()
    assert job["status"] == "Failed"
    assert job["properties"]["error"]["code"] == "InvalidRequest"
    assert "outputs" not in job
    assert [one["video"] for one in speech.emulator.jobs()[0]["inputs"]] == [None, None]
    if gone == "within":
        assert list(container.list_blob_names()) == [name]


def test_jobs_with_their_own_container_can_stick(start, pack, container):
    speech = start(destination_jobs_stick=True)
    speech.created(body=pack("First.", "Second."))
    assert speech.finished("job-2")["status"] == "Succeeded"
    speech.emulator.advance(3000)
    assert speech.status() == "NotStarted"
    assert list(container.list_blob_names()) == []
    assert speech.emulator.release() == 1
    speech.emulator.settle()
    assert speech.status() == "Succeeded"
    assert len(list(container.list_blob_names())) == 3


@pytest.mark.parametrize("status", ["NotStarted", "Running"])
def test_a_stuck_job_writes_into_the_users_container_only_when_it_is_released(start, pack, container, status):
    stuck = StickJob(status=status, release_after_seconds=60)
    progression = Progression.after_seconds(start_delay=0, overhead=5, per_video_second=0)
    speech = start(progression=progression, faults=(FaultRule(operation="create", action=stuck),))
    speech.created(body=pack("First.", "Second."))
    speech.emulator.advance(30)
    assert speech.status() == status
    speech.emulator.settle()
    assert list(container.list_blob_names()) == []
    speech.emulator.advance(40)
    speech.get()
    speech.emulator.settle()
    assert speech.status() == "Succeeded"
    assert len(list(container.list_blob_names())) == 3


def test_videos_in_the_users_container_carry_no_checksum_of_the_whole(speech, pack, container):
    speech.finished(body=pack("First.", "Second."))
    assert {blob.content_settings.content_md5 for blob in container.list_blobs()} == {None}
