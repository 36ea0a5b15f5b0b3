"""Writes cues as SRT text and as packets of both containers."""

import struct
from collections.abc import Iterable, Iterator, Sequence

from batch_avatar.emulator.media.model import Cue

# The mov_text muxer reads fonts and colours from a header in the ASS format.
ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, \
MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def format_srt(cues: Sequence[Cue]) -> str:
    blocks = (
        f"{number}\n{_srt_time(cue.start_milliseconds)} --> {_srt_time(cue.end_milliseconds)}\n{cue.text}\n"
        for number, cue in enumerate(cues, 1)
    )
    return "\n".join(blocks)


def encode_mov_text(cues: Iterable[Cue]) -> Iterator[tuple[int, int, bytes]]:
    """Yield (start, length, payload) for mp4; times are in milliseconds.

    An mp4 sample lasts until the next one, so the gaps between cues need empty samples.
    """
    clock = 0
    for cue in cues:
        if cue.start_milliseconds > clock:
            yield clock, cue.start_milliseconds - clock, struct.pack(">H", 0)
        text = cue.text.encode()[:0xFFFF].decode(errors="ignore").encode()  # cut between characters
        clock = cue.end_milliseconds
        yield cue.start_milliseconds, clock - cue.start_milliseconds, struct.pack(">H", len(text)) + text
    if clock == 0:
        yield 0, 1000, struct.pack(">H", 0)  # some players refuse a track without samples


def encode_webvtt(cues: Iterable[Cue]) -> Iterator[tuple[int, int, bytes]]:
    """Yield (start, length, payload) for webm; times are in milliseconds. WebVTT reads & and < as markup."""
    for cue in cues:
        text = cue.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield cue.start_milliseconds, cue.end_milliseconds - cue.start_milliseconds, text.encode()


def _srt_time(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{rest:03}"
