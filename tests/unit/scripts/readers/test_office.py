"""Decks and documents that are broken, protected or made to do harm: one fault in plain words, and little memory."""

import io
import tracemalloc
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.readers.draft import Named
from batch_avatar.scripts.readers.kinds import KINDS
from batch_avatar.scripts.reading import NotRead
from tests.unit.scripts.readers.office_files import (
    docx_parts,
    para,
    pptx_parts,
    relations,
    shape,
    write_docx,
    write_zip,
)
from tests.unit.scripts.readers.reads import faults

EXAMPLES = settings(derandomize=True, deadline=None, database=None, max_examples=200)
BROKEN = "cannot be read; open it in the program that made it, and save it again"
TOO_LARGE = "holds more text and marks than can be read; split it"
DOCX, PPTX = docx_parts(para("Hello.")), pptx_parts([shape("Hello.")])


def content(parts, **how):
    made = io.BytesIO()
    write_zip(made, parts, **how)
    return made.getvalue()


def with_document(xml):
    return content(DOCX | {"word/document.xml": xml})


def many_parts(count):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for number in range(count):
            file.writestr(f"{number:0100}", "")
    return made.getvalue()


def encrypted_part():
    data = bytearray(content(DOCX))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(mark, at + 1)
    return bytes(data)


REFUSED = {
    "nothing": (b"", BROKEN),
    "a text": (b"Hello there, this is no zip.", BROKEN),
    "a zip that is cut": (content(DOCX)[:-30], BROKEN),
    "what Office encrypts": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000), "is protected with a password"),
    "parts that are encrypted": (encrypted_part(), BROKEN),
    "another zip": (content({"a.txt": "Hi."}), "is no document of Office, whatever its name says"),
    "a deck": (content(PPTX), "is no document of Office, whatever its name says"),
    "a main part that is not there": (
        content({"_rels/.rels": relations([("r", "officeDocument", "word/document.xml")])}),
        BROKEN,
    ),
    "no XML": (with_document("Hello."), BROKEN),
    "XML that is cut": (with_document("<w:document xmlns:w='w'><w:body>"), BROKEN),
    "an encoding that does not exist": (with_document("<?xml version='1.0' encoding='klingon'?><document/>"), BROKEN),
    "entities": (with_document("<!DOCTYPE a [<!ENTITY b 'c'>]><document>&b;</document>"), BROKEN),
    "a part that unpacks to 30 MB": (with_document(f"<document>{' ' * 30_000_000}</document>"), TOO_LARGE),
    "more elements than a book has": (with_document(f"<document>{'<a/>' * 1_100_000}</document>"), TOO_LARGE),
    "more parts than any file has": (many_parts(30_000), TOO_LARGE),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_one_fault(tmp_path, case):
    data, words = REFUSED[case]
    path = tmp_path / "c.docx"
    path.write_bytes(data)

    [fault] = faults(path)

    assert fault.startswith(f"{path}:1: c.docx {words}")


def test_a_document_that_is_called_a_deck_is_refused(tmp_path):
    [fault] = faults(write_docx(tmp_path / "d.pptx", "Hello."))

    assert "d.pptx is no presentation of Office, whatever its name says" in fault


def test_a_large_part_is_refused_before_it_is_unpacked_as_a_whole(tmp_path):
    path = tmp_path / "c.docx"
    path.write_bytes(with_document(f"<document>{' ' * 200_000_000}</document>"))
    tracemalloc.start()
    try:
        faults(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert most < 60_000_000


def test_a_document_of_depth_without_end_is_read(tmp_path):
    deep = f"<document><body>{'<sdt>' * 100_000}{'</sdt>' * 100_000}<p><r><t>Hi.</t></r></p></body></document>"
    path = tmp_path / "c.docx"
    path.write_bytes(with_document(deep))

    with path.open("rb") as file:
        [draft] = KINDS[".docx"].reader(file, Named("c", "c"), SourceChoice())
    assert draft.values["content"] == "Hi."


@EXAMPLES
@given(
    st.sampled_from([(".docx", content(DOCX, compression=how)) for how in (0, 8)] + [(".pptx", content(PPTX))]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_any_damage_is_survived_or_told(made, damages):
    ending, data = made[0], bytearray(made[1])
    for where, byte in damages:
        data[int(where * len(data))] = byte
    try:
        parts = list(KINDS[ending].reader(io.BytesIO(data), Named("c", "c"), SourceChoice()))
    except NotRead as error:
        parts = [error.reason]
    assert all(parts)
