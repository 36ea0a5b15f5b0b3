"""The programs that may sign in are tried at once, in their order, and as azure-identity's own chain takes them."""

from __future__ import annotations

import threading
import time

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ChainedTokenCredential, CredentialUnavailableError, DefaultAzureCredential

from batch_avatar.clock import SystemClock
from batch_avatar.service.sign_in.programs import PROGRAMS, at_once
from batch_avatar.service.sign_in.tokens import Identity, NoToken

SCOPE = "https://cognitiveservices.azure.com/.default"


class Way:
    """What azure-identity calls a credential. `says`: a token, or what it raises."""

    def __init__(self, says, meeting=None):
        self.says, self.meeting, self.asked = says, meeting, 0

    def get_token(self, *_, **__):
        self.asked += 1
        if self.meeting is not None:
            self.meeting.wait()
        if isinstance(self.says, Exception):
            raise self.says
        return AccessToken(self.says, 2_000_000_000)


def ways(*said, meeting=None):
    """One of each kind of program, in the order of the library."""
    return [type(name, (Way,), {})(one, meeting) for name, one in zip(PROGRAMS, said, strict=True)]


def signed_out():
    return CredentialUnavailableError(message="Please run az login")


def test_all_are_asked_at_once():
    """Each waits for the others."""
    meeting = threading.Barrier(3)
    chain = at_once(ChainedTokenCredential(*ways(signed_out(), signed_out(), "third", meeting=meeting)))

    assert chain.get_token(SCOPE).token == "third"


def test_the_first_that_has_a_token_counts():
    chain = at_once(ChainedTokenCredential(*ways(signed_out(), "second", "third")))

    assert chain.get_token(SCOPE).token == "second"


def test_the_one_that_had_a_token_is_asked_alone_from_then_on():
    given = ways(signed_out(), "second", "third")
    identity = Identity(lambda: at_once(ChainedTokenCredential(*given)), SystemClock())

    chain = at_once(ChainedTokenCredential(*given))
    chain.get_token(SCOPE)
    before = given[0].asked
    for _ in range(3):
        chain._successful_credential.get_token(SCOPE)  # noqa: SLF001 - as DefaultAzureCredential does

    assert (given[0].asked, given[1].asked) == (before, 4)
    assert (identity.ask(SCOPE).token, identity.kind) == ("second", "AzurePowerShellCredential")


def test_whoever_signs_in_later_is_found_at_the_next_asking():
    given = ways(signed_out(), signed_out(), signed_out())
    chain = at_once(ChainedTokenCredential(*given))
    with pytest.raises(ClientAuthenticationError):
        chain.get_token(SCOPE)

    given[1].says = "signed in"

    assert chain.get_token(SCOPE).token == "signed in"


def test_what_they_say_is_told_under_their_names():
    chain = at_once(ChainedTokenCredential(*ways(signed_out(), signed_out(), signed_out())))

    with pytest.raises(ClientAuthenticationError) as caught:
        chain.get_token(SCOPE)

    assert [name for name in PROGRAMS if f"{name}: Please run az login" not in caught.value.message] == []


def test_other_ways_stay_as_they_are():
    other = Way("other")
    chain = at_once(ChainedTokenCredential(other, *ways(signed_out(), signed_out(), "third")))

    assert chain.credentials[0] is other
    assert chain.get_token(SCOPE).token == "other"


def test_a_chain_without_programs_is_no_other_one(monkeypatch):
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")

    (only,) = at_once(DefaultAzureCredential()).credentials

    assert type(only).__name__ == "ManagedIdentityCredential"


def test_the_real_chain_has_the_programs_that_are_known_here():
    """If azure-identity calls them otherwise one day, they would be tried one after another again."""
    names = [type(one).__name__ for one in DefaultAzureCredential().credentials]

    assert [name for name in names if name in PROGRAMS] == list(PROGRAMS)


def test_the_real_azure_cli_is_told_as_the_way_that_was_found(monkeypatch, tmp_path):
    until = time.strftime("%Y-%m-%d %H:%M:%S.000000", time.localtime(2_000_000_000))
    answer = f'{{"accessToken": "from-az", "expiresOn": "{until}", "expires_on": 2000000000}}'
    (tmp_path / "az").write_text(f"#!/bin/sh\necho '{answer}'\n")
    (tmp_path / "az").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")
    identity = Identity(lambda: at_once(DefaultAzureCredential()), SystemClock())

    assert identity.ask(SCOPE).token == "from-az"
    assert identity.kind == "AzureCliCredential"


def test_without_any_of_them_it_is_told_in_one_line(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")

    with pytest.raises(NoToken) as caught:
        Identity(lambda: at_once(DefaultAzureCredential()), SystemClock()).ask(SCOPE)

    assert "no sign-in is found; run `az login`" in caught.value.message
    assert "\n" not in caught.value.message
