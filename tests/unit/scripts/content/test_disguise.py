"""Files whose ending says text, and that are something else."""

import io
import zipfile

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.drafts import check_file
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK

WIRE = wire_for("2024-08-01")


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("word/document.xml", "<w:document/>")
    return file.getvalue()


DISGUISED = {
    "zip": (zipped(), "a zip file, as .docx, .xlsx and .pptx are"),
    "old office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9), "an old or encrypted file of Office"),
    "pdf": (b"%PDF-1.7\n1 0 obj\n", "a PDF"),
    "rtf": (b"{\\rtf1\\ansi Hello}", "RTF"),
    "png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "a picture (PNG)"),
    "mp4": (b"\0\0\0\x20ftypisom\0\0\2\0", "a video or sound (MP4)"),
    "wav": (b"RIFF\x24\0\0\0WAVEfmt ", "sound (WAV)"),
    "mp3": (b"ID3\x04\0\0\0\0\0\0", "sound (MP3)"),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0", "packed with gzip"),
}
TEXTS = [
    b"PK is short for penalty kick.",
    b"%PDF is a format.",
    b"ID3 tags are fun.",
    b"{rtf}",
    b"GIF is a format.",
    b"Rar!",
]
TEXTS += [b"The ftyp box.", b"RIFFs of WAVE.", b"1234ftyp is a word", b"RIFF....WAVE is a sound format."]


@pytest.mark.parametrize("name", DISGUISED)
@pytest.mark.parametrize("ending", ["txt", "ssml", "csv", "jsonl", "md", "srt"])
@pytest.mark.parametrize("encoding", [None, "windows-1252"])
def test_a_file_of_another_kind_is_refused_as_what_it_is(tmp_path, name, ending, encoding):
    content, kind = DISGUISED[name]
    path = tmp_path / f"a.{ending}"
    path.write_bytes(content)

    with pytest.raises(ManifestError) as caught:
        read_scripts([path], defaults=LOOK, wire=WIRE, choice=SourceChoice(encoding=encoding))

    [fault] = caught.value.findings
    assert str(fault).startswith(f"{path}:1: a.{ending} is no text, but {kind}")
    assert fault.rule == "file-unreadable"


@pytest.mark.parametrize("name", DISGUISED)
def test_a_drop_of_another_kind_is_refused_as_what_it_is(name):
    content, kind = DISGUISED[name]

    with pytest.raises(ManifestError) as caught:
        check_file("a.txt", content, defaults=LOOK, wire=WIRE)

    [fault] = caught.value.faults
    assert fault.startswith(f"a.txt:1: a.txt is no text, but {kind}")


@pytest.mark.parametrize("content", TEXTS)
def test_a_text_that_begins_likewise_is_a_text(content):
    script, _ = check_file("a.txt", content, defaults=LOOK, wire=WIRE)

    assert script.content == content.decode()
