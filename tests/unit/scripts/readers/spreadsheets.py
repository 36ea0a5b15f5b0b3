"""Spreadsheets written by hand, with what no library writes: cached values, errors, hidden sheets, far cells."""

import zipfile
from html import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="+0%;-0%"/></numFmts><cellXfs>'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="9"/><xf numFmtId="164"/></cellXfs></styleSheet>'
)
DATE, PERCENT, OWN_PERCENT = 1, 2, 3
"""Numbers of styles."""
TYPES = (
    f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/></Types>'
)


def text(words):
    """A cell of an .xlsx with this text."""
    return f't="inlineStr"><is><t>{escape(words)}</t></is>'


def number(value, *, style=0):
    return f's="{style}"><v>{value}</v>'


def write_xlsx(path, sheets, *, hidden=()):
    """Write sheets: by name, rows by number, with cells by column, of `text` and `number`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", TYPES)
        file.writestr("xl/styles.xml", STYLES)
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{OFFICE}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        entries, links = [], [f'<Relationship Id="styles" Type="{OFFICE}/styles" Target="styles.xml"/>']
        for index, (name, rows) in enumerate(sheets.items(), start=1):
            state = ' state="hidden"' if name in hidden else ""
            entries.append(f'<sheet name="{name}" sheetId="{index}" r:id="s{index}"{state}/>')
            links.append(
                f'<Relationship Id="s{index}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{index}.xml"/>'
            )
            file.writestr(f"xl/worksheets/sheet{index}.xml", _sheet(rows))
        book = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{"".join(entries)}</sheets></workbook>'
        file.writestr("xl/workbook.xml", book)
        relations = f'<Relationships xmlns="{PACKAGE}/relationships">{"".join(links)}</Relationships>'
        file.writestr("xl/_rels/workbook.xml.rels", relations)
    return path


def _sheet(rows):
    lines = []
    for row, cells in rows.items():
        inner = "".join(f'<c r="{column}{row}" {cell}</c>' for column, cell in cells.items())
        lines.append(f'<row r="{row}">{inner}</row>')
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def write_ods(path, rows, *, repeated=1):
    """Write one sheet of these rows, each so often; each cell is its whole element."""
    names = ("office", "table", "text")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    spaces += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    lines = "".join(
        f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>' for cells in rows
    )
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        file.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        file.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="Table1">{lines}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def ods_text(words):
    return f'<table:table-cell office:value-type="string"><text:p>{escape(words)}</text:p></table:table-cell>'
