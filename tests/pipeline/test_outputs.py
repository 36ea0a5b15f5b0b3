"""From the service's links into the archive: what happens to bytes that come late, in pieces, wrong, or not at all."""

from __future__ import annotations

import hashlib
import re
import struct
import threading

import pytest

from batch_avatar.emulator.faults import Cut, FaultRule, Slow, Status
from tests.support.hurried_clock import HurriedClock

SIZE = 1_000_000
LIFE = 3600  # of a link, in seconds of service time


class ActingClock(HurriedClock):
    """Does something once, when the first bytes of the first transfer are here."""

    def __init__(self, act):
        super().__init__()
        self._looks, self._act = 0, act

    def monotonic(self):
        if threading.current_thread().name.startswith("transfer"):
            self._looks += 1
            if self._looks == 2:  # the first look is for the transfer's deadline
                self._act()
        return super().monotonic()


def download(action, **limits):
    return FaultRule(operation="download", action=action, **limits)


def served(b):
    """SHA-256 by role of what the one job's outputs were."""
    (job,) = b.emulator.jobs()
    return {output["role"]: output["sha256"] for output in job["outputs"]}


def check_whole(b, name="intro"):
    """Everything in the archive is byte for byte what the service had."""
    receipt, blobs, sent = b.receipts()[name], b.blobs(), served(b)
    for member, role in (("video", "video"), ("summary", "summary"), ("subtitles", "subtitle")):
        if (stored := receipt[member]) is not None:
            assert hashlib.sha256(blobs[stored["blob_name"]]).hexdigest() == stored["sha256"] == sent[role]
    return receipt


def test_a_cut_download_goes_on_where_it_broke_off_and_only_in_the_same_version(quick, script):
    b = quick(storage_front=True, minimal_size_bytes=SIZE, faults=(download(Cut(fraction=0.3), at_most=2),))

    assert b.render([script()]).archived == 1

    check_whole(b)
    first, second, third, summary = b.emulator.requests("download")
    assert (first["range"], first["status"]) == (None, 200)
    parts = [second, third]
    assert [part["status"] for part in parts] == [206, 206]
    starts = [int(re.fullmatch(r"bytes=(\d+)-", part["range"])[1]) for part in parts]
    assert 0 < starts[0] < starts[1] < SIZE
    assert all("if-match" in part["header_names"] for part in parts)
    assert "if-match" not in first["header_names"]
    assert (summary["range"], summary["status"]) == (None, 200)


def test_a_link_that_dies_in_the_middle_of_a_download_is_refreshed_and_the_rest_is_fetched(quick, script):
    cut = download(Cut(fraction=0.5), at_most=1)
    b = quick(storage_front=True, minimal_size_bytes=SIZE, link_lifetime_seconds=LIFE, faults=(cut,))

    assert b.render([script()], clock=ActingClock(lambda: b.emulator.advance(LIFE + 1))).archived == 1

    check_whole(b)
    first, expired, rest, summary = b.emulator.requests("download")
    assert [entry["status"] for entry in (first, expired, rest, summary)] == [200, 403, 206, 200]
    assert expired["range"] == rest["range"]
    assert b.emulator.stats()["creates"]["accepted"] == 1


def test_a_link_that_dies_while_the_video_comes_slowly_is_refreshed_for_the_summary(quick, script):
    slow = download(Slow(bytes_per_second=SIZE * 4), at_most=1)
    b = quick(storage_front=True, minimal_size_bytes=SIZE, link_lifetime_seconds=LIFE, faults=(slow,))

    assert b.render([script()], clock=ActingClock(lambda: b.emulator.advance(LIFE + 1))).archived == 1

    assert check_whole(b)["missing"] == []
    assert [entry["status"] for entry in b.emulator.requests("download")] == [200, 403, 200]


def test_a_link_through_the_front_lives_by_service_time_however_fast_that_runs(quick, script):
    b = quick(storage_front=True, stepped_clock=True, time_scale=1_000_000, link_lifetime_seconds=LIFE)
    assert b.render([script()], clock=HurriedClock()).archived == 1
    assert [entry["status"] for entry in b.emulator.requests("download")] == [200, 200]


def test_a_result_that_is_another_one_after_a_cut_is_fetched_anew_and_never_mixed(quick, script):
    cut = download(Cut(fraction=0.5), at_most=1)
    b = quick(storage_front=True, minimal_size_bytes=SIZE, faults=(cut,))
    (ref,) = b.submit([script()])
    other = []

    def change(video):
        other.append(video[:-1000] + bytes(1000))
        return other[0]

    report = b.render([script()], clock=ActingClock(lambda: b.replace_result(ref.job_id, change)))

    assert report.archived == 1
    receipt = b.receipts()["intro"]
    assert b.blobs()[receipt["video"]["blob_name"]] == other[0]
    assert receipt["video"]["sha256"] == hashlib.sha256(other[0]).hexdigest()
    assert [entry["status"] for entry in b.emulator.requests("download")] == [200, 412, 200, 200]


def test_subtitles_beside_the_video_are_archived_with_their_digest_and_type(quick, script):
    b = quick()
    assert b.render([script(subtitle_type="external_file")]).archived == 1
    receipt = check_whole(b)
    assert receipt["missing"] == []
    assert receipt["subtitles"]["blob_name"].endswith("/1/subtitles.srt")
    assert "says intro." in b.blobs()[receipt["subtitles"]["blob_name"]].decode()
    with b.container() as container:
        properties = container.get_blob_client(receipt["subtitles"]["blob_name"]).get_blob_properties()
    assert properties.content_settings.content_type == "application/x-subrip"
    assert properties.metadata["sha256"] == receipt["subtitles"]["sha256"]


@pytest.mark.parametrize(
    ("there", "missing"), [(1, ["summary", "subtitles"]), (2, ["subtitles"])], ids=["video only", "video and summary"]
)
def test_side_files_that_never_come_are_waited_for_noted_and_never_paid_for(quick, script, there, missing):
    never = download(Status(status=404, code="BlobNotFound"), skip_first=there)
    b, clock = quick(storage_front=True, faults=(never,)), HurriedClock()

    report = b.render([script(subtitle_type="external_file")], clock=clock)

    assert report.all_archived
    assert report.outcomes[0].note == f"without {' and '.join(missing)}"
    receipt = check_whole(b)
    assert receipt["missing"] == missing
    assert [receipt["summary"] is None, receipt["subtitles"] is None] == ["summary" in missing, True]
    assert [seconds for seconds in clock.waited if seconds >= 2] == [2.0, 10.0, 30.0]
    whole = [entry["path"] for entry in b.emulator.requests("download") if entry["status"] == 200]
    assert len(whole) == len(set(whole)) == there
    assert b.emulator.stats()["creates"]["accepted"] == 1
    assert b.emulator.stats()["jobs"] == 0
    assert b.render([script(subtitle_type="external_file")]).skipped == 1


def test_a_video_that_cannot_be_had_is_unfinished_and_its_job_stays(quick, script):
    b = quick(storage_front=True, faults=(download(Status(status=403, code="AuthenticationFailed")),))
    report = b.render([script()], clock=HurriedClock())
    assert (report.unfinished, report.outcomes[0].error.failure_class) == (1, "transient")
    assert (b.receipts(), b.emulator.stats()["jobs"]) == ({}, 1)
    b.emulator.clear_faults()
    assert b.render([script()]).archived == 1
    assert b.emulator.stats()["creates"]["accepted"] == 1


def twice_as_long(video):
    """The same mp4, whose head says that it lasts twice as long."""
    at = video.index(b"mvhd") + 4 + 16  # version and flags, two dates, units a second
    (length,) = struct.unpack_from(">I", video, at)
    return video[:at] + struct.pack(">I", 2 * length) + video[at + 4 :]


DOUBTS = {
    "no container at all": (lambda video: b"<html>".ljust(len(video), b"x"), "container"),
    "only half of one": (lambda video: video[: len(video) // 2], "container"),
    "another kind": (lambda video: bytes.fromhex("1A45DFA3 84 4282 81 77 18538067 80").ljust(len(video)), "container"),
    "another length": (twice_as_long, "duration"),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_a_doubtful_video_is_archived_with_a_note_and_its_job_is_kept(quick, script, case):
    change, doubt = DOUBTS[case]
    b = quick()
    (ref,) = b.submit([script()])
    b.replace_result(ref.job_id, change)

    report = b.render([script()])

    assert report.archived == 1
    assert report.outcomes[0].note == f"doubtful {doubt}: look at the video; its remote job is kept"
    receipt = b.receipts()["intro"]
    assert receipt["video"]["doubtful"] == [doubt]
    with b.container() as container:
        video = container.get_blob_client(receipt["video"]["blob_name"])
        assert video.get_blob_properties().metadata["doubtful"] == doubt
        assert hashlib.sha256(video.download_blob().readall()).hexdigest() == receipt["video"]["sha256"]
    assert b.render([script()]).skipped == 1
    assert {str(item.action) for item in b.sweep().items} == {"report"}
    stats = b.emulator.stats()
    assert (stats["jobs"], stats["deletes"], stats["creates"]["accepted"]) == (1, 0, 1)


def test_a_doubtful_video_is_told_in_the_report_and_in_the_table(quick, script, written):
    b = quick()
    (ref,) = b.submit([script()])
    b.replace_result(ref.job_id, lambda video: b"x" * len(video))
    done = b.command("render", "scripts.jsonl", folder=written(script(), script("other")))
    assert done.returncode == 4, done.stderr
    assert "2 scripts: 2 archived (1 of them doubtful), 0 archived before" in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "doubtful container" in line)
    assert line.split(maxsplit=2)[:2] == ["intro", "archived"]
    assert "doubtful container: look at the video; its remote job is kept" in line
    (report,) = b.documents("/report.json").values()
    assert [bool(outcome["note"]) for outcome in report["outcomes"]] == [True, False]
