"""A client, and the web servers that it asks."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from batch_avatar.service.client import AvatarClient
from batch_avatar.service.credentials import KeyCredential
from batch_avatar.service.session import idempotent_retry, open_session
from batch_avatar.service.wire.generations import wire_for
from tests.support.manual_clock import ManualClock
from tests.support.tiny_server import KEY, TinyServer


@pytest.fixture
def servers():
    """Servers and sessions that end with the test, the sessions first."""
    sessions, running = [], []
    yield sessions, running
    for session in sessions:
        session.close()
    for server in running:
        server.close()


@pytest.fixture
def server(servers):
    servers[1].append(TinyServer().start())
    return servers[1][-1]


@pytest.fixture
def other(servers):
    servers[1].append(TinyServer().start())
    return servers[1][-1]


@pytest.fixture
def connect(servers, server):
    """A client of the server, or of another endpoint; it retries as always, without the pauses."""

    def connect_(endpoint=None, credential=None, session=None, api_version="2024-08-01"):
        session = session or open_session(retry=idempotent_retry().new(backoff_factor=0, backoff_jitter=0))
        servers[0].append(session)
        return AvatarClient(
            endpoint=endpoint or server.url,
            credential=credential or KeyCredential(SecretStr(KEY)),
            wire=wire_for(api_version),
            session=session,
            clock=ManualClock(),
            request_timeout_seconds=120,
        )

    return connect_


@pytest.fixture
def client(connect):
    return connect()


@pytest.fixture
def older(connect):
    """A client of the generation in which the service chooses the ids."""
    return connect(api_version="3.1-preview1")
