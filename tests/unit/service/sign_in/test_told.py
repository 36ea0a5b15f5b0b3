"""What is told of an identity that gave no token: the words of the Azure CLI, and who did not answer."""

from __future__ import annotations

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import DefaultAzureCredential

from batch_avatar.service.credentials import EntraCredential
from batch_avatar.service.session import open_session
from batch_avatar.service.sign_in.tokens import PAUSE_SECONDS, Identity, NoToken, Tokens
from batch_avatar.service.sign_in.transport import TokenTransport
from batch_avatar.service.sign_in.verdict import MOST_WORDS, VM_IDENTITY, Heard, who_is_away
from tests.support.manual_clock import ManualClock
from tests.support.sign_in.identity_endpoint import AWAY, IdentityEndpoint
from tests.support.tiny_server import Answer

SCOPE = "https://cognitiveservices.azure.com/.default"
NO_NETWORK = "HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded with url: /x"
MITIGATE = "To mitigate this issue, please refer to the troubleshooting guidelines"


@pytest.fixture
def clock():
    return ManualClock()


def failure(clock):
    """What is told without a token, by the real identity library of this machine."""
    with open_session() as session:
        identity = Identity(lambda: DefaultAzureCredential(transport=TokenTransport(session), retry_total=0), clock)
        with pytest.raises(NoToken) as caught:
            identity.ask(SCOPE)
    return caught.value


@pytest.fixture
def az(monkeypatch, tmp_path):
    """`az(script)` makes a command `az` of this shell script, which is the only way to sign in."""
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def write(script):
        (tmp_path / "az").write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "az").chmod(0o755)

    return write


@pytest.mark.parametrize(
    "said",
    [
        f"ERROR: {NO_NETWORK} (Caused by NameResolutionError('Failed to resolve host'))",
        f"ERROR: Please ensure you have network connection. Error detail: {NO_NETWORK}",
        "ERROR: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
    ],
)
def test_an_azure_cli_without_a_network_is_an_identity_that_is_away(clock, az, said):
    az(f'echo "WARNING: a new version is there" >&2; echo "{said}" >&2; exit 1')

    error = failure(clock)

    assert error.away
    assert error.message.startswith("Microsoft Entra does not answer (ERROR: ")
    assert said[:60] in error.message


def test_what_the_azure_cli_says_is_told(clock, az):
    az('printf "WARNING: old\\nERROR: The command failed: no such cloud.\\n\\n" >&2; exit 1')

    error = failure(clock)

    assert not error.away
    assert error.message.startswith(
        "Microsoft Entra gives no token: ERROR: The command failed: no such cloud.; run `az login`"
    )


def test_a_proxy_whose_certificate_the_azure_cli_does_not_trust_is_mended_by_a_person(clock, az):
    az(f'echo "ERROR: Certificate verification failed. Error detail: {NO_NETWORK}" >&2; exit 1')

    error = failure(clock)

    assert not error.away
    assert "gives no token: ERROR: Certificate verification failed" in error.message


def test_an_answer_of_the_azure_cli_that_is_none_is_told_in_one_line(clock, az):
    az("echo no json")

    error = failure(clock)

    assert "gives no token: Unexpected output from Azure CLI: 'no json; run `az login`" in error.message
    assert MITIGATE not in error.message


def test_a_long_story_of_the_azure_cli_is_cut(clock, az):
    az('head -c 100000 /dev/zero | tr "\\0" x >&2; exit 1')

    assert len(failure(clock).message) < 2 * MOST_WORDS


@pytest.mark.parametrize("script", ["exit 127", 'echo "Please run az login" >&2; exit 1'])
def test_an_azure_cli_that_is_missing_or_signed_out_is_no_sign_in(clock, az, script):
    az(script)

    assert "no sign-in is found; run `az login`" in failure(clock).message


def test_a_file_that_a_variable_names_and_that_is_not_there_is_told(clock, monkeypatch, tmp_path):
    monkeypatch.setenv("AZURE_TENANT_ID", "11111111-1111-1111-1111-111111111111")
    monkeypatch.setenv("AZURE_CLIENT_ID", "2")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "WorkloadIdentityCredential")

    assert f"No such file or directory: '{tmp_path}/nowhere'" in failure(clock).message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (AWAY, "127.0.0.1: ServiceRe"),
        (Answer(503, {}), "127.0.0.1 answers with status 503"),
        (Answer(200, {"access_token": 5, "expires_in": "100", "expires_on": "100"}), "127.0.0.1: TypeError"),
    ],
    ids=["dropped", "503", "odd"],
)
def test_an_identity_that_does_not_answer_is_named_with_what_happened(clock, monkeypatch, answer, told):
    with IdentityEndpoint() as endpoint:
        endpoint.use(monkeypatch)
        endpoint.instead = [answer] * 100

        error = failure(clock)

    assert error.away
    assert error.message.startswith(f"Microsoft Entra does not answer ({told}")


CLI = (
    f"Attempted credentials:\n\tManagedIdentityCredential: x\n\tAzureCliCredential: ERROR: {NO_NETWORK}\n\n{MITIGATE}."
)


@pytest.mark.parametrize(
    ("heard", "said", "told"),
    [
        ([Heard(VM_IDENTITY, None, kind="ServiceRequestError")], CLI, f"ERROR: {NO_NETWORK}"),
        ([Heard(VM_IDENTITY, None, kind="ServiceRequestError")], "", f"{VM_IDENTITY}: ServiceRequestError"),
        ([Heard("login.example", 200), Heard("login.example", 503)], CLI, "login.example answers with status 503"),
        ([Heard("", None, kind="ServiceRequestError")], "", "an address without a host: ServiceRequestError"),
        ([], "", "KeyError"),
    ],
)
def test_the_last_that_was_asked_is_named(heard, said, told):
    assert who_is_away(heard, said, "KeyError") == told


async def test_a_refusal_of_long_ago_does_not_keep_two_requests_from_the_next_token(clock):
    """Both were refused with the last token; the second may come while the first is still asking."""

    answers = ["token-1", ClientAuthenticationError("AADSTS7000215: Invalid client secret."), "token-2"]

    class Moody:
        def get_token(self, *_scopes, **_):
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return AccessToken(answer, int(clock.now().timestamp()) + 3600)

    identity = Moody()
    tokens = Tokens(Identity(lambda: identity, clock), SCOPE)
    assert tokens.get().token == "token-1"
    await clock.advance(3600 - 200)
    assert tokens.get().token == "token-1", "the next one was refused"
    await clock.advance(PAUSE_SECONDS)

    assert [EntraCredential(tokens).renew("Bearer token-1") for _ in range(2)] == [True, True]
    assert tokens.get().token == "token-2"
