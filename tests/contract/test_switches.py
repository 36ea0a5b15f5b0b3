"""Each open question of the contract, each way; the first of every group is the default."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from batch_avatar.emulator.options import EmulatorOptions, Progression
from tests.support.waiting import ANSWER_SECONDS

UNFINISHED = Progression.after_reads(1000)


def test_the_defaults_are_the_hostile_ones():
    options = EmulatorOptions()
    assert options.repeat_put == "conflict"
    assert options.delete_unfinished == "refuse"
    assert options.list_lag_seconds == 2
    assert options.creates_per_minute == 2
    assert options.refused_creates_count
    assert options.vary_bytes
    assert not options.content_md5


def test_a_repeated_put_is_a_conflict_by_default(speech):
    first = speech.created()
    again = speech.put()
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "Conflict"
    assert speech.get().json()["internalId"] == first["internalId"]


def test_a_repeated_put_can_answer_with_the_old_job(start):
    speech = start(repeat_put="existing")
    first = speech.finished()
    again = speech.put()
    assert again.status_code == 201
    assert again.json()["internalId"] == first["internalId"]
    assert again.json()["status"] == "Succeeded"
    assert speech.emulator.stats()["creates"]["accepted"] == 1


def test_a_repeated_put_can_replace_and_bill_again(start):
    speech = start(repeat_put="replace")
    first = speech.finished()
    second = speech.finished()
    assert second["internalId"] != first["internalId"]
    stats = speech.emulator.stats()
    assert stats["creates"]["accepted_by_id"] == {"job-1": 2}
    assert stats["billed"]["succeeded"]["jobs"] == 2
    assert stats["replaced"] == 1
    assert speech.ids() == ["job-1"]


def test_a_repeated_put_can_be_a_bad_request(start):
    speech = start(repeat_put="bad_request")
    speech.created()
    assert speech.put().status_code == 400


def test_an_id_is_free_again_after_delete(speech):
    speech.finished()
    speech.delete()
    assert speech.created()["status"] == "NotStarted"
    assert [job["incarnation"] for job in speech.emulator.jobs()] == [0, 1]


def test_delete_of_an_unfinished_job_is_refused_by_default(start):
    speech = start(progression=UNFINISHED)
    speech.created()
    assert speech.delete().status_code == 400
    assert speech.get().status_code == 200


def test_delete_of_an_unfinished_job_can_be_accepted(start):
    speech = start(progression=UNFINISHED, delete_unfinished="accept")
    speech.created()
    assert speech.delete().status_code == 204
    assert speech.get().status_code == 404
    assert speech.emulator.stats()["billed"]["cancelled"]["jobs"] == 1
    assert speech.emulator.stats()["unfinished"] == 0


def test_get_of_an_absent_job_is_404_by_default(speech):
    answer = speech.get()
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NotFound"


def test_get_of_an_absent_job_can_be_204(start):
    assert start(get_absent=204).get().status_code == 204


def test_delete_of_an_absent_job_is_204_by_default(speech):
    assert speech.delete().status_code == 204


def test_delete_of_an_absent_job_can_be_404(start):
    assert start(delete_absent=404).delete().status_code == 404


@pytest.mark.parametrize("status", [400, 404])
def test_a_missing_or_unknown_version_is_refused(start, status):
    speech = start(bad_version_status=status) if status != 400 else start()
    for params in ({}, {"api-version": "2099-01-01"}):
        assert speech.call("GET", speech.url(), params=params).status_code == status


def test_a_time_to_live_out_of_range_is_refused_or_gets_the_nearest(start, make_body):
    speech = start(smallest_ttl_hours=24)
    for hours in (0, 23, 745):
        assert speech.put(body=make_body(properties__timeToLiveInHours=hours)).status_code == 400
    assert speech.put(body=make_body(properties__timeToLiveInHours=24)).status_code == 201

    speech = start(smallest_ttl_hours=24, ttl_out_of_range="clamp")
    for hours, shown in ((0, 24), (23, 24), (100, 100), (745, 744)):
        job = speech.created(f"job-{hours}", make_body(properties__timeToLiveInHours=hours))
        assert job["properties"]["timeToLiveInHours"] == shown
    assert speech.put(body=make_body(properties__timeToLiveInHours="1")).status_code == 400


@pytest.mark.parametrize(("container", "codec", "other"), [("mp4", "vp9", "h264"), ("webm", "h264", "vp9")])
def test_a_codec_that_does_not_fit_is_refused_or_another_takes_its_place(start, make_body, container, codec, other):
    body = make_body(avatarConfig__videoFormat=container, avatarConfig__videoCodec=codec)
    assert start().put(body=body).status_code == 400

    job = start(codec_mismatch="substitute").finished(body=body)
    assert job["avatarConfig"]["videoCodec"] == other
    assert job["status"] == "Succeeded"


def test_the_limit_counts_creates_or_all_requests(start):
    speech = start(creates_per_minute=2)
    assert [speech.get().status_code for _ in range(4)] == [404] * 4

    speech = start(creates_per_minute=2, limited_requests="all")
    assert [speech.get().status_code, speech.delete().status_code] == [404, 204]
    assert [speech.put().status_code, speech.list().status_code] == [429, 429]
    assert speech.list().headers["Retry-After"] == "60"
    speech.emulator.advance(60)
    assert speech.put().status_code == 201


def test_an_identical_repeat_with_its_operation_id_gets_the_first_result(speech):
    first = speech.created(headers={"Operation-Id": "operation-1"})
    again = speech.created(headers={"Operation-Id": "operation-1"})
    assert again["internalId"] == first["internalId"]
    assert speech.emulator.stats()["creates"]["accepted"] == 1


def test_operation_id_replay_can_be_off(start):
    speech = start(operation_id_replay="as_new")
    speech.created(headers={"Operation-Id": "operation-1"})
    assert speech.put(headers={"Operation-Id": "operation-1"}).status_code == 409


def test_an_operation_id_with_another_body_is_refused(speech, make_body):
    speech.created(headers={"Operation-Id": "operation-1"})
    answer = speech.put(body=make_body(description="other"), headers={"Operation-Id": "operation-1"})
    assert answer.status_code == 400
    assert answer.json()["error"]["target"] == "Operation-Id"
    assert speech.put("job-2", headers={"Operation-Id": "operation-1"}).status_code == 400


@pytest.mark.parametrize("operation_id", ["ab", "-abc", "a" * 65])
def test_an_operation_id_follows_the_rule_of_ids(shared, fresh_id, operation_id):
    assert shared.put(fresh_id, headers={"Operation-Id": operation_id}).status_code == 400


def test_two_renders_of_one_text_differ_by_default(start):
    def digests(**options):
        speech = start(**options)
        speech.finished("job-1")
        speech.finished("job-2")
        return [job["outputs"][0]["sha256"] for job in speech.emulator.jobs()]

    first, second = digests()
    assert first != second
    first, second = digests(vary_bytes=False)
    assert first == second


def test_links_are_minted_per_read_or_once(start):
    speech = start(storage_front=True)
    first = speech.finished()["outputs"]["result"]
    speech.emulator.advance(60)
    assert speech.get().json()["outputs"]["result"] != first

    speech = start(storage_front=True, links_minted="once")
    first = speech.finished()["outputs"]["result"]
    speech.emulator.advance(60)
    assert speech.get().json()["outputs"]["result"] == first


def test_failed_jobs_are_billed_unless_switched_off(start):
    from batch_avatar.emulator.faults import FailJob, FaultRule

    for switch, seconds in ((True, 1), (False, 0)):
        speech = start(bill_failed_jobs=switch, faults=(FaultRule(operation="create", action=FailJob()),))
        assert speech.finished()["status"] == "Failed"
        stats = speech.emulator.stats()
        assert stats["billed"]["failed"]["jobs"] == 1
        assert stats["billed"]["failed"]["seconds"] == stats["billed_seconds"] == seconds


def test_of_many_racing_creates_of_one_id_exactly_one_is_accepted(start, make_body):
    speech = start()

    def create(_):
        headers = {"Ocp-Apim-Subscription-Key": speech.emulator.key}
        params = {"api-version": "2024-08-01"}
        return requests.put(
            speech.url("job-1"), json=make_body(), params=params, headers=headers, timeout=ANSWER_SECONDS
        ).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(16)))
    assert statuses == [201] + [409] * 15
    assert speech.emulator.stats()["creates"]["accepted_by_id"] == {"job-1": 1}
