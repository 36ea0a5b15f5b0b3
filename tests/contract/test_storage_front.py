"""The forwarder before the storage."""

import hashlib
from functools import partial

import pytest
import requests

from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.faults import Cut, Delay, DropBefore, FaultRule, Garbage, Slow, Status
from tests.support.waiting import ANSWER_SECONDS


@pytest.fixture
def start_front(start):
    return partial(start, storage_front=True, minimal_size_bytes=300_000)


@pytest.fixture
def front(start_front):
    return start_front()


def fault(front, action, **options):
    front.emulator.set_faults([FaultRule(operation="download", action=action, **options)])


def fetch(url, method="GET", *, timeout=ANSWER_SECONDS, **options):
    return requests.request(method, url, timeout=timeout, **options)


def test_links_go_through_the_front_and_bring_the_bytes(front):
    link = front.finished()["outputs"]["result"]
    assert link.startswith(front.emulator.storage_endpoint)
    video = fetch(link)
    assert video.status_code == 200
    assert video.headers["ETag"]
    assert "Content-MD5" not in video.headers
    noted = front.emulator.jobs()[0]["outputs"][0]
    assert hashlib.sha256(video.content).hexdigest() == noted["sha256"]


def test_ranges_and_conditions_are_forwarded(front):
    link = front.finished()["outputs"]["result"]
    whole = fetch(link)
    part = fetch(link, headers={"Range": "bytes=100-199", "If-Match": whole.headers["ETag"]})
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["Content-Range"] == "bytes 100-199/300000"
    assert fetch(link, headers={"If-Match": '"0x1"'}).status_code == 412
    head = fetch(link, "HEAD")
    assert head.headers["Content-Length"] == "300000"
    assert head.content == b""


def test_a_cut_download_is_short_of_its_content_length(front):
    link = front.finished()["outputs"]["result"]
    fault(front, Cut(fraction=0.4), at_most=1)
    with fetch(link, stream=True) as answer:
        assert answer.headers["Content-Length"] == "300000"
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="120000 bytes read"):
            assert answer.content
    assert len(fetch(link).content) == 300_000


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_download_can_be_refused_as_storage_does(front, status):
    link = front.finished()["outputs"]["result"]
    fault(front, Status(status=status, code="AuthenticationFailed", shape="storage_xml"))
    answer = fetch(link)
    assert answer.status_code == status
    assert b"<Code>AuthenticationFailed</Code>" in answer.content


def test_a_download_can_be_dropped_delayed_or_be_a_page(start_front):
    front = start_front(grace_seconds=0)  # the long delay is under way when it stops
    link = front.finished()["outputs"]["result"]
    fault(front, DropBefore())
    with pytest.raises(requests.exceptions.ConnectionError):
        fetch(link)
    fault(front, Delay(seconds=60))
    with pytest.raises(requests.exceptions.ReadTimeout):
        fetch(link, timeout=(ANSWER_SECONDS, 0.05))
    fault(front, Delay(seconds=0.2))
    assert fetch(link).elapsed.total_seconds() >= 0.2
    fault(front, Garbage(body="html"))
    assert fetch(link).content.startswith(b"<html>")


def test_a_download_can_be_slow(front):
    link = front.finished()["outputs"]["summary"]
    fault(front, Slow(bytes_per_second=2_000))
    answer = fetch(link, stream=True)
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])


def test_faults_can_choose_the_job(front):
    links = [front.finished(name)["outputs"]["result"] for name in ("job-1", "job-2")]
    fault(front, Status(status=403), job_id="^job-2$")
    assert [fetch(link).status_code for link in links] == [200, 403]


def test_links_expire_by_service_time(front):
    link = front.finished()["outputs"]["result"]
    front.emulator.advance(72 * 3600 - 10)
    assert fetch(link).status_code == 200
    front.emulator.advance(11)
    answer = fetch(link)
    assert answer.status_code == 403
    assert b"<Code>AuthenticationFailed</Code>" in answer.content
    assert fetch(front.get().json()["outputs"]["result"]).status_code == 200


def test_a_tampered_link_is_403(front):
    link = front.finished()["outputs"]["result"]
    assert fetch(link.replace("0001.mp4", "summary.json")).status_code == 403
    assert fetch(link.split("?")[0]).status_code == 403
    assert fetch(link, "PUT").status_code == 405


def test_a_deleted_job_is_404(front):
    link = front.finished()["outputs"]["result"]
    front.delete()
    answer = fetch(link)
    assert answer.status_code == 404
    assert b"BlobNotFound" in answer.content


def test_credentials_that_reach_the_storage_host_are_noted_and_not_forwarded(front):
    link = front.finished()["outputs"]["result"]
    assert fetch(link).status_code == 200
    assert fetch(link, headers={"Ocp-Apim-Subscription-Key": "k", "Authorization": "Bearer t"}).status_code == 200
    clean, dirty = front.emulator.requests("download")
    assert not clean["had_speech_key"]
    assert not clean["had_authorization"]
    assert dirty["had_speech_key"]
    assert dirty["had_authorization"]
    assert "Bearer t" not in str(dirty)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_connection_that_the_storage_closes_as_it_is_used_again_costs_no_download(start_front, road, method):
    front = start_front(storage_url=road.url)
    link = front.finished()["outputs"]["result"]
    assert fetch(link, method).status_code == 200
    closed = road.close_at(lambda request, _: request == method)
    assert fetch(link, method).status_code == 200
    assert closed.arrived.is_set()
    assert [entry["status"] for entry in front.emulator.requests("download")] == [200, 200]


def test_download_faults_need_the_front(speech):
    with pytest.raises(ApiError, match="storage_front"):
        fault(speech, DropBefore())
