"""A text is decoded as it was written; what cannot be told is refused, with what it seems to be."""

import contextlib
import encodings
import io
import pkgutil
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_avatar.errors import InputError, ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.decoding import LIKELY, NotUtf8, decoded_lines, is_encoding
from batch_avatar.scripts.drafts import check_defaults, check_file
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.scripts.readers.draft import Named
from batch_avatar.scripts.readers.script_file import read_ssml
from batch_avatar.scripts.reading import LONGEST_LINE_BYTES, NotRead
from tests.unit.scripts.hostile import DEFAULTS, WIRE

EXAMPLES = settings(derandomize=True, deadline=None, database=None)
TEXT = "Grüße aus Łódź.\r\nਊ and Ċ hold the byte of a line end.\rThird\n\n日本 🎬"
SPEAK = '<speak version="1.0"><voice name="en-US-AvaNeural">Grüße €</voice></speak>'


def lines(content, encoding=None):
    return list(decoded_lines(io.BytesIO(content), encoding))


def refused(content, encoding=None):
    with pytest.raises(NotUtf8) as caught:
        lines(content, encoding)
    return caught.value


def contents(path, **choice):
    scripts = read_scripts([path], defaults=DEFAULTS, wire=WIRE, choice=SourceChoice(**choice))
    return [script.content for script in scripts]


def faults(path, **choice):
    with pytest.raises(ManifestError) as caught:
        contents(path, **choice)
    return [str(fault) for fault in caught.value.findings]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-marked"])
@pytest.mark.parametrize("named", [None, "windows-1252", "utf-16"])
def test_a_mark_or_utf_8_wins_and_lines_end_where_they_do(encoding, named):
    content = b"\xfe\xff" + TEXT.encode("utf-16-be") if "be" in encoding else TEXT.encode(encoding)

    assert lines(content, named) == [
        "Grüße aus Łódź.\r\n",
        "ਊ and Ċ hold the byte of a line end.\rThird\n",
        "\n",
        "日本 🎬",
    ]


@EXAMPLES
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0\x1b\ufeff")),
    st.sampled_from(["utf-16", "utf-32", "gb18030"]),
)
def test_any_text_comes_back_from_the_encoding_it_was_written_in(text, encoding):
    content = text.encode(encoding)

    assert "".join(lines(content, "utf-32" if encoding == "utf-32" else encoding)) == text


@EXAMPLES
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff")), st.booleans())
def test_of_utf_8_nothing_moves(text, marked):
    found = lines((b"\xef\xbb\xbf" if marked else b"") + text.encode())

    assert [line for line in found if line] == list(io.StringIO(text, newline="\n"))


@pytest.mark.parametrize(
    ("text", "encoding", "likely"),
    [
        ("Grüße", "cp1252", "windows-1252"),
        ("“Le café” est très bon…\n" * 9_000, "cp1252", "windows-1252"),
        ("Zażółć gęślą jaźń", "cp1250", "windows-1250"),
        ("Добро пожаловать на наш курс", "cp1251", "windows-1251"),
        ("Καλώς ήρθατε στο μάθημα", "cp1253", "windows-1253"),
        ("こんにちは、世界。これはテストです", "shift_jis", "cp932"),
        ("欢迎来到我们的课程,今天我们学习", "gb18030", "gb18030"),
        ("안녕하세요 여러분 반갑습니다", "euc_kr", "cp949"),
        ("Hello there", "utf-16-le", "utf-16-le"),
        ("Grüße und Hello", "utf-16-be", "utf-16-be"),
        ("Hello there", "utf-32", "utf-32"),
        ("Hello there", "utf-32-le", "utf-32-le"),
        ("Hello there", "utf-32-be", "utf-32-be"),
    ],
)
def test_another_encoding_is_named_and_reads_the_text_if_it_is_said(text, encoding, likely):
    content = text.encode(encoding)
    error = refused(content)

    assert error.likely == likely
    assert f"it seems to be {likely}: say `--encoding {likely}`, or save it as UTF-8" in error.reason(option=True)
    assert "".join(lines(content, likely)) == text


def test_of_utf_8_with_a_damaged_letter_no_other_encoding_is_told():
    error = refused("Grüße, schöne Füße".encode() + b"\xff")

    assert error.reason(option=True) == "not UTF-8 (byte 23); save it as UTF-8"


@pytest.mark.parametrize("name", LIKELY)
def test_whatever_a_file_seems_to_be_can_be_said(name):
    assert is_encoding(name)


@pytest.mark.parametrize(
    ("content", "encoding", "line", "byte", "taken_for"),
    [
        (b"One.\nGr\xfc\xdfe", None, 2, 7, "UTF-8"),
        (b"\xef\xbb\xbfOne.\nGr\xfc\xdfe", None, 2, 7, "UTF-8"),
        ("One.\nTwo.".encode("utf-16-le") + b"\0\xd8A\0", "cp1252", 2, 18, "UTF-8, nor cp1252"),
        (b"\xff\xfe" + "One.\nTwo.".encode("utf-16-le") + b"\0\xd8A\0", None, 2, 18, "UTF-16, as its first bytes say"),
        (b"\xff\xfe" + "One.\n".encode("utf-16-le") + b"A", "cp1252", 2, 10, "UTF-16, as its first bytes say"),
        (b"One.\n\x81\xff", "shift_jis", 2, 5, "UTF-8, nor shift_jis"),
        ("Aé\n".encode() * 50_000 + b"\xff", "gb18030", 50_001, 200_000, "UTF-8, nor gb18030"),
        (b"A\xe9", "utf-16", 1, 0, "UTF-8, nor utf-16"),
    ],
)
def test_what_cannot_be_decoded_is_found_on_its_line(content, encoding, line, byte, taken_for):
    if encoding == "cp1252" and not content.startswith(b"\xff\xfe"):
        encoding, taken_for = "utf-16-le", "UTF-8, nor utf-16-le"
    error = refused(content, encoding)

    assert (error.line, error.byte, error.taken_for) == (line, byte, taken_for)


@pytest.mark.parametrize("name", sorted(module.name for module in pkgutil.iter_modules(encodings.__path__)))
def test_every_codec_of_python_decodes_a_text_says_why_not_or_is_none(name):
    content = "Grüße\\x".encode("cp1252") + bytes(range(256))
    if not is_encoding(name):
        return
    with contextlib.suppress(NotUtf8):
        assert "".join(lines(content, name))


@pytest.mark.parametrize("name", ["klingon", "", "utf-8\0", "rot13", "hex", "idna", "unicode_escape", "undefined"])
def test_an_encoding_that_does_not_exist_is_named(tmp_path, name):
    (tmp_path / "a.txt").write_text("Hi.")

    with pytest.raises(InputError, match=r"encoding: .* is no encoding that is known here"):
        contents(tmp_path, encoding=name)


def test_a_text_in_an_encoding_of_seven_bits_is_read_as_what_is_said():
    text = "日本語 ok"

    assert lines(text.encode("iso2022_jp"), "iso2022_jp") == [text]


@pytest.mark.parametrize("encoding", ["utf-16-le", "gb18030"])
def test_a_line_too_long_for_any_request_is_refused_in_any_encoding(encoding):
    content = "é\n".encode(encoding) + ("A" * (LONGEST_LINE_BYTES + 1)).encode(encoding)

    with pytest.raises(NotRead, match="has a line of more than 3,000,000 bytes") as caught:
        lines(content, encoding)
    assert caught.value.line == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_only_a_part_of_a_long_file_is_in_memory(tmp_path, encoding):
    path = tmp_path / "m.csv"
    path.write_bytes(("Grüße aus 日本\n" * 100_000).encode(encoding))
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            count = sum(1 for _ in decoded_lines(file, encoding))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 100_000
    assert most < 2_000_000


# What people bring


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "Grüße.\r\nZwei."),
        ("a.csv", "script_id\tcontent\r\na\tGrüße.\r\n"),
        ("a.json", '[{"script_id": "a", "content": "Grüße."}]'),
        ("a.jsonl", '{"script_id": "a", "content": "Grüße."}\n'),
        ("a.ssml", SPEAK),
    ],
)
@pytest.mark.parametrize(("encoding", "said"), [("utf-16", None), ("cp1252", "windows-1252"), ("utf-8", "cp1252")])
def test_every_kind_of_text_is_read_in_its_encoding(tmp_path, name, text, encoding, said):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))

    [content] = contents(path, encoding=said)

    assert content == (text if name in ("a.txt", "a.ssml") else "Grüße.")


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ("iso-8859-15", "iso-8859-15"),
        ("windows-1252", "cp1252"),
        ("UTF-16", "utf-16"),
        ("windows-1252", "utf-16"),
        ("windows-1252", "utf-8"),
        ("utf-16", "utf-8"),
        ("klingon", "utf-8"),
    ],
)
@pytest.mark.parametrize("before", ["", "\r\n "])
@pytest.mark.parametrize("said", [None, "koi8_r"])
def test_xml_is_read_as_it_declares_itself(tmp_path, declared, encoding, before, said):
    path = tmp_path / "a.xml"
    path.write_bytes(f"{before}<?xml version='1.0' encoding='{declared}' ?>\n{SPEAK}".encode(encoding))

    [part] = decoding_of_xml(path, said)

    kept = f" encoding='{declared}'" if encoding == "utf-8" else ""
    assert part == f"{before}<?xml version='1.0'{kept} ?>\n{SPEAK}"


def decoding_of_xml(path, said):
    with path.open("rb") as file:
        return [draft.values["content"] for draft in read_ssml(file, Named("a", "a"), SourceChoice(encoding=said))]


@pytest.mark.parametrize(
    ("declaration", "words"),
    [
        ("<?xml version='1.0' encoding='klingon'?>", "a.xml declares the encoding klingon, which is not known here"),
        ("<?xml version='1.0' encoding='utf-8'?>", "a.xml is not UTF-8 (byte 77); it seems to be windows-1252"),
        ("<?xml version='1.0' encoding='us-ascii'?>", "a.xml is not UTF-8, nor us-ascii (byte 80); it seems to be"),
    ],
)
def test_xml_that_is_not_as_it_declares_itself_is_refused(tmp_path, declaration, words):
    path = tmp_path / "a.xml"
    path.write_bytes((declaration + "<speak version='1.0'><voice name='v'>Grüße aus</voice></speak>").encode("cp1252"))

    [fault] = faults(path)

    assert fault.startswith(f"{path}:1: {words}")


def test_a_chosen_encoding_holds_for_the_defaults_beside_and_for_files_that_rows_name(tmp_path):
    (tmp_path / "defaults.toml").write_bytes('description = "Grüße"'.encode("cp1252"))
    (tmp_path / "text.txt").write_bytes("Füße".encode("cp1252"))
    path = tmp_path / "m.csv"
    path.write_text("script_id,content_file\na,text.txt\n")

    [script] = read_scripts([path], defaults=DEFAULTS, wire=WIRE, choice=SourceChoice(encoding="cp1252"))

    assert (script.content, script.description) == ("Füße", "Grüße")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_patterns_are_read_as_editors_write_them(tmp_path, encoding):
    (tmp_path / ".batchavatarignore").write_bytes("grüße*\r\n".encode(encoding))
    (tmp_path / "grüße.txt").write_text("No.")
    (tmp_path / "b.txt").write_text("Yes.")

    assert contents(tmp_path) == ["Yes."]


def test_a_drop_is_refused_with_what_it_seems_to_be():
    content = "Herzlich willkommen, schöne Grüße".encode("cp1252")

    with pytest.raises(ManifestError) as caught:
        check_file("a.txt", content, defaults=DEFAULTS, wire=WIRE)

    assert caught.value.faults == ("a.txt:1: not UTF-8 (byte 24); it seems to be windows-1252: save it as UTF-8",)


def test_defaults_of_an_inbox_are_read_as_editors_write_them():
    assert check_defaults("defaults.toml", 'voice = "ü"'.encode("utf-16")).values == {"voice": "ü"}
