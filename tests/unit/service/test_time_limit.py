"""Answers that drip: each request ends after its time, whatever it asks for and wherever the answer dwells."""

import pytest
from azure.identity import ManagedIdentityCredential
from pydantic import SecretStr

from batch_avatar.errors import AccessRefused, CreateUnclear, ServiceUnavailable, TransferError
from batch_avatar.models import Script
from batch_avatar.service.client import AvatarClient
from batch_avatar.service.credentials import SCOPE, EntraCredential, KeyCredential
from batch_avatar.service.session import NO_ANSWER, idempotent_retry, open_session
from batch_avatar.service.sign_in.tokens import Identity, Tokens
from batch_avatar.service.sign_in.transport import TokenTransport, bounded_wait
from batch_avatar.service.time_limit import time_limit
from batch_avatar.service.wire.generations import wire_for
from tests.support.manual_clock import ManualClock
from tests.support.servers.dripping import DrippingServer

SCRIPT = Script(script_id="intro", content="Hi.", voice="v", talking_avatar_character="lisa")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\nETag: x\r\n"
BEGINNINGS = {
    "status line": b"HTTP/1.1 200 ",
    "headers": HEAD + b"X-Long: ",
    "body": HEAD + b"\r\n",
    "chunked body": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n",
    "error body": b"HTTP/1.1 400 Bad\r\nContent-Length: 1000000000\r\n\r\n",
}


@pytest.fixture(params=BEGINNINGS.values(), ids=BEGINNINGS)
def dripping(request):
    server = DrippingServer(request.param)
    yield server
    server.close()


@pytest.fixture
def client(dripping):
    with open_session(retry=idempotent_retry().new(backoff_factor=0, backoff_jitter=0)) as session:
        yield AvatarClient(
            endpoint=dripping.url,
            credential=KeyCredential(SecretStr("key")),
            wire=wire_for("2024-08-01"),
            session=session,
            clock=ManualClock(),
            request_timeout_seconds=0.05,
        )


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.get("my-job-01"),
        lambda client: list(client.list_pages()),
        lambda client: client.delete("my-job-01"),
    ],
    ids=["get", "list", "delete"],
)
def test_an_answer_that_drips_is_an_outage(client, call):
    with pytest.raises(ServiceUnavailable, match="does not answer"):
        call(client)


def test_a_create_whose_answer_drips_is_unclear(client):
    with pytest.raises(CreateUnclear, match="does not answer"):
        client.create(SCRIPT, job_id="my-job-01", description="x")


def read_whole(client, url):
    with client.open_output(url, seconds=0.05) as response:
        while response.raw.read1(1000):
            pass


def test_a_result_that_drips_ends_too(client, dripping):
    with pytest.raises((TransferError, *NO_ANSWER)):
        read_whole(client, f"{dripping.url}/v.mp4")


def test_an_answer_without_a_limit_is_read_for_as_long_as_it_comes():
    """A transfer has a deadline of its own and resumes what breaks off."""
    server = DrippingServer(HEAD + b"\r\n")
    with open_session() as session:
        with time_limit(60), session.get(server.url, stream=True, timeout=60) as limited:
            assert limited.raw.read1(1)
        with session.get(server.url, stream=True, timeout=60) as unlimited:
            assert [unlimited.raw.read1(1) for _ in range(3)] == [b" "] * 3
    server.close()


def test_a_token_that_drips_is_given_up(dripping, monkeypatch):
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{dripping.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")
    identity = ManagedIdentityCredential(transport=TokenTransport(open_session()), retry_total=0)

    class Hurried:
        """Gives the token less time than there is by default."""

        def get_token(self, *scopes):
            with time_limit(0.05):
                return identity.get_token(*scopes)

    with pytest.raises((AccessRefused, ServiceUnavailable)):
        EntraCredential(Tokens(Identity(Hurried, ManualClock()), SCOPE)).header()
    identity.close()


@pytest.mark.parametrize(("asked", "slept"), [(-5, 0.0), (0, 0.0), (10**14, 10.0)])
def test_a_wait_for_a_token_is_bounded(asked, slept):
    assert bounded_wait(asked) == slept
