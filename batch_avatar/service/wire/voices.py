"""Read which voices an SSML text names, also one that is malformed. Pure, and linear in the text's length."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batch_avatar.identity import unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator

_VOICE = re.compile(r"<(?:[\w.-]+:)?voice(?=\s)([^<]*)", re.IGNORECASE)
"""A tag and what follows it. It never goes over the next `<`, so no character is read for two tags."""
_ATTRIBUTE = re.compile(r"\s+([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


def voice_names(ssml: str) -> Iterator[str]:
    """Yield the name of each voice element that has one, as it is written."""
    for tag in _VOICE.finditer(ssml):
        at = tag.start(1)
        while (attribute := _ATTRIBUTE.match(ssml, at, tag.end())) is not None:
            if attribute[1].lower() == "name":
                yield unescaped(attribute[2] or attribute[3] or "")
                break
            at = attribute.end()
