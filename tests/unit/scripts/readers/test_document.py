"""A document is one script, or one for each top heading; what it holds beside its text is named."""

import pytest

from batch_avatar.scripts.readers.document import slug
from batch_avatar.scripts.script_ids import check_script_id
from tests.unit.scripts.readers.office_files import OFFICE, STRICT, W, para, run, write_docx
from tests.unit.scripts.readers.reads import faults, left_out, texts

H1, H2 = "berschrift1", "berschrift2"


@pytest.mark.parametrize(("w", "kind"), [(W, OFFICE), ("http://purl.oclc.org/ooxml/wordprocessingml/main", STRICT)])
@pytest.mark.parametrize("name", ["intro.docx", "intro.Docm"])
def test_a_document_is_one_script(tmp_path, name, w, kind):
    path = write_docx(tmp_path / name, para("Welcome", H1), "Hello.", "", "Bye.", w=w, kind=kind)

    assert texts(path) == {"intro": "Welcome\n\nHello.\n\nBye."}
    assert left_out(path) == []


@pytest.mark.parametrize("style", [H1, "Eigen", "Kapitel"])
def test_each_top_heading_is_a_script_if_that_is_chosen(tmp_path, style):
    path = write_docx(
        tmp_path / "c.docx",
        "Before.",
        para("1. Größe & Maß", style),
        "One.",
        para("Sub", H2),
        "Two.",
        para("2026", style),
        para("Sub", H2),
        para("2026", style),
        "Three.",
        para("…", style),
        para("Round", "Kreis"),
    )

    assert texts(path, by_heading=True) == {
        "c/start": "Before.",
        "c/1-größe-maß": "1. Größe & Maß\n\nOne.\n\nSub\n\nTwo.",
        "c/part-2026": "2026\n\nSub",
        "c/part-2026-2": "2026\n\nThree.",
        "c/part": "…\n\nRound",
    }


def test_the_highest_headings_of_a_document_are_the_top_ones(tmp_path):
    own = '<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr>' + run("Own") + "</w:p>"
    path = write_docx(tmp_path / "c.docx", para("One", H2), "1.", own, "2.")

    assert texts(path, by_heading=True) == {"c/one": "One\n\n1.", "c/own": "Own\n\n2."}


def test_a_document_without_headings_stays_one_script(tmp_path):
    assert texts(write_docx(tmp_path / "c.docx", "Hello."), by_heading=True) == {"c": "Hello."}


def test_a_fault_names_the_heading(tmp_path):
    path = write_docx(tmp_path / "c.docx", para("Long one", H1), "x" * 600_000)

    [fault] = faults(path, by_heading=True)

    assert fault.startswith(f"{path}, Long one: c/long-one: the request has")


@pytest.mark.parametrize(
    "title", ["2026", "0123456789abcdef", "…", "", "a/b\\c..d", "x" * 300, " Hé\u0301 ", "_", "日本 語", "A\0\nB"]
)
def test_every_title_gives_a_part_of_an_id(title):
    assert not list(check_script_id(f"doc/{slug(title)}"))
    assert len(slug(title)) <= 65


WITHOUT = {
    "a table": (f"<w:tbl><w:tr><w:tc>{para('Cell')}</w:tc></w:tr></w:tbl>", "tables"),
    "a picture": (para("", inner="<w:r><w:drawing/></w:r>"), "pictures and text boxes"),
    "a text box": (
        para("", inner=f"<w:r><mc:AlternateContent><mc:Choice>{para('Box')}</mc:Choice></mc:AlternateContent></w:r>"),
        "pictures and text boxes",
    ),
    "a footnote": (para("", inner='<w:r><w:footnoteReference w:id="1"/></w:r>'), "footnotes"),
    "an endnote": (para("", inner='<w:r><w:endnoteReference w:id="1"/></w:r>'), "endnotes"),
    "a formula": (para("", inner="<m:oMath><m:r><m:t>x</m:t></m:r></m:oMath>"), "formulas"),
    "an object": (para("", inner="<w:r><w:object/></w:r>"), "embedded objects"),
    "a symbol": (para("", inner='<w:r><w:sym w:char="F0B7"/></w:r>'), "symbols"),
    "another file": ('<w:altChunk r="x"/>', "embedded files"),
    "a deletion": (para("", inner=f"<w:del>{run('gone')}</w:del>"), "text that tracked changes delete"),
    "a deletion as Word writes it": (
        para("", inner="<w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"),
        "text that tracked changes delete",
    ),
    "text that was moved away": (para("", inner=f"<w:moveFrom>{run('gone')}</w:moveFrom>"), "text that tracked"),
    "hidden text": (para("", inner=run("gone", "<w:vanish/>")), "hidden text"),
    "a table of contents": (para("1 Intro 7", "Verzeichnis1"), "table of contents"),
}


@pytest.mark.parametrize("case", WITHOUT)
def test_what_is_not_spoken_is_named_once(tmp_path, case):
    block, words = WITHOUT[case]
    path = write_docx(tmp_path / "c.docx", "One.", block, block, "Two.")

    assert texts(path) == {"c": "One.\n\nTwo."}
    [told] = left_out(path)
    assert told.startswith(f"{path}: left out: {words}")


SPOKEN = {
    "an insertion": (f"<w:p>{run('A ')}<w:ins>{run('new')}</w:ins>{run(' word')}</w:p>", "A new word"),
    "text that was moved here": (f"<w:p><w:moveTo>{run('Moved.')}</w:moveTo></w:p>", "Moved."),
    "a link": (f"<w:p>{run('See ')}<w:hyperlink>{run('here')}</w:hyperlink></w:p>", "See here"),
    "a content control": (f"<w:sdt><w:sdtPr/><w:sdtContent>{para('Filled.')}</w:sdtContent></w:sdt>", "Filled."),
    "a field": (
        f"<w:p><w:r><w:instrText>REF x</w:instrText></w:r>{run('7')}<w:fldSimple>{run('!')}</w:fldSimple></w:p>",
        "7!",
    ),
    "a tab, breaks and a hyphen": (
        f"<w:p>{run('A', rest='<w:tab/><w:t>B</w:t><w:br/><w:t>C</w:t><w:cr/><w:t>D</w:t><w:noBreakHyphen/>')}</w:p>",
        "A B\nC\nD-",
    ),
    "text that is not hidden after all": (para("", inner=run("Seen.", '<w:vanish w:val="0"/>')), "Seen."),
    "a word with its reading above": (
        f"<w:p><w:r><w:ruby><w:rt>{run('kan')}</w:rt><w:rubyBase>{run('漢')}</w:rubyBase></w:ruby></w:r></w:p>",
        "漢",
    ),
}


@pytest.mark.parametrize("case", SPOKEN)
def test_what_is_read_on_the_page_is_spoken(tmp_path, case):
    block, words = SPOKEN[case]
    path = write_docx(tmp_path / "c.docx", block)

    assert texts(path) == {"c": words}
    assert left_out(path) == []


def test_a_document_without_words_is_a_script_that_says_nothing(tmp_path):
    assert faults(write_docx(tmp_path / "c.docx", "")) == [f"{tmp_path}/c.docx: c: content is empty"]
