"""Columns that are kept: facts of a script that are no property, in every form of table; they move no id."""

import json

import pytest

from batch_avatar.identity import derive_content_id
from tests.support.scripts import script
from tests.unit.scripts.readers.reads import faults, read
from tests.unit.scripts.readers.spreadsheets import number, text, write_xlsx

HEADER = ("script_id", "content", "voice", "Team Name", "floor", "note")
ROW = ("a", "Hi.", "en-US-AvaNeural", "Säle", "12", "x")


def as_csv(folder):
    (folder / "m.csv").write_text("\n".join([",".join(HEADER), ",".join(ROW), "b,Ho.,v,,,"]), encoding="utf-8")
    return folder / "m.csv"


def as_json(folder):
    rows = [dict(zip(HEADER, ROW, strict=True)), {"script_id": "b", "content": "Ho.", "voice": "v", "Team Name": ""}]
    rows[0]["floor"] = 12
    (folder / "m.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return folder / "m.jsonl"


def as_sheet(folder):
    cells = [number(cell) if cell.isdigit() else text(cell) for cell in ROW]
    rows = {1: dict(zip("ABCDEF", map(text, HEADER), strict=True)), 2: dict(zip("ABCDEF", cells, strict=True))}
    rows[3] = {"A": text("b"), "B": text("Ho."), "C": text("v")}
    return write_xlsx(folder / "m.xlsx", {"Sheet1": rows})


TABLES = pytest.mark.parametrize("table", [as_csv, as_json, as_sheet])


@TABLES
def test_columns_are_kept_as_text_under_their_headers_and_empty_cells_are_not(tmp_path, table):
    scripts = read(table(tmp_path), keep_columns=("team_name", "Floor", "voice"), ignore_columns=("note",))

    assert [one.columns for one in scripts] == [
        {"voice": "en-US-AvaNeural", "Team Name": "Säle", "floor": "12"},
        {"voice": "v"},
    ]
    assert [one.voice for one in scripts] == ["en-US-AvaNeural", "v"]


@TABLES
def test_what_is_kept_is_known_and_the_rest_is_as_unknown_as_before(tmp_path, table):
    found = faults(table(tmp_path), keep_columns=("Team Name", "floor"))

    assert found
    assert all("note" in fault for fault in found)
    kept = read(table(tmp_path), keep_columns=("floor",), ignore_unknown=True)
    assert [one.columns for one in kept] == [{"floor": "12"}, None]


@TABLES
def test_a_column_that_the_table_has_not_cannot_be_kept(tmp_path, table):
    found = faults(table(tmp_path), keep_columns=("flor",), ignore_unknown=True)

    assert any("--keep-columns flor: " in fault for fault in found)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"a": "é" * 1_000}, "the columns to keep have 2,009 bytes; 2,000 are kept at most"),
        ({"a": "\ud800"}, "a column to keep holds half of a surrogate pair, which is no character"),
        (
            {"a": "https://x.blob.core.windows.net/c/b?sv=1&se=2&sig=abc"},
            "column a holds a signed link, and would be kept where others read it; do not keep it",
        ),
    ],
)
def test_what_cannot_be_kept_is_refused(tmp_path, columns, reason):
    table = tmp_path / "m.jsonl"
    table.write_text(json.dumps({"script_id": "a", "content": "Hi.", **columns}))

    [fault] = faults(table, keep_columns=("a",))

    assert fault == f"{table}:1: a: {reason}"


def test_two_thousand_bytes_are_kept(tmp_path):
    table = tmp_path / "m.jsonl"
    table.write_text(json.dumps({"script_id": "a", "content": "Hi.", "a": "é" * 995}))

    assert len(list(read(table, keep_columns=("a",)))) == 1


def test_columns_are_no_part_of_an_id():
    plain, kept = script(), script(columns={"team": "A"})

    assert derive_content_id(plain, archive_id="0" * 16) == derive_content_id(kept, archive_id="0" * 16)
