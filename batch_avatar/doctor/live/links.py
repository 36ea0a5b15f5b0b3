"""Opens the links of a result: each at its own host, without a credential."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from batch_avatar.doctor.live.results import File
from batch_avatar.errors import BatchAvatarError
from batch_avatar.safe_text.redaction import know
from batch_avatar.service.links import judge_link
from batch_avatar.service.results import open_result

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

MOST_BYTES = 1_000_000
SECONDS = 60.0


def open_links(session: requests.Session, links: Mapping[str, str], *, loopback: bool) -> list[File]:
    """Return what the links lead to, of the summary its content. Those that do not answer are left out. Blocking."""
    files = []
    for member, link in links.items():
        know(link, passing=True)
        with suppress(BatchAvatarError):
            files.append(_open(session, member, link, loopback=loopback))
    return files


def _open(session: requests.Session, member: str, link: str, *, loopback: bool) -> File:
    judge_link(link, loopback=loopback)
    with open_result(session, link, offset=0, etag=None, timeout_seconds=SECONDS, seconds=SECONDS) as response:
        length = response.headers.get("Content-Length", "")
        content = response.raw.read(MOST_BYTES) if member == "summary" else b""
        return File(member, int(length) if length.isdecimal() else None, dict(response.headers), content)
