"""Whether a host answers at all, what stands in the way if not, and what time it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from batch_avatar.service.http_headers import read_date
from batch_avatar.service.session import NO_ANSWER
from batch_avatar.service.time_limit import time_limit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

    from batch_avatar.clock import Clock

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 8.0
NETWORK = "curl --verbose --head {url}"


@dataclass(frozen=True)
class Reached:
    """An answer to a request without any access. `ahead_seconds`: how far that host's clock is ahead of ours."""

    host: str
    status: int
    headers: Mapping[str, str]
    ahead_seconds: float | None


class Unreachable(Exception):
    """`kind` is one of name, refused, silent, certificate, proxy, broken."""

    def __init__(self, kind: str, found: str, fix: str) -> None:
        super().__init__(found)
        self.kind, self.found, self.fix = kind, found, fix


def reach(session: requests.Session, url: str, clock: Clock) -> Reached:
    """Ask without any access, and once only. Blocking, some seconds at most.

    Raises:
        Unreachable: there is no answer.
    """
    host = urlsplit(url).netloc
    began, before = clock.now(), clock.monotonic()
    try:
        with (
            time_limit(ANSWER_SECONDS),
            session.get(url, timeout=(CONNECT_SECONDS, ANSWER_SECONDS), allow_redirects=False, stream=True) as response,
        ):
            took = clock.monotonic() - before
            told = read_date(response.headers.get("Date"))
            ahead = (told - began).total_seconds() - took / 2 if told is not None else None
            return Reached(host, response.status_code, response.headers, ahead)
    except NO_ANSWER as error:
        kind = kind_of(error)
        fix = _FIXES[kind].format(host=host, name=urlsplit(url).hostname, url=f"{urlsplit(url).scheme}://{host}/")
        raise Unreachable(kind, _FOUND[kind].format(host=host), fix) from None


_FOUND = {
    "name": "no host has the name {host}",
    "refused": "{host} takes no connection",
    "silent": "{host} does not answer; a firewall or private network may be in between",
    "certificate": "the certificate of {host} is not trusted; a proxy may read what passes",
    "proxy": "the proxy does not let through to {host}",
    "broken": "{host} breaks the connection off",
}
_FIXES = {
    "name": "getent hosts {name}",
    "refused": NETWORK,
    "silent": NETWORK,
    "certificate": "export REQUESTS_CA_BUNDLE=<file with the certificate of your proxy's authority>",
    "proxy": "export NO_PROXY={name}",
    "broken": NETWORK,
}
_KINDS = (
    ("proxy", ("ProxyError",)),
    ("certificate", ("SSLError", "SSLCertVerificationError")),
    ("name", ("NameResolutionError", "gaierror", "LocationParseError")),
    ("refused", ("NewConnectionError", "ConnectionRefusedError")),
    ("silent", ("ConnectTimeoutError", "ReadTimeoutError", "Timeout", "TimeoutError")),
)


def kind_of(error: BaseException) -> str:
    """Return what kind of failure this is, by the classes of it and of all that caused it. Pure."""
    names: set[str] = set()
    seen: set[int] = set()
    left: list[object] = [error]
    while left:
        one = left.pop()
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            names |= {kind.__name__ for kind in type(one).__mro__}
            left += [one.__cause__, getattr(one, "reason", None), *one.args]
    return next((kind for kind, classes in _KINDS if names & set(classes)), "broken")
