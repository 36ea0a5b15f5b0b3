"""What it means that an identity gave no token, and what a person is told."""

import json

import pytest

from batch_avatar.service.sign_in.verdict import MOST_WORDS, SIGN_IN, VM_IDENTITY, Heard, explain, is_away

LOGIN = "login.microsoftonline.com"
NOT_SIGNED_IN = """DefaultAzureCredential failed to retrieve a token from the included credentials.
Attempted credentials:
\tEnvironmentCredential: EnvironmentCredential authentication unavailable.
\tManagedIdentityCredential: ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint.
\tAzureCliCredential: Please run 'az login' to set up an account
To mitigate this issue, please refer to the troubleshooting guidelines here at https://aka.ms/x."""
EXPIRED = "ERROR: AADSTS700082: The refresh token has expired due to inactivity. Trace ID: 1234\nrun az login"


def refused(words, status=400, host=LOGIN):
    return [Heard(host, status, json.dumps({"error": "invalid_client", "error_description": words}))]


@pytest.mark.parametrize(
    ("heard", "said", "proven", "away"),
    [
        ([Heard(VM_IDENTITY, None)], NOT_SIGNED_IN, False, False),
        ([Heard(VM_IDENTITY, None)], "no response from the IMDS endpoint", True, True),
        ([Heard(LOGIN, None)], NOT_SIGNED_IN, False, True),
        ([Heard(LOGIN, 200), Heard(LOGIN, 503)], "Authentication failed", False, True),
        (refused("AADSTS7000215: Invalid client secret provided."), "", True, False),
        (refused("AADSTS90033: A transient error has occurred."), "", False, True),
        ([Heard(LOGIN, 400, '{"error": "temporarily_unavailable"}')], "", True, True),
        ([], "Failed to invoke the Azure CLI", True, True),
        ([], "Failed to invoke the Azure CLI", False, False),
        ([], EXPIRED, True, False),
        ([], "Please run 'az login' to set up an account", True, False),
    ],
)
def test_an_outage_is_told_from_a_refusal(heard, said, proven, away):
    assert is_away(heard, said, proven=proven) is away


@pytest.mark.parametrize(
    ("heard", "said", "told"),
    [
        ([Heard(VM_IDENTITY, None)], NOT_SIGNED_IN, ["no sign-in is found; run `az login`", "AZURE_CLIENT_SECRET"]),
        (refused("AADSTS7000215: Wrong secret. Trace ID: 12"), "", ["AADSTS7000215: Wrong", "secret of that"]),
        (refused("AADSTS90002: Tenant 'x' not found."), "", ["Tenant 'x' not found", "mend AZURE_TENANT_ID"]),
        (refused("AADSTS700024: Client assertion is not valid yet."), "", ["set this machine's clock"]),
        ([], EXPIRED, ["AADSTS700082: The refresh token has expired", "run `az login`"]),
        ([Heard(LOGIN, 407, "<html>")], "Authentication failed", [f"{LOGIN} answers with status 407"]),
        ([], "The current credential is not configured to acquire tokens for tenant abc-1. To enable", [
            "of another tenant than abc-1; set AZURE_TENANT_ID, or `az login --tenant abc-1`"]),
    ],
)  # fmt: skip
def test_a_refusal_says_in_one_line_what_is_wrong_and_what_to_do(heard, said, told):
    line = explain(heard, said)

    assert [part for part in told if part not in line] == []
    assert "\n" not in line
    assert "Trace ID" not in line


@pytest.mark.parametrize("body", ["[" * 100_000, '{"error": {"code": 1}}', '["x"]', '{"error_description": 7}', ""])
def test_a_body_of_another_form_is_no_mistake_of_ours(body):
    assert explain([Heard(LOGIN, 400, body)], "") == f"{LOGIN} answers with status 400; {SIGN_IN}"


def test_what_an_identity_says_is_bounded():
    assert len(explain(refused("x" * 10_000_000), "")) < 2 * MOST_WORDS
