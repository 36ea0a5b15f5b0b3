"""One batch after another through the core, judged by what the service and the archive hold."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from batch_avatar.emulator.faults import AbortJob, Cut, DropAfter, FailJob, FaultRule, Garbage, Status, StickJob
from batch_avatar.emulator.options import Progression
from tests.support.independent_decoder import decode_errors, probe


def test_a_script_becomes_a_verified_video_with_a_receipt_and_its_job_is_deleted(bench, script):
    b = bench(media="real")
    report = b.render([script()])
    assert (report.archived, report.scripts) == (1, 1)
    receipt = b.receipts()["intro"]
    blobs = b.blobs()
    video = blobs[receipt["video"]["blob_name"]]
    assert hashlib.sha256(video).hexdigest() == receipt["video"]["sha256"]
    assert (
        base64.b64encode(hashlib.md5(video, usedforsecurity=False).digest()).decode() == receipt["video"]["content_md5"]
    )
    assert decode_errors(video) == ""
    seen = probe(video)
    assert (seen.video_codec, seen.audio_codec) == ("h264", "aac")
    assert seen.duration_seconds == pytest.approx(receipt["duration_milliseconds"] / 1000, abs=0.1)
    assert receipt["billed_seconds"] == receipt["duration_milliseconds"] // 1000 == report.billed_seconds
    summary = json.loads(blobs[receipt["summary"]["blob_name"]])
    assert summary["status"] == "Succeeded"
    assert b.emulator.stats()["jobs"] == 0
    with b.container() as container:
        properties = container.get_blob_client(receipt["video"]["blob_name"]).get_blob_properties()
    assert properties.content_settings.content_type == "video/mp4"
    assert bytes(properties.content_settings.content_md5) == hashlib.md5(video, usedforsecurity=False).digest()
    assert properties.metadata["sha256"] == receipt["video"]["sha256"]


@pytest.mark.parametrize(
    ("members", "codec", "ending"),
    [
        ({"video_codec": "hevc"}, "hevc", "mp4"),
        ({"video_format": "webm"}, "vp9", "webm"),
        ({"background_color": "#00000000"}, "vp9", "webm"),
    ],
)
def test_every_usual_look_arrives_playable(bench, script, members, codec, ending):
    b = bench(media="real")
    report = b.render([script(**members)])
    assert report.archived == 1
    name, video = next((name, blob) for name, blob in b.blobs().items() if f"video.{ending}" in name)
    assert decode_errors(video) == ""
    assert probe(video).video_codec == codec, name


def test_a_second_run_creates_nothing_and_bills_nothing(bench, script):
    b = bench()
    scripts = [script(f"s{number}") for number in range(5)]
    b.render(scripts)
    again = b.render(scripts)
    assert (again.skipped, again.archived, again.billed_seconds) == (5, 0, 0)
    assert b.emulator.stats()["creates"]["accepted"] == 5


def test_a_changed_script_is_rendered_anew_beside_the_old_video(bench, script):
    b = bench()
    b.render([script()])
    changed = script(content="It has eight.")
    assert [item.state for item in b.plan([changed]).items] == ["changed"]
    assert b.render([changed]).archived == 1
    assert sum(name.endswith("video.mp4") for name in b.blobs()) == 2


def test_fifty_scripts_survive_a_bad_day_of_the_service(bench, script):
    b = bench(
        storage_front=True,
        seed=7,
        faults=(
            FaultRule(operation="get", probability=0.2, action=Status(status=503, code="ServiceUnavailable")),
            FaultRule(operation="list", probability=0.2, action=Status(status=503, code="ServiceUnavailable")),
            FaultRule(operation="get", probability=0.05, action=Garbage()),
            FaultRule(operation="list", probability=0.05, action=Garbage(body="truncated_json")),
            FaultRule(operation="download", skip_first=10, at_most=10, action=Cut(fraction=0.4)),
            FaultRule(operation="create", skip_first=5, at_most=3, action=DropAfter()),
        ),
    )
    scripts = [script(f"s{number:02d}") for number in range(50)]
    report = b.render(scripts)
    assert report.archived == 50, [outcome for outcome in report.outcomes if outcome.error]
    stats = b.emulator.stats()
    assert stats["creates"]["accepted"] == 50
    assert set(stats["creates"]["accepted_by_id"].values()) == {1}
    fired = {(f["rule"]["operation"], f["rule"]["action"]["kind"]): f["fired"] for f in stats["faults"]}
    assert all(fired[rule] for rule in fired if rule[0] not in ("get", "list")), fired  # those are a few requests only
    served = {job["id"]: job["outputs"] for job in b.emulator.jobs()}
    for receipt in b.receipts().values():
        digests = {output["sha256"] for output in served[receipt["job_id"]]}
        assert {receipt["video"]["sha256"], receipt["summary"]["sha256"]} <= digests
    assert stats["billed_seconds"] == report.billed_seconds


@pytest.mark.parametrize("repeat_put", ["conflict", "existing", "bad_request"])
def test_a_lost_answer_never_bills_twice(bench, script, repeat_put):
    b = bench(repeat_put=repeat_put, faults=(FaultRule(operation="create", at_most=1, action=DropAfter()),))
    assert b.render([script()]).archived == 1
    assert set(b.accepted().values()) == {1}


def test_a_create_that_fails_before_its_effect_is_sent_again(bench, script):
    b = bench(faults=(FaultRule(operation="create", at_most=2, action=Status(status=500)),))
    assert b.render([script()]).archived == 1
    assert set(b.accepted().values()) == {1}


def test_an_aborted_job_gets_another_attempt_under_a_new_id(bench, script):
    b = bench(
        faults=(FaultRule(operation="create", at_most=1, action=AbortJob(after_seconds=0.3)),),
    )
    report = b.render([script()])
    assert report.archived == 1
    assert sorted(job_id[-2:] for job_id in b.accepted()) == ["-1", "-2"]
    claim = next(json.loads(blob) for name, blob in b.blobs().items() if name.endswith("claim.json"))
    assert "Aborted" in claim["attempts"][0]["ended"]
    assert b.emulator.stats()["jobs"] == 0


def test_attempts_are_bounded_and_end_in_a_dead_letter(bench, script):
    b = bench(faults=(FaultRule(operation="create", action=AbortJob(after_seconds=0.2)),))
    report = b.render([script()], max_attempts=2)
    assert (report.failed, report.archived) == (1, 0)
    assert report.outcomes[0].error.code == "Aborted"
    assert b.emulator.stats()["creates"]["accepted"] == 2
    letter = next(json.loads(blob) for name, blob in b.blobs().items() if name.startswith("_failed/"))
    assert letter["failure"]["class"] == "job"
    assert letter["script"]["content"] == script().content
    again = b.render([script()], max_attempts=2)
    assert again.failed == 1
    assert b.emulator.stats()["creates"]["accepted"] == 2


def test_a_job_that_fails_by_its_input_is_not_tried_again(bench, script):
    rule = FaultRule(operation="create", action=FailJob(code="BadRequest", message="No such gesture."))
    b = bench(faults=(rule,))
    report = b.render([script()])
    assert report.failed == 1
    assert "No such gesture." in report.outcomes[0].error.message
    assert b.emulator.stats()["creates"]["accepted"] == 1
    assert b.emulator.stats()["jobs"] == 0


def test_a_stuck_job_that_cannot_be_deleted_is_unfinished_and_never_replaced(bench, script):
    b = bench(faults=(FaultRule(operation="create", action=StickJob(status="NotStarted")),))
    report = b.render([script()], start_deadline_seconds=1.0)
    assert (report.unfinished, report.failed) == (1, 0)
    assert b.emulator.stats()["creates"]["accepted"] == 1
    b.emulator.clear_faults()
    b.emulator.release()
    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_service_refusal_names_script_job_code_message_and_request(bench, script):
    b = bench()
    report = b.render([script(talking_avatar_style="on-a-horse"), script("other")])
    assert (report.failed, report.archived) == (1, 1)
    message = report.outcomes[0].error.message
    for part in ("script intro", "job intro-", "BadRequest", "on-a-horse", "request "):
        assert part in message


def test_five_equal_refusals_in_a_row_stop_the_creates(bench, script):
    b = bench()
    scripts = [script(f"s{number:02d}", talking_avatar_style="on-a-horse") for number in range(20)]
    report = b.render(scripts, creates_per_minute=600)
    assert report.failed + report.unfinished == 20
    assert report.unfinished > 0
    refused = b.emulator.stats()["creates"]["refused"]
    assert 5 <= refused < 20
    assert any(outcome.error.code == "Systemic" for outcome in report.outcomes)


def test_a_throttled_create_waits_as_told_and_spends_no_attempt(bench, script):
    b = bench(creates_per_minute=5, time_scale=60.0)
    report = b.render([script(f"s{number}") for number in range(12)])
    assert report.archived == 12
    assert set(b.accepted().values()) == {1}
    assert b.emulator.stats()["requests"]["create"]["429"] >= 1


def test_a_job_left_between_receipt_and_delete_is_deleted_by_the_next_run(bench, script):
    b = bench(list_lag_seconds=0, faults=(FaultRule(operation="delete", action=Status(status=400, code="NotNow")),))
    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["jobs"] == 1
    b.emulator.clear_faults()
    assert b.render([script()]).skipped == 1
    assert b.emulator.stats()["jobs"] == 0


def test_a_job_that_is_alive_is_adopted_by_the_next_run(bench, script):
    b = bench(list_lag_seconds=0, faults=(FaultRule(operation="create", action=StickJob(status="Running")),))
    assert b.render([script()], start_deadline_seconds=0.5, job_deadline_seconds=1.0).unfinished == 1
    assert [item.state for item in b.plan([script()]).items] == ["alive"]
    b.emulator.release()
    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_paid_job_that_is_gone_is_reported_lost_and_not_rendered_again(bench, script):
    b = bench(progression=Progression.after_seconds(start_delay=0, overhead=0.1, per_video_second=0))
    report = b.render([script()], run="first")
    assert report.archived == 1
    with b.container() as container:
        for name in list(b.blobs()):
            if name.endswith("receipt.json") or "/1/" in name:
                container.delete_blob(name)
    again = b.render([script()])
    assert again.failed == 1
    assert again.outcomes[0].error.failure_class == "lost"
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_receipt_without_its_video_is_reported_as_damaged(bench, script):
    b = bench()
    b.render([script()])
    with b.container() as container:
        container.delete_blob(b.receipts()["intro"]["video"]["blob_name"])
    report = b.render([script()])
    assert report.failed == 1
    assert report.outcomes[0].error.code == "Damaged"
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_two_runs_at_once_render_each_script_once(bench, script):
    import threading

    b = bench()
    scripts = [script(f"s{number:02d}") for number in range(20)]
    reports = []
    runs = [threading.Thread(target=lambda: reports.append(b.render(scripts))) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [report.all_archived for report in reports] == [True, True]
    assert b.emulator.stats()["creates"]["accepted"] == 20
    assert len(b.receipts()) == 20
    assert b.emulator.stats()["jobs"] == 0


def test_missing_subtitles_are_noted_and_do_not_fail_the_script(bench, script):
    b = bench(media="real")
    b.render([script(subtitle_type="external_file")])
    receipt = b.receipts()["intro"]
    assert receipt["missing"] == []
    assert b.blobs()[receipt["subtitles"]["blob_name"]].startswith(b"1")


def test_the_storage_host_never_sees_a_credential(bench, script):
    b = bench(storage_front=True)
    assert b.render([script()]).archived == 1
    downloads = b.emulator.requests("download")
    assert len(downloads) >= 2
    assert not any(request["had_speech_key"] or request["had_authorization"] for request in downloads)


def test_results_in_a_destination_container_are_found_archived_and_its_signature_kept_secret(bench, script):
    b = bench(media="real")
    report = b.render([script(destination_container_url=b.make_destination(), destination_path="drop")])
    assert report.archived == 1, report.outcomes
    blobs = b.blobs()
    assert decode_errors(blobs[b.receipts()["intro"]["video"]["blob_name"]]) == ""
    assert not [name for name, content in blobs.items() if b"sig=" in content and not name.endswith(".mp4")]
