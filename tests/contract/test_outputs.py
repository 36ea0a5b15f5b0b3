"""What a job leaves in storage, and the links to it."""

import base64
import hashlib
import io
import json
import re
import struct
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from batch_avatar.emulator.faults import AbortJob, FailJob, FaultRule
from tests.support.waiting import ANSWER_SECONDS


def fetch(url, **options):
    return requests.get(url, timeout=ANSWER_SECONDS, **options)


def test_links_lead_to_the_video_and_the_summary_without_any_credential(speech):
    outputs = speech.finished()["outputs"]
    path = urlsplit(outputs["result"]).path
    assert re.fullmatch(r"/svcaccount/batchsynthesis-output/[0-9a-f]{32}/job-1/0001\.mp4", path)
    assert urlsplit(outputs["summary"]).path == path.replace("0001.mp4", "summary.json")
    video = fetch(outputs["result"])
    assert video.status_code == 200
    assert video.headers["Content-Type"] == "video/mp4"
    assert video.content[4:8] == b"ftyp"


def test_the_first_folder_is_constant_for_the_resource(speech):
    first, second = (urlsplit(speech.finished(name)["outputs"]["result"]).path.split("/")[3] for name in ("aaa", "bbb"))
    assert first == second


def test_the_digest_and_size_in_the_history_are_those_of_the_bytes(speech):
    job = speech.finished()
    video = fetch(job["outputs"]["result"]).content
    noted = speech.emulator.jobs()[0]["outputs"][0]
    assert noted["sha256"] == hashlib.sha256(video).hexdigest()
    assert noted["size_bytes"] == len(video) == job["properties"]["sizeInBytes"]


def test_the_summary_names_the_internal_id(speech, check_schema):
    job = speech.finished()
    summary = fetch(job["outputs"]["summary"]).json()
    check_schema(summary, "summary")
    assert summary["jobID"] == job["internalId"]
    assert summary["results"][0]["texts"] == ["The rainbow has seven colors."]
    assert summary["results"][0]["videoFileName"].endswith(f"/{job['internalId']}/0001.mp4")


def test_external_subtitles_have_a_link_of_their_own(speech, make_body):
    outputs = speech.finished(body=make_body(avatarConfig__subtitleType="external_file"))["outputs"]
    assert urlsplit(outputs["subtitle"]).path.endswith("/0001.srt")
    assert fetch(outputs["subtitle"]).text.startswith("1\n00:00:00,050 --> ")


@pytest.mark.parametrize("kind", ["soft_embedded", "hard_embedded", "none"])
def test_other_subtitles_have_none(shared, fresh_id, make_body, kind):
    assert "subtitle" not in shared.finished(fresh_id, make_body(avatarConfig__subtitleType=kind))["outputs"]


def test_webm_lies_in_a_webm_file(speech, make_body):
    body = make_body(avatarConfig__videoFormat="webm", avatarConfig__videoCodec="vp9")
    outputs = speech.finished(body=body)["outputs"]
    video = fetch(outputs["result"])
    assert urlsplit(outputs["result"]).path.endswith("/0001.webm")
    assert video.headers["Content-Type"] == "video/webm"
    assert video.content[:4] == bytes.fromhex("1A45DFA3")


def test_large_videos_are_stored_without_content_md5_by_default(start):
    # Azurite computes one by itself for a whole download of at most 4 MiB
    speech = start(minimal_size_bytes=5 * 1024 * 1024)
    video = fetch(speech.finished()["outputs"]["result"])
    assert len(video.content) == 5 * 1024 * 1024
    assert "Content-MD5" not in video.headers


def test_content_md5_can_be_stored(start):
    speech = start(minimal_size_bytes=5 * 1024 * 1024, content_md5=True)
    video = fetch(speech.finished()["outputs"]["result"])
    md5 = hashlib.md5(video.content, usedforsecurity=False).digest()
    assert video.headers["Content-MD5"] == base64.b64encode(md5).decode()


def test_shared_media_gives_every_job_the_same_bytes(start):
    speech = start(media="shared", minimal_size_bytes=6 * 1024 * 1024)
    videos = [fetch(speech.finished(name)["outputs"]["result"]).content for name in ("job-1", "job-2")]
    assert videos[0] == videos[1]
    assert len(videos[0]) == 6 * 1024 * 1024


def test_a_link_lives_72_hours_by_default(speech):
    query = parse_qs(urlsplit(speech.finished()["outputs"]["result"]).query)
    begins, ends = (datetime.fromisoformat(query[name][0]) for name in ("st", "se"))
    assert ends - begins == timedelta(hours=72, minutes=5)
    assert query["sp"] == ["r"]
    assert query["sr"] == ["b"]


def test_an_expired_link_is_403_and_a_fresh_read_gives_a_new_one(start):
    speech = start(link_lifetime_seconds=300)
    job = speech.finished()
    name = speech.emulator.jobs()[0]["outputs"][0]["name"]
    outputs = speech.emulator.service.outputs
    old = outputs.sign_link("batchsynthesis-output", name, start=datetime.now(UTC) - timedelta(minutes=10))
    assert fetch(old).status_code == 403
    assert fetch(speech.get().json()["outputs"]["result"]).status_code == 200
    assert job["status"] == "Succeeded"


def test_the_life_of_a_link_shrinks_with_the_time_scale(start):
    query = parse_qs(urlsplit(start(time_scale=72).finished()["outputs"]["result"]).query)
    begins, ends = (datetime.fromisoformat(query[name][0]) for name in ("st", "se"))
    assert ends - begins == timedelta(hours=1, minutes=5)


def test_a_tampered_link_is_403(speech):
    link = speech.finished()["outputs"]["result"]
    assert fetch(link.replace("0001.mp4", "summary.json")).status_code == 403
    assert fetch(link.split("?")[0]).status_code in (403, 404)


def test_delete_makes_saved_links_404_at_once(speech):
    outputs = speech.finished()["outputs"]
    assert speech.delete().status_code == 204
    for link in outputs.values():
        answer = fetch(link)
        assert answer.status_code == 404
        assert "BlobNotFound" in answer.text


def test_delete_while_rendering_leaves_nothing_behind(start):
    speech = start(delete_unfinished="accept", minimal_size_bytes=8 * 1024 * 1024, render_threads=1)
    for number in range(3):
        speech.created(f"job-{number}")
    for number in range(3):
        assert speech.delete(f"job-{number}").status_code == 204
    speech.emulator.settle()
    outputs = speech.emulator.service.outputs
    container = outputs.storage.get_container_client("batchsynthesis-output")
    assert list(container.list_blob_names(name_starts_with=outputs.resource_folder)) == []


def test_a_failed_job_has_an_error_and_a_summary_that_names_it(start, check_schema):
    rule = FaultRule(operation="create", action=FailJob(code="BadContent", message="No such gesture."))
    job = start(faults=(rule,)).finished()
    assert job["status"] == "Failed"
    assert job["properties"]["error"] == {"code": "BadContent", "message": "No such gesture."}
    assert set(job["outputs"]) == {"summary"}
    summary = json.loads(fetch(job["outputs"]["summary"]).content)
    check_schema(summary, "summary")
    assert summary["results"][0]["error"]["code"] == "BadContent"


def test_an_aborted_job_leaves_nothing(start):
    speech = start(faults=(FaultRule(operation="create", action=AbortJob(after_seconds=1800)),))
    speech.created()
    speech.emulator.settle()
    speech.emulator.advance(1799)
    assert speech.status() == "NotStarted"
    speech.emulator.advance(1)
    job = speech.get().json()
    assert job["properties"]["error"]["code"] == "Aborted"
    assert "outputs" not in job
    billed = speech.emulator.stats()["billed"]["aborted"]
    assert billed == {"jobs": 1, "seconds": 0, "milliseconds": 0, "characters": 0}


@pytest.mark.parametrize(("form", "codec"), [("mp4", "h264"), ("webm", "vp9")])
def test_real_media_has_the_length_that_the_job_tells(start, make_body, form, codec):
    av = pytest.importorskip("av")
    speech = start(media="real", video_width=320, video_height=180)
    job = speech.finished(body=make_body(avatarConfig__videoFormat=form, avatarConfig__videoCodec=codec))
    video = fetch(job["outputs"]["result"]).content
    with av.open(io.BytesIO(video)) as media:
        assert (media.streams.video[0].width, media.streams.video[0].height) == (320, 180)
        assert media.duration / 1000 == pytest.approx(job["properties"]["durationInMilliseconds"], abs=80)
    assert job["properties"]["billingDetails"]["neuralCharacters"] == 29


def test_minimal_media_has_the_length_that_the_job_tells(shared, fresh_id):
    job = shared.finished(fresh_id)
    video = fetch(job["outputs"]["result"]).content
    header = video.index(b"mvhd") + 4
    scale, length = struct.unpack(">II", video[header + 12 : header + 20])
    assert length * 1000 / scale == job["properties"]["durationInMilliseconds"]
