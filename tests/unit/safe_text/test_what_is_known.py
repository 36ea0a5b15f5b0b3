"""Whoever learns a secret makes it known, so that no text shows its value, however bare it stands."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
from azure.core.credentials import AccessToken
from azure.storage.blob import BlobServiceClient, ContainerSasPermissions

from batch_avatar.archive.signing import _Delegation, signer
from batch_avatar.clock import SystemClock
from batch_avatar.errors import SettingsError
from batch_avatar.safe_text.redaction import MOST_PASSING, know, redact
from batch_avatar.service.sign_in.tokens import Identity
from batch_avatar.settings import load_settings
from tests.support.scripts import script

NOW = datetime.now(UTC)


def made():
    """A secret that nobody has seen."""
    return f"s3cr3t{secrets.token_hex(8)}"


def connection_string(key):
    return f"DefaultEndpointsProtocol=https;AccountName=account;AccountKey={key};EndpointSuffix=core.windows.net"


def settings_with(**members):
    given = {"endpoint": "https://a.cognitiveservices.azure.com", "container": "videos"}
    return load_settings(**(given | {"storage_connection_string": connection_string("a2V5")} | members))


def test_the_key_the_account_s_key_and_the_connection_string_of_the_settings_are_known():
    key, account_key = made(), made()
    settings_with(speech_key=key, storage_connection_string=connection_string(account_key))

    assert redact(f"{key} {account_key}") == "REDACTED REDACTED"
    assert redact(connection_string(account_key)) == "REDACTED"


def test_a_key_that_is_refused_is_known():
    key = made()
    with pytest.raises(SettingsError):
        settings_with(speech_key=f"{key} x")

    assert key not in redact(f"was {key} x")


def test_the_keys_of_several_resources_are_known():
    keys = [made(), made()]
    resources = [
        {"name": key[-4:], "endpoint": f"https://{key}.cognitiveservices.azure.com", "speech_key": key} for key in keys
    ]
    settings_with(endpoint=None, resources=resources)

    assert redact(" ".join(keys)) == "REDACTED REDACTED"


def test_a_token_of_entra_is_known():
    token = made()
    credential = SimpleNamespace(get_token=lambda *_, **__: AccessToken(token, 2_000_000_000))
    Identity(lambda: credential, SystemClock()).ask("scope")

    assert redact(token) == "REDACTED"


def test_a_signature_that_we_make_is_known():
    storage = BlobServiceClient("https://account.blob.core.windows.net", credential="a2V5a2V5")
    with storage:
        sign = signer(storage, SimpleNamespace(storage_account_url=None))
        query = sign(
            "c", None, permission=ContainerSasPermissions(read=True), start=NOW, expiry=NOW + timedelta(hours=1)
        )
    (signature,) = parse_qs(query)["sig"]

    assert redact(f"got {signature}") == "got REDACTED"


@pytest.mark.parametrize("name", ["sig", "Signature", "X-Amz-Signature", "X-Amz-Security-Token", "X-Goog-Signature"])
def test_the_signature_in_the_link_of_a_script_is_known(name):
    signature = made()
    script(background_image=f"https://pictures.example/sky.png?{name}={signature}")

    assert redact(f"got {signature}") == "got REDACTED"
    assert redact("pictures.example/sky.png") == "pictures.example/sky.png"


def test_the_signature_of_a_destination_is_known():
    signature = made()
    script(destination_container_url=f"https://a.blob.core.windows.net/c?sv=1&sig={signature}")

    assert redact(f"got {signature}") == "got REDACTED"


def test_what_signs_and_opens_for_hours_is_known_longer_than_links():
    key, token = made(), made()
    storage = SimpleNamespace(get_user_delegation_key=lambda *_: SimpleNamespace(value=key))
    credential = SimpleNamespace(get_token=lambda *_, **__: AccessToken(token, int(NOW.timestamp()) + 3600))
    _Delegation(storage).key(NOW, NOW + timedelta(hours=1))
    Identity(lambda: credential, SystemClock()).ask("scope")
    for _ in range(2 * MOST_PASSING):
        know(f"https://account.blob.core.windows.net/c/b?se=2026&sig={made()}", passing=True)

    assert key not in redact(f"<Value>{key}</Value>")
    assert token not in redact(f"it said {token}")


SAID_ONCE = made()


@pytest.mark.xdist_group("one process")
@pytest.mark.parametrize("_", range(2))
def test_what_one_test_makes_known_is_not_known_to_the_next(_):
    assert redact(f"is {SAID_ONCE}") == f"is {SAID_ONCE}"
    know(SAID_ONCE)
    assert redact(f"is {SAID_ONCE}") == "is REDACTED"
