"""Names in the archive: those of every id that a script may have are read back, and no other name is taken for one."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batch_avatar.archive.naming.names import folders_above, key_of, video_of
from batch_avatar.identity import derive_job_id, parse_job_id
from batch_avatar.scripts.script_ids import check_script_id

CONTENT_ID = "0123456789abcdef"
parts = st.text(st.sampled_from("ab0189._- é"), min_size=1, max_size=20)


@given(st.lists(parts, min_size=1, max_size=4).map("/".join))
def test_the_archives_names_of_any_accepted_id_are_read_back(script_id):
    assume(not list(check_script_id(script_id)))
    key = (script_id, CONTENT_ID)
    assert key_of(f"{script_id}/{CONTENT_ID}/claim.json") == (*key, "claim.json")
    assert key_of(f"{script_id}/{CONTENT_ID}/receipt.json") == (*key, "receipt.json")
    assert video_of(f"{script_id}/{CONTENT_ID}/12/video.mp4") == key
    assert video_of(f"{script_id}/{CONTENT_ID}/claim.json") is None
    assert key_of(f"{script_id}/{CONTENT_ID}/12/video.mp4") is None
    assert parse_job_id(derive_job_id(script_id, CONTENT_ID, 12)) == (CONTENT_ID, 12)


@pytest.mark.parametrize(
    "name",
    [
        "_runs/hr/0123456789abcdef/claim.json",
        "hr/welcome/notes/claim.json",
        "../hr/0123456789abcdef/claim.json",
        "hr/1/0123456789abcdef/claim.json",
        "hr/welcome/0123456789abcdef/my-claim.json",
        "hr/0123456789abcdef/1/summary.json",
        "hr/welcome/0123456789abcdef/first/video.mp4",
        "hr/welcome/notes/1/video.mp4",
        "claim.json",
        "a/claim.json",
    ],
)
def test_no_other_name_is_taken_for_a_record_or_a_video(name):
    assert key_of(name) is None
    assert video_of(name) is None


def test_names_of_flat_ids_are_read_as_ever():
    assert key_of("01/c1/claim.json") == ("01", "c1", "claim.json")
    assert video_of("01/c1/1/video.webm") == ("01", "c1")


def test_the_folders_above_an_id():
    assert list(folders_above("a/b/c")) == ["a", "a/b"]
    assert list(folders_above("a")) == []
    assert list(folders_above("../a")) == []
