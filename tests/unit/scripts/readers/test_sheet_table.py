"""Spreadsheets as tables of scripts: what a cell shows is what is read, and nothing fills the memory."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.findings import Place
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.scripts.readers.draft import Named
from batch_avatar.scripts.readers.sheets import sheet_rows
from tests.unit.scripts.hostile import DEFAULTS, WIRE, faults, read
from tests.unit.scripts.readers.spreadsheets import (
    DATE,
    OWN_PERCENT,
    PERCENT,
    number,
    ods_text,
    text,
    write_ods,
    write_xlsx,
)

ROOT = Path(__file__).parents[4]
HEAD = {"A": text("Script ID"), "B": text("Content")}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


def table(*rows):
    """Rows of an .xlsx from row 1 on, the header first."""
    return dict(enumerate([HEAD, *rows], start=1))


def row(script_id, content="Hi.", **cells):
    return {"A": text(script_id), "B": text(content), **cells}


def cells_of(path):
    with path.open("rb") as file:
        return [(str(each.place), each.cells) for each in sheet_rows(file, Named(path.name, "x"), SourceChoice())]


@pytest.mark.parametrize("name", ["people.xlsx", "people.xlsm", "PEOPLE.XLSX"])
def test_a_row_is_a_script(tmp_path, name):
    path = write_xlsx(tmp_path / name, {"Sheet1": table(row("a", "Grüße & <b>"), {}, row("b"))})

    assert [(script.script_id, script.content) for script in read(path)] == [("a", "Grüße & <b>"), ("b", "Hi.")]


def test_a_fault_names_the_sheet_and_the_row_as_the_program_shows_them(tmp_path):
    sheet = {3: HEAD, 5: row("a"), 7: row("_b")}
    path = write_xlsx(tmp_path / "people.xlsx", {"Sheet1": sheet})

    [fault] = faults(path)

    assert fault.startswith(f"{path}[Sheet1]:7: _b: ")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (number("7"), "7"),
        (number("7.50"), "7.5"),
        (number("1E+3"), "1000"),
        (number("-0.05"), "-0.05"),
        (number("-0.05", style=PERCENT), "-5%"),
        (number("1.125", style=PERCENT), "112.5%"),
        (number("0.1", style=OWN_PERCENT), "10%"),
        (number("45000", style=DATE), "2023-03-15"),
        (number("45000.5", style=DATE), "2023-03-15T12:00:00"),
        ('t="b"><v>1</v>', "true"),
        ('t="b"><v>0</v>', "false"),
        ('t="e"><v>#REF!</v>', "#REF!"),
        ('t="e"><f>A9</f><v>#N/A</v>', "#N/A"),
        ("><f>1+1</f><v>2</v>", "2"),
        ('t="str"><f>"a"&amp;"b"</f><v>ab</v>', "ab"),
        ('t="str"><f>A1</f><v></v>', ""),
        ("><f>A1&amp;B1</f>", "=A1&B1"),
        (text('<c t="e"><v>#REF!</v></c>'), '<c t="e"><v>#REF!</v></c>'),
    ],
)
def test_a_cell_is_read_as_it_is_shown(tmp_path, cell, said):
    path = write_xlsx(tmp_path / "m.xlsx", {"S": {2: {"B": cell, "C": text("end")}}})

    assert cells_of(path) == [("m.xlsx[S]:2", ["", said, "end"])]


def test_a_cell_of_an_ods_is_read_as_it_is_shown(tmp_path):
    shown = {
        '<table:table-cell office:value-type="float" office:value="7"><text:p>7,00</text:p></table:table-cell>': "7",
        '<table:table-cell office:value-type="percentage" office:value="-0.05"><text:p>-5%</text:p>'
        "</table:table-cell>": "-5%",
        '<table:table-cell office:value-type="date" office:date-value="2026-12-01"><text:p>1.12.26</text:p>'
        "</table:table-cell>": "2026-12-01",
        '<table:table-cell office:value-type="boolean" office:boolean-value="true"><text:p>WAHR</text:p>'
        "</table:table-cell>": "true",
        '<table:table-cell table:formula="of:=[.A9]" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"><text:p>#REF!</text:p></table:table-cell>': "#REF!",
        '<table:table-cell table:formula="of:=[.A1]"/>': "=[.A1]",
        "<table:table-cell/>": "",
        ods_text("end"): "end",
    }
    path = write_ods(tmp_path / "m.ods", [[], list(shown)])

    assert cells_of(path) == [("m.ods[Table1]:2", list(shown.values()))]


def test_a_percentage_is_a_rate_as_it_was_typed(tmp_path):
    sheet = {1: HEAD | {"C": text("rate")}, 2: row("a", C=number("-0.05", style=PERCENT))}

    [script] = read(write_xlsx(tmp_path / "m.xlsx", {"S": sheet}))

    assert script.rate == "-5%"


def test_the_first_sheet_that_is_seen_and_holds_something_is_read_and_others_are_named(tmp_path):
    sheets = {"Old": table(row("old")), "Empty": {}, "Now": table(row("now")), "Later": table(row("later"))}
    path = write_xlsx(tmp_path / "m.xlsx", sheets, hidden=["Old"])

    scripts = read(path)

    assert list(scripts.script_ids) == ["now"]
    told = [str(warning) for warning in scripts.warnings if warning.rule == "left-out"]
    assert told == [f"{path}: only the sheet Now is read; not read: Old, Later"]


@pytest.mark.parametrize("sheets", [{"S": {}}, {"Hidden": table(row("a"))}])
def test_a_spreadsheet_without_a_sheet_to_read_is_a_fault(tmp_path, sheets):
    path = write_xlsx(tmp_path / "m.xlsx", sheets, hidden=["Hidden"])

    with pytest.raises(ManifestError) as caught:
        read(path)

    assert list(caught.value.faults) == [f"{path}:1: no scripts in it"]
    assert ["Hidden" in warning.message for warning in caught.value.warnings] == ["Hidden" in sheets] * len(
        caught.value.warnings
    )


def test_a_content_file_lies_beside_the_spreadsheet(tmp_path):
    (tmp_path / "a.txt").write_text("Hi.")
    sheet = {1: {"A": text("script_id"), "B": text("content_file")}, 2: {"A": number("7"), "B": text("a.txt")}}

    [script] = read(write_xlsx(tmp_path / "m.xlsx", {"S": sheet}))

    assert (script.script_id, script.content) == ("7", "Hi.")


# What cannot be read


def bomb(path):
    """A file that says of itself that it holds 2 GB."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("xl/workbook.xml", "<x/>")
        file.infolist()[0].file_size = 2_000_000_000
    return path


def repeated(path):
    """A cell that is repeated in every column and row."""
    cell = ods_text("x").replace("<table:table-cell", '<table:table-cell table:number-columns-repeated="16384"')
    return write_ods(path, [[cell]], repeated=1_048_576)


@pytest.mark.parametrize("name", ["m.xlsx", "m.ods"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no spreadsheet that can be read"),
        (b"script_id,content\na,Hi.\n", "is no spreadsheet that can be read"),
        (b"PK\x03\x04" + b"x" * 100, "is no spreadsheet that can be read"),
        (OLE, "is protected with a password, or of an old kind"),
    ],
    ids=["empty", "text", "broken", "encrypted"],
)
def test_what_is_no_spreadsheet_is_one_fault(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)

    [fault] = faults(path)

    assert fault.startswith(f"{path}:1: {name} {words}")


def far(path):
    return write_xlsx(path, {"S": {1: HEAD, 1_048_576: {"XFD": text("x")}}})


@pytest.mark.parametrize("make", [far, bomb])
def test_a_spreadsheet_that_fills_the_memory_is_one_fault(tmp_path, make):
    path = make(tmp_path / "m.xlsx")

    [fault] = faults(path)

    assert fault.startswith(f"{path}:1: m.xlsx is too large to be read; delete what stands far below or beside")


def test_a_cell_that_is_repeated_in_every_row_and_column_is_one_fault(tmp_path):
    path = repeated(tmp_path / "m.ods")

    [fault] = faults(path)

    assert fault.startswith(f"{path}:1: m.ods is no spreadsheet that can be read")


def test_an_ods_with_a_password_is_one_fault(tmp_path):
    path = tmp_path / "m.ods"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("META-INF/manifest.xml", "<manifest:file-entry><manifest:encryption-data/></manifest:file-entry>")
        file.writestr("content.xml", b"\x01\x02")

    [fault] = faults(path)

    assert fault.startswith(f"{path}:1: m.ods is protected with a password")


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "m.xlsx"
    with path.open("wb") as file:
        file.truncate(60_000_000)

    assert faults(path) == [f"{path}:1: m.xlsx has 60,000,000 bytes; a spreadsheet may have 50,000,000"]


def test_a_reader_that_is_left_early_ends_its_process(tmp_path):
    path = write_xlsx(tmp_path / "m.xlsx", {"S": table(*(row(f"s{index}", "Words. " * 100) for index in range(2_000)))})
    with path.open("rb") as file:
        rows = sheet_rows(file, Named("m.xlsx", "m"), SourceChoice())
        assert next(rows).place == Place("m.xlsx[S]", 1)
        rows.close()  # waits for the end of the process


WITHOUT = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name == "python_calamine":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hidden())
from batch_avatar.commands.cli import main
main()
"""


def test_without_the_extra_a_spreadsheet_is_one_fault_that_says_how_to_install_it(tmp_path):
    path = write_xlsx(tmp_path / "people.xlsx", {"S": table(row("a"))})

    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "check", path], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2, done.stderr
    how = "reading it needs the extra documents: pip install 'batch-avatar[documents]'"
    assert f"{path}: people.xlsx: {how}" in (done.stdout + done.stderr).replace("\n  ", " ")


def test_columns_are_chosen_as_in_any_table(tmp_path):
    sheet = {1: {"A": text("Name"), "B": text("Text"), "C": text("Note")}, 2: row("a", C=text("draft"))}
    path = write_xlsx(tmp_path / "m.xlsx", {"S": sheet})
    choice = SourceChoice(columns=(("name", "script_id"), ("TEXT", "content")), ignore_columns=("note",))

    [script] = read_scripts([path], defaults=DEFAULTS, wire=WIRE, choice=choice)

    assert (script.script_id, script.content) == ("a", "Hi.")


@pytest.mark.parametrize("name", ["m.xls", "m.xlsb", "M.NUMBERS"])
def test_a_spreadsheet_of_another_kind_is_refused_with_what_to_do(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(OLE)

    assert faults(path) == [f"{path}: no folder, and of no kind that is read; save it as .xlsx"]
