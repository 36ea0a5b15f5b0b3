"""Lists of voices that are kept in files: what is believed of them."""

import logging
import os

import pytest

from batch_avatar.service.voices.kept import MOST_FILE_BYTES, Voice, VoiceList, known_voices, path_for


def a_list(region, *names):
    return VoiceList(region=region, voices=tuple(Voice(name=name, long_name=f"Voice ({name})") for name in names))


def keep(folder, region, *names):
    (folder / f"voices-{region}.json").write_text(a_list(region, *names).model_dump_json())


def test_the_voices_of_all_regions_are_known_by_both_their_names_in_any_case(tmp_path):
    keep(tmp_path, "westeurope", "en-US-AvaNeural", "ga-IE-OrlaNeural")
    keep(tmp_path, "westus2", "en-US-AvaNeural", "en-US-Ava:DragonHDLatestNeural")

    known = known_voices(tmp_path)

    assert known["en-us-ava:dragonhdlatestneural"] == "en-US-Ava:DragonHDLatestNeural"
    assert known["voice (ga-ie-orlaneural)"] == "Voice (ga-IE-OrlaNeural)"
    assert len(known) == 6


def test_nothing_is_known_where_nothing_was_kept(tmp_path, caplog):
    assert known_voices(tmp_path / "missing") == {}
    assert caplog.messages == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b"\xff",
        b'{"region": "x", "voices": []}',
        b'{"region": "x", "voices": [{"name": ""}]}',
        b'{"region": "x", "voices": [{"name": "%s"}]}' % (b"n" * 401),
        b'{"region": "x", "voices": [%s{"name": "a"}]}' % (b'{"name": "a"},' * 10_000),
        b'{"region": "x", "voices": [{"name": "a"}]}' + b" " * MOST_FILE_BYTES,
    ],
    ids=range(9),
)
def test_a_file_that_is_no_list_is_left_out_with_one_warning(tmp_path, caplog, content):
    (tmp_path / "voices-odd.json").write_bytes(content)
    keep(tmp_path, "westeurope", "en-US-AvaNeural")

    with caplog.at_level(logging.WARNING):
        assert "en-us-avaneural" in known_voices(tmp_path)

    [said] = caplog.messages
    assert said.endswith("`batch-avatar voices` writes it anew")


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "voices-pipe.json")  # opening it would wait for ever
    (tmp_path / "voices-folder.json").mkdir()

    assert known_voices(tmp_path) == {}


@pytest.mark.parametrize(
    ("cache", "home", "folder"),
    [
        ("/var/cache/me", "/home/me", "/var/cache/me/batch-avatar"),
        ("", "/home/me", "/home/me/.cache/batch-avatar"),
        ("here", "/home/me", "/home/me/.cache/batch-avatar"),  # a relative path counts as not set
        ("", "", "/.cache/batch-avatar"),
    ],
)
def test_lists_are_kept_in_the_cache_of_the_user(monkeypatch, cache, home, folder):
    monkeypatch.setenv("XDG_CACHE_HOME", cache)
    monkeypatch.setenv("HOME", home)

    assert str(path_for("westeurope")) == f"{folder}/voices-westeurope.json"
