"""Whether a text is SSML: what its first tag says, wherever the text came from."""

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.models import Script
from batch_avatar.scripts.content.kind import is_ssml
from batch_avatar.scripts.drafts import check_file
from batch_avatar.scripts.findings import warnings
from batch_avatar.scripts.manifest import check_scripts, read_scripts
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK

WIRE = wire_for("2024-08-01")
SSML = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
    '<voice name="en-US-JennyNeural">Hi.</voice></speak>'
)
ROW = SSML.replace('"', "'")

IS_SSML = {
    "a tag": "<speak>",
    "an attribute": "<speak version='1.0'>",
    "an empty one": "<speak/>",
    "a line end in the tag": "<speak\nversion='1.0'>",
    "capitals": "<SPEAK>Hi.</SPEAK>",
    "a prefix": "<ssml:speak>Hi.</ssml:speak>",
    "blanks and a mark": "\ufeff \n\t<speak>",
    "a declaration": "<?xml version='1.0'?><speak>",
    "a comment": "<!-- exported; <b> --> <speak>",
    "comments": "<!-- a --><!-- b -->\n<!---->\n<speak>",
    "a doctype": "<!DOCTYPE speak PUBLIC 'x' 'y'>\n<speak>",
    "a doctype with entities": "<!DOCTYPE speak [<!ENTITY a 'b>'>]>\n<speak>",
    "all of it": "\ufeff<?xml version='1.0'?>\n<!-- a -->\n<!doctype speak>\n<?b c?><speak>",
}
IS_TEXT = {
    "words": "Hi.",
    "nothing": "",
    "a tag in the middle": "Begin with <speak> and end with </speak>.",
    "another tag": "<speaker>Hi.</speaker>",
    "a part of it": "<voice name='v'>Hi.</voice>",
    "only its end": "</speak>",
    "escaped": "&lt;speak>",
    "an open comment": "<!-- <speak>",
    "an open declaration": "<?xml <speak>",
    "an open doctype": "<!DOCTYPE speak [ <speak>",
    "cut off": "<speak",
    "words before": "Note: <speak>Hi.</speak>",
}


@pytest.mark.parametrize("name", IS_SSML)
def test_a_text_that_begins_with_speak_is_ssml(name):
    assert is_ssml(IS_SSML[name])


@pytest.mark.parametrize("name", IS_TEXT)
def test_any_other_text_is_none(name):
    assert not is_ssml(IS_TEXT[name])


def from_file(tmp_path):
    (tmp_path / "a.txt").write_text(SSML)
    return read_scripts([tmp_path / "a.txt"], defaults=LOOK, wire=WIRE)


def from_folder(tmp_path):
    (tmp_path / "a.txt").write_text(f"<!-- a -->\n{SSML}")
    return read_scripts([tmp_path], defaults=LOOK, wire=WIRE)


def from_content_file(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "b.txt").write_text(SSML)
    (tmp_path / "all.csv").write_text("script_id,content_file\na,texts/b.txt\n")
    return read_scripts([tmp_path / "all.csv"], defaults=LOOK, wire=WIRE)


def from_csv(tmp_path):
    (tmp_path / "all.csv").write_text(f'script_id,content\na,"{ROW}"\n')
    return read_scripts([tmp_path / "all.csv"], defaults=LOOK, wire=WIRE)


def from_json_with_null(tmp_path):
    (tmp_path / "all.jsonl").write_text(f'{{"script_id": "a", "input_kind": null, "content": "{ROW}"}}\n')
    return read_scripts([tmp_path / "all.jsonl"], defaults=LOOK, wire=WIRE)


def from_parameter(_):
    return check_scripts([Script(script_id="a", content=SSML)], defaults=LOOK, wire=WIRE)


@pytest.mark.parametrize(
    "road", [from_file, from_folder, from_content_file, from_csv, from_json_with_null, from_parameter]
)
def test_ssml_of_which_nobody_said_what_it_is_is_ssml_and_a_warning_says_so(tmp_path, road):
    found = road(tmp_path)

    assert [one.input_kind for one in found] == ["SSML"]
    assert [(one.rule, one.script_id) for one in found.warnings] == [("ssml-taken", "a")]


def test_a_drop_that_is_ssml_is_ssml_and_a_warning_says_so():
    script, found = check_file("a.txt", SSML.encode(), defaults=LOOK, wire=WIRE)

    assert script.input_kind == "SSML"
    assert [one.rule for one in warnings(found)] == ["ssml-taken"]


@pytest.mark.parametrize("kind", ["PlainText", "plaintext", "PLAINTEXT"])
def test_ssml_that_is_said_to_be_text_is_refused(tmp_path, kind):
    (tmp_path / "all.csv").write_text(f'script_id,input_kind,content\na,{kind},"{ROW}"\n')

    with pytest.raises(ManifestError) as caught:
        read_scripts([tmp_path / "all.csv"], defaults=LOOK, wire=WIRE)

    assert [one.rule for one in caught.value.findings] == ["ssml-as-text"]


def test_ssml_that_is_said_to_be_text_by_a_flow_parameter_is_refused():
    with pytest.raises(ManifestError, match="its tags would be read aloud"):
        check_scripts([Script(script_id="a", input_kind="PlainText", content=SSML)], defaults=LOOK, wire=WIRE)


def test_a_default_kind_does_not_make_a_text_file_ssml(tmp_path):
    (tmp_path / "defaults.toml").write_text('input_kind = "SSML"\n')
    (tmp_path / "a.txt").write_text("Hi.")
    (tmp_path / "b.ssml").write_text(SSML)

    found = read_scripts([tmp_path], defaults=LOOK, wire=WIRE)

    assert [one.input_kind for one in found] == ["PlainText", "SSML"]
