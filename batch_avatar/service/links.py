"""Judges the links to results before they are opened: an answer must not lead us to a machine of our own network. Pure.

What a name resolves to is not judged: storage accounts with a private endpoint have private addresses, rightly so.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_avatar.errors import LinkRefused

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)")


def split_link(link: str) -> SplitResult:
    """Return the parts of a link, or of a path in a container, which has no scheme and may hold any letters.

    Raises:
        LinkRefused: it is malformed. The text of the error does not show it, as it may be signed.
    """
    allowed = _is_of_links if "://" in link else _is_of_paths
    if "\\" in link or not all(map(allowed, link)):
        raise LinkRefused("the job's link to a result is malformed: it holds characters that no link has")
    try:
        parts = urlsplit(link)
        _ = parts.port
    except ValueError as error:
        raise LinkRefused(f"the job's link to a result is malformed ({type(error).__name__})") from None
    return parts


def judge_link(link: str, *, loopback: bool) -> None:
    """Check that a link of the service may be opened. `loopback`: whether the service itself is on this machine.

    Raises:
        LinkRefused: it is malformed, not https, or names no host by a DNS name.
    """
    parts = split_link(link)
    host = (parts.hostname or "").rstrip(".")
    if parts.username is not None or parts.password is not None or " " in link:
        raise LinkRefused("the job's link to a result is malformed: it names a user, or holds a blank")
    if loopback and is_loopback(host) and parts.scheme in ("http", "https"):
        return
    if parts.scheme != "https":
        raise LinkRefused(f"the job's link to a result is {parts.scheme or 'relative'}, not https; it is not opened")
    if is_loopback(host) or not _is_dns_name(host):
        raise LinkRefused(f"the job's link to a result leads to {host or 'no host'}, which is no DNS name")


def is_loopback(host: str) -> bool:
    """Return whether the host, a name or an address, is this machine by its spelling."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_of_links(letter: str) -> bool:
    """Return whether a link may hold this; a blank is judged later."""
    return " " <= letter <= "~"


def _is_of_paths(letter: str) -> bool:
    """Return whether a path in a container may hold this: no control character and no half of a surrogate pair."""
    return unicodedata.category(letter) not in ("Cc", "Cs")


def _is_dns_name(host: str) -> bool:
    """Return whether this is a name. A last label that is a number makes an IPv4 address of old spelling, as 127.1."""
    return _NAME.fullmatch(host) is not None and _NUMBER.fullmatch(host.rpartition(".")[2]) is None
