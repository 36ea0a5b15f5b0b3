"""Which attributes an element lacks or has in vain, and what their values mean to the service. Pure.

Values that the service's pages do not name are warned of: it leaves them out, so nobody would hear that they are wrong.
Numbers and words are from those pages.
"""

from __future__ import annotations

import re
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.avatars import meant
from batch_avatar.scripts.findings import found
from batch_avatar.scripts.ssml.grammar import ELEMENTS
from batch_avatar.scripts.ssml.structure import title

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.ssml.reading import Element

    Check = Callable[[str], str | None]
    """Says what is wrong with a value, as it follows it; None if nothing is known to be."""

_NUMBER = r"[+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})"
_TIME = re.compile(r"\+?([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}) ?(ms|s)", re.IGNORECASE)
_PLAIN = re.compile(_NUMBER)
_RATE = re.compile(rf"{_NUMBER}%?")
_PITCH = re.compile(rf"{_NUMBER}(?:%|st|hz)", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,20}://", re.IGNORECASE)

PHONEME_ALPHABETS = ("ipa", "sapi", "ups", "x-sampa")
PITCHES = ("x-low", "low", "medium", "high", "x-high", "default")
RATES = ("x-slow", "slow", "medium", "fast", "x-fast", "default")
VOLUMES = ("silent", "x-soft", "soft", "medium", "loud", "x-loud", "default")
SAY_AS = (
    "address", "cardinal", "characters", "currency", "date", "duration", "fraction", "name", "number", "number_digit",
    "ordinal", "spell-out", "telephone", "time",
)  # fmt: skip
SILENCES = (
    "Leading", "Leading-exact", "Tailing", "Tailing-exact", "Sentenceboundary", "Sentenceboundary-exact",
    "Comma-exact", "Semicolon-exact", "Enumerationcomma-exact",
)  # fmt: skip
ROLES = (
    "Girl", "Boy", "YoungAdultFemale", "YoungAdultMale", "OlderAdultFemale", "OlderAdultMale", "SeniorFemale",
    "SeniorMale",
)  # fmt: skip
LONGEST_PAUSE_SECONDS = 20
LONGEST_AUDIO_SECONDS = 300

LINKS = {
    ("audio", "src"): True,
    ("lexicon", "uri"): False,
    ("mstts:backgroundaudio", "src"): False,
    ("mstts:voiceconversion", "url"): True,
}
"""Attributes that are links, and whether a page says that they must be https."""


def _one_of(*words: str, folded: bool = False) -> Check:
    known = {word.lower() for word in words} if folded else set(words)

    def check(value: str) -> str | None:
        if (value.lower() if folded else value) in known:
            return None
        return f"is not one of {', '.join(words)}{meant(value, words)}"

    return check


def _seconds(value: str, *, most: int) -> str | None:
    written = _TIME.fullmatch(value)
    if written is None:
        unit = f"; write {value}ms or {value}s" if _PLAIN.fullmatch(value) else ""
        return f"is no time with its unit, such as 500ms or 2s{unit}"
    seconds = float(written[1]) / (1000 if written[2].lower() == "ms" else 1)
    return f"is more than the {most} s that the service takes" if seconds > most else None


def _in_form(value: str, *, form: re.Pattern[str], words: tuple[str, ...], such_as: str) -> str | None:
    if value.lower() in words or form.fullmatch(value):
        return None
    return f"is neither {such_as} nor one of {', '.join(words)}{meant(value, words)}"


def _between(value: str, *, lowest: float, highest: float) -> str | None:
    if _PLAIN.fullmatch(value) and lowest <= float(value) <= highest:
        return None
    return f"is no number from {lowest:g} to {highest:g}"


_PAUSE = partial(_seconds, most=LONGEST_PAUSE_SECONDS)
_A_PITCH = partial(_in_form, form=_PITCH, words=PITCHES, such_as="a change such as +80Hz, -2st or 50%")
_FADE = partial(_between, lowest=0, highest=10_000)

VALUES: Mapping[tuple[str, str], Check] = MappingProxyType(
    {
        ("break", "strength"): _one_of("none", "x-weak", "weak", "medium", "strong", "x-strong", folded=True),
        ("break", "time"): _PAUSE,
        ("emphasis", "level"): _one_of("reduced", "none", "moderate", "strong"),
        ("mstts:audioduration", "value"): partial(_seconds, most=LONGEST_AUDIO_SECONDS),
        ("mstts:backgroundaudio", "fadein"): _FADE,
        ("mstts:backgroundaudio", "fadeout"): _FADE,
        ("mstts:backgroundaudio", "volume"): partial(_between, lowest=0, highest=100),
        ("mstts:express-as", "role"): _one_of(*ROLES),
        ("mstts:express-as", "styledegree"): partial(_between, lowest=0.01, highest=2),
        ("mstts:prompt", "domain"): _one_of("Math"),
        ("mstts:silence", "type"): _one_of(*SILENCES, folded=True),
        ("mstts:silence", "value"): _PAUSE,
        ("mstts:viseme", "type"): _one_of("redlips_front", "FacialExpression"),
        ("phoneme", "alphabet"): _one_of(*PHONEME_ALPHABETS),
        ("prosody", "pitch"): _A_PITCH,
        ("prosody", "range"): _A_PITCH,
        ("prosody", "rate"): partial(_in_form, form=_RATE, words=RATES, such_as="a number such as 0.8 or -10%"),
        ("prosody", "volume"): partial(_in_form, form=_RATE, words=VOLUMES, such_as="a number such as 75 or +10%"),
        ("say-as", "interpret-as"): _one_of(*SAY_AS),
        ("speak", "version"): _one_of("1.0"),
        ("voice", "effect"): _one_of("eq_car", "eq_telecomhp8k"),
    }
)


def check_attributes(element: Element) -> Iterator[Finding]:
    """Say which attributes are missing, unknown, or have a value that the pages do not name."""
    rules = ELEMENTS.get(element.name)
    if rules is None:
        return
    here, line = title(element), element.line
    given = {_spelled(element.name, name): value.strip() for name, value in element.attributes.items()}
    own = (*rules.needs, *rules.wants, *rules.takes)
    for name in rules.needs:
        if name not in given or (element.name == "voice" and not given[name]):
            yield found("ssml-attribute-missing", f"{here} lacks its {name}, such as {_example(element, name)}", line)
    if missing := [name for name in rules.wants if name not in given]:
        text = f"{here} lacks its {' and '.join(missing)}, such as {_example(element, *missing)}"
        yield found("ssml-attribute-wanted", text, line)
    unknown = [name for name in given if name not in own and ":" not in name and element.name != "math"]
    for name in unknown:
        if name.lower() not in rules.needs:  # that was told
            text = f"{here} has no attribute {shown(name)}, as far as is known{meant(name, own)}"
            yield found("ssml-attribute-unknown", text, line)
    for name, value in given.items():
        yield from _check_value(element, name, value)


def _check_value(element: Element, name: str, value: str) -> Iterator[Finding]:
    here, line = title(element), element.line
    https_only = LINKS.get((element.name, name))
    check = VALUES.get((element.name, name))
    if https_only is not None:
        yield from _check_link(value, f"the {name} of {here}", line, https_only=https_only)
    elif check is not None and (reason := check(value)):
        yield found("ssml-value", f"the {name} {shown(value)} of {here} {reason}", line)
    elif name in ELEMENTS[element.name].needs and not value and element.name != "voice":
        yield found("ssml-value", f"the {name} of {here} is empty", line)


def _check_link(value: str, what: str, line: int, *, https_only: bool) -> Iterator[Finding]:
    try:
        link = urlsplit(value)
    except ValueError:
        link = urlsplit("")
    scheme = link.scheme if link.netloc else ""
    if scheme == "https":
        return
    if scheme == "http" and not https_only:
        yield found("ssml-link-http", f"{what} is no https link; the service's pages show https only", line)
        return
    file = "" if _SCHEME.match(value) else "; the service cannot read files of this computer, so upload it"
    yield found("ssml-link", f"{what} must be a link that begins with https://, not {shown(value)}{file}", line)


def _spelled(element: str, name: str) -> str:
    return name.lower() if element == "mstts:silence" else name


def _example(element: Element, *names: str) -> str:
    written = {name.lower(): name for name in element.attributes}
    examples = {"version": "1.0", "xml:lang": "en-US", "name": "en-US-AvaNeural"}
    wanted = " ".join(f'{name}="{examples.get(name, "...")}"' for name in names)
    other = next((written[name.lower()] for name in names if name.lower() in written), None)
    return wanted if other is None or other in names else f"{wanted}, not {shown(other)}"
