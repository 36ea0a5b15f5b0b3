"""Recognise other kinds of files by their first bytes: what is inside counts, whatever the name says. Pure."""

from __future__ import annotations

_OFFICE = "a zip file, as .docx, .xlsx and .pptx are"
_SIGNATURES = (
    (b"PK\x03\x04", _OFFICE),
    (b"PK\x05\x06", "an empty zip file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old or encrypted file of Office, as .doc, .xls and .ppt are"),
    (b"%PDF-", "a PDF"),
    (b"{\\rtf", "RTF"),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF87a", "a picture (GIF)"),
    (b"GIF89a", "a picture (GIF)"),
    (b"ID3", "sound (MP3)"),
    (b"OggS", "sound (Ogg)"),
    (b"\x1f\x8b\x08", "packed with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z file"),
    (b"Rar!\x1a\x07", "a RAR file"),
    (b"bplist00", "a property list"),
    (b"SQLite format 3\x00", "a database"),
    (b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)"),
)
_LATER = ((4, b"ftyp", "a video or sound (MP4)"), (8, b"WAVE", "sound (WAV)"))
"""Signatures that do not stand at the beginning; their first bytes tell a size."""
_BYTES_OF_SIZE = b"\x00"


def other_kind(head: bytes) -> str | None:
    """Return what a file is that begins so, if that is certainly no text; else None. Formats: their own documents."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    for signature, kind in _SIGNATURES:
        if head.startswith(signature) and (signature != b"ID3" or _BYTES_OF_SIZE in head[3:10]):
            return kind
    for place, signature, kind in _LATER:
        if head.startswith(signature, place) and _BYTES_OF_SIZE in head[:12]:
            return kind
    return None
