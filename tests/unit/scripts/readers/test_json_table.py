"""Scripts in JSON as programs and people write it, and each mistake in plain words."""

import json

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.scripts.readers.json_table import MOST_TOGETHER, goes_over_lines
from tests.unit.scripts.hostile import DEFAULTS, WIRE

TWO = [{"script_id": "a", "content": "Hi."}, {"script_id": "b", "content": "Bye."}]
A, B = map(json.dumps, TWO)


def read(path, **choice):
    return read_scripts([path], defaults=DEFAULTS, wire=WIRE, choice=SourceChoice(**choice))


def faults(path, **choice):
    with pytest.raises(ManifestError) as caught:
        read(path, **choice)
    return [fault.removeprefix(f"{path}") for fault in caught.value.faults]


@pytest.fixture
def table(tmp_path):
    def write(text, name="m.jsonl"):
        path = tmp_path / name
        path.write_bytes(text.encode())
        return path

    return write


# Its forms


@pytest.mark.parametrize("name", ["m.json", "m.jsonl", "m.ndjson"])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TWO),
        json.dumps(TWO, indent=2) + "\n",
        "\n\ufeff".strip("\n") + json.dumps(TWO, indent=2),
        "\r\n \r\n" + json.dumps(TWO, indent="\t").replace("\n", "\r\n"),
        f"[{A},\n{B}]",
        f"[\n{A},\n{B}\n]\n\n",
        f"{A}\n{B}\n",
        f"\n{A}\r\n\r\n{B}",
        "\n".join(json.dumps(one, indent=4) for one in TWO),
        "\n\n".join(json.dumps(one, indent=1) for one in TWO) + "\n",
    ],
)
def test_objects_are_read_in_each_form(table, name, text):
    assert [(script.script_id, script.content) for script in read(table(text, name))] == [("a", "Hi."), ("b", "Bye.")]


@pytest.mark.parametrize("text", [A, json.dumps(TWO[0], indent=2), json.dumps([TWO[0]])])
def test_one_object_is_one_script(table, text):
    assert list(read(table(text, "m.json")).script_ids) == ["a"]


@pytest.mark.parametrize("text", ["", "[]", "[\n]\n", " \n\n"])
def test_a_file_without_objects_is_a_fault(table, text):
    assert faults(table(text, "m.json")) == [":1: no scripts in it"]


@pytest.mark.parametrize(
    ("first", "over_lines"),
    [
        ("[", True),
        ("[]", True),
        ("{", True),
        ('{"script_id": "a",', True),
        (' {"scene": {"zoom": 1', True),
        (A, False),
        (A + ",", False),
        ('{"script_id": "never closed', False),
        ('{"script_id" "a"}', False),
        ('"text', False),
        ("", False),
    ],
)
def test_the_first_line_tells_whether_json_goes_over_several(first, over_lines):
    assert goes_over_lines(first + "\n") is over_lines


def test_a_fault_of_a_script_names_the_line_where_its_object_begins(table):
    path = table(json.dumps([TWO[0], TWO[1] | {"script_id": "_b"}], indent=2))

    [fault] = faults(path)

    assert fault.startswith(":6: _b: ")


def test_json_in_one_piece_has_a_limit_and_json_of_lines_has_none(table):
    long = {"script_id": "a", "content": "Hi.", "description": "x" * 400_000}
    rows = [long | {"script_id": f"s{number}"} for number in range(MOST_TOGETHER // 400_000 + 1)]

    together = table(json.dumps(rows, indent=1), "m.json")
    lines = table("".join(json.dumps(row) + "\n" for row in rows))

    assert faults(together) == [
        (":1: m.json has more than 20,000,000 characters of JSON in one piece; write each object on a line of its own")
    ]
    assert len(read(lines)) == len(rows)


# Its values


@pytest.mark.parametrize(
    ("given", "script_id"), [(17, "17"), (17.0, "17"), (1.5, "1.5"), (-3, "-3"), (10**30, "1" + "0" * 30)]
)
def test_a_number_as_id_is_its_text(table, given, script_id):
    [script] = read(table(json.dumps(TWO[0] | {"script_id": given})))

    assert script.script_id == script_id


def test_a_number_is_as_good_as_text_wherever_text_is_wanted(table):
    [script] = read(table(json.dumps(TWO[0] | {"content": 2026, "rate": 1.2, "description": 7, "bitrate_kbps": 500})))

    assert (script.content, script.rate, script.description, script.bitrate_kbps) == ("2026", "1.2", "7", 500)


def test_true_is_no_id(table):
    [fault] = faults(table(json.dumps(TWO[0] | {"script_id": True})))

    assert "script_id" in fault


def test_null_is_not_given_where_a_script_cannot_be_without(table, tmp_path):
    (tmp_path / "a.txt").write_text("Hi.")
    given = {"script_id": "a", "content_file": "a.txt", "content": None, "talking_avatar_character": None}
    nothing = dict.fromkeys(["content_file", "input_kind", "voice", "rate", "video_crop", "custom_voices"])

    one, two = read(table(f"{json.dumps(given)}\n{json.dumps(TWO[1] | nothing)}\n"))

    assert (one.content, one.talking_avatar_character, one.voice) == ("Hi.", "lisa", "v")
    assert (two.content, two.input_kind, two.voice, two.rate) == ("Bye.", "PlainText", "v", None)


@pytest.mark.parametrize(
    "row",
    [
        {"input_kind": "SSML", "content": "<speak version='1.0'><voice name='v'>Hi.</voice></speak>"},
        {"content_file": "a.ssml"},
    ],
)
def test_null_takes_away_the_voice_of_ssml_as_it_always_did(table, tmp_path, row):
    (tmp_path / "a.ssml").write_text("<speak version='1.0'><voice name='v'>Hi.</voice></speak>")

    [script] = read(table(json.dumps({"script_id": "a", "voice": None} | row)))

    assert script.voice is None


# Its columns


def test_names_are_chosen_and_left_out_as_columns_are(table):
    path = table('{"Title": "a", "text": "Hi.", "author": "Jane", "x": 1}\n{"Title": "b", "text": "Bye."}\n')
    choice = {"columns": (("title", "script_id"), ("Text", "content")), "ignore_columns": ("Author",)}

    assert list(read(path, **choice, ignore_unknown=True).script_ids) == ["a", "b"]


def test_a_chosen_name_that_no_object_has_is_a_fault(table):
    assert faults(table(A), columns=(("Sprecher", "voice"),)) == [":1: --column Sprecher: no object has such a name"]


def test_a_chosen_name_beside_the_member_itself_is_a_fault(table):
    [fault] = faults(table('{"script_id": "a", "content": "One.", "text": "Two."}'), columns=(("text", "content"),))

    assert fault == ":1: text is a second content"


# What is no JSON

WRONG = {
    A + ",": "a comma too many at its end",
    '{"script_id": "a", "content": "Hi.",}': "a comma too many before }",
    '{"script_id": "a", "scene": [1,]}': "a comma too many before ]",
    '{"script_id": "a",, "content": "Hi."}': "a comma too many",
    "{'script_id': 'a'}": "' is no quotation mark of JSON; write \" in its place",
    '{“script_id”: "a"}': '“ is no quotation mark of JSON; write " in its place',
    '{"script_id": ‘a’}': '‘ is no quotation mark of JSON; write " in its place',
    '{script_id: "a"}': "script_id needs quotation marks",
    '{"script_id": intro}': "intro needs quotation marks",
    '{"customized": True}': "True is no word of JSON; write true",
    '{"customized": False}': "False is no word of JSON; write false",
    '{"voice": None}': "None is no word of JSON; write null",
    '{"voice": undefined}': "undefined is no word of JSON; write null",
    '{"avatar_size": {"x": NaN}}': "NaN is no number of JSON",
    '{"script_id": "a"} // first': "a comment, which JSON has none of; delete it",
    '{"script_id": "a", # first': "a comment, which JSON has none of; delete it",
    '{"script_id": /* id */ "a"}': "a comment, which JSON has none of; delete it",
    "// first": "a comment, which JSON has none of; delete it",
    '{"script_id" "a"}': 'a colon is missing before "a"}',
    '{"script_id": "a" "content": "Hi."}': 'a comma is missing before "content": "Hi."}',
    '{"script_id": }': "a value is missing before }",
    '{"script_id": "a': "a quotation mark opens a text here that is never closed on this line",
    '{"script_id": "a\tb"}': r"a text holds a line break or a tab; write \n or \t in its place",
    r'{"content_file": "C:\texts\intro.txt"}': "a backslash stands in a text; write it twice",
    f"{A} {B}": "more than one object; write each on a line of its own",
    f"{A}, {B}": "more than one object; write each on a line of its own",
    f"{A} end": "something follows the end of the object: end",
    '{"script_id": "a", "content": "One.", "content": "Two."}': "content is given twice; delete one of them",
    '{"script_id": "a", "scene": {"zoom": 1, "zoom": 2}}': "zoom is given twice; delete one of them",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_json_is_one_fault_a_line_in_plain_words(table, wrong):
    told = faults(table(f"{B}\n{wrong}\n{wrong}\n"))

    assert len(told) == 2
    for number, fault in enumerate(told, start=2):
        assert fault.startswith(f":{number}: malformed JSON: {WRONG[wrong]}")
        assert (
            fault.removesuffix(")").rpartition(" (column ")[0].endswith(WRONG[wrong])
            or "twice" in fault
            or "NaN" in fault
        )


@pytest.mark.parametrize("value", ["7", '"text"', "true", "null", "[]"])
def test_what_is_no_object_is_one_fault(table, value):
    [fault] = faults(table(f"{A}\n{value}\n"))

    assert fault.startswith(":2: each script is an object in braces { }, not ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"[\n  {A},\n  {B},\n]", ":4: malformed JSON: a comma too many before ] (column 1)"),
        (f"[\n  {A}\n  {B}\n]", ":3: malformed JSON: a comma is missing before { (column 3)"),
        (f"[\n  {A},\n  {B}\n", ":4: malformed JSON: it ends too early; a ] is missing (column 1)"),
        (f"[\n  {A}\n] {B}", ":3: malformed JSON: more than one object; write each on a line of its own (column 3)"),
        (f"[\n  {A},\n  7\n]", ":3: each script is an object in braces { }, not a number"),
        (
            '[\n  {\n    "script_id": "a",\n    "content": \'Hi.\'\n  }\n]',
            ":4: malformed JSON: ' is no quotation mark of",
        ),
        (
            '[\n  {\n    "script_id": "a",\n    "script_id": "b"\n  }\n]',
            ":2: malformed JSON: script_id is given twice;",
        ),
        (
            '{\n  "script_id": "a",\n  "content": "Hi."\n',
            ":4: malformed JSON: it ends too early; a } or ] or a value is",
        ),
        ('{\n  "script_id": "a",\n  "content": "Hi."\n},\n{\n}', ":4: malformed JSON: a comma too many"),
        ("[" * 100_000, ":1: malformed JSON: nested too deeply"),
    ],
)
def test_a_mistake_in_json_over_several_lines_is_one_fault_on_its_line(table, text, fault):
    [told] = faults(table(text, "m.json"))

    assert told.startswith(fault)
