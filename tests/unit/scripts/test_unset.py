"""The word `unset` takes away what a default gave; an empty cell is not given."""

import pytest

from batch_avatar.scripts.drafts import check_defaults, check_file
from batch_avatar.scripts.manifest import check_scripts, read_scripts
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK, script

WIRE = wire_for("2024-08-01")
SETTINGS = LOOK | {"subtitle_type": "none", "video_format": "webm"}
DEFAULTS = 'talking_avatar_style = "casual-sitting"\nbitrate_kbps = 500\nsubtitle_type = "unset"\n'
TAKEN = ["talking_avatar_style", "bitrate_kbps", "subtitle_type", "scene", "video_format"]
ROWS = {
    "m.csv": "script_id,content,talking_avatar_style,bitrate_kbps,subtitle_type,scene,video_format\n"
    "unset,unset,unset,unset,unset,unset,unset\nempty,Hi.,,,,,\n",
    "m.jsonl": '{"script_id": "unset", "content": "unset", "talking_avatar_style": "unset", "bitrate_kbps": "unset", '
    '"scene": "unset", "video_format": "unset"}\n{"script_id": "empty", "content": "Hi."}\n',
}


@pytest.mark.parametrize("name", ROWS)
def test_the_word_takes_away_what_any_default_gave(tmp_path, name):
    (tmp_path / "defaults.toml").write_text(DEFAULTS)
    (tmp_path / name).write_text(ROWS[name])

    unset, empty = read_scripts([tmp_path / name], defaults=SETTINGS, wire=WIRE)

    assert [getattr(unset, member) for member in TAKEN] == [None] * len(TAKEN)
    assert not unset.model_fields_set & set(TAKEN)
    assert [getattr(empty, member) for member in TAKEN] == ["casual-sitting", 500, None, None, "webm"]


def test_what_is_spoken_and_what_a_script_is_called_is_never_taken_away(tmp_path):
    (tmp_path / "unset.txt").write_text("unset")

    [only] = read_scripts([tmp_path], defaults=SETTINGS, wire=WIRE)

    assert (only.script_id, only.content) == ("unset", "unset")


def test_the_defaults_of_an_inbox_may_say_it_too():
    beside = check_defaults("defaults.toml", DEFAULTS.encode())

    taken, _ = check_file("a.txt", b"Hi.", defaults=SETTINGS, beside=beside, wire=WIRE)

    assert taken.subtitle_type is None
    assert taken.bitrate_kbps == 500


def test_a_form_may_say_it_too():
    [only] = check_scripts([script("a", video_format="unset")], defaults=SETTINGS, wire=WIRE)

    assert only.video_format is None
