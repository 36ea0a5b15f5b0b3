"""Which elements SSML has here, what may stand in them, and which attributes they have. Data, nothing else.

From the service's pages on the structure of SSML, on voice and sound, and on pronunciation; their addresses stand in
docs/checks.md. The pages call their lists of contents examples, so an element that is in no list is only warned of;
where a page says "can't contain" or "can only contain", it is refused. The pages say that the service follows SSML 1.0
of W3C, so what that allows is allowed as well (`emphasis` in `p`, `s` and `prosody`), and `bookmark` stands wherever
W3C lets its `mark` stand. SSML 1.1 lets `lang` stand in `p`, `s` and `prosody`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Rules(NamedTuple):
    """What is known of one element. Elements of `mstts` have their prefix.

    `holds`: the elements that may stand directly in it. `text`: whether text may. `closed`: whether the pages rule out
    all else. `needs`: attributes that the pages require. `wants`: attributes without which the element does nothing.
    `takes`: others that it may have. Attributes whose name begins with `xml:` are allowed everywhere.
    """

    holds: frozenset[str] = frozenset()
    text: bool = True
    closed: bool = False
    needs: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()


_SPOKEN = frozenset(("audio", "bookmark", "break", "emphasis", "lang", "phoneme", "prosody", "say-as", "sub"))
_IN_VOICE = _SPOKEN | {
    "lexicon",
    "math",
    "mstts:audioduration",
    "mstts:dialog",
    "mstts:express-as",
    "mstts:mathspeechverbosity",
    "mstts:prompt",
    "mstts:silence",
    "mstts:ttsembedding",
    "mstts:viseme",
    "mstts:voiceconversion",
    "p",
    "s",
}
_IN_STYLE = _SPOKEN - {"bookmark"}
"""Gestures inside `mstts:express-as` were reported to be left out, so a bookmark there is warned of."""


def _empty(
    *, closed: bool = True, needs: tuple[str, ...] = (), wants: tuple[str, ...] = (), takes: tuple[str, ...] = ()
) -> Rules:
    return Rules(text=False, closed=closed, needs=needs, wants=wants, takes=takes)


def _text_only(*, needs: tuple[str, ...] = (), takes: tuple[str, ...] = ()) -> Rules:
    return Rules(closed=True, needs=needs, takes=takes)


ELEMENTS: Mapping[str, Rules] = MappingProxyType(
    {
        "audio": Rules(_SPOKEN | {"p", "s"}, needs=("src",)),
        "bookmark": _empty(needs=("mark",)),
        "break": _empty(takes=("strength", "time")),
        "emphasis": Rules(_SPOKEN, takes=("level",)),
        "lang": Rules(_IN_VOICE, needs=("xml:lang",)),
        "lexicon": _empty(needs=("uri",), takes=("type",)),
        "math": Rules(),
        "mstts:audioduration": _empty(needs=("value",)),
        "mstts:backgroundaudio": _empty(needs=("src",), takes=("volume", "fadein", "fadeout")),
        "mstts:dialog": Rules(frozenset(["mstts:turn"])),
        "mstts:express-as": Rules(_IN_STYLE, wants=("style",), takes=("styledegree", "role")),
        "mstts:mathspeechverbosity": _empty(closed=False, wants=("level",)),
        "mstts:prompt": _empty(closed=False, wants=("domain",)),
        "mstts:silence": _empty(needs=("type", "value")),
        "mstts:ttsembedding": Rules(_IN_STYLE, wants=("speakerProfileId",)),
        "mstts:turn": Rules(_SPOKEN, wants=("speaker",)),
        "mstts:viseme": _empty(needs=("type",)),
        "mstts:voiceconversion": _empty(closed=False, needs=("url",)),
        "p": Rules(_SPOKEN | {"mstts:express-as", "s"}),
        "phoneme": _text_only(needs=("ph",), takes=("alphabet",)),
        "prosody": Rules(_SPOKEN | {"p", "s"}, takes=("contour", "pitch", "range", "rate", "volume", "duration")),
        "s": Rules(_SPOKEN | {"mstts:express-as"}),
        "say-as": _text_only(needs=("interpret-as",), takes=("format", "detail")),
        "speak": Rules(
            frozenset(["voice", "mstts:backgroundaudio", "mstts:voiceconversion"]),
            text=False,
            closed=True,
            wants=("version", "xml:lang"),
        ),
        "sub": _text_only(needs=("alias",)),
        "voice": Rules(_IN_VOICE, needs=("name",), takes=("effect",)),
    }
)
"""All elements. `mstts:silence` names its `value` `Value` in one place of the pages, so case does not count there."""

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "mark": "bookmark",  # SSML 1.0 of W3C; the service's gestures and events use bookmark
        "amazon:effect": "mstts:express-as",  # Amazon Polly
        "google:style": "mstts:express-as",  # Google Cloud Text-to-Speech
    }
)
"""What elements of other makers of SSML are called here."""
