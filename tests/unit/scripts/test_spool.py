"""Checked scripts wait on disk: equal to what was added, gone with the spool, and without the secret ones."""

import gc
import json
import os
import resource
import tempfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch_avatar.errors import InputError
from batch_avatar.models import Outcome, Point, Scene, Script, VideoCrop
from batch_avatar.rendering.outcomes import build_report
from batch_avatar.rendering.report import BatchReport
from batch_avatar.scripts.spool import OutcomeSpool, ScriptSpool
from tests.support.open_files import nameless_files

SIGNED = "https://u.blob.core.windows.net/c?sr=c&sp=rwl&se=2027&sig=canary"
VALUES = {
    "columns": {"team": "Säle", "note": 'a "note"'},
    "description": 'A "note"\nfor people',
    "voice": "en-US-AvaMultilingualNeural",
    "style": "cheerful",
    "rate": "+10%",
    "pitch": "low",
    "volume": "loud",
    "custom_voices": {"zweite": "id-2", "erste": "id-1"},
    "talking_avatar_character": "lisa",
    "talking_avatar_style": "graceful-sitting",
    "customized": False,
    "photo_avatar_base_model": "vasa-1",
    "scene": Scene(zoom=0.1, position_x=-0.30000000000000004, amplitude=None),
    "use_built_in_voice": True,
    "video_format": "webm",
    "video_codec": "vp9",
    "bitrate_kbps": 10**20,
    "subtitle_type": "none",
    "background_color": "#FF0000FF",
    "background_image": "https://pictures.example/still.png?size=large",
    "video_crop": VideoCrop(top_left=Point(x=1, y=2), bottom_right=Point(x=3.5, y=float("inf"))),
    "avatar_position": Point(x=float("-inf"), y=0),
    "avatar_size": Point(x=1e-300, y=1e300),
    "resolution": Point(x=1920, y=1080),
    "time_to_live_in_hours": 744,
    "destination_container_url": SIGNED,
    "destination_path": "folder",
    "extra_properties": {"avatarConfig": {"gaze": ["left", None, 1.5, {"x": 10**20}]}, "properties": {}},
}
ITEM = {"script_id", "input_kind", "content"}


def script(script_id="a", content="Hi.", **members):
    return Script(script_id=script_id, content=content, **members)


def spooled(*scripts):
    spool = ScriptSpool()
    for one in scripts:
        spool.add(one)
    return spool


@contextmanager
def largest_file(size_bytes):
    """Inside, the system takes no byte of a file beyond this size, as of a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# What comes back is what went in


def test_the_samples_hold_every_property():
    assert VALUES.keys() | ITEM == Script.model_fields.keys()


@pytest.mark.parametrize("name", VALUES)
def test_every_property_comes_back_and_nothing_else_is_set(name):
    for value in (VALUES[name], None):
        there = script(**{name: value})

        [back] = spooled(there)

        assert back == there
        assert back.model_fields_set == there.model_fields_set == {"script_id", "content", name}


def test_members_of_members_that_were_not_set_stay_so():
    [back] = spooled(script(scene=Scene(zoom=1, amplitude=None)))

    assert back.scene.model_fields_set == {"zoom", "amplitude"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))
def test_any_text_comes_back_in_its_place(texts):
    scripts = [script(f"s{number}", text, input_kind="SSML") for number, text in enumerate(texts)]

    assert list(spooled(*scripts)) == scripts


# A sequence


def test_it_is_a_sequence_of_scripts_in_the_order_added():
    scripts = [script("b", "Second."), script("a", "First."), script("c", background_image=SIGNED)]
    spool = spooled(*scripts)

    assert len(spool) == 3
    assert [spool[0], spool[-1], spool[1]] == [scripts[0], scripts[2], scripts[1]]
    assert spool[1:] == scripts[1:]
    assert spool[::-1] == scripts[::-1]
    assert list(reversed(spool)) == scripts[::-1]
    assert scripts[1] in spool
    assert script("d") not in spool
    with pytest.raises(IndexError):
        spool[3]
    with pytest.raises(IndexError):
        spool[-4]


def test_an_empty_one_is_false_and_gives_nothing():
    assert not spooled()
    assert list(spooled()) == []


def test_names_are_known_after_the_bodies_are_gone():
    spool = spooled(script("b"), script("a"), script("c", background_image=SIGNED))
    spool.close()

    assert list(spool.script_ids) == ["b", "a", "c"]


def test_many_threads_read_at_once():
    scripts = [script(f"s{number}", f"{number} " * 1_000) for number in range(200)]
    spool = spooled(*scripts)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda number: spool[number % 200], range(1_600))) == scripts * 8


# What it costs, and what stays behind


def test_memory_holds_names_and_no_bodies():
    spool = ScriptSpool()
    tracemalloc.start()
    try:
        for number in range(100):
            spool.add(script(f"s{number}", "word " * 10_000))
        for one in spool:
            assert len(one.content) == 50_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1_000_000  # all bodies together are 5 MB


def test_the_file_has_no_name_and_goes_with_the_spool():
    before = nameless_files()
    spool = spooled(script())
    [ours] = nameless_files() - before

    del spool
    gc.collect()

    assert ours not in nameless_files()


def test_closing_gives_the_file_back_and_closing_again_does_nothing():
    before = nameless_files()
    spool = spooled(script())
    [ours] = nameless_files() - before

    spool.close()
    spool.close()

    assert ours not in nameless_files()
    with pytest.raises(ValueError, match="closed"):
        spool[0]


@pytest.mark.parametrize(
    "members",
    [
        {"background_image": SIGNED},
        {"destination_container_url": SIGNED},
        {"input_kind": "SSML", "content": f"<speak><voice name='v'><audio src='{SIGNED}'/></voice></speak>"},
    ],
    ids=["picture", "destination", "sound"],
)
def test_a_script_with_a_signature_is_never_written_to_the_disk(members):
    before = nameless_files()
    there = script("signed", **members)

    spool = spooled(script(content="open to see"), there, script("c"))

    [(number, _, _)] = nameless_files() - before
    written = os.pread(number, 100_000, 0)
    assert b"open to see" in written
    assert b"canary" not in written
    assert [one.script_id for one in spool] == ["a", "signed", "c"]
    assert spool[1] == there


# No room


def test_a_full_disk_is_told_and_what_was_added_before_can_still_be_read():
    first, big, last = script("first"), script("big", "word " * 20_000), script("last")
    spool = spooled(first)

    with largest_file(50_000), pytest.raises(InputError, match=r"scripts and outcomes are kept .* TMPDIR"):
        spool.add(big)
    spool.add(last)

    assert list(spool) == [first, last]
    assert list(spool.script_ids) == ["first", "last"]


def test_no_place_for_temporary_files_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))

    with pytest.raises(InputError, match="No such file or directory; make room, or name another folder in TMPDIR"):
        ScriptSpool()


def test_nothing_is_left_in_the_folder_of_temporary_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    spool = spooled(script())

    assert list(tmp_path.iterdir()) == []
    assert list(spool) == [script()]


def outcome(name, kind="archived", **members):
    return Outcome.model_validate({"script_id": name, "outcome": kind, **members})


def test_outcomes_come_back_in_the_order_of_the_scripts_whatever_order_they_came_in():
    spool = OutcomeSpool(["a", "b", "c"])
    error = {"class": "job", "code": "Aborted", "message": "timeout \u2028 ü"}
    given = [outcome("c", billed_seconds=3), outcome("a", "failed", error=error), outcome("b", "skipped", note="n")]
    for one in given:
        spool.add(one)

    assert list(spool) == sorted(given, key=lambda one: one.script_id)
    assert (spool[1], spool[-1], spool[:2]) == (given[2], given[0], [given[1], given[2]])


def test_the_sums_of_outcomes_are_kept_without_reading_them():
    spool = OutcomeSpool(["a", "b", "c"])
    spool.add(outcome("a", billed_seconds=3, billed_characters=40))
    spool.add(outcome("b", "failed", billed_seconds=2))

    report = build_report("run", spool)

    assert (report.scripts, report.archived, report.failed, report.skipped) == (3, 1, 1, 0)
    assert (report.billed_seconds, report.billed_characters) == (5, 40)


def test_a_script_ends_only_once():
    spool = OutcomeSpool(["a", "b"])
    assert not spool.has("a")
    spool.add(outcome("a"))

    assert (spool.has("a"), spool.has("b")) == (True, False)
    with pytest.raises(ValueError, match="a has ended before"):
        spool.add(outcome("a", "failed"))


def test_a_report_in_pieces_is_the_same_json_as_one_of_a_piece():
    outcomes = [outcome("a"), outcome("b", "failed", error={"class": "job", "code": "x", "message": "y"})]
    spool = OutcomeSpool(["a", "b"])
    for one in outcomes:
        spool.add(one)
    kept, listed = build_report("run", spool), build_report("run", outcomes)

    assert kept.to_json() == listed.to_json()
    assert json.loads(kept.to_json()) == json.loads(listed.model_dump_json(by_alias=True))
    assert BatchReport.model_validate_json(kept.to_json()).outcomes == outcomes
    assert json.loads(build_report("run", []).to_json())["outcomes"] == []
