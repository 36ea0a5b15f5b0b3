"""Each row fills the template: its text, its id, its properties; and a fault names sheet, row and column."""

import json

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.findings import told_faults
from tests.unit.scripts.readers.spreadsheets import number, text, write_xlsx
from tests.unit.scripts.templates.filling import SSML, faults, in_files, read, warned

HEADER = ("employee", "First Name", "team")


def test_each_row_is_a_script_with_its_text_and_id(tmp_path):
    choice = in_files(tmp_path, "Hello {{ first_name }}.\nWelcome!\n", [HEADER, ("7", "Anna", "A"), ("8", "Bo", "")])

    scripts = list(read(choice, id_column="employee"))

    assert [(one.script_id, one.input_kind, one.content) for one in scripts] == [
        ("7", "PlainText", "Hello Anna.\nWelcome!\n"),
        ("8", "PlainText", "Hello Bo.\nWelcome!\n"),
    ]


def test_what_a_row_says_is_text_in_ssml(tmp_path):
    choice = in_files(
        tmp_path, SSML.format("Hi {{ name }}."), [("script_id", "name"), ("a", "A & <b>")], ending=".ssml.j2"
    )

    [script] = read(choice)

    assert (script.input_kind, script.content) == ("SSML", SSML.format("Hi A &amp; &lt;b&gt;."))


def test_what_a_row_says_stays_as_it_is_in_plain_text(tmp_path):
    [script] = read(in_files(tmp_path, "{{ name }}", [("script_id", "name"), ("a", "A & <b>")]))

    assert script.content == "A & <b>"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_told_although_no_column_is_known(tmp_path, separator):
    choice = in_files(tmp_path, "Hi {{ first_name }}, 1,2,3.", [HEADER, ("7", "Anna", "A")], separator=separator)

    assert [one.content for one in read(choice, id_column="employee")] == ["Hi Anna, 1,2,3."]


def test_a_column_that_is_a_property_sets_it_unless_the_template_uses_it(tmp_path):
    rows = [
        ("script_id", "voice", "background_color", "description", "rate"),
        ("a", "en-US-GuyNeural", "", "Note", "+5%"),
    ]

    [script] = read(in_files(tmp_path, "At {{ rate }}.", rows))

    assert (script.voice, script.background_color, script.description) == ("en-US-GuyNeural", None, "Note")
    assert (script.content, script.rate) == ("At +5%.", None)


def test_a_nested_property_is_json_in_its_cell(tmp_path):
    rows = [("script_id", "scene", "photo_avatar_base_model"), ("a", '{"zoom": 1.5}', "vasa-1")]

    [script] = read(in_files(tmp_path, "Hi.", rows))

    assert script.scene is not None
    assert script.scene.zoom == 1.5


def test_numbers_of_a_sheet_and_of_json_are_text(tmp_path):
    template = tmp_path / "hi.txt.j2"
    template.write_text("Room {{ room }}.")
    rows = {1: {"A": text("employee"), "B": text("room")}, 2: {"A": number(7), "B": number(12)}}
    sheet = write_xlsx(tmp_path / "people.xlsx", {"Sheet1": rows})
    listed = tmp_path / "people.json"
    listed.write_text(json.dumps([{"employee": 7, "room": 12.0}]))

    for table in (sheet, listed):
        [script] = read({"template": str(template), "rows": str(table)}, id_column="employee")
        assert (script.script_id, script.content) == ("7", "Room 12.")


def test_lists_and_objects_of_json_can_be_used(tmp_path):
    choice = in_files(
        tmp_path,
        "{{ boss.name }}{% for task in tasks %}{% if loop.first %}:{% endif %} {{ loop.index }} {{ task }}{% endfor %}",
        [],
    )
    table = tmp_path / "people.jsonl"
    table.write_text(json.dumps({"script_id": "a", "boss": {"name": "Cy"}, "tasks": ["read", "write", None]}))

    assert [one.content for one in read(choice, rows=str(table))] == ["Cy: 1 read 2 write"]


CONDITIONS = [
    ("{{ nick | default('you') }}", "you"),
    ("{% if nick %}{{ nick }}{% else %}nobody{% endif %}", "nobody"),
    ("{{ nick if nick is defined else 'none' }}", "none"),
    ("{% if name == 'Bo' and not nick %}ok{% endif %} Hi.", "ok Hi."),
    ("{{ name | upper }} {{ name|trim|lower }} {{ name | length }}", "BO bo 2"),
    ("{# a note #}{% raw %}100 %{% endraw %}", "100 %"),
    ("{% if name in ['Al', 'Bo'] %}in{% endif %}", "in"),
    ("a\r\nb\n\n{{ name }}\n", "a\nb\n\nBo\n"),
]


@pytest.mark.parametrize(("template", "content"), CONDITIONS, ids=[template for template, _ in CONDITIONS])
def test_a_template_may_say_what_holds_instead(tmp_path, template, content):
    rows = [("script_id", "name", "nick"), ("a", "Bo", " "), ("b", "Bo", "B")]

    assert next(iter(read(in_files(tmp_path, template, rows)))).content == content


def test_an_empty_cell_is_named_by_sheet_row_and_column(tmp_path):
    template = tmp_path / "hi.txt.j2"
    template.write_text("Dear colleague,\nhello {{ first_name }}.")
    names = {row: {"A": number(row), "B": text("Anna" if row != 17 else " ")} for row in range(2, 30)}
    rows = {1: {"A": text("employee"), "B": text("First Name")}, **names}
    table = write_xlsx(tmp_path / "people.xlsx", {"Sheet1": rows})

    assert faults({"template": str(template), "rows": str(table)}, id_column="employee") == [
        (
            "people.xlsx[Sheet1]:17: 17: column First Name is empty; hi.txt.j2:2 uses it: fill it, or write "
            "{{ first_name | default('...') }} there"
        )
    ]


def test_all_that_rows_lack_is_told_at_once_and_one_kind_in_one_line(tmp_path):
    rows = [
        ("script_id", "a", "b"),
        ("1", "x", "y"),
        ("2", "", ""),
        ("", "x", "y"),
        *[(f"r{n}", "x", "") for n in range(50)],
    ]

    with pytest.raises(ManifestError) as caught:
        read(in_files(tmp_path, "{{ a }} {{ b }}", rows))

    told = [line.rpartition("/")[2] for line in told_faults(caught.value.findings)]
    assert sorted(told) == [
        "people.csv:3: 2: column a is empty; hi.txt.j2:1 uses it: fill it, or write {{ a | default('...') }} there",
        (
            "people.csv:3: column b is empty; hi.txt.j2:1 uses it: fill it, or write {{ b | default('...') }} there "
            "[51 scripts: 2, r0, r1 and 48 more]"
        ),
        "people.csv:4: column script_id is empty; the scripts are named by it",
    ]


def test_a_column_that_is_nowhere_is_told_once_with_what_was_meant(tmp_path):
    rows = [HEADER, *[(str(number), "Anna", "A") for number in range(100)]]

    assert faults(in_files(tmp_path, "\n{{ frst_name }}", rows), id_column="employe", ignore_unknown=True) == [
        (
            "people.csv: no row has anything in a column employe, and the scripts are named by it; filled are "
            "employee, First Name, team; `--id-column NAME` names another; did you mean employee?"
        ),
        (
            "people.csv: no row has anything in a column frst_name, and hi.txt.j2:2 uses it; filled are "
            "employee, First Name, team; did you mean first_name?"
        ),
    ]


def test_a_default_that_holds_for_every_row_and_unused_columns_are_warned_of(tmp_path):
    rows = [("script_id", "name", "phone"), ("a", "Bo", "1")]

    scripts = read(in_files(tmp_path, "{{ name }}{% if nmae %}!{% endif %}", rows))

    assert warned(scripts)[-2:] == [
        "people.csv: hi.txt.j2:1 uses column nmae, which no row fills; did you mean name?",
        (
            "people.csv: hi.txt.j2 does not use the columns phone; `--keep-columns` keeps them beside the videos, "
            "`--ignore-unknown` says nothing of them"
        ),
    ]


@pytest.mark.parametrize(
    "choice", [{"ignore_unknown": True}, {"ignore_columns": ("phone",)}, {"keep_columns": ("Phone",)}]
)
def test_columns_that_somebody_spoke_of_are_not_warned_of(tmp_path, choice):
    scripts = read(in_files(tmp_path, "Hi.", [("script_id", "phone"), ("a", "1")]), **choice)

    assert not [line for line in warned(scripts) if "people.csv: " in line]


@pytest.mark.parametrize(
    ("rows", "template", "fault"),
    [
        (
            [("script_id", "First Name", "first_name"), ("a", "Bo", "Al")],
            "{{ first_name }}",
            "people.csv:2: a: columns First Name and first_name are the same to a template; rename",
        ),
        (
            [("script_id", "name"), ("a", "x" * 400_000)],
            "{{ name }}{{ name }}",
            "people.csv:2: a: hi.txt.j2 gives more than 500,000 characters with it, which fit into no request",
        ),
        ([("script_id", "name"), ("a/../b", "Bo")], "Hi.", "people.csv:2: a/../b: script_id must not contain"),
        ([("script_id", "name")], "Hi.", "people.csv:1: no scripts in it"),
    ],
    ids=["one name twice", "too long", "no id", "no rows"],
)
def test_a_bad_row_is_named(tmp_path, rows, template, fault):
    assert faults(in_files(tmp_path, template, rows))[0].startswith(fault)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (["a"], "people.jsonl:1: a: hi.txt.j2 would speak a list; it can speak texts and numbers"),
        ({"a": "b"}, "people.jsonl:1: a: hi.txt.j2 would speak an object; it can speak texts and numbers"),
        (True, "people.jsonl:1: a: hi.txt.j2 would speak true or false; it can speak texts and numbers"),
    ],
)
@pytest.mark.parametrize("template", ["{{ name }}", "{{ name | upper }}"])
def test_what_is_no_text_is_not_read_aloud(tmp_path, value, fault, template):
    choice = in_files(tmp_path, template, [])
    table = tmp_path / "people.jsonl"
    table.write_text(json.dumps({"script_id": "a", "name": value}))

    assert faults(choice, rows=str(table)) == [fault]


def test_a_character_that_xml_has_not_is_named_by_row_and_column(tmp_path):
    rows = [("script_id", "name"), ("a", "Bo"), ("b", "B\x08o")]

    assert faults(in_files(tmp_path, SSML.format("{{ name }}"), rows, ending=".ssml.j2")) == [
        "people.csv:3: b: column name holds the character U+0008, which SSML cannot carry; delete it"
    ]


def test_no_attribute_of_python_is_reached(tmp_path):
    rows = [("script_id", "name"), ("a", "Bo")]

    assert faults(in_files(tmp_path, "{{ name.__class__.__mro__ }}{{ name.upper }}", rows)) == [
        "people.csv:2: a: column __class__ is empty; hi.txt.j2 uses it",
        "people.csv:2: a: column upper is empty; hi.txt.j2 uses it",
    ]


def test_defaults_beside_the_table_hold(tmp_path):
    (tmp_path / "defaults.toml").write_text('voice = "en-US-GuyNeural"')

    assert [one.voice for one in read(in_files(tmp_path, "Hi.", [("script_id",), ("a",)]))] == ["en-US-GuyNeural"]
