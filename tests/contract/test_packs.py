"""Jobs with several inputs: how long they run, which inputs fail, what is billed and what is kept."""

import hashlib
import json

import pytest
from pydantic import ValidationError

from batch_avatar.emulator.faults import FailInputs, FailJob, FaultRule, Faults
from batch_avatar.emulator.options import EmulatorOptions, Progression

# Minimal media speaks 15 characters a second and never less than one second.
SHORT, MIDDLE, LONG = "a" * 15, "b" * 30, "c" * 60
SHORT_KEY, MIDDLE_KEY, LONG_KEY = (hashlib.sha256(text.encode()).hexdigest()[:16] for text in (SHORT, MIDDLE, LONG))


def fail(**fields):
    return FaultRule(operation="create", action=FailInputs(**fields))


def read_summary(container, job):
    with container.get_blob_client(job["outputs"]["summary"]) as blob:
        return json.loads(blob.download_blob().readall())


def names(container):
    return sorted(name.rsplit("/", 1)[1] for name in container.list_blob_names())


def test_the_defaults_are_the_hostile_ones():
    options = EmulatorOptions()
    assert options.progression.inputs == "sequential"
    assert options.partial_failure == "failed"
    assert options.partial_outputs == "dropped"
    assert options.delete_destination_blobs
    assert options.bill_failed_jobs
    assert not options.destination_jobs_stick


@pytest.mark.parametrize(("inputs", "seconds"), [("sequential", 5 + 10 * 7), ("parallel", 5 + 10 * 4)])
def test_a_pack_runs_as_long_as_all_its_inputs_or_as_the_longest(start, pack, inputs, seconds):
    progression = Progression.after_seconds(start_delay=0, overhead=5, per_video_second=10, inputs=inputs)
    speech = start(progression=progression)
    speech.created(body=pack(SHORT, MIDDLE, LONG))
    speech.emulator.settle()
    speech.emulator.advance(seconds - 1)
    assert speech.status() == "Running"
    speech.emulator.advance(2)
    assert speech.status() == "Succeeded"


def test_noise_changes_run_times_around_their_mean(start):
    def spans(seed, noise_cv):
        progression = Progression.after_seconds(start_delay=0, overhead=100, per_video_second=0, noise_cv=noise_cv)
        speech = start(seed=seed, progression=progression)
        for number in range(60):
            speech.created(f"job-{number}")
        speech.emulator.settle()
        speech.emulator.advance(10_000)
        return [job["run_seconds"] for job in speech.emulator.jobs()]

    first = spans(1, 0.2)
    assert first == pytest.approx(spans(1, 0.2), abs=0.001)
    assert first != pytest.approx(spans(2, 0.2), abs=0.001)
    assert len(set(first)) == 60
    assert 92 < sum(first) / 60 < 108
    assert spans(1, 0) == pytest.approx([100] * 60, abs=0.001)


def test_one_failed_input_fails_the_job_and_drops_the_good_videos_by_default(start, pack, container, check_schema):
    speech = start(faults=(fail(inputs=[2], code="Bad", message="Not this one."),))
    job = speech.finished(body=pack(SHORT, MIDDLE, LONG))
    assert job["status"] == "Failed"
    assert job["properties"]["error"] == {"code": "Bad", "message": "Not this one."}
    assert (job["properties"]["succeededCount"], job["properties"]["failedCount"]) == (2, 1)
    assert list(job["outputs"]) == ["summary"]
    assert names(container) == ["summary.json"]
    summary = read_summary(container, job)
    check_schema(summary, "summary")
    assert [result["status"] for result in summary["results"]] == ["Succeeded", "Failed", "Succeeded"]
    assert summary["results"][1]["error"] == {"code": "Bad", "message": "Not this one."}
    assert not any("videoFileName" in result for result in summary["results"])


def test_the_good_videos_of_a_failed_pack_can_be_kept(start, pack, container):
    speech = start(partial_outputs="kept", faults=(fail(inputs=[2]),))
    job = speech.finished(body=pack(SHORT, MIDDLE, LONG))
    assert job["status"] == "Failed"
    assert list(job["outputs"]) == ["summary"]
    assert names(container) == ["0001.mp4", "0003.mp4", "summary.json"]
    results = read_summary(container, job)["results"]
    assert ["videoFileName" in result for result in results] == [True, False, True]


def test_a_pack_with_a_failed_input_can_succeed(start, pack, container):
    speech = start(partial_failure="succeeded", faults=(fail(inputs=[2]),))
    job = speech.finished(body=pack(SHORT, MIDDLE, LONG))
    assert job["status"] == "Succeeded"
    assert (job["properties"]["succeededCount"], job["properties"]["failedCount"]) == (2, 1)
    assert job["properties"]["durationInMilliseconds"] == 1000 + 4000
    assert job["properties"]["billingDetails"] == {"neuralCharacters": 75, "talkingAvatarDurationSeconds": 5}
    assert names(container) == ["0001.mp4", "0003.mp4", "summary.json"]
    assert read_summary(container, job)["status"] == "Succeeded"


@pytest.mark.parametrize("ending", ["failed", "succeeded"])
def test_a_pack_without_one_good_input_has_failed(start, pack, container, ending):
    speech = start(partial_failure=ending, partial_outputs="kept", faults=(fail(matching="."),))
    job = speech.finished(body=pack(SHORT, MIDDLE))
    assert job["status"] == "Failed"
    assert (job["properties"]["succeededCount"], job["properties"]["failedCount"]) == (0, 2)
    assert names(container) == ["summary.json"]
    assert speech.emulator.stats()["billed_seconds"] == 0


def test_a_single_input_can_be_failed_by_its_content(start):
    speech = start(faults=(fail(matching="seven"),))
    assert speech.finished()["status"] == "Failed"
    assert speech.emulator.stats()["billed_seconds"] == 0


def test_a_job_that_fails_as_a_whole_keeps_nothing_and_bills_all(start, pack, container):
    options = {"partial_failure": "succeeded", "partial_outputs": "kept"}
    speech = start(faults=(FaultRule(operation="create", action=FailJob()),), **options)
    job = speech.finished(body=pack(SHORT, MIDDLE))
    assert job["status"] == "Failed"
    assert (job["properties"]["succeededCount"], job["properties"]["failedCount"]) == (0, 2)
    assert names(container) == ["summary.json"]
    stats = speech.emulator.stats()
    assert stats["billed_milliseconds_by_content"] == {SHORT_KEY: 1000, MIDDLE_KEY: 2000}
    assert stats["unique_milliseconds_by_content"] == {}


def test_an_input_that_is_too_long_fails_alone(start, pack, container):
    speech = start(max_video_minutes=3 / 60, long_videos="failed", partial_failure="succeeded")
    job = speech.finished(body=pack(SHORT, LONG, MIDDLE))
    assert job["status"] == "Succeeded"
    assert job["properties"]["failedCount"] == 1
    assert names(container) == ["0001.mp4", "0003.mp4", "summary.json"]
    assert "longer" in read_summary(container, job)["results"][1]["error"]["message"]
    assert speech.emulator.stats()["billed_milliseconds"] == 3000


@pytest.mark.parametrize("billed", [True, False])
@pytest.mark.parametrize("outputs", ["kept", "dropped"])
def test_of_a_failed_pack_what_was_rendered_is_billed_unless_switched_off(start, pack, billed, outputs):
    speech = start(bill_failed_jobs=billed, partial_outputs=outputs, faults=(fail(inputs=[1]),))
    speech.finished(body=pack(SHORT, MIDDLE, LONG))
    stats = speech.emulator.stats()
    rendered = {MIDDLE_KEY: 2000, LONG_KEY: 4000} if billed else {}
    assert stats["billed_milliseconds_by_content"] == rendered
    assert stats["billed_seconds"] == (6 if billed else 0)
    assert stats["billed_characters"] == (90 if billed else 0)
    assert stats["billed"]["failed"]["milliseconds"] == stats["billed_milliseconds"] == sum(rendered.values())
    assert stats["unique_milliseconds_by_content"] == (rendered if outputs == "kept" else {})
    assert speech.emulator.jobs()[0]["billed"] == stats["billed"]["failed"]


def test_a_content_rendered_again_alone_is_billed_twice_and_unique_once(start, pack):
    speech = start(partial_outputs="kept", faults=(fail(inputs=[1]),))
    speech.finished("pack", pack(SHORT, "d" * 22))
    speech.emulator.clear_faults()
    speech.finished("first-again", pack(SHORT))
    speech.finished("second-again", pack("d" * 22))
    stats = speech.emulator.stats()
    key = hashlib.sha256(b"d" * 22).hexdigest()[:16]
    assert stats["billed_milliseconds_by_content"] == {key: 2 * 1467, SHORT_KEY: 1000}
    assert stats["billed_seconds_by_content"] == {key: 2, SHORT_KEY: 1}
    assert stats["unique_milliseconds_by_content"] == {key: 1467, SHORT_KEY: 1000}
    assert stats["unique_seconds_by_content"] == {key: 1, SHORT_KEY: 1}
    assert stats["billed_milliseconds"] == sum(stats["billed_milliseconds_by_content"].values())


def test_packs_and_inputs_are_counted_at_create(start, pack):
    speech = start()
    speech.created("one", pack(SHORT))
    speech.created("three", pack(SHORT, MIDDLE, LONG))
    creates = speech.emulator.stats()["creates"]
    assert (creates["accepted"], creates["packs"], creates["inputs"]) == (2, 1, 4)


def test_the_history_leads_from_each_input_to_its_bytes(start, pack, container):
    speech = start(partial_outputs="kept", faults=(fail(inputs=[2]),))
    job = speech.created(body=pack(SHORT, MIDDLE))
    keys = [SHORT_KEY, MIDDLE_KEY]
    assert [one["content"] for one in speech.emulator.jobs()[0]["inputs"]] == keys
    speech.emulator.settle()
    speech.get()
    first, second = speech.emulator.jobs()[0]["inputs"]
    with container.get_blob_client(f"{job['internalId']}/0001.mp4") as blob:
        content = blob.download_blob().readall()
    assert first == {
        "content": SHORT_KEY,
        "milliseconds": 1000,
        "video": f"{job['internalId']}/0001.mp4",
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert second == {"content": MIDDLE_KEY, "milliseconds": 0, "video": None, "sha256": None}


def test_without_varying_bytes_a_text_has_the_same_bytes_alone_and_in_any_pack(start, pack):
    speech = start(vary_bytes=False)
    speech.finished("first", pack(SHORT, MIDDLE))
    speech.finished("second", pack(MIDDLE))
    first, second = (job["inputs"] for job in speech.emulator.jobs())
    assert first[1]["sha256"] == second[0]["sha256"] != first[0]["sha256"]


def test_a_rule_about_inputs_leaves_jobs_without_such_an_input_alone():
    faults = Faults([fail(inputs=[3]), fail(matching="^b")])
    assert faults.for_job("job", [SHORT, MIDDLE, LONG]).inputs == (3,)
    assert faults.for_job("job", [SHORT, MIDDLE]).matching == "^b"
    assert faults.for_job("job", [SHORT, LONG]) is None
    assert [rule["matched"] for rule in faults.report()] == [1, 1]
    assert faults.for_request("create", "job") is None


@pytest.mark.parametrize("fields", [{}, {"inputs": [0]}, {"matching": "("}], ids=str)
def test_a_senseless_choice_of_inputs_is_refused(fields):
    with pytest.raises(ValidationError):
        FailInputs(**fields)


def test_packs_of_the_older_generation_play_the_same_switches(start, make_preview_body, sign, container, check_schema):
    inputs = [{"text": SHORT}, {"text": MIDDLE}]
    body = make_preview_body(inputs=inputs, properties__destinationContainerUrl=sign())
    preview = start(partial_failure="succeeded", faults=(fail(inputs=[1]),)).preview
    job = preview.finished(body=body)
    assert job["status"] == "Succeeded"
    assert (job["properties"]["succeededAudioCount"], job["properties"]["failedAudioCount"]) == (1, 1)
    check_schema(read_summary(container, job), "previewSummary")
    preview = start(partial_outputs="kept", faults=(fail(inputs=[1]),)).preview
    job = preview.finished(body=body)
    assert job["status"] == "Failed"
    assert (job["properties"]["succeededAudioCount"], job["properties"]["failedAudioCount"]) == (1, 1)
    assert names(container) == ["0002.mp4", "0002.mp4", "summary.json", "summary.json"]
