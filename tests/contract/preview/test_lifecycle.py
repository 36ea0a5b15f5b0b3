"""3.1-preview1: a job from create to its end, as the examples of 11/2023 show it."""

import io
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
import requests

from batch_avatar.emulator.faults import AbortJob, FailJob, FaultRule
from batch_avatar.emulator.jobs.preview_view import format_duration
from batch_avatar.emulator.options import Progression
from tests.support.waiting import ANSWER_SECONDS

SSML = (
    "<speak version='1.0' xml:lang='en-US'>"
    "<voice name='en-US-JennyNeural'>The rainbow has seven colors.</voice></speak>"
)
UNFINISHED = Progression.after_reads(1000)


def fetch(url, **options):
    return requests.get(url, timeout=ANSWER_SECONDS, **options)


def test_create_answers_201_under_an_id_that_the_service_chose(preview):
    first, second = preview.created("one"), preview.created("two")
    assert first["id"] != second["id"]
    assert first["status"] == "NotStarted"
    assert first["createdDateTime"] == first["lastActionDateTime"]


def test_the_create_answer_of_the_docs_is_met_member_by_member(preview):
    body = {
        "displayName": "avatar batch synthesis sample",
        "textType": "SSML",
        "inputs": [{"text": SSML}],
        "properties": {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "casual-sitting"},
    }
    job = preview.post(body).json()
    for told_apart in ("id", "createdDateTime", "lastActionDateTime"):
        del job[told_apart]
    assert job == {
        "textType": "SSML",
        "customVoices": {},
        "properties": {
            "timeToLive": "P31D",
            "outputFormat": "riff-24khz-16bit-mono-pcm",
            "talkingAvatarCharacter": "lisa",
            "talkingAvatarStyle": "casual-sitting",
            "kBitrate": 2000,
            "customized": False,
        },
        "status": "NotStarted",
        "displayName": "avatar batch synthesis sample",
    }


def test_what_was_sent_is_echoed_as_it_was_sent(preview, make_preview_body):
    crop = {"topLeft": {"x": 10.0, "y": 10.0}, "bottomRight": {"x": 100.0, "y": 90.5}}
    job = preview.post(
        make_preview_body(
            description="archive 1",
            customProperties={"source": "a.txt", "digest": "0f"},
            synthesisConfig__rate="+10%",
            properties__videoFormat="webm",
            properties__videoCodec="vp9",
            properties__backgroundColor="#00000000",
            properties__subtitleType="none",
            properties__videoCrop=crop,
            properties__timeToLive="PT36H",
        )
    ).json()
    assert job["description"] == "archive 1"
    assert job["customProperties"] == {"source": "a.txt", "digest": "0f"}
    assert job["synthesisConfig"] == {"voice": "en-US-AvaMultilingualNeural", "rate": "+10%"}
    assert job["properties"] == {
        "timeToLive": "PT36H",
        "outputFormat": "riff-24khz-16bit-mono-pcm",
        "talkingAvatarCharacter": "lisa",
        "talkingAvatarStyle": "casual-sitting",
        "kBitrate": 2000,
        "customized": False,
        "videoFormat": "webm",
        "videoCodec": "vp9",
        "backgroundColor": "#00000000",
        "subtitleType": "none",
        "videoCrop": crop,
    }


def test_a_finished_job_tells_size_length_and_bill_with_its_zeros(preview):
    properties = preview.finished()["properties"]
    assert {name: properties[name] for name in list(properties)[:5]} == {
        "audioSize": 4096,
        "durationInTicks": 19_330_000,
        "succeededAudioCount": 1,
        "duration": "PT1.933S",
        "billingDetails": {"customNeural": 0, "neural": 29},
    }
    assert "failedAudioCount" not in properties


def test_characters_of_a_custom_voice_are_billed_apart(preview, make_preview_body):
    job = preview.finished(body=make_preview_body(synthesisConfig__voice="Ours", customVoices={"Ours": "abc"}))
    assert job["properties"]["billingDetails"] == {"customNeural": 29, "neural": 0}
    (entry,) = fetch(job["outputs"]["summary"]).json()["results"]
    assert entry["billingDetails"] == {"CustomNeural": "29", "TalkingAvatarDuration": "1"}


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (2520, "PT2.52S"),
        (2000, "PT2S"),
        (60_000, "PT1M"),
        (87_040, "PT1M27.04S"),
        (3_600_500, "PT1H0.5S"),
        (5_999_999, "PT1H39M59.999S"),
        (0, "PT0S"),
    ],
)
def test_a_length_is_written_as_an_iso_duration(milliseconds, text):
    assert format_duration(milliseconds) == text


def test_inputs_are_never_shown_again(preview):
    job_id = preview.created()["id"]
    preview.emulator.settle()
    assert "rainbow" not in preview.get(job_id).text
    assert "rainbow" not in preview.list().text


def test_the_last_action_keeps_its_z_and_its_milliseconds(preview):
    job = preview.finished()
    created, moved = (
        datetime.strptime(job[name], "%Y-%m-%dT%H:%M:%S.%f%z") for name in ("createdDateTime", "lastActionDateTime")
    )
    assert moved >= created


def test_a_job_goes_through_every_status(start):
    preview = start(progression=Progression.after_reads(4)).preview
    job_id = preview.created()["id"]
    preview.emulator.settle()
    seen = [preview.get(job_id).json()["status"] for _ in range(4)]
    assert seen == ["NotStarted", "Running", "Running", "Succeeded"]


def test_a_failed_job_has_an_error_and_a_summary_that_names_it(start, check_schema):
    rule = FaultRule(operation="create", action=FailJob(code="BadContent", message="No such gesture."))
    job = start(faults=(rule,)).preview.finished()
    assert job["status"] == "Failed"
    assert job["properties"]["error"] == {"code": "BadContent", "message": "No such gesture."}
    assert job["properties"]["succeededAudioCount"] == 0
    assert job["properties"]["failedAudioCount"] == 1
    assert set(job["outputs"]) == {"summary"}
    summary = fetch(job["outputs"]["summary"]).json()
    check_schema(summary, "previewSummary")
    assert summary["results"][0]["error"]["code"] == "BadContent"


def test_an_aborted_job_leaves_nothing(start):
    preview = start(faults=(FaultRule(operation="create", action=AbortJob(after_seconds=1800)),)).preview
    job_id = preview.created()["id"]
    preview.emulator.settle()
    preview.emulator.advance(1800)
    job = preview.get(job_id).json()
    assert job["properties"]["error"]["code"] == "Aborted"
    assert "outputs" not in job


def test_links_end_in_the_id_and_the_file(preview):
    job = preview.finished()
    for member, name in (("result", "0001.mp4"), ("summary", "summary.json")):
        assert urlsplit(job["outputs"][member]).path.split("/")[-2:] == [job["id"], name]
    video = fetch(job["outputs"]["result"])
    assert video.status_code == 200
    assert len(video.content) == job["properties"]["audioSize"]


def test_the_summary_of_the_docs_is_met_member_by_member(preview, check_schema):
    job = preview.finished()
    summary = fetch(job["outputs"]["summary"]).json()
    check_schema(summary, "previewSummary")
    assert summary == {
        "jobID": job["id"],
        "status": "Succeeded",
        "results": [
            {
                "texts": ["The rainbow has seven colors."],
                "status": "Succeeded",
                "billingDetails": {"Neural": "29", "TalkingAvatarDuration": "1"},
                "videoFileName": f"{job['id']}/0001.mp4",
                "TalkingAvatarCharacter": "lisa",
                "TalkingAvatarStyle": "casual-sitting",
            }
        ],
    }


def test_external_subtitles_have_a_link_of_their_own(preview, make_preview_body):
    outputs = preview.finished(body=make_preview_body(properties__subtitleType="external_file"))["outputs"]
    assert fetch(outputs["subtitle"]).text.startswith("1\n00:00:00,050 --> ")


def test_the_style_of_a_custom_avatar_stays_in_view_and_summary(preview, make_preview_body):
    body = make_preview_body(properties__customized=True, properties__talkingAvatarStyle="plain")
    job = preview.finished(body=body)
    assert job["properties"]["talkingAvatarStyle"] == "plain"
    assert fetch(job["outputs"]["summary"]).json()["results"][0]["TalkingAvatarStyle"] == "plain"


def test_real_media_can_be_decoded_and_has_the_length_that_the_job_tells(start, make_preview_body):
    av = pytest.importorskip("av")
    preview = start(media="real", video_width=320, video_height=180).preview
    job = preview.finished(body=make_preview_body(properties__backgroundColor="white"))
    with av.open(io.BytesIO(fetch(job["outputs"]["result"]).content)) as media:
        frames = sum(1 for _ in media.decode(video=0))
        assert (media.streams.video[0].width, media.streams.video[0].height) == (320, 180)
    seconds = job["properties"]["durationInTicks"] / 10_000_000
    assert frames == pytest.approx(seconds * 25, abs=2)
    assert job["properties"]["billingDetails"] == {"customNeural": 0, "neural": 29}


@pytest.mark.parametrize(("life", "seconds"), [("PT2H", 7200), ("P1DT90M", 91_800), ("PT30S", 30)])
def test_a_terminal_job_expires_after_its_time_to_live(start, make_preview_body, life, seconds):
    preview = start().preview
    job = preview.finished(body=make_preview_body(properties__timeToLive=life))
    preview.emulator.advance(seconds - 5)
    assert preview.get(job["id"]).status_code == 200
    preview.emulator.advance(6)
    assert preview.get(job["id"]).status_code == 404
    preview.emulator.settle()
    assert fetch(job["outputs"]["result"]).status_code == 404


def test_two_posts_of_one_name_make_two_jobs_and_two_bills(preview):
    first, second = preview.finished("same"), preview.finished("same")
    assert first["id"] != second["id"]
    assert preview.names() == ["same", "same"]
    stats = preview.emulator.stats()
    assert stats["creates"]["accepted"] == stats["billed"]["succeeded"]["jobs"] == 2


def test_delete_answers_204_and_takes_the_blobs_along(preview):
    job = preview.finished()
    assert preview.delete(job["id"]).status_code == 204
    assert preview.get(job["id"]).status_code == 404
    assert b"BlobNotFound" in fetch(job["outputs"]["result"]).content


def test_delete_of_an_unfinished_job_is_refused(start):
    preview = start(progression=UNFINISHED).preview
    job_id = preview.created()["id"]
    answer = preview.delete(job_id)
    assert answer.status_code == 400
    assert answer.json()["code"] == "InvalidRequest"
    assert preview.get(job_id).status_code == 200


@pytest.mark.parametrize("job_id", ["00000000-0000-0000-0000-000000000000", "episode-1", "x"])
def test_an_absent_job_is_not_found(shared, job_id):
    answer = shared.preview.get(job_id)
    assert answer.status_code == 404
    assert answer.json()["code"] == "NotFound"
    assert shared.preview.delete(job_id).status_code == 204


def test_absent_jobs_have_the_other_reading_too(start):
    preview = start(get_absent=204, delete_absent=404).preview
    assert preview.get("absent").status_code == 204
    assert preview.delete("absent").json()["code"] == "NotFound"


@pytest.mark.parametrize("option", ["429", "400"])
def test_too_many_unfinished_jobs_are_always_a_400(start, option):
    preview = start(progression=UNFINISHED, active_jobs_limit=2, active_jobs_refusal=option).preview
    preview.created("one")
    preview.created("two")
    answer = preview.post()
    assert answer.status_code == 400
    assert "too many active jobs" in answer.json()["innerError"]["message"]


def test_too_many_creates_are_told_the_rate(start):
    preview = start(creates_per_minute=2).preview
    preview.created("one")
    preview.emulator.advance(20)
    preview.created("two")
    answer = preview.post()
    assert answer.status_code == 429
    assert answer.json()["code"] == "TooManyRequests"
    assert answer.headers["Retry-After"] == "40"
    assert answer.headers["X-RateLimit-Limit"] == "2"
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    now = preview.emulator.advance(0)
    reset = datetime.strptime(answer.headers["X-RateLimit-Reset"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(seconds=40) <= reset - now < timedelta(seconds=41)
    preview.emulator.advance((reset - now).total_seconds())
    preview.created("three")


def test_several_inputs_go_into_the_own_container_under_the_id(preview, make_preview_body, container, sign):
    body = make_preview_body(
        inputs=[{"text": "First."}, {"text": "Second, a little longer."}], properties__destinationContainerUrl=sign()
    )
    job = preview.finished(body=body)
    names = [f"{job['id']}/{file}" for file in ("0001.mp4", "0002.mp4", "summary.json")]
    assert sorted(container.list_blob_names()) == names
    assert job["outputs"] == {"result": job["id"], "summary": names[2]}
    assert job["properties"]["succeededAudioCount"] == 2
    assert job["properties"]["duration"] == "PT2.6S"
    assert "destinationContainerUrl" not in job["properties"]
    assert "sig=" not in str(job)


def test_a_bad_container_link_is_refused_as_problem_details(preview, make_preview_body, container):
    body = make_preview_body(properties__destinationContainerUrl=container.url)
    answer = preview.call("POST", preview.url(), json=body, shape="problemDetails")
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"Properties.DestinationContainerUrl"}
