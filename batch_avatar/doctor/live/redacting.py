"""Words of a service as a report that is sent to others may hold them. Pure.

Hosts, links, ids and everything that is as long and mixed as a key are left out, and what the caller names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import line

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 300
SHORTEST = 3
"""Shorter values that are to be hidden are words."""
_LINK = re.compile(r"[a-z][a-z0-9+.-]{0,20}://\S{1,2000}", re.IGNORECASE)
_HOST = re.compile(r"(?<![\w.-])(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,20}(?::\d{1,5})?(?![\w-])(?!\.\w)", re.IGNORECASE)
_MIXED = re.compile(r"[A-Za-z0-9_+/=%.~-]{16,2000}")
_QUOTED = re.compile(r"(?<!\w)['\"“‘`][^'\"”’`]{1,200}['\"”’`]")
_MEMBER = re.compile(r"[A-Za-z][A-Za-z0-9.\[\]]{0,60}")
_HEADER = re.compile(r"[a-z][a-z0-9-]{0,60}")


def told(text: str, hidden: Iterable[str] = ()) -> str:
    """Return the text, one line of some 300 characters, without what could name an account, a job or a secret."""
    text = line(text, 2000)
    for value in sorted({value for value in hidden if len(value) >= SHORTEST}, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])", "<hidden>", text, flags=re.IGNORECASE)
    text = _QUOTED.sub(_quoted, _LINK.sub("<link>", text))
    text = _MIXED.sub(_mixed, _HOST.sub(_host, text))
    return line(text, MOST)


def header_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names in lower case, sorted; odd ones are left out."""
    lower = {name.lower() for name in names}
    return tuple(sorted(name for name in lower if _HEADER.fullmatch(name) and not _looks_secret(name)))


def _looks_secret(text: str) -> bool:
    """Return whether letters and digits are mixed as in keys, ids and signatures."""
    return len(text) >= 16 and any(map(str.isdigit, text)) and any(map(str.isalpha, text))  # noqa: PLR2004 - see _MIXED


def _mixed(match: re.Match[str]) -> str:
    return "<id>" if _looks_secret(match[0]) else match[0]


def _host(match: re.Match[str]) -> str:
    """Return names of members, such as inputs.content, as they are."""
    name = match[0]
    return name if _MEMBER.fullmatch(name) and name.count(".") == 1 and not name.lower().endswith(_ENDS) else "<host>"


_ENDS = (".com", ".net", ".org", ".us", ".cn", ".io", ".dev", ".local", ".ai", ".ms", ".eu", ".de")


def _quoted(match: re.Match[str]) -> str:
    return match[0] if _MEMBER.fullmatch(match[0][1:-1]) or match[0][1:-1] in _KNOWN else "'<value>'"


_KNOWN = {"2024-08-01", "2024-04-15-preview", "api-version", "2099-01-01"}
