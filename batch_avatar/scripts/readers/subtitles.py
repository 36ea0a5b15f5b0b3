"""Subtitles (`.srt`, `.vtt`) as the words that are spoken, without times, numbers, notes and marks.

The forms are those of https://www.w3.org/TR/webvtt1/ and of what players take as SubRip.
"""

from __future__ import annotations

import html
import io
import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.scripts.readers.omitted import Omitted, reader_of
from batch_avatar.scripts.reading import Limit, NotRead

if TYPE_CHECKING:
    from collections.abc import Iterator

SUBTITLES_LIMIT = Limit(2_000_000, "a file of subtitles")
"""A choice; those of a long film have 200 KB."""
_TIMES = re.compile(r"\s{0,20}(?:\d{1,4}:)?\d{1,2}:\d{2}[.,]\d{1,3}\s{0,20}-->")
_HEAD = "WEBVTT"
_NO_CUE = re.compile(r"(?:WEBVTT|NOTE|STYLE|REGION)(?:\s|\Z)")
"""How blocks of WebVTT begin that hold no words."""
_RUBY = re.compile(r"<rt>[^<]{0,500}</rt>")
_STAMP = re.compile(r"<(?:\d{1,4}:)?\d{2}:\d{2}\.\d{3}>")
_TAG = re.compile(r"</?(?:b|c|font|i|lang|ruby|rt|s|u|v)(?:[.\s][^<>]{0,500})?>|\{\\[^{}]{0,200}\}", re.IGNORECASE)
_SOUND = re.compile(r"\[[^\[\]]{0,500}\]|[♪♫].{0,500}")


class Line(NamedTuple):
    number: int
    text: str


def spoken(text: str) -> tuple[str, Omitted]:
    """Return the words of all cues, one after the other as sentences go on, and what is left out.

    Raises:
        NotRead: there is no cue with times.
    """
    lines = [Line(number, line.strip()) for number, line in enumerate(io.StringIO(text, newline=None), start=1)]
    if not any(_TIMES.match(line.text) for line in lines):
        raise NotRead("has no cue with times, such as 00:00:01,000 --> 00:00:04,000; call a plain text .txt")
    is_vtt, rolls = text.startswith(_HEAD), bool(_STAMP.search(text))
    omitted, words = Omitted(), [""]
    for filled, block in groupby(lines, lambda line: bool(line.text)):
        for line in _cue_lines(list(block), is_vtt=is_vtt) if filled else ():
            cleaned = _TAG.sub("", _STAMP.sub("", _RUBY.sub("", line.text)))
            cleaned = " ".join((html.unescape(cleaned) if is_vtt else cleaned).split())
            if _SOUND.fullmatch(cleaned):
                omitted.note("descriptions of sounds", line.number)
            elif not rolls or cleaned != words[-1]:  # cues of machines that show each word as it comes repeat lines
                words.append(cleaned)
    return " ".join(filter(None, words)), omitted


def _cue_lines(block: list[Line], *, is_vtt: bool) -> Iterator[Line]:
    """Yield the lines with words of a block, which may be a cue, a part of one after an empty line, or several."""
    timed = [bool(_TIMES.match(line.text)) for line in block]
    if not any(timed):
        if (is_vtt and _NO_CUE.match(block[0].text)) or (len(block) == 1 and block[0].text.isdecimal()):
            return
        yield from block
        return
    for place, line in enumerate(block):
        is_name = timed[place + 1 : place + 2] == [True] and (place == 0 or line.text.isdecimal())
        if not timed[place] and not is_name:
            yield line


read_subtitles = reader_of(spoken)
