"""Reads a spreadsheet from stdin and writes its rows to stdout as lines of JSON: the program of a process of its own.

A small file can hold a table that fills any memory, and calamine then ends its process. Here that ends only this one,
whose memory is limited. The file imports nothing of the project, so that it starts fast.

The first line is `{"sheet": name, "left_out": [names]}`, each other one `[row, [cells]]`, with rows counted from 1.
Exit codes: 0 read, 3 its memory did not suffice, 4 protected with a password, any other: it cannot be read.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import resource
import sys
import zipfile
from decimal import Decimal
from typing import Any

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

MOST_MEMORY_BYTES = 1_000_000_000
"""Of this process, a choice; 100,000 rows of ten cells take a third of it."""
MOST_UNPACKED_BYTES = 400_000_000
"""Of all files in a spreadsheet, a choice: four times what those rows take. More is not even unpacked."""
NO_MEMORY, PROTECTED = 3, 4

_CELL = re.compile(
    rb"<(?P<x>(?:\w+:)?)c\b(?P<attributes>[^<>]*)>\s*"
    rb"(?P<f><(?P=x)f\b[^<>]*>(?:(?P<formula>[^<]*)</(?P=x)f>)?)?\s*"
    rb"(?P<v><(?P=x)v\b[^<>]*>(?:(?P<value>[^<]*)</(?P=x)v>)?)?\s*"
    rb"</(?P=x)c>"
)
"""A cell of an .xlsx with a formula, a value or both (ECMA-376, 18.3.1.4)."""
_TYPE = re.compile(rb' t="(?P<type>\w+)"')
_STYLE = re.compile(rb' s="(?P<style>[0-9]+)"')
_OWN_FORMAT = re.compile(rb"<(?:\w+:)?numFmt\b[^<>]*>")
_CELL_FORMAT = re.compile(rb"<(?:\w+:)?xf\b[^<>]*>")
_FORMAT_ID = re.compile(rb' numFmtId="(?P<id>[0-9]+)"')
_PERCENT = (9, 10)
"""The formats 0% and 0.00% that need no definition (ECMA-376, 18.8.30)."""
_ODS_LIST = "META-INF/manifest.xml"
"""Names the files of an .ods, and how each is encrypted (OpenDocument 1.3, part 2, 4.8)."""
_ODS_CELL = re.compile(rb"<table:table-cell\b[^<>]*>")


def main() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_MEMORY_BYTES if hard == resource.RLIM_INFINITY else min(hard, MOST_MEMORY_BYTES)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(with_what_is_shown(sys.stdin.buffer.read())))
        name, left_out = choose(book)
        say({"sheet": name, "left_out": left_out})
        if name is not None:
            say_rows(book, name)
    except MemoryError:
        sys.exit(NO_MEMORY)


def choose(book: CalamineWorkbook) -> tuple[str | None, list[str]]:
    """Return the first sheet that is seen and holds something, and the others that hold something."""
    filled = [
        meta
        for meta in book.sheets_metadata
        if meta.typ == SheetTypeEnum.WorkSheet and book.get_sheet_by_name(meta.name).start is not None
    ]
    chosen = next((meta.name for meta in filled if meta.visible == SheetVisibleEnum.Visible), None)
    return chosen, [meta.name for meta in filled if meta.name != chosen]


def say_rows(book: CalamineWorkbook, name: str) -> None:
    sheet = book.get_sheet_by_name(name)
    before = [""] * (sheet.start or (0, 0))[1]  # calamine leaves out empty columns, though not empty rows
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = [*before, *map(as_text, row)]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            say([number, cells])


def as_text(value: Any) -> str:
    """Return what a cell says, as it would stand in CSV."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case dt.datetime() if value.time() == dt.time():
            return value.date().isoformat()
        case dt.datetime() | dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)


def with_what_is_shown(content: bytes) -> bytes:
    """Return the file with text in cells of which calamine gives nothing, or something else than they show.

    Those are errors such as #REF!, formulas that were never calculated, and percentages, of which -5% is -0.05 to it.
    """
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(made, "w") as target:
        if sum(info.file_size for info in source.infolist()) > MOST_UNPACKED_BYTES:  # no more of each is ever read
            raise MemoryError
        if _ODS_LIST in source.namelist() and b"encryption-data" in source.read(_ODS_LIST):
            sys.exit(PROTECTED)
        percent: set[int] = set()
        if "xl/styles.xml" in source.namelist():
            percent = percent_styles(source.read("xl/styles.xml"))
        for name in source.namelist():
            data = source.read(name)
            if name.startswith("xl/worksheets/"):
                data = _CELL.sub(lambda cell: _shown(cell, percent), data)
            elif name == "content.xml":
                data = _ODS_CELL.sub(_shown_ods, data)
            target.writestr(name, data)
    return made.getvalue()


def percent_styles(styles: bytes) -> set[int]:
    """Return the numbers of the cell styles of an .xlsx that show percentages."""
    percent = {
        int(number["id"])
        for own in _OWN_FORMAT.finditer(styles)
        if b"%" in own[0] and (number := _FORMAT_ID.search(own[0]))
    }
    formats = styles.partition(b"cellXfs")[2].partition(b"cellXfs>")[0]
    numbers = [_FORMAT_ID.search(each[0]) for each in _CELL_FORMAT.finditer(formats)]
    return {style for style, number in enumerate(numbers) if number and int(number["id"]) in percent.union(_PERCENT)}


def _shown(cell: re.Match[bytes], percent: set[int]) -> bytes:
    attributes, value = cell["attributes"], cell["value"]
    typed, styled = _TYPE.search(attributes), _STYLE.search(attributes)
    kind = typed["type"] if typed else b"n"
    if cell["v"] is None and cell["f"] is not None:
        text = b"=" + (cell["formula"] or b"?")
    elif kind == b"e":
        text = value
    elif kind == b"n" and value and styled and int(styled["style"]) in percent:
        text = f"{(Decimal(value.decode()) * 100).normalize():f}%".encode()
    else:
        return cell[0]
    return b'<%(x)sc%(attributes)s t="str"><%(x)sv>%(text)s</%(x)sv></%(x)sc>' % {
        b"x": cell["x"],
        b"attributes": _TYPE.sub(b"", attributes),
        b"text": text,
    }


def _shown_ods(cell: re.Match[bytes]) -> bytes:
    """Let calamine take the text of the cell, not its value, which gets another name here."""
    tag = cell[0]
    _, _, formula = tag.partition(b' table:formula="')
    if formula and b" office:value-type=" not in tag and tag.endswith(b"/>"):
        text = formula.partition(b'"')[0].removeprefix(b"of:")
        return tag[:-2] + b' office:value-type="string"><text:p>%s</text:p></table:table-cell>' % text
    if b' calcext:value-type="error"' in tag:
        return tag.replace(b" office:string-value=", b" no-value=")
    if b' office:value-type="percentage"' in tag:
        tag = tag.replace(b" office:value=", b" no-value=")
        return tag.replace(b' office:value-type="percentage"', b' office:value-type="string"')
    return tag


def say(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
