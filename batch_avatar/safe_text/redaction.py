"""Take secrets out of texts: values that are known to be secret, and what looks like one wherever it is written.

Whoever learns a secret tells it to `know`. Patterns find the others: signatures, keys, tokens and passwords by their
names, in any of the usual spellings. A link is cut at its query, since signatures stand there.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from urllib.parse import quote, unquote

REDACTED = "REDACTED"
SHORTEST = 8
"""Shorter values are not taken for secrets: they would be found within words."""
MOST_PASSING = 50
"""Values that are known for a while, such as the signatures of links. The newest are kept, as the others expire."""

_VALUE = r"(?:[^&;\s'\"<>\\]{0,99}\\/){0,9}[^&;\s'\"<>\\]+"  # JSON may write a slash as \/
_QUOTE = r"\\{0,3}[\"']"  # also within JSON within JSON
_START = r"(?:(?<![a-z0-9])|(?<=%26)|(?<=%3f)|(?<=%2526)|(?<=%253f)|(?<=\\u0026)|(?<=\\x26)|(?<=\\[nrt]))"
_NAMES = (
    r"sig|signature|x-amz-security-token|skoid|(?:account|api|access|subscription)[-_]?key|sharedaccess(?:signature|key)"
    r"|(?:access|refresh|id|security)?[-_]?token|(?:client)?[-_]?secret|passw(?:or)?d|pwd"
)
_EQUALS = r"=|%3d|%253d|\\u003d|&#61;|&#x3d;"
_NAMED = re.compile(rf"(?i){_START}({_NAMES})({_EQUALS}){_VALUE}")
_IN_JSON = re.compile(rf"(?i)({_QUOTE}(?:{_NAMES}|key))({_QUOTE}\s{{0,4}}:\s{{0,4}}{_QUOTE}){_VALUE}")
_HEADER = re.compile(
    rf"(?i)\b(authorization|subscription-key|api-key)((?:{_QUOTE})?[ \t]{{0,4}}[:=,][ \t]{{0,4}}(?:{_QUOTE})?"
    rf"(?:(?:bearer|basic|sharedkey|sharedkeylite)[ \t]{{1,4}})?){_VALUE}"
)
_BEARER = re.compile(r"(?i)\b(bearer)([ \t]{1,4})[\w.~+/=-]{19}[\w.~+/=-]+")
_JWT = re.compile(r"()()eyJ[\w-]{8}[\w.-]+")
_NAMES_HINTS = ("sig", "key", "token", "secret", "skoid", "passw", "pwd")
_PATTERNS: tuple[tuple[re.Pattern[str], tuple[str, ...], tuple[str, ...]], ...] = (
    (_NAMED, _NAMES_HINTS, ("=", "%3d", "%253d", r"\u003d", "&#")),
    (_IN_JSON, _NAMES_HINTS, ("':", '":', "' :", '" :')),
    (_HEADER, ("authorization", "-key"), ("",)),
    (_BEARER, ("bearer",), ("",)),
    (_JWT, ("eyj",), ("",)),
)
"""Each pattern, and two sets of hints of which a text holds one each if it holds what the pattern finds, in lower case.
Looking for hints takes a hundredth of the time of a pattern."""
_SLASHES = re.compile(r":\\?/\\?/")
_TO_QUERY = re.compile(r"[^\s\"'<>?]*")
_QUERY = re.compile(r"\?[^\s\"'<>\\]*")


class Secrets:
    """The values that are known to be secret, for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lasting: dict[str, None] = {}
        self._passing: dict[str, tuple[str, ...]] = {}
        self._known: tuple[str, ...] | None = ()

    def know(self, secret: str | None, *, passing: bool = False) -> None:
        """Have `redact` remove this value from now on, and the secrets that are named in it, e.g. an account's key.

        Of a link, or of the query of one, only these. `passing`: it is valid for a while only, and many like it come
        and go.
        """
        given = secret or ""
        named = [found[0][len(found[1] + found[2]) :] for found in _NAMED.finditer(given)]
        values = [*named, *map(unquote, named)]
        if not (values and passing) and ("://" not in given or ";" in given):
            values.append(given)
        values = [value for value in values if len(value) >= SHORTEST]
        if not values:
            return
        with self._lock:
            for value in values:
                if passing:
                    self._passing.pop(value, None)
                    self._passing[value] = _spellings(value)
                else:
                    self._lasting.update(dict.fromkeys(_spellings(value)))
            while len(self._passing) > MOST_PASSING:
                del self._passing[next(iter(self._passing))]
            self._known = None

    def redact(self, text: str) -> str:
        """Return the text with REDACTED in place of every secret, and links without their query. Takes linear time."""
        text = self.without_known(text)
        if "//" in text or r"/\/" in text:
            text = _without_queries(text)
        folded = text.lower()
        for pattern, some, others in _PATTERNS:
            if any(hint in folded for hint in some) and any(hint in folded for hint in others):
                text = pattern.sub(rf"\1\2{REDACTED}", text)
        return text

    def without_known(self, text: str) -> str:
        """Return the text without the values that `know` was told; all else stays."""
        known = self._known
        for value in self._sorted() if known is None else known:
            if value in text:
                text = text.replace(value, REDACTED)
        return text

    def _sorted(self) -> tuple[str, ...]:
        """Return all spellings of all values, the longest first, and keep them until there are more."""
        with self._lock:
            every = {*self._lasting, *(spelling for spellings in self._passing.values() for spelling in spellings)}
            self._known = tuple(sorted(every, key=len, reverse=True))
            return self._known


def _spellings(value: str) -> tuple[str, ...]:
    """Return the value as texts may write it: as it is, percent-encoded, in JSON, in HTML, in base64."""
    encoded = quote(value, safe="")
    slashed = json.dumps(value)[1:-1]
    b64 = base64.b64encode(value.encode(errors="replace")).decode().rstrip("=")
    forms = (
        value,
        encoded,
        quote(value),
        re.sub("%..", lambda found: found[0].lower(), encoded),
        quote(encoded, safe=""),
        slashed,
        slashed.replace("/", r"\/"),
        html.escape(value),
        b64[:-1],  # of the last character some bits belong to what follows
    )
    return tuple(dict.fromkeys(forms))


def _without_queries(text: str) -> str:
    """Return the text with each link cut at its query, and without the name and password before its host."""
    parts: list[str] = []
    done = 0
    while (slashes := _SLASHES.search(text, done)) is not None:
        parts.append(text[done : slashes.end()])
        address = _TO_QUERY.match(text, slashes.end())
        done = slashes.end() if address is None else address.end()
        host, slash, path = text[slashes.end() : done].partition("/")
        _, at, host_alone = host.rpartition("@")
        parts.append((f"{REDACTED}@{host_alone}" if at else host) + slash + path)
        query = _QUERY.match(text, done)
        if query is not None:
            said = query[0].rstrip(",.;:)]}")
            parts.append(f"?{REDACTED}" if len(said) > 1 else said)
            done += len(said)
    parts.append(text[done:])
    return "".join(parts)


_of_this_process = Secrets()
know, redact, without_known = _of_this_process.know, _of_this_process.redact, _of_this_process.without_known
