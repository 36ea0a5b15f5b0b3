"""Take secrets out of texts: values that are known to be secret, and what looks like one wherever it is written.

Whoever learns a secret tells it to `know`. The others are found by their names and by how they are written
(`spellings.py`). A link is cut at its query, since signatures stand there.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from batch_avatar.safe_text.spellings import link_places, secret_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REDACTED = "REDACTED"
SHORTEST = 8
"""Shorter values are not taken for secrets: they would be found within words."""
SHORTEST_OF_ONE_KIND = 20
"""The same for values of letters alone or of digits alone, which are words and dates. Keys and signatures mix them."""
MOST_PASSING = 50
"""Values that are known for a while, such as the signatures of links. The newest are kept, as the others expire."""


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
        named = [given[start:end] for start, end in secret_places(given)]
        values = [*named, *map(unquote, named)]
        if not (values and passing) and ("://" not in given or ";" in given):
            values.append(given)
        values = [value for value in values if _can_be_sought(value)]
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
        text = _without(text, link_places(text))
        return _without(text, secret_places(text))

    def without_known(self, text: str) -> str:
        """Return the text without the values that `know` was told; all else stays."""
        for value in self._sorted():
            if value in text:
                text = text.replace(value, REDACTED)
        return text

    def split_known(self, text: str) -> tuple[str, str]:
        """Return the text without the values that are known, in two parts: the second may be the beginning of one."""
        text = self.without_known(text)
        known = self._sorted()
        if not known or text.endswith("\n"):
            return text, ""
        firsts = {value[0] for value in known}
        for at in range(max(0, len(text) - len(known[0]) + 1), len(text)):
            if text[at] in firsts and any(value.startswith(text[at:]) for value in known):
                return text[:at], text[at:]
        return text, ""

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """Forget at the end what was made known meanwhile, for tests: what one knows is no matter of the next."""
        with self._lock:
            kept = dict(self._lasting), dict(self._passing)
        try:
            yield
        finally:
            with self._lock:
                (self._lasting, self._passing), self._known = kept, None

    def _sorted(self) -> tuple[str, ...]:
        """Return all spellings of all values, the longest first, and keep them until there are more."""
        known = self._known
        if known is not None:
            return known
        with self._lock:
            every = {*self._lasting, *(spelling for spellings in self._passing.values() for spelling in spellings)}
            self._known = tuple(sorted(every, key=len, reverse=True))
            return self._known


def _can_be_sought(value: str) -> bool:
    """Return whether the value is none that texts hold by chance."""
    one_kind = value.isalpha() or value.isdigit()
    return len(value) >= (SHORTEST_OF_ONE_KIND if one_kind else SHORTEST)


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


def _without(text: str, places: Sequence[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in places:
        parts += [text[done:start], REDACTED]
        done = end
    return "".join([*parts, text[done:]])


_of_this_process = Secrets()
know, redact = _of_this_process.know, _of_this_process.redact
without_known, split_known = _of_this_process.without_known, _of_this_process.split_known
forgetting = _of_this_process.forgetting
