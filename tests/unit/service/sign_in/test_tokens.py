"""One identity for many threads: who asks, who waits, and what an identity that is away means. No real time passes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential

from batch_avatar.service.session import open_session
from batch_avatar.service.sign_in.tokens import PAUSE_SECONDS, Identity, NoToken, Tokens
from batch_avatar.service.sign_in.transport import TokenTransport
from tests.support.manual_clock import ManualClock
from tests.support.sign_in.identity_endpoint import AWAY, NOT_FOUND, UPDATING, IdentityEndpoint
from tests.support.tiny_server import Answer

SCOPE = "https://cognitiveservices.azure.com/.default"
THREADS = 16


class Slow:
    """An identity that answers when it may."""

    def __init__(self, clock, error=None):
        self.asked = 0
        self.begun, self.may_answer = threading.Event(), threading.Event()
        self._clock, self._error = clock, error

    def get_token(self, *_scopes, **_):
        self.asked += 1
        self.begun.set()
        assert self.may_answer.wait(60)
        if self._error is not None:
            raise self._error
        return AccessToken(f"token-{self.asked}", int(self._clock.now().timestamp()) + 3600)


@pytest.fixture
def clock():
    return ManualClock()


def outcome(tokens):
    try:
        return tokens.get().token
    except NoToken as error:
        return error.away


@pytest.mark.parametrize("error", [None, ClientAuthenticationError("AADSTS7000215: Invalid client secret.")])
def test_of_many_threads_one_asks_and_the_others_take_its_result(clock, error):
    identity = Slow(clock, error)
    tokens = Tokens(Identity(lambda: identity, clock), SCOPE)
    with ThreadPoolExecutor(THREADS) as threads:
        found = [threads.submit(outcome, tokens) for _ in range(THREADS)]
        assert identity.begun.wait(60)
        identity.may_answer.set()
        results = {one.result(60) for one in found}

    assert (identity.asked, results) == (1, {"token-1" if error is None else False})


async def test_a_token_that_is_valid_is_used_while_somebody_asks_for_the_next(clock):
    identity = Slow(clock)
    identity.may_answer.set()
    tokens = Tokens(Identity(lambda: identity, clock), SCOPE)
    tokens.get()
    await clock.advance(3600 - 200)
    identity.may_answer.clear()
    identity.begun.clear()
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(outcome, tokens)
        assert identity.begun.wait(60)

        assert outcome(tokens) == "token-1"

        identity.may_answer.set()
        assert asking.result(60) == "token-2"


@pytest.fixture
def endpoint(monkeypatch):
    with IdentityEndpoint() as endpoint:
        endpoint.use(monkeypatch)
        yield endpoint


@pytest.fixture
def machine(endpoint, clock):
    """The tokens of this machine, whose identity is at the endpoint; its identity library is the real one."""
    assert endpoint.requests == []
    with open_session() as session:
        yield Tokens(
            Identity(lambda: DefaultAzureCredential(transport=TokenTransport(session), retry_total=0), clock), SCOPE
        )


def test_an_identity_that_was_there_and_is_away_is_an_outage_and_is_asked_once_in_a_while(machine, endpoint):
    assert outcome(machine) == "identity-token"
    machine.forget("identity-token")
    endpoint.instead = [AWAY] * 100
    before = len(endpoint.requests)

    assert [outcome(machine) for _ in range(20)] == [True] * 20
    once = len(endpoint.requests) - before
    assert [outcome(machine) for _ in range(20)] == [True] * 20

    assert once == len(endpoint.requests) - before > 0


async def test_it_is_used_again_as_soon_as_it_is_back(machine, endpoint, clock):
    machine.get()
    machine.forget("identity-token")
    endpoint.instead = [AWAY] * 100
    assert outcome(machine) is True
    endpoint.instead = []

    await clock.advance(PAUSE_SECONDS)

    assert outcome(machine) == "identity-token"


@pytest.mark.parametrize(
    ("answer", "away"),
    [(AWAY, True), (UPDATING, True), (Answer(503, {}), True), (Answer(404, {}), True), (Answer(429, {}), True),
     (Answer(200, b"<html>"), True), (NOT_FOUND, False), (Answer(403, {"error": "forbidden"}), False)],
    ids=["dropped", "410", "503", "404", "429", "page", "400", "403"],
)  # fmt: skip
def test_what_passes_is_an_outage_and_what_a_person_has_to_mend_is_a_refusal(machine, endpoint, answer, away):
    machine.get()
    machine.forget("identity-token")
    endpoint.instead = [answer] * 100

    assert outcome(machine) is away


def test_a_token_that_was_refused_is_not_given_again_by_the_library_either(machine, endpoint):
    machine.get()
    endpoint.token = "another-token"

    machine.forget("identity-token")
    assert outcome(machine) == "another-token"
    machine.forget("identity-token")  # another thread has renewed it meanwhile
    assert outcome(machine) == "another-token"


def test_a_refusal_is_told_in_the_words_of_the_identity_with_what_to_do(machine, endpoint):
    endpoint.instead = [NOT_FOUND] * 100

    with pytest.raises(NoToken) as caught:
        machine.get()

    assert caught.value.message == (
        "Microsoft Entra gives no token: Identity not found; give this machine a managed identity, or set "
        "AZURE_CLIENT_ID to one that it has"
    )


def test_a_token_that_several_requests_were_refused_with_is_asked_for_anew_once(clock):
    identity = Slow(clock)
    identity.may_answer.set()
    tokens = Tokens(Identity(lambda: identity, clock), SCOPE)
    refused = tokens.get().token

    tokens.forget(refused)
    tokens.forget(refused)

    assert (tokens.get().token, identity.asked) == ("token-2", 2)


def test_a_clock_that_is_fast_does_not_make_every_request_ask(clock):
    class Expired(Slow):
        def get_token(self, *scopes, **options):
            return super().get_token(*scopes, **options)._replace(expires_on=1)

    identity = Expired(clock)
    identity.may_answer.set()
    tokens = Tokens(Identity(lambda: identity, clock), SCOPE)

    assert {tokens.get().token for _ in range(20)} == {"token-1"}


@pytest.mark.parametrize("error", [ValueError("Invalid tenant id provided."), FileNotFoundError("/nowhere/cert.pem")])
def test_variables_that_nobody_can_sign_in_with_are_named(clock, error):
    def sign_in():
        raise error

    with pytest.raises(NoToken, match=f"AZURE_.*{error}") as caught:
        Tokens(Identity(sign_in, clock), SCOPE).get()

    assert not caught.value.away


def test_a_token_that_is_no_text_is_an_identity_that_is_away(clock):
    class Odd(Slow):
        def get_token(self, *scopes, **options):
            return super().get_token(*scopes, **options)._replace(token=[1])

    identity = Odd(clock)
    identity.may_answer.set()

    assert outcome(Tokens(Identity(lambda: identity, clock), SCOPE)) is True
