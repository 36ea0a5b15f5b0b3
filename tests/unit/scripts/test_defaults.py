"""What defaults give: left out where it cannot apply, and their mistakes told once, where they stand."""

import json
import re

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.models import Script
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.defaults import of_file
from batch_avatar.scripts.drafts import check_defaults, check_file
from batch_avatar.scripts.manifest import check_scripts, read_scripts, recheck_scripts
from batch_avatar.scripts.rules import with_defaults
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK, script

WIRE = wire_for("2024-08-01")
SSML = (
    "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xml:lang='en-US'>"
    "<voice name='en-US-JennyNeural'>Hi.</voice></speak>"
)
IN_SSML = {"input_kind": "SSML", "content": SSML}
PHOTO = {"talking_avatar_character": "Adrian", "photo_avatar_base_model": "vasa-1"}
CUSTOM = {"talking_avatar_character": "Mia", "customized": True}
OWN_VOICE = CUSTOM | {"use_built_in_voice": True}
PROSODY = {"style": "sad", "rate": "+10%", "pitch": "low", "volume": "80"}
UNFIT = {
    "prosody for SSML": (IN_SSML, PROSODY),
    "a voice for SSML": (IN_SSML, {"voice": "en-US-AvaMultilingualNeural"}),
    "a style for a photo avatar": (PHOTO, {"talking_avatar_style": "casual-sitting"}),
    "a style for a custom avatar": (CUSTOM, {"talking_avatar_style": "casual-sitting"}),
    "a scene for a video avatar": ({}, {"scene": {"zoom": 2}}),
    "a scene for a custom avatar": (CUSTOM, {"scene": {"zoom": 2}}),
    "a voice of its own for a standard avatar": ({}, {"use_built_in_voice": True}),
    "a voice of its own for a photo avatar": (PHOTO, {"use_built_in_voice": True}),
    "a voice beside an avatar's own": (OWN_VOICE, {"voice": "en-US-AvaMultilingualNeural"}),
    "subtitles beside an avatar's own voice": (OWN_VOICE, {"subtitle_type": "hard_embedded"}),
    "a path without a container": ({}, {"destination_path": "spring"}),
}
"""What a script says of itself, and what defaults give that cannot apply to it."""


def sent(one):
    body = WIRE.encode_create(with_defaults(one), job_id="intro", description="").body
    return json.loads(body)


@pytest.mark.parametrize("case", UNFIT)
@pytest.mark.parametrize("place", ["setting", "file", "form"])
def test_a_default_that_cannot_apply_is_neither_refused_nor_sent(tmp_path, case, place):
    own, defaults = UNFIT[case]
    own = {"script_id": "a", "content": "Hi.", "input_kind": "PlainText", **own}
    (tmp_path / "m.jsonl").write_text(json.dumps(own))
    settings = LOOK | defaults
    if place == "file":
        (tmp_path / "defaults.toml").write_text(toml(defaults))
        settings = LOOK
    scripts = (
        check_scripts([Script.model_validate(own)], defaults=settings, wire=WIRE)
        if place == "form"
        else read_scripts([tmp_path / "m.jsonl"], defaults=settings, wire=WIRE)
    )

    [one] = scripts

    assert {finding.rule for finding in scripts.warnings} <= {"built-in-voice"}
    assert sent(one) == sent(one.model_copy(update=dict.fromkeys(defaults)))
    assert one.model_fields_set >= defaults.keys(), "the id is of what the script and its defaults say"


def toml(values):
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not isinstance(value, dict)]
    tables = [f"{name} = {{ zoom = 2 }}" for name, value in values.items() if isinstance(value, dict)]
    return "\n".join([*lines, *tables])


@pytest.mark.parametrize(
    ("own", "rule"),
    [
        (IN_SSML | {"rate": "+10%"}, "prosody-in-ssml"),
        ({"scene": {"zoom": 2}}, "scene-not-photo"),
        ({"use_built_in_voice": True}, "built-in-voice-not-custom"),
        ({"destination_path": "spring"}, "destination-unusable"),
    ],
)
def test_what_a_script_says_itself_is_refused_as_ever(own, rule):
    with pytest.raises(ManifestError) as caught:
        check_scripts([script(**own)], defaults=LOOK | PROSODY, wire=WIRE)

    assert [finding.rule for finding in caught.value.findings] == [rule]


@pytest.mark.parametrize(
    ("own", "rule"),
    [
        (PHOTO | {"talking_avatar_style": "sad"}, "style-unused"),
        (CUSTOM | {"talking_avatar_style": "sad"}, "style-unused"),
    ],
)
def test_what_a_script_says_itself_and_is_not_sent_is_told(own, rule):
    members = {"script_id": "a", "content": "Hi.", "voice": "en-US-AvaNeural", **own}

    scripts = check_scripts([Script.model_validate(members)], defaults=LOOK, wire=WIRE)

    assert [finding.rule for finding in scripts.warnings] == [rule]


def test_scripts_that_were_checked_before_are_not_refused_for_what_their_defaults_gave():
    [ssml] = check_scripts([script(**IN_SSML)], defaults=PROSODY, wire=WIRE)

    assert list(recheck_scripts([ssml], wire=WIRE)) == [ssml]


MISTAKES = {
    "unknown property": ("speed = 2", 1, "speed"),
    "ill-typed": ('bitrate_kbps = "fast"', 1, "bitrate_kbps"),
    "colour": ('bitrate_kbps = 900\nbackground_color = "red"', 2, "'red'"),
    "below a list of lines": ('# a note\ncustom_voices = { "a" = "b" }\n\n  "video_format" = "mov"', 4, "mov"),
    "two that do not go together": ('video_format = "mp4"\nbackground_color = "transparent"', 2, "transparent"),
    "a table": ("bitrate_kbps = 900\n[scene]\nzoom = -1", 2, "scene.zoom"),
    "named as a member of a table": ('[scene]\nzoom = 1\n[custom_voices]\nrates = "x"\n[rates]', 5, "rates"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_a_defaults_toml_is_told_once_at_its_own_line(tmp_path, case):
    text, line, says = MISTAKES[case]
    (tmp_path / "defaults.toml").write_text(text)
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("Hi.")

    with pytest.raises(ManifestError) as caught:
        read_scripts([tmp_path], defaults=LOOK, wire=WIRE)

    [fault] = caught.value.findings
    assert (fault.source, fault.line, fault.script_id) == (str(tmp_path / "defaults.toml"), line, "")
    assert says in fault.message


def test_a_style_that_a_setting_gives_to_a_folders_avatar_is_told_where_the_avatar_is_named(tmp_path):
    (tmp_path / "defaults.toml").write_text('\ntalking_avatar_character = "meg"')
    (tmp_path / "a.txt").write_text("Hi.")

    [warning] = read_scripts([tmp_path], defaults=LOOK | {"talking_avatar_style": "lying"}, wire=WIRE).warnings

    assert (warning.rule, warning.source, warning.line) == ("style-unknown", str(tmp_path / "defaults.toml"), 2)


def test_a_mistake_in_a_setting_is_told_once_with_the_name_of_its_variable(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("Hi.")

    with pytest.raises(ManifestError) as caught:
        read_scripts([tmp_path], defaults=LOOK | {"background_color": "red"}, wire=WIRE)

    [fault] = caught.value.faults
    assert fault == "BATCH_AVATAR_BACKGROUND_COLOR: background_color is #RRGGBBAA or transparent, not 'red'"


def test_a_warning_of_a_default_is_told_once_at_its_own_line(tmp_path):
    (tmp_path / "defaults.toml").write_text('talking_avatar_style = "casual-siting"\ntalking_avatar_character = "lisa"')
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("Hi.")

    [warning] = read_scripts([tmp_path], defaults=LOOK, wire=WIRE).warnings

    assert (warning.rule, warning.source, warning.line) == ("style-unknown", str(tmp_path / "defaults.toml"), 1)


def test_the_nearest_of_nested_defaults_is_named(tmp_path):
    (tmp_path / "hr").mkdir()
    (tmp_path / "defaults.toml").write_text('background_color = "red"')
    (tmp_path / "hr" / "defaults.toml").write_text('\nbackground_color = "blue"')
    (tmp_path / "hr" / "a.txt").write_text("Hi.")
    (tmp_path / "b.txt").write_text("Hi.")

    with pytest.raises(ManifestError) as caught:
        read_scripts([tmp_path], defaults=LOOK, wire=WIRE, choice=SourceChoice(recursive=True))

    found = {(fault.source, fault.line): re.findall("red|blue", fault.message) for fault in caught.value.findings}
    assert found == {
        (str(tmp_path / "defaults.toml"), 1): ["red"],
        (str(tmp_path / "hr" / "defaults.toml"), 2): ["blue"],
    }


def test_a_default_that_every_script_overrides_does_no_harm(tmp_path):
    (tmp_path / "defaults.toml").write_text('background_color = "red"')
    (tmp_path / "m.jsonl").write_text('{"script_id": "a", "content": "Hi.", "background_color": "unset"}')

    assert len(read_scripts([tmp_path / "m.jsonl"], defaults=LOOK, wire=WIRE)) == 1


def test_a_mistake_of_one_folder_says_nothing_of_another(tmp_path):
    for name, text in {"good": "", "bad": "speed = 2"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "defaults.toml").write_text(text)
        (tmp_path / name / f"{name}.txt").write_text("Hi.")

    with pytest.raises(ManifestError) as caught:
        read_scripts([tmp_path / "good", tmp_path / "bad"], defaults=LOOK, wire=WIRE)

    assert [fault.source for fault in caught.value.findings] == [str(tmp_path / "bad" / "defaults.toml")]


def test_a_drop_is_refused_for_its_folders_defaults_with_their_line():
    beside = check_defaults("defaults.toml", b'\nbackground_color = "red"')

    with pytest.raises(ManifestError) as caught:
        check_file("a.txt", b"Hi.", defaults=LOOK, beside=beside, wire=WIRE)

    assert caught.value.faults == ("defaults.toml:2: background_color is #RRGGBBAA or transparent, not 'red'",)


def test_defaults_of_an_inbox_that_no_script_can_have_name_their_line():
    with pytest.raises(ManifestError) as caught:
        check_defaults("defaults.toml", b"bitrate_kbps = 900\nspeed = 2")

    [fault] = caught.value.faults
    assert fault.startswith("defaults.toml:2: ")
    assert "speed" in fault


@pytest.mark.parametrize("count", [1, 1000])
def test_a_voice_that_is_missing_is_one_fault_that_names_the_three_places(tmp_path, count):
    rows = [f"s{number},Hi." for number in range(count)]
    (tmp_path / "m.csv").write_text("\n".join(["script_id,content", *rows]))

    with pytest.raises(ManifestError) as caught:
        read_scripts([tmp_path / "m.csv"], defaults=LOOK | {"voice": "unset"}, wire=WIRE)

    [line] = caught.value.told
    assert "defaults.toml" in line
    assert "BATCH_AVATAR_VOICE" in line
    assert "the script" in line
    assert len(caught.value.findings) == count
    assert count == 1 or "[1,000 scripts: s0, s1, s2 and 997 more]" in line


def test_the_lines_of_members_are_those_of_the_file():
    text = 'a = 1\n"b c" = """\nx = 2\n"""\n\'d\' = 1\ne.f = 1\n[ g ]\na = 1\nz = 1\n[[h]]\n[i.j]\n'

    places = of_file("d.toml", text).places

    assert {name: place.line for name, place in places.items()} == {
        "a": 1,
        "b c": 2,
        "d": 5,
        "e": 6,
        "g": 7,
        "h": 10,
        "i": 11,
    }
