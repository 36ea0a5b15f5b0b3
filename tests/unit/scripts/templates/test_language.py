"""What a template cannot have is told with its line, in words of the person who wrote it."""

import re

import pytest

from batch_avatar.errors import InputError
from tests.unit.scripts.readers.reads import faults as refused
from tests.unit.scripts.templates.filling import SSML, faults, in_files, read

ROWS = [("script_id", "name"), ("a", "Bo")]
CLOSED = "stands the name of a column, between {% and %} a command like if"
MALFORMED = [
    ("Hi\n{{ first name }}", 2, "between {{ and }} stands more than one name; in names of columns write _ for a blank"),
    ("{{ }}", 1, "between {{ and }} stands the name of a column, and here is none"),
    ("{{ name }", 1, "{{ is not closed; write }} where it ends"),
    ("{# a note", 1, "{# is not closed; write #} where it ends"),
    ("{{ 'a", 1, CLOSED),
    ("{%", 1, CLOSED),
    ("{% if name %}Hi", 1, "{% if %} is never closed; write {% endif %} where it ends"),
    ("{% for x in name %}Hi", 1, "{% for %} is never closed; write {% endfor %} where it ends"),
    ("{% if name %}Hi{% endfor %}", 1, "{% endfor %} does not fit; {% endif %} is wanted here"),
    ("Hi{% endif %}", 1, "{% endif %} does not fit, and nothing is open that it could belong to"),
    ("{% greet %}", 1, "there is no {% greet %}; a template has columns, {% if %},"),
    ("{% if name = 'Bo' %}Hi{% endif %}", 1, "= does not compare; write =="),
    ("{{ name | safe }}", 1, "there is no filter safe;"),
    ("\n\n{{ name | replace('B', name) }}", 3, "there is no filter replace;"),
    ("{{ name | upper('x') }}", 1, "the filter upper has nothing in ( )"),
    ("{{ name is odd }}", 1, "there is no test odd;"),
    ("{% if name < 'x' %}Hi{% endif %}", 1, "texts are compared with ==, !=, in and not in alone"),
    ("{{ first-name }}", 1, "- is not possible in a template; a name of more than one word has _ between them"),
    ("{{ name * 1000000000 }}", 1, "arithmetic is not possible in a template;"),
    ("{{ name ~ '!' }}", 1, "~ is not possible in a template;"),
    ("{{ name[0:1] }}", 1, "this is not possible in a template;"),
    ("{{ self }}", 1, "self means something else in a template; rename the column"),
    ("{{ name.upper() }}", 1, "a call with ( ) is not possible in a template;"),
    ("{% for n in range(1000000000) %}{% endfor %}", 1, "a call with ( ) is not possible in a template;"),
    (
        "{% for a in x %}{% for b in a %}{% endfor %}{% endfor %}",
        1,
        "a loop inside a loop is not possible in a template",
    ),
    ("{% for a in x recursive %}{% endfor %}", 1, "a loop inside a loop is not possible in a template"),
    ("{% set x = name %}", 1, "{% set %} is not possible in a template;"),
    ("{% set x %}Hi{% endset %}", 1, "{% set %} is not possible in a template;"),
    ("{% include '/etc/passwd' %}", 1, "{% include %} is not possible in a template;"),
    ("{% import 'x' as x %}", 1, "{% import %} is not possible in a template;"),
    ("{% from 'x' import y %}", 1, "{% from %} is not possible in a template;"),
    ("{% extends 'x' %}", 1, "{% extends %} is not possible in a template;"),
    ("{% block x %}{% endblock %}", 1, "{% block %} is not possible in a template;"),
    ("{% macro x() %}{% endmacro %}", 1, "{% macro %} is not possible in a template;"),
    ("{% filter upper %}{% endfilter %}", 1, "{% filter %} is not possible in a template;"),
    ("{% with x = name %}{% endwith %}", 1, "{% with %} is not possible in a template;"),
    ("{% autoescape false %}{{ name }}{% endautoescape %}", 1, "{% autoescape %} is not possible in a template;"),
]


@pytest.mark.parametrize(("template", "line", "text"), MALFORMED, ids=[repr(each[0]) for each in MALFORMED])
def test_a_template_is_refused_in_plain_words_with_its_line(tmp_path, template, line, text):
    [fault] = faults(in_files(tmp_path, template, ROWS))[:1]

    assert fault.startswith(f"hi.txt.j2:{line}: ")
    assert text in fault


def test_all_that_a_template_cannot_have_is_told_at_once(tmp_path):
    found = faults(in_files(tmp_path, "{{ a ~ 'x' }}\n{{ b | safe }}\n{% set c = 1 %}", ROWS))

    assert [fault.split(": ")[0] for fault in found] == ["hi.txt.j2:1", "hi.txt.j2:2", "hi.txt.j2:3"]


def test_a_column_in_cdata_is_refused(tmp_path):
    ssml = SSML.format("\n<![CDATA[ {{ name }} ]]>")

    [fault] = faults(in_files(tmp_path, ssml, ROWS, ending=".ssml.j2"))

    assert fault == (
        "hi.ssml.j2:2: a column inside <![CDATA[ ]]> would be read aloud with its &amp; and &lt;; write it outside"
    )


@pytest.mark.parametrize("ending", [".ssml.j2", ".xml.j2", ".SSML.J2"])
def test_the_name_says_what_a_template_gives(tmp_path, ending):
    [script] = read(in_files(tmp_path, SSML.format("Hi."), ROWS, ending=ending), ignore_unknown=True)

    assert script.input_kind == "SSML"


@pytest.mark.parametrize("ending", [".ssml", ".j2", ".md.j2", ".csv.j2"])
def test_a_file_of_another_name_is_no_template(tmp_path, ending):
    assert faults(in_files(tmp_path, "Hi.", ROWS, ending=ending)) == [
        f"hi{ending}: is no template; the name of one ends in .txt.j2, .ssml.j2, .xml.j2"
    ]


@pytest.mark.parametrize("rows", ["people.txt", "people", "people.docx"])
def test_rows_come_from_a_table(tmp_path, rows):
    [fault] = faults(in_files(tmp_path, "Hi.", ROWS), rows=str(tmp_path / rows))

    assert fault == f"{rows}: is no table; rows are read from .csv, .tsv, .xlsx, .xlsm, .ods, .json, .jsonl, .ndjson"


def test_files_that_are_not_there_are_told(tmp_path):
    choice = in_files(tmp_path, "Hi.", ROWS)

    assert faults(choice, template=str(tmp_path / "no.txt.j2")) == [
        "no.txt.j2:1: cannot read no.txt.j2: No such file or directory"
    ]
    assert faults(choice, rows=str(tmp_path / "no.csv")) == ["no.csv:1: cannot read no.csv: No such file or directory"]


def test_a_template_in_another_encoding_is_told(tmp_path):
    choice = in_files(tmp_path, "Hi.", ROWS)
    (tmp_path / "hi.txt.j2").write_bytes("Grüezi {{ name }}.".encode("windows-1252"))

    assert "hi.txt.j2:1: hi.txt.j2 is not UTF-8" in faults(choice)[0]
    [script] = read(choice, encoding="windows-1252")
    assert script.content == "Grüezi Bo."


def test_a_template_that_is_named_as_a_source_is_told_what_to_do(tmp_path):
    choice = in_files(tmp_path, "Hi.", ROWS)

    [fault] = refused(choice["template"])

    assert fault.endswith(f"`--template {choice['template']} --rows TABLE` fills it with the rows of a table")


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ({"template": "hi.txt.j2"}, "a template and rows go together: template is given, and rows is not"),
        ({"rows": "people.csv"}, "a template and rows go together: rows is given, and template is not"),
        ({"id_column": "no"}, "id_column is for a template with rows; of another table say `--column no=script_id`"),
    ],
)
def test_half_a_choice_is_refused(choice, text):
    with pytest.raises(InputError, match=re.escape(text)):
        read(choice)
