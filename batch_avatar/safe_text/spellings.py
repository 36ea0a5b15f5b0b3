"""Find secrets by how they are written: a name that means a secret, what stands between, and the value. Pure.

Names, separators and quotes are read in any spelling (`escapes.py`), and a value to its end. After `=`, in an element,
and in quotes behind a colon every value is secret. Behind a colon alone people also write sentences, as in
`the password: reset procedure`: there a value is one only if it looks like one. So a password of letters alone in
such a place is not found, unless it is known.
"""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

from batch_avatar.safe_text.escapes import BLANKS, PAD, before_pads, closing_quote, unescaped

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_QUOTED = 4_000
"""Characters between two quotes. The longest tokens have some 3,000."""
SHORTEST_CREDENTIAL, SHORTEST_OF_LETTERS = 6, 12
"""Characters of what looks like a credential: with digits, and of letters alone, whose case then changes within."""
LONGER_THAN_WORDS = 20

_OWNERS = (
    "account|admin|api|client|cosmos|encryption|functions?|host|master|openai|primary|private|resource|(?:secret|shared)?"
    "[-_]?access|secondary|secret|service|shared|signing|speech|ssh|storage|subscription|webhook"
)
_WORDS = (
    rf"sig|(?:shared[-_]?access[-_]?)?signature|skoid|(?:{_OWNERS})[-_ ]?key|(?:[a-z]{{1,20}}[-_]?)?token"
    r"|(?:client[-_]?)?secret|passw(?:or)?d|passphrase|pwd|auth[-_]?string|authorization"
)
_QUOTES = "\"'`"
_NAMED = re.compile(
    rf"(?:(?<![A-Za-z0-9])|(?<=[a-z0-9])(?=[A-Z]))(?P<name>(?i:{_WORDS})|(?P<key>(?i:key)))[12]?(?![A-Za-z0-9])"
    rf"{BLANKS}{{0,20}}(?P<closed>[{_QUOTES}]?){BLANKS}{{0,20}}"
    rf"(?:(?P<sure>:?={{1,2}}>?|,?{BLANKS}{{0,20}}[{_QUOTES}]?(?i:value){BLANKS}{{0,20}}[{_QUOTES}]?{BLANKS}{{0,9}}[=:])"
    r"|(?P<unsure>[:,])|(?P<element>(?:[\w:][^<>]{0,200})?>))"
    rf"{BLANKS}{{0,20}}[\[(]?{BLANKS}{{0,20}}(?:b?(?P<opening>[{_QUOTES}]))?"
    rf"(?P<scheme>(?i:bearer|basic|digest|negotiate|sharedkey|sharedkeylite|apikey|token)[ \t]{{1,4}})?"
)
_HINTS = ("sig", "key", "token", "secret", "passw", "passphrase", "pwd", "auth", "skoid")
MOST_OF_A_NAME = 60
_OF_NAMES = f"{string.ascii_letters}{string.digits}_.-"
"""What a name may have before the words that tell."""
_UNITS = (
    r"(?:[^&;\s'\"<>\\`]|\\{1,8}(?:/|(?:u00|x)(?!2[0267]|3[bceBCE])[2-7][0-9A-Fa-f])"
    r"|&(?:amp;){0,3}#(?:x(?!2[0267]|3[bceBCE])[2-7][0-9A-Fa-f]|(?!3[2489];|59;|6[02];)[0-9]{2,3});)"
)
"""Of a value without quotes: all but what ends one, also where that is escaped."""
_BARE = re.compile(rf"{_UNITS}+")
_BEGINNING = re.compile(r"[^&;\s'\"<>\\`]{1,64}")
_DIGIT, _LETTER, _CAPITAL_WITHIN = re.compile("[0-9]"), re.compile("[A-Za-z]"), re.compile("[a-z][A-Z]")
_VERSION = re.compile(r"[0-9]{1,4}(?:[.-][0-9]{1,2}){1,3}(?:-[a-z]{1,10}[0-9]{0,2})?[.,;:]?\Z")
"""A version or a date, as in `3.1-preview1`."""
_SCHEME = re.compile(r"\b(?i:(?P<bearer>bearer)|basic)[ \t]{1,4}(?P<first>[\w.~+/=-])[\w.~+/=-]{10}[\w.~+/=-]+")
_JWT = re.compile(r"eyJ[\w-]{8}[\w.-]+")
_USER = re.compile(r"(?<=[\w.+-]):(?P<value>[^\s:@/\"'<>,;()]{1,200})@[A-Za-z0-9.-]{1,255}(?P<place>:\d|/)?")
_LABEL = re.compile(r"[\w-]{0,20}\Z")
_LABELS = {"mailto", "mail", "e-mail", "email", "to", "cc", "bcc", "from", "reply-to", "contact", "sip", "sips"} | {
    *("kontakt", "an", "von", "xmpp", "acct", "im")
}
"""Before the colon of an e-mail address, where a user would stand."""
_SLASHES = re.compile(rf":{PAD}{{0,20}}/{PAD}{{0,20}}/")
_TO_QUERY = re.compile(r"[^\s\"'<>?]*")
_QUERY = re.compile(r"\?[^\s\"'<>\\]*")


def secret_places(text: str) -> list[tuple[int, int]]:
    """Return where secrets stand, in order and apart from each other. Takes linear time."""
    folded = text.lower()
    named = any(hint in folded for hint in _HINTS)
    if not (named or "@" in text or "eyj" in folded or "bearer" in folded or "basic" in folded):
        return []
    seen = unescaped(text)
    found = [*(_named(text, seen) if named else ()), *_schemes(seen), *_users(seen)]
    return _apart(found)


def link_places(text: str) -> list[tuple[int, int]]:
    """Return where links have a query, or a name and password before their host. Takes linear time."""
    found: list[tuple[int, int]] = []
    if "://" in text or r"\/" in text:
        found += _in_links(unescaped(text, percent=False))
    if "%2" in text:
        found += _in_links(unescaped(text))
    return _apart(found)


def _looks_like_a_credential(text: str) -> bool:
    """Return whether people write no word so: letters and digits in one, or a capital within many letters."""
    if len(text) < SHORTEST_CREDENTIAL or text.startswith(("http:", "https:")) or _VERSION.match(text):
        return False
    if _DIGIT.search(text):
        return _LETTER.search(text) is not None
    return len(text) >= SHORTEST_OF_LETTERS and text.isalpha() and _CAPITAL_WITHIN.search(text) is not None


def _named(text: str, seen: str) -> Iterator[tuple[int, int]]:
    at = 0
    while (found := _NAMED.search(seen, at)) is not None:
        at = found.end()
        place = _value(text, seen, found)
        if place is not None:
            yield place
            at = max(at, place[1])


def _value(text: str, seen: str, found: re.Match[str]) -> tuple[int, int] | None:
    """Return where the value is that stands behind a name; None if it is no secret."""
    if not _can_have_a_value(seen, found):
        return None
    opening, start, end = found["opening"], found.end(), None
    if opening:
        spelled = text[before_pads(seen, found.start("opening")) : found.end("opening")]
        end = closing_quote(text, spelled, start, MOST_QUOTED)
    sure = found["sure"] or found["element"] or found["scheme"] or (found["unsure"] == ":" and opening)
    if not sure:
        beginning = _BEGINNING.match(text, start, len(text) if end is None else end)
        if beginning is None or not _looks_like_a_credential(beginning[0]):
            return None
    if end is None:
        whole = _BARE.match(text, start)
        end = start + len(whole[0].rstrip(",.:)]}")) if whole else start
        if found["element"] and seen[end : end + 20].lstrip(PAD)[:1] != "<":
            return None
    return (start, end) if end > start else None


def _can_have_a_value(seen: str, found: re.Match[str]) -> bool:
    """Return whether the name stands where a value follows it, by the signs around it."""
    before = seen[max(0, found.start() - MOST_OF_A_NAME) : found.start()].rstrip(_OF_NAMES)[-1:]
    between_quotes = bool(found["closed"] and found["opening"] and before) and before in _QUOTES
    if found["key"]:  # the word alone means much else
        return between_quotes and seen[found.start() - 1] == before
    if found["element"]:
        return not found["opening"] and before in ("<", ":")
    return between_quotes or found["unsure"] != ","


def _schemes(seen: str) -> Iterator[tuple[int, int]]:
    for found in _SCHEME.finditer(seen):
        value = seen[found.start("first") : found.end()]
        if len(value) >= LONGER_THAN_WORDS if found["bearer"] else _looks_like_a_credential(value):
            yield found.start("first"), found.end()
    yield from (found.span() for found in _JWT.finditer(seen))


def _users(seen: str) -> Iterator[tuple[int, int]]:
    """Yield the passwords of `user:password@host`; an e-mail address behind a label and a colon is none."""
    if "@" not in seen:
        return
    for found in _USER.finditer(seen):
        label = _LABEL.search(seen, max(0, found.start() - 20), found.start())
        if label is not None and label[0].lower() in _LABELS:
            continue
        if found["place"] or _looks_like_a_credential(found["value"]):
            yield found.start("value"), before_pads(seen, found.end("value"))


def _in_links(seen: str) -> Iterator[tuple[int, int]]:
    done = 0
    while (slashes := _SLASHES.search(seen, done)) is not None:
        start = slashes.end()
        address = _TO_QUERY.match(seen, start)
        done = start if address is None else address.end()
        at = seen[start:done].partition("/")[0].rfind("@")
        if at > 0:
            yield start, before_pads(seen, start + at)
        query = _QUERY.match(seen, done)
        if query is not None:
            said = query[0].rstrip(f",.;:)]}}{PAD}")
            if len(said) > 1:
                yield done + 1, done + len(said)
            done += len(said)


def _apart(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the places in order; of those that overlap, one that holds them all."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged
