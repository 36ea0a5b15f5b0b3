"""The container that packed jobs are written into, on a real user_storage."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from azure.storage.blob import ContainerClient

from batch_avatar.archive.signing import signer
from batch_avatar.archive.staging import Staging
from batch_avatar.clock import SystemClock
from batch_avatar.errors import ArchiveError

JOB = "pack-0123456789abcdef-1"
SUMMARY = json.dumps({"results": [{"status": "Succeeded"}, {"status": "Failed"}]}).encode()


@pytest.fixture
def container(user_storage):
    with user_storage.get_container_client(f"staging-{secrets.token_hex(6)}") as client:
        yield client


@pytest.fixture
def staging(user_storage, container):
    made = Staging(
        container=container, sign=signer(user_storage, SimpleNamespace(storage_account_url=None)), clock=SystemClock()
    )
    made.open()
    return made


def put(container, name, content=b"video", *, job=JOB, folder="internal"):
    container.upload_blob(f"{job}/{folder}/{name}", content, overwrite=True)


def read(link):
    return requests.get(link, timeout=30).content


def names(container):
    return sorted(blob.name for blob in container.list_blobs())


def query(link):
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_the_container_is_made_once(staging, container):
    assert container.exists()
    staging.open()


def test_the_link_for_the_service_is_a_secret_and_outlives_the_seconds_that_it_is_made_for(staging, container):
    before = datetime.now(UTC)
    link = staging.write_link(seconds=5 * 3600)
    signed = query(link.get_secret_value())

    assert "sig" in signed
    assert signed["sig"] not in f"{link} {link!r}"
    assert (signed["sr"], set("rwl") <= set(signed["sp"])) == ("c", True)
    assert datetime.fromisoformat(signed["se"]) >= before + timedelta(hours=5, seconds=-1), "whole seconds"
    assert datetime.fromisoformat(signed["st"]) < datetime.now(UTC), "also for a clock that is behind"
    with ContainerClient.from_container_url(link.get_secret_value()) as by_link:
        by_link.upload_blob(f"{JOB}/internal/0001.mp4", b"video")
    assert names(container) == [f"{JOB}/internal/0001.mp4"]


def test_numbers_are_found_below_the_folder_of_the_job_whatever_the_service_calls_it(staging, container):
    for number in (1, 2, 10, 1000):
        put(container, f"{number:04d}.mp4", f"video {number}".encode(), folder="a/b")
    put(container, "0001.mp4", b"of another", job=f"{JOB}0")

    assert [read(staging.video(JOB, number)) for number in (1, 2, 10, 1000)] == [
        b"video 1",
        b"video 2",
        b"video 10",
        b"video 1000",
    ]
    assert staging.video(JOB, 3) is None


def test_video_and_subtitles_are_told_apart_by_their_endings(staging, container):
    put(container, "0001.webm", b"webm")
    put(container, "0001.srt", b"srt")
    put(container, "0002.vtt", b"vtt")

    assert read(staging.video(JOB, 1)) == b"webm"
    assert read(staging.subtitles(JOB, 1)) == b"srt"
    assert read(staging.subtitles(JOB, 2)) == b"vtt"
    assert staging.video(JOB, 2) is None


def test_an_empty_file_is_no_video(staging, container):
    put(container, "0001.mp4", b"")

    assert staging.video(JOB, 1) is None


def test_a_link_to_a_video_allows_to_read_it_and_nothing_else(staging, container):
    put(container, "0001.mp4")
    signed = query(staging.video(JOB, 1))

    assert (signed["sr"], signed["sp"]) == ("b", "r")


def test_a_job_is_listed_once_when_its_summary_is_there_until_it_is_looked_at_again(staging, container):
    put(container, "0001.mp4")
    put(container, "summary.json", SUMMARY)
    assert staging.video(JOB, 1)

    put(container, "0002.mp4")

    assert staging.video(JOB, 2) is None
    staging.look_again(JOB)
    assert staging.video(JOB, 2)


def test_a_job_that_is_still_writing_is_listed_anew(staging, container):
    assert staging.video(JOB, 1) is None
    put(container, "0001.mp4")
    assert staging.video(JOB, 1)
    assert staging.summary(JOB) is None
    put(container, "summary.json", SUMMARY)
    assert staging.summary(JOB) == json.loads(SUMMARY)


@pytest.mark.parametrize("content", [b"no JSON", b"[1, 2]", b"\xff\xfe"])
def test_a_summary_that_cannot_be_read_is_none(staging, container, content):
    put(container, "summary.json", content)

    assert staging.summary(JOB) is None


def test_a_summary_that_is_gone_since_it_was_listed_is_none(staging, container):
    put(container, "summary.json", SUMMARY)
    assert staging.video(JOB, 1) is None
    container.delete_blob(f"{JOB}/internal/summary.json")

    assert staging.summary(JOB) is None


def test_what_is_removed_is_gone_and_what_others_have_is_not(staging, container):
    for name in ("0001.mp4", "0001.srt", "summary.json"):
        put(container, name)
    put(container, "0001.mp4", job="pack-fedcba9876543210-1")
    assert staging.video(JOB, 1)

    staging.remove(JOB)
    staging.remove(JOB)

    assert names(container) == ["pack-fedcba9876543210-1/internal/0001.mp4"]
    assert staging.video(JOB, 1) is None


def test_a_container_that_is_gone_is_a_trouble_of_the_storage_and_no_empty_one(staging, container):
    """Videos that were paid for are missing then; nobody may conclude that they never were."""
    container.delete_container()

    with pytest.raises(ArchiveError):
        staging.video(JOB, 1)
