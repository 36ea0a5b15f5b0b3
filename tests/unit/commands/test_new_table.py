"""`new-table` writes an empty table for a template, which the template can then be filled from."""

import pytest
from click.testing import CliRunner

from batch_avatar.commands.cli import main

TEMPLATE = (
    "Hi {{ first_name }} of {{ team }}{% if boss %}, {{ boss }}{% endif %}. Bye, {{ first_name }}! {{ employee }}"
)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """`made(*options)` runs the command beside a template."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hi.txt.j2").write_text(TEMPLATE)
    return lambda *options: CliRunner().invoke(main, ["new-table", *options])


@pytest.mark.parametrize(
    ("options", "columns"),
    [
        (["--id-column", "employee"], "employee,first_name,team,boss"),
        ([], "script_id,first_name,team,boss,employee"),
        (["--id-column", "Team"], "Team,first_name,boss,employee"),
    ],
)
def test_the_table_has_the_id_and_the_columns_in_the_order_of_their_use(made, tmp_path, options, columns):
    done = made("people.csv", "--template", "hi.txt.j2", *options)

    assert (done.exit_code, done.output) == (0, f"people.csv: {columns.replace(',', ', ')}\n")
    assert (tmp_path / "people.csv").read_bytes() == b"\xef\xbb\xbf" + columns.encode() + b"\r\n"


def test_a_file_that_exists_is_left_as_it_is(made, tmp_path):
    (tmp_path / "people.csv").write_text("mine")

    done = made("people.csv", "--template", "hi.txt.j2")

    assert done.exit_code == 2
    assert "people.csv exists, and is left as it is; name another file" in done.output
    assert (tmp_path / "people.csv").read_text() == "mine"


@pytest.mark.parametrize(
    ("table", "template", "text"),
    [
        ("people.xlsx", "hi.txt.j2", "people.xlsx: only .csv is written; every spreadsheet program opens it"),
        ("no/people.csv", "hi.txt.j2", "no/people.csv cannot be written: No such file or directory"),
        ("people.csv", "hi.txt", "hi.txt: is no template"),
        ("people.csv", "no.txt.j2", "cannot read no.txt.j2: No such file or directory"),
        ("people.csv", "bad.txt.j2", "bad.txt.j2:1: {% set %} is not possible in a template"),
    ],
)
def test_what_cannot_be_written_is_said(made, tmp_path, table, template, text):
    (tmp_path / "bad.txt.j2").write_text("{% set x = 1 %}")

    done = made(table, "--template", template)

    assert done.exit_code == 2
    assert text in done.output
    assert not (tmp_path / table).exists()
