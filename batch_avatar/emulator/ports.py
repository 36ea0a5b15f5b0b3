"""Free ports for servers that bind them only some time after the port was chosen."""

from __future__ import annotations

import random
import socket
from pathlib import Path

_EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 20_000  # above the ports that well-known servers listen on
_USUAL_END = 32_768  # the first ephemeral port of Linux by default; other systems begin later
_TRIES = 100  # all of them fail only if nearly every port is taken


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on and that only a bind to this very number can take.

    It lies below the kernel's ephemeral range, so that neither a bind to port 0 nor an outgoing connection takes it
    in the meantime. It is random, so that processes that choose at the same time choose different ports.

    Raises:
        OSError: no free port was found.
    """
    chance = random.SystemRandom()
    ports = (chance.randrange(_LOWEST, _end()) for _ in range(_TRIES))
    port = next(filter(_is_free, ports), None)
    if port is None:
        text = f"no free port between {_LOWEST} and {_end()}"
        raise OSError(text)
    return port


def _end() -> int:
    """Return the first ephemeral port, or the usual one if it is unknown or not above `_LOWEST`."""
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
