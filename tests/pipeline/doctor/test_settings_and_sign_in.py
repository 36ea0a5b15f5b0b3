"""Faults of the settings and of the sign-in: each is named once with its fix, and nothing else has failed."""

from __future__ import annotations

import base64
import json

import pytest

from tests.support.sign_in.identity_endpoint import AWAY, NOT_FOUND, IdentityEndpoint


@pytest.mark.parametrize(
    ("variables", "found", "fix"),
    [
        ({"endpoint": None}, "BATCH_AVATAR_ENDPOINT: is not set", "export BATCH_AVATAR_ENDPOINT="),
        (
            {"endpoint": "https://x.services.ai.azure.com/api/projects/p"},
            "is a Foundry project",
            "export BATCH_AVATAR_",
        ),
        (
            {"endpoint": "https://westeurope.api.cognitive.microsoft.com", "speech_key": None},
            "Microsoft Entra needs the resource's custom domain",
            "az cognitiveservices account update --name <name> --resource-group <group> --custom-domain <name>",
        ),
        (
            {"storage_account_url": "https://x.blob.core.windows.net"},
            "set exactly one of",
            "export BATCH_AVATAR_STORAGE_CONNECTION_STRING=",
        ),
        ({"speech_key": None, "speech_key_file": "/nowhere"}, "/nowhere cannot be read", "SPEECH_KEY_FILE="),
        ({"staging_container": "batch-avatar", "container": "batch-avatar"}, "must not be the archive's own", "unset "),
    ],
    ids=["no endpoint", "foundry", "no custom domain", "two storages", "no such file", "staging is the archive"],
)
def test_settings_that_cannot_be_used_are_told_with_what_to_set(quick, doctor, variables, found, fix):
    said = doctor(quick(), **variables)

    assert found in said.only_fault("settings", fix=fix)
    assert said["storage"].found == "after settings"


def test_each_fault_of_the_settings_has_a_line(quick, doctor):
    said = doctor(quick(), creates_per_minute="many", max_attempts="0")

    assert said.failed == ["settings", "settings"]
    assert [check.fix for check in said.checks[:2]] == [
        "export BATCH_AVATAR_CREATES_PER_MINUTE=...",
        "export BATCH_AVATAR_MAX_ATTEMPTS=...",
    ]


def test_a_near_miss_of_a_name_is_told_with_the_one_that_was_meant(quick, doctor):
    said = doctor(quick(), speach_key="x")

    found = said.only_warning("variable names", fix="sed -i s/BATCH_AVATAR_SPEACH_KEY/BATCH_AVATAR_SPEECH_KEY/ .env")
    assert "did you mean BATCH_AVATAR_SPEECH_KEY?" in found


def test_who_is_not_signed_in_is_told_so_in_one_line(quick, doctor, machine):
    machine(AZURE_TOKEN_CREDENTIALS="AzureCliCredential", PATH="/nowhere")

    said = doctor(quick(), speech_key=None)

    found = said.only_fault("sign-in", fix="az login")
    assert "no sign-in is found" in found
    assert "\n" not in found
    assert said["speech access"].found == "after sign-in"
    assert said["storage access"].status == "ok"


def test_variables_with_which_nobody_can_sign_in_are_told(quick, doctor, machine):
    machine(AZURE_TENANT_ID="no tenant!", AZURE_CLIENT_ID="app", AZURE_CLIENT_SECRET="c4n4ry-secret-of-app")

    said = doctor(quick(), speech_key=None)

    assert "with AZURE_... as they are set" in said.only_fault("sign-in", fix="env | grep ^AZURE_")
    assert "c4n4ry" not in str(said.checks)


@pytest.mark.parametrize(
    ("answer", "fix"),
    [(NOT_FOUND, "az vm identity assign"), (AWAY, "curl --head https://login.microsoftonline.com")],
    ids=["none assigned", "away"],
)
def test_an_identity_that_gives_no_token_is_told(quick, doctor, monkeypatch, answer, fix):
    with IdentityEndpoint() as identity:
        identity.use(monkeypatch)
        identity.instead = [answer] * 20

        said = doctor(quick(bearer_token="identity-token"), speech_key=None)

    said.only_fault("sign-in", fix=fix)


def test_the_identity_that_is_found_is_named(quick, doctor, monkeypatch):
    claims = {"oid": "object-1", "tid": "tenant-1", "upn": "who@example.com", "secret": "not shown"}
    token = f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.c2ln"
    with IdentityEndpoint() as identity:
        identity.token = token
        identity.use(monkeypatch)

        said = doctor(quick(bearer_token=token), speech_key=None)

    assert said.failed == []
    assert (
        said["sign-in"].found
        == "by the managed identity of this machine: who@example.com, object object-1, tenant tenant-1"
    )
    assert said["speech access"].found == "this identity may use it"
