"""Ports for servers that bind them only some time after they were chosen."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 20_000  # above the ports that well-known servers listen on
_USUAL_END = 32_768  # where Linux begins its ephemeral ports unless told otherwise; others begin later
_TRIES = 100  # all in vain only where nearly all are taken


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that stays free unless somebody asks for it by number.

    It lies below the kernel's ephemeral range, so that neither a bind to port 0 nor a connection takes it meanwhile;
    it is a random one, so that processes that choose side by side choose different ones.

    Raises:
        OSError: none was found.
    """
    chance = random.SystemRandom()
    ports = (chance.randrange(_LOWEST, _end()) for _ in range(_TRIES))
    port = next(filter(_is_free, ports), None)
    if port is None:
        text = f"no free port between {_LOWEST} and {_end()}"
        raise OSError(text)
    return port


def _end() -> int:
    """The first ephemeral port; where that is not known, or leaves little room, the usual one."""
    try:
        begin = int(_EPHEMERAL_RANGE.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_END
    return begin if begin > _LOWEST else _USUAL_END


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
