"""How many characters of a script are billed. Pure.

Billed are all code points of the text, also white space and punctuation, and the markup of SSML except the tags `speak`
and `voice`; each Chinese character, kanji and hanja counts as two. Source: text-to-speech.md, 3/2025.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batch_avatar.identity import normalise_newlines

if TYPE_CHECKING:
    from batch_avatar.models import Script

_UNBILLED = re.compile(
    r"</?(?:[\w.-]{1,50}:)?(?:speak|voice)(?=[\s>/])[^<>]*>"
)  # no '<' inside, so that it takes linear time
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def billed_characters(script: Script) -> int:
    """Return how many characters a job of this script is billed."""
    text = normalise_newlines(script.content)
    if script.input_kind == "SSML":
        text = _UNBILLED.sub("", text)
    return len(text) + len(_HAN.findall(text))
