"""Counts the characters that are billed. Pure.

Source: text-to-speech.md of MicrosoftDocs/azure-ai-docs, "Pricing note": all code points count, white space and
punctuation too, and markup but for the `speak` and `voice` tags; a Chinese character counts twice, also as kanji and
as hanja.
"""

from __future__ import annotations

import re
from typing import Literal

# Neither attributes nor text can contain "<", so no match is tried beyond the next one.
_FREE_TAG = re.compile(r"""</?(?:[\w.-]+:)?(?:speak|voice)(?=[\s/>])(?:[^<>"']|"[^"<]*"|'[^'<]*')*>""")
# Unicode's blocks of unified and compatibility ideographs; planes 2 and 3 have nothing else.
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def billed_characters(input_kind: Literal["PlainText", "SSML"], content: str) -> int:
    """Return the number of characters that one input is billed as."""
    billed = _FREE_TAG.sub("", content) if input_kind == "SSML" else content
    return len(billed) + len(_CHINESE.findall(billed))
