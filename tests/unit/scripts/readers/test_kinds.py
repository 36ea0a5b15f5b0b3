"""Which files are read where, under which ids, and what is said of the others."""

from pathlib import Path

import pytest

from tests.unit.scripts.readers.office_files import para, shape, write_docx, write_pptx
from tests.unit.scripts.readers.reads import faults, left_out, read, texts

CUE = "1\n00:00:01,000 --> 00:00:04,000\nFrom a cue.\n"
CASES = Path(__file__).parents[3] / "data" / "cases"


def write(path, text="Hello."):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_other_kinds_beside_scripts_are_no_second_scripts(tmp_path):
    write(tmp_path / "intro.txt")
    write(tmp_path / "intro.srt", CUE)
    write(tmp_path / "intro.md")
    write_docx(tmp_path / "intro.docx", "Hello.")
    write_pptx(tmp_path / "intro.pptx", shape("Hello."))

    assert texts(tmp_path) == {"intro": "Hello."}
    assert left_out(tmp_path) == [f"{tmp_path}: 4 of another kind: intro.docx, intro.md, intro.pptx, intro.srt"]


def test_included_files_below_a_folder_have_its_way_in_their_ids(tmp_path):
    write(tmp_path / "hr" / "welcome.md", "# Welcome")
    write(tmp_path / "it" / "deep" / "welcome.srt", CUE)
    write(tmp_path / "it" / "defaults.toml", 'voice = "other"')
    write_docx(tmp_path / "it" / "guide.docx", para("Intro", "berschrift1"), "One.", para("End", "berschrift1"))
    write_pptx(tmp_path / "it" / "deck.pptx", shape("Notes."))
    write(tmp_path / "start.txt")

    given = texts(tmp_path, recursive=True, include=("*.md", "*.srt", "*.docx", "*.pptx"), by_heading=True)

    assert given == {
        "hr/welcome": "Welcome",
        "it/deck/slide-1": "Notes.",
        "it/deep/welcome": "From a cue.",
        "it/guide/end": "End",
        "it/guide/intro": "Intro\n\nOne.",
        "start": "Hello.",
    }


def test_the_defaults_of_all_folders_above_hold_for_included_files(tmp_path):
    write(tmp_path / "defaults.toml", 'description = "All"\nvoice = "one"')
    write(tmp_path / "it" / "defaults.toml", 'voice = "two"')
    write(tmp_path / "it" / "a.md")
    write(tmp_path / "it" / "b.csv", "script_id,content\nrow,Hi.\n")
    scripts = list(read(tmp_path, recursive=True, include=("*.md", "*.csv")))

    assert [(one.script_id, one.voice, one.description) for one in scripts] == [
        ("it/a", "two", "All"),
        ("row", "two", "All"),
    ]


def test_an_included_file_with_the_name_of_a_script_is_told(tmp_path):
    write(tmp_path / "intro.txt")
    write(tmp_path / "intro.srt", CUE)

    [fault] = faults(tmp_path, include=("*.srt",))

    assert fault == f"{tmp_path}/intro.txt:1: intro: script_id is taken by {tmp_path}/intro.srt"


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("a.ppt", "save it as .pptx"),
        ("a.KEY", "save it as .pptx"),
        ("a.odp", "save it as .pptx"),
        ("a.doc", "save it as .docx"),
        ("a.pages", "save it as .docx"),
        ("a.odt", "save it as .docx"),
        ("a.rtf", "save it as .docx"),
        ("a.pdf", "save it as .txt or .docx"),
        ("a.html", "save it as .txt or .docx"),
        ("a.png", "those are .txt, .ssml, .xml, .md"),
        ("a.mp3", "those are .txt, .ssml, .xml, .md"),
        ("a", "those are .txt, .ssml, .xml, .md"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_kind_that_is_not_read_says_what_to_do(tmp_path, name, way, named):
    path = write(tmp_path / name)

    [fault] = faults(path) if named else faults(tmp_path, include=("*",))

    assert fault.startswith(f"{path}: no folder, and of no kind that is read; {way}")


@pytest.mark.parametrize("name", ["text.md", "text.srt", "text.docx"])
@pytest.mark.parametrize("by_heading", [False, True])
def test_a_row_of_a_table_may_name_a_text_of_another_kind(tmp_path, name, by_heading):
    write(tmp_path / "text.md", "# From\n\na ~~cue~~ **mark**")
    write(tmp_path / "text.srt", CUE)
    write_docx(tmp_path / "text.docx", para("One", "berschrift1"), para("Two", "berschrift1"), "<w:tbl/>")
    table = write(tmp_path / "m.csv", f"script_id,content_file\nrow,{name}\n")
    words = {"text.md": "From\n\na mark", "text.srt": "From a cue.", "text.docx": "One\n\nTwo"}
    told = {"text.md": ["struck words (line 3)"], "text.srt": [], "text.docx": ["tables"]}

    assert texts(table, by_heading=by_heading) == {"row": words[name]}
    assert left_out(table, by_heading=by_heading) == [f"{tmp_path}/{name}: left out: {one}" for one in told[name]]


def test_a_row_of_a_table_cannot_name_a_deck(tmp_path):
    write_pptx(tmp_path / "d.pptx", shape("Notes."))
    table = write(tmp_path / "m.csv", "script_id,content_file\nrow,d.pptx\n")

    assert faults(table) == [f"{table}:2: d.pptx is not the text of one script; name it as a source"]


def test_a_text_in_an_old_encoding_is_refused_with_the_encoding_and_how_to_say_it():
    path = CASES / "encodings" / "ansi-cp1252.txt"

    [fault] = faults(path)

    assert fault == (
        f"{path}:1: ansi-cp1252.txt is not UTF-8 (byte 2); it seems to be windows-1252: say `--encoding windows-1252`, "
        "or save it as UTF-8"
    )
    assert texts(path, encoding="windows-1252")["ansi-cp1252"].startswith("Größe und Länge: ein Skript")


@pytest.mark.parametrize(
    ("case", "begin"),
    [
        ("encodings/unicode-utf16le.txt", ""),
        ("ssml/12-decl-utf16.ssml", '<?xml version="1.0" encoding="utf-16"?><speak'),
        ("ssml/40-utf16-real.ssml", '<?xml version="1.0"?><speak'),
        ("csv/utf16.csv", ""),
    ],
)
def test_a_text_in_utf_16_is_taken(case, begin):
    [content] = texts(CASES / case).values()

    assert content.startswith(begin)
    assert "\0" not in content
    assert "\ufeff" not in content


def test_a_table_in_an_old_encoding_is_refused_with_the_encoding():
    [fault] = faults(CASES / "csv" / "cp1252.csv")

    assert fault.startswith(f"{CASES}/csv/cp1252.csv:2: cp1252.csv is not UTF-8 (byte 23); it seems to be windows-1252")
