"""A job from create to its end, as the examples show it."""

import pytest

from batch_avatar.emulator.options import Progression
from tests.support.waiting import ANSWER_SECONDS


def test_create_answers_201_with_the_job_not_started(speech, make_body):
    job = speech.created(body=make_body(description="archive 1"))
    assert job["status"] == "NotStarted"
    assert job["description"] == "archive 1"
    assert job["properties"] == {"timeToLiveInHours": 744}
    assert job["lastActionDateTime"].endswith("Z")
    assert "outputs" not in job


def test_inputs_are_never_shown_again(speech):
    assert "rainbow" not in str(speech.created())
    speech.emulator.settle()
    assert "rainbow" not in speech.get().text
    assert "rainbow" not in speech.list().text


def test_defaults_are_echoed_as_the_service_spells_them(speech, make_body):
    job = speech.created(body=make_body(avatarConfig__videoCodec=None))
    assert job["avatarConfig"] == {
        "talkingAvatarCharacter": "lisa",
        "talkingAvatarStyle": "casual-sitting",
        "videoFormat": "Mp4",
        "videoCodec": "hevc",
        "subtitleType": "soft_embedded",
        "bitrateKbps": 2000,
        "customized": False,
    }


def test_what_was_sent_is_echoed(speech, make_body):
    crop = {"topLeft": {"x": 10.0, "y": 10.0}, "bottomRight": {"x": 100.0, "y": 90.5}}
    job = speech.created(
        body=make_body(
            avatarConfig__videoFormat="webm",
            avatarConfig__videoCodec="vp9",
            avatarConfig__backgroundColor="#00000000",
            avatarConfig__videoCrop=crop,
            synthesisConfig__rate="+10%",
        )
    )
    assert job["avatarConfig"]["videoFormat"] == "Webm"
    assert job["avatarConfig"]["videoCrop"] == crop
    assert job["avatarConfig"]["backgroundColor"] == "#00000000"
    assert job["synthesisConfig"] == {"voice": "en-US-AvaMultilingualNeural", "rate": "+10%"}


def test_a_finished_job_tells_size_length_and_bill(speech):
    job = speech.finished()
    assert job["status"] == "Succeeded"
    assert job["properties"] == {
        "timeToLiveInHours": 744,
        "sizeInBytes": 4096,
        "durationInMilliseconds": 1933,
        "succeededCount": 1,
        "failedCount": 0,
        "billingDetails": {"neuralCharacters": 29, "talkingAvatarDurationSeconds": 1},
    }


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"synthesisConfig__voice": "en-US-Ava:DragonHDLatestNeural"}, "hdNeuralCharacters"),
        ({"synthesisConfig__voice": "Ours", "customVoices": {"Ours": "abc"}}, "customNeuralCharacters"),
    ],
)
def test_characters_are_billed_under_the_kind_of_voice(speech, make_body, change, member):
    billing = speech.finished(body=make_body(**change))["properties"]["billingDetails"]
    assert billing == {member: 29, "talkingAvatarDurationSeconds": 1}


def test_the_last_action_loses_its_z_when_the_job_moves(speech):
    job = speech.finished()
    assert job["createdDateTime"].endswith("Z")
    assert not job["lastActionDateTime"].endswith("Z")


def test_after_n_reads_a_job_goes_through_every_status(start):
    speech = start(progression=Progression.after_reads(4))
    speech.created()
    speech.emulator.settle()
    assert [speech.status() for _ in range(5)] == ["NotStarted", "Running", "Running", "Succeeded", "Succeeded"]


def test_the_list_counts_as_a_read(start):
    speech = start(progression=Progression.after_reads(2))
    speech.created()
    speech.emulator.settle()
    assert speech.list().json()["value"][0]["status"] == "Running"
    assert speech.list().json()["value"][0]["status"] == "Succeeded"


def test_stats_and_creates_do_not_count_as_reads(start):
    speech = start(progression=Progression.after_reads(2))
    speech.created()
    speech.emulator.settle()
    speech.created("job-2")
    speech.emulator.stats()
    assert speech.status() == "Running"


def test_after_seconds_a_job_moves_with_service_time(start):
    progression = Progression.after_seconds(start_delay=10, overhead=20, per_video_second=10)
    speech = start(progression=progression)
    speech.created()
    speech.emulator.settle()
    speech.emulator.advance(9)
    assert speech.status() == "NotStarted"
    speech.emulator.advance(2)
    assert speech.status() == "Running"
    speech.emulator.advance(38)  # 10 + 20 + 19.33 = 49.33
    assert speech.status() == "Running"
    speech.emulator.advance(1)
    assert speech.status() == "Succeeded"


def test_drawn_run_times_depend_on_seed_and_id_alone(start):
    def ends(seed, order):
        speech = start(seed=seed, progression=Progression.lognormal(mean_seconds=100, start_delay=0))
        for job_id in order:
            speech.created(job_id)
        speech.emulator.settle()
        speech.emulator.advance(100_000)
        spans = {}
        for job in speech.emulator.jobs():
            assert job["status"] == "Succeeded"
            spans[job["id"]] = job["run_seconds"]
        return spans

    first = ends(1, ["job-1", "job-2"])
    assert first == pytest.approx(ends(1, ["job-2", "job-1"]), abs=0.001)
    assert first != pytest.approx(ends(2, ["job-1", "job-2"]), abs=0.001)


def test_the_operation_has_its_jobs_status(speech):
    answer = speech.put(headers={"Operation-Id": "operation-1"})
    location = answer.headers["Operation-Location"]
    assert answer.headers["Operation-Id"] == "operation-1"
    assert speech.call("GET", location, params={}, schema="operation").json()["status"] == "NotStarted"
    speech.emulator.settle()
    speech.get()
    assert speech.call("GET", location, params={}, schema="operation").json() == {
        "id": "operation-1",
        "status": "Succeeded",
    }
    unknown = location.replace("operation-1", "operation-2")
    assert speech.call("GET", unknown, params={}).status_code == 404


def test_a_terminal_job_expires_after_its_time_to_live(start, make_body):
    speech = start()
    job = speech.finished(body=make_body(properties={"timeToLiveInHours": 2}))
    speech.emulator.advance(2 * 3600 - 60)
    assert speech.get().status_code == 200
    speech.emulator.advance(61)
    assert speech.ids() == []
    assert speech.get().status_code == 404
    speech.emulator.settle()
    link = speech.session.get(job["outputs"]["result"], timeout=ANSWER_SECONDS)
    assert link.status_code == 404
    assert speech.emulator.stats()["expired"] == 1


def test_an_unfinished_job_does_not_expire(start, make_body):
    speech = start(progression=Progression.after_reads(50))
    speech.created(body=make_body(properties={"timeToLiveInHours": 1}))
    speech.emulator.advance(100 * 3600)
    assert speech.get().status_code == 200
