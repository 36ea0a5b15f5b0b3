"""Members that this program does not know may be added, and none that decides what becomes of videos."""

import json

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.identity import derive_content_id
from batch_avatar.planning.packing import ROOM_BYTES, pack_key
from batch_avatar.scripts.extra_properties import MOST_BYTES
from batch_avatar.scripts.manifest import check_scripts, read_scripts
from batch_avatar.service.wire.avatar_2024 import WRITTEN
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK_TOML, script

WIRE = wire_for("2024-08-01")
GAZE = {"avatarConfig": {"gaze": "left", "depth": [1, 2.5, None, {"far": True}]}, "properties": {"concatenate": False}}


def faults(extra, *, version="2024-08-01"):
    with pytest.raises(ManifestError) as caught:
        check_scripts([script("a", extra_properties=extra)], defaults={}, wire=wire_for(version))
    return caught.value.faults


def body(**members):
    return json.loads(WIRE.encode_create(script("a", **members), job_id="j", description="d").body)


def test_they_are_sent_beside_ours():
    plain, more = body(), body(extra_properties=GAZE)

    assert more["avatarConfig"] == plain["avatarConfig"] | GAZE["avatarConfig"]
    assert more["properties"] == {"concatenate": False}
    assert {name: more[name] for name in plain if name != "avatarConfig"} == {
        name: plain[name] for name in plain if name != "avatarConfig"
    }


def test_they_count_in_the_content_id_and_in_the_key_of_a_pack():
    plain, more = script("a"), script("a", extra_properties=GAZE)
    ids = {derive_content_id(one, archive_id="0" * 16) for one in (plain, more)}

    assert len(ids) == 2
    assert pack_key(plain) != pack_key(more)
    assert pack_key(more) == pack_key(script("b", extra_properties=GAZE))


def test_they_fit_into_the_room_that_a_pack_has():
    assert MOST_BYTES < ROOM_BYTES / 2


def test_defaults_rows_and_cells_may_give_them(tmp_path):
    (tmp_path / "defaults.toml").write_text(f'{LOOK_TOML}[extra_properties.avatarConfig]\ngaze = "left"\n')
    (tmp_path / "a.txt").write_text("Hi.")
    (tmp_path / "m.jsonl").write_text(
        '{"script_id": "b", "content": "Hi.", "extra_properties": {"avatarConfig": {}}}\n'
    )
    cell = '"{""avatarConfig"": {""gaze"": ""up""}}"'
    (tmp_path / "m.csv").write_text(f"script_id,content,extra_properties\nc,Hi.,{cell}\nd,Hi.,\ne,Hi.,unset\n")

    scripts = read_scripts([tmp_path, tmp_path / "m.jsonl", tmp_path / "m.csv"], defaults={}, wire=WIRE)

    left = {"avatarConfig": {"gaze": "left"}}
    assert {one.script_id: one.extra_properties for one in scripts} == {
        "a": left,
        "b": {"avatarConfig": {}},
        "c": {"avatarConfig": {"gaze": "up"}},
        "d": left,
        "e": None,
    }


OURS = [(section, name) for section, names in WRITTEN.items() for name in sorted(names)]


@pytest.mark.parametrize(("section", "name"), OURS, ids=[name for _, name in OURS])
def test_what_is_written_here_cannot_be_added(section, name):
    for spelled in (name, name.upper()):
        assert f"extra_properties: {section}.{spelled} is a property of its own" in faults({section: {spelled: "x"}})[0]


NEVER = ["destinationContainerUrl", "DESTINATIONPATH", "timeToLiveInHours", "timetolive", "description", "inputs", "id"]


@pytest.mark.parametrize("name", NEVER)
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("section", WRITTEN)
def test_nothing_decides_where_videos_go_how_long_they_stay_or_what_is_spoken(section, name, nested):
    value = {"a": [{name: "x"}]} if nested else {name: "x"}

    assert "may not be added" in "".join(faults({section: value}))


SIGNED = "https://u.blob.core.windows.net/c/a.png?sv=1&se=2&sig=canary"
HOSTILE = {
    "another section": (
        {"customVoices": {"a": "b"}},
        "customVoices is none of avatarConfig, synthesisConfig, properti",
    ),
    "a signed link": ({"avatarConfig": {"a": [{"b": SIGNED}]}}, "avatarConfig.a[0].b holds a signed link"),
    "a NUL": ({"avatarConfig": {"a": "x\0"}}, "avatarConfig.a holds a NUL"),
    "no number": ({"avatarConfig": {"a": float("inf")}}, "avatarConfig.a is no number of JSON"),
    "a name with signs": ({"avatarConfig": {"destination\u200bPath": 1}}, "is no name of a member"),
    "a name of two alphabets": ({"properties": {"de\u017ftinationPath": 1}}, "is no name of a member"),
    "an empty name": ({"avatarConfig": {"": 1}}, "is no name of a member"),
    "too much": ({"avatarConfig": {"a": "x" * MOST_BYTES}}, "bytes; it may have 4,000"),
    "too deep": ({"avatarConfig": {"a": json.loads("[" * 60 + "]" * 60)}}, "nested more than 8 deep"),
    "half a surrogate pair": ({"avatarConfig": {"a": "\ud800"}}, "half of a surrogate pair"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_could_do_harm_is_refused_and_not_repeated(name):
    extra, words = HOSTILE[name]

    found = faults(extra)

    assert words in found[0]
    assert "canary" not in "".join(found)
    assert all(len(fault) < 500 for fault in found)


def test_the_older_generation_has_no_place_for_them():
    assert "extra_properties: 3.1-preview1 has no such property" in faults(GAZE, version="3.1-preview1")[0]
