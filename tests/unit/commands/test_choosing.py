"""The options that say how sources are read become one choice, the same for a command and a flow run."""

import click
import pytest
from click.testing import CliRunner

from batch_avatar.commands.terminal.options import choosing_options
from batch_avatar.scripts.choice import SourceChoice


def chosen(*options):
    found = []

    @click.command()
    @choosing_options
    def command(choice):
        found.append(choice)

    done = CliRunner().invoke(command, options)
    return (found[0] if found else None), done.output


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        ([], SourceChoice()),
        (["--column", "Text=content"], SourceChoice(columns=(("Text", "content"),))),
        (
            ["--column", " Spoken text = content ", "--column", "a=b=voice"],
            SourceChoice(columns=(("Spoken text", "content"), ("a=b", "voice"))),
        ),
        (
            ["--ignore-columns", "author, status", "--ignore-columns", "note,"],
            SourceChoice(ignore_columns=("author", "status", "note")),
        ),
        (["--keep-columns", "team,floor"], SourceChoice(keep_columns=("team", "floor"))),
        (
            ["--template", "hi.txt.j2", "--rows", "people.csv", "--id-column", "employee"],
            SourceChoice(template="hi.txt.j2", rows="people.csv", id_column="employee"),
        ),
        (["--ignore-unknown", "--by-heading"], SourceChoice(ignore_unknown=True, by_heading=True)),
        (["--encoding", "windows-1252"], SourceChoice(encoding="windows-1252")),
        (
            ["--recursive", "--include", "*.csv", "--exclude", "drafts/"],
            SourceChoice(recursive=True, include=("*.csv",), exclude=("drafts/",)),
        ),
    ],
)
def test_options_become_a_choice(options, choice):
    assert chosen(*options) == (choice, "")


@pytest.mark.parametrize("value", ["content", "=content", "Text=", "="])
def test_a_column_without_a_property_is_refused(value):
    choice, output = chosen("--column", value)

    assert choice is None
    assert f"{value} is not NAME=PROPERTY, as in Text=content" in output


def test_a_choice_is_parameters_of_a_flow_as_json_has_them():
    choice = SourceChoice(columns=(("Text", "content"),), ignore_columns=("author",), include=("*.csv",))

    assert choice.as_parameters() == {
        "recursive": False,
        "include": ["*.csv"],
        "exclude": [],
        "encoding": None,
        "columns": {"Text": "content"},
        "ignore_columns": ["author"],
        "ignore_unknown": False,
        "keep_columns": [],
        "by_heading": False,
        "template": None,
        "rows": None,
        "id_column": None,
    }
