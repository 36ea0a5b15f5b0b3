"""Videos that are shorter than their job told: one that is cut between two boxes looks whole."""

from __future__ import annotations

import pytest

from tests.support.packs import render_packed, scripts_of

MEGABYTE = 1_000_000


def head(video):
    """All boxes before `mdat`."""
    return video[: video.index(b"mdat") - 4]


def of_size(video, size):
    """The video with so few media that it has this size; all of its boxes are whole."""
    length = size - len(head(video))
    return head(video) + length.to_bytes(4, "big") + b"mdat" + bytes(length - 8)


def halved(video):
    return of_size(video, len(video) // 2)


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
@pytest.mark.parametrize("counted", ["videos", "all_outputs"])
def test_a_video_cut_between_two_boxes_is_doubtful_and_its_job_is_kept(quick, script, counted, api_version):
    b = quick(minimal_size_bytes=MEGABYTE, size_in_bytes=counted, storage_front=True)
    (ref,) = b.submit([script()], api_version=api_version)
    b.replace_result(ref.job_id, halved)

    report = b.render([script()], api_version=api_version)

    assert report.archived == 1
    assert b.receipts()["intro"]["video"]["doubtful"] == ["size"]
    assert "doubtful size" in report.outcomes[0].note
    assert [job["removed"] for job in b.emulator.jobs()] == [None]
    assert [entry["status"] for entry in b.emulator.requests("download")] == [200] * 3  # the video twice, the summary


@pytest.mark.parametrize("counted", ["videos", "all_outputs"])
def test_a_whole_video_fits_either_reading_of_the_size(quick, script, counted):
    b = quick(minimal_size_bytes=MEGABYTE, size_in_bytes=counted)

    assert b.render([script(subtitle_type="external_file")]).archived == 1

    assert b.receipts()["intro"]["video"]["doubtful"] == []
    assert b.emulator.stats()["jobs"] == 0


@pytest.mark.parametrize(("size", "less"), [(MEGABYTE, 65_000), (10 * MEGABYTE, 90_000)], ids=["64 KB", "1 %"])
def test_a_little_less_than_told_is_no_doubt(quick, script, size, less):
    b = quick(minimal_size_bytes=size)
    (ref,) = b.submit([script()])
    b.replace_result(ref.job_id, lambda video: of_size(video, len(video) - less))

    assert b.render([script()]).archived == 1

    assert b.receipts()["intro"]["video"]["doubtful"] == []


def test_a_video_that_is_whole_at_the_second_reading_is_not_doubtful(quick, script):
    """The service goes on writing it: the job is shown with its links once more, and by then it is whole."""
    b = quick(minimal_size_bytes=MEGABYTE, storage_front=True)
    (ref,) = b.submit([script()])
    whole = []
    b.replace_result(ref.job_id, lambda video: whole.append(video) or halved(video))
    outputs = b.emulator.service.outputs
    mint = outputs.mint_link

    def mint_after_writing(container, blob_name):
        if b.emulator.requests("download") and whole:
            video = whole.pop()
            b.replace_result(ref.job_id, lambda _: video)
        return mint(container, blob_name)

    outputs.mint_link = mint_after_writing
    assert b.render([script()]).archived == 1
    assert (b.receipts()["intro"]["video"]["doubtful"], whole) == ([], [])


def test_the_size_of_a_pack_says_nothing_about_its_videos(packs):
    b = packs(minimal_size_bytes=MEGABYTE)

    assert render_packed(b, scripts_of(2), 2).archived == 2

    assert [receipt["video"]["doubtful"] for receipt in b.receipts().values()] == [[], []]
