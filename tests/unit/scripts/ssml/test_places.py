"""A fault in SSML has its line: of the file, or of a cell's content. What is sent begins with a tag."""

import json
from datetime import date

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.identity import content_ids, text_digests
from batch_avatar.scripts.drafts import check_file
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.scripts.rules import check_script
from batch_avatar.scripts.voices import Known
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK, script

WIRE = wire_for("2024-08-01")
GOOD = "<speak version='1.0' xml:lang='en-US'><voice name='en-US-AvaNeural'>Hi.</voice></speak>"
BAD = """<speak version='1.0' xml:lang='en-US'>
<voice name='en-US-AvaNeural'>
<break time='2000'/>
<sub>W3C</sub> <whisper>psst</whisper>
</voice>
<p>Hi.</p>
</speak>
"""
ALL = [
    (3, "ssml-value"),
    (4, "ssml-attribute-missing"),
    (4, "ssml-element-unknown"),
    (6, "ssml-structure"),
]


def of(content, **members):
    return list(check_script(script(input_kind="SSML", content=content, **members), Known(date(2026, 9, 1))))


def findings_of(path):
    with pytest.raises(ManifestError) as caught:
        read_scripts([path], defaults=LOOK, wire=WIRE)
    return caught.value


def test_every_fault_of_a_text_is_told_at_once_each_with_its_line():
    assert sorted((one.line, one.rule) for one in of(BAD)) == ALL


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "\n\n", "\ufeff", " \n\ufeff\n"])
def test_lines_are_counted_from_the_beginning_of_the_text(end, before):
    lines = before.count("\n")

    found = of((before + BAD).replace("\n", end))

    assert sorted((one.line - lines, one.rule) for one in found) == ALL


def test_a_line_of_a_file_is_the_files(tmp_path):
    path = tmp_path / "intro.ssml"
    path.write_text(BAD)

    error = findings_of(path)

    assert [(one.source, one.line, one.script_id) for one in error.findings] == [
        (str(path), 6, "intro"),
        (str(path), 4, "intro"),
    ]
    assert str(path) + ":4: intro: <sub> lacks its alias" in str(error)


def test_a_line_of_a_cell_is_named_as_one_of_the_content(tmp_path):
    path = tmp_path / "all.jsonl"
    row = {"script_id": "intro", "input_kind": "SSML", "content": BAD}
    path.write_text("\n" + json.dumps(row))

    error = findings_of(path)

    assert [(one.line, one.message.partition(";")[0]) for one in error.findings] == [
        (2, "line 6 of its content: <p> stands directly in <speak>"),
        (2, 'line 4 of its content: <sub> lacks its alias, such as alias="..."'),
    ]


def test_a_drop_is_told_with_the_line_of_its_file():
    with pytest.raises(ManifestError) as caught:
        check_file("intro.ssml", BAD.encode(), defaults=LOOK, wire=WIRE)

    assert [fault.partition(";")[0] for fault in caught.value.faults] == [
        "intro.ssml:6: <p> stands directly in <speak>",
        'intro.ssml:4: <sub> lacks its alias, such as alias="..."',
    ]
    warned = check_file("intro.ssml", GOOD.replace("Hi.", "\n<break time='2'/>Hi.").encode(), defaults=LOOK, wire=WIRE)
    assert [(one.rule, one.line) for one in warned[1]] == [("ssml-value", 2)]


@pytest.mark.parametrize("before", ["", "\n", "\ufeff", "\ufeff\n", " \t\r\n", "\n\ufeff"])
@pytest.mark.parametrize("declaration", ["", "<?xml version='1.0' encoding='utf-8'?>\n"])
@pytest.mark.parametrize("version", ["2024-08-01", "3.1-preview1"])
def test_what_stands_before_the_first_tag_is_taken_and_not_sent(before, declaration, version):
    given = script(input_kind="SSML", content=before + declaration + GOOD)

    sent = wire_for(version).encode_create(given, job_id="intro", description="")

    assert of(given.content) == []
    assert list(json.loads(sent.body)["inputs"][0].values()) == [declaration + GOOD]
    assert text_digests(given)[0] == text_digests(script(input_kind="SSML", content=declaration + GOOD))[0]


def test_plain_text_is_sent_as_it_is():
    sent = WIRE.encode_create(script(content="\n\ufeff Hi."), job_id="intro", description="")

    assert json.loads(sent.body)["inputs"] == [{"content": "\n\ufeff Hi."}]


@pytest.mark.parametrize(
    ("content", "content_id"),
    [(GOOD, "f35c2183814770b2"), (f"\n {GOOD}", "89f1aa271c08db0f"), (f"\ufeff{GOOD}", "d6c01c48f5d41973")],
)
def test_ids_of_what_was_taken_before_stay(content, content_id):
    given = script(input_kind="SSML", content=content, voice=None)

    assert content_ids(given, archive_id="0" * 16) == (content_id,)
