"""A file that is one script: `.txt` is spoken as it stands unless it begins as SSML; `.ssml` and `.xml` are SSML."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.decoding import UTF_8, decoded_lines, encoding_used, is_encoding
from batch_avatar.scripts.findings import Place
from batch_avatar.scripts.readers.draft import script_of
from batch_avatar.scripts.reading import NotRead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.readers.draft import Draft, Named

_DECLARED = re.compile(r"""\A(\s*<\?xml\b[^<>]*?)\sencoding\s*=\s*["']([^"'<>]*)["']""")
"""The declaration of XML with an encoding (XML 1.0, 2.8), also after blanks."""
_HEAD_BYTES = 1_000
_OF_UNICODE = ("utf", "ucs", "iso-10646")
"""How encodings begin that are told by a mark, or are UTF-8."""


def read_text(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft]:
    content = "".join(decoded_lines(file, choice.encoding))
    yield script_of(named.script_id, None, content, Place(named.source, 1, is_text=True))


def read_ssml(file: IO[bytes], named: Named, choice: SourceChoice) -> Iterator[Draft]:
    """Read XML. If it has no mark and is not UTF-8, the encoding that it declares counts, before the chosen one."""
    encoding = _declared(file) or choice.encoding
    used = encoding_used(file, encoding).name
    if not is_encoding(used):
        raise NotRead(f"declares the encoding {shown(used)}, which is not known here; save it as UTF-8", 1)
    content = "".join(decoded_lines(file, encoding))
    if used != UTF_8:
        content = _DECLARED.sub(r"\1", content)  # it is sent as UTF-8
    yield script_of(named.script_id, "SSML", content, Place(named.source, 1, is_text=True))


def _declared(file: IO[bytes]) -> str | None:
    """Return the encoding of other letters than Unicode's that XML declares."""
    head = file.read(_HEAD_BYTES).decode("latin-1")
    file.seek(0)
    declared = _DECLARED.match(head)
    if declared is None or declared[2].strip().lower().startswith(_OF_UNICODE):
        return None
    return declared[2].strip()
