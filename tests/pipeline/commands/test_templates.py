"""A thousand rows of a spreadsheet through one template, and columns that are kept, on the emulator."""

from __future__ import annotations

import json

import pytest

from batch_avatar.receipt import Receipt
from tests.support.scripts import LOOK_TOML
from tests.unit.scripts.readers.spreadsheets import number, text, write_xlsx

TEMPLATE = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
    '<voice name="en-US-AvaNeural">Hello {{ first_name }}.</voice></speak>'
)
OPTIONS = ("--template", "hi.ssml.j2", "--rows", "people.xlsx", "--id-column", "employee")


@pytest.fixture
def people(tmp_path):
    """`people(names, teams)` writes a template, and a table with a row for each name."""

    def write(names, teams=("A",)):
        (tmp_path / "hi.ssml.j2").write_text(TEMPLATE)
        (tmp_path / "defaults.toml").write_text(LOOK_TOML)
        rows = {1: {"A": text("Employee"), "B": text("First Name"), "C": text("Team")}}
        for row, name in enumerate(names, start=2):
            rows[row] = {"A": number(row), "B": text(name), "C": text(teams[row % len(teams)])}
        write_xlsx(tmp_path / "people.xlsx", {"Sheet1": rows})
        return tmp_path

    return write


def test_a_thousand_rows_are_a_thousand_scripts(quick, people):
    folder = people([f"Name {number} & Co" for number in range(1_000)])

    done = quick().command("plan", *OPTIONS, "--ignore-unknown", "--json", folder=folder)

    assert done.returncode == 0, done.stderr
    scripts = json.loads(done.stdout)["scripts"]
    assert [one["script_id"] for one in scripts] == [str(number) for number in range(2, 1_002)]
    assert {one["state"] for one in scripts} == {"new"}


def test_one_missing_cell_of_a_thousand_is_named_and_nothing_is_sent(quick, people):
    b = quick()
    folder = people(["" if number == 500 else f"Name {number}" for number in range(1_000)])

    done = b.command("render", *OPTIONS, "--ignore-unknown", folder=folder)

    assert done.returncode == 2
    assert "1 fault in the scripts" in done.stderr
    assert "people.xlsx[Sheet1]:502: 502: column First Name is empty; hi.ssml.j2:1 uses it" in done.stderr
    assert "Nothing was sent." in done.stderr
    assert b.emulator.stats()["creates"]["accepted"] == 0
    assert b.emulator.stats()["requests"] == {}


def test_kept_columns_are_in_receipt_and_report_and_a_change_of_them_alone_does_nothing(quick, people):
    b = quick()
    names = ("Anna", "Bo")
    first = b.command("render", *OPTIONS, "--keep-columns", "team", "--json", folder=people(names, ("Säle",)))
    before = {name: etag for name, etag in b.etags().items() if not name.startswith("_runs/")}
    again = b.command("render", *OPTIONS, "--keep-columns", "team", "--json", folder=people(names, ("B",)))
    without = b.command("render", *OPTIONS, "--ignore-unknown", "--json", folder=people(names))

    assert [done.returncode for done in (first, again, without)] == [0, 0, 0], first.stderr
    reports = [json.loads(done.stdout) for done in (first, again, without)]
    assert [[row["columns"] for row in report["outcomes"]] for report in reports] == [
        [{"Team": "Säle"}] * 2,
        [{"Team": "B"}] * 2,
        [{}] * 2,
    ]
    assert [(report["archived"], report["skipped"]) for report in reports] == [(2, 0), (0, 2), (0, 2)]
    assert {name: etag for name, etag in b.etags().items() if not name.startswith("_runs/")} == before
    receipts = [Receipt.model_validate_json(data) for name, data in b.blobs().items() if name.endswith("/receipt.json")]
    assert [receipt.columns for receipt in receipts] == [{"Team": "Säle"}] * 2
    assert len(b.accepted()) == 2
