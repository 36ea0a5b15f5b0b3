"""Signed links into our own account, as a real storage judges them, and as Microsoft Entra's keys allow them."""

import secrets
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs

import pytest
import requests
from azure.storage.blob import (
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContainerSasPermissions,
    UserDelegationKey,
)

from batch_avatar.archive.signing import LONGEST, signer
from batch_avatar.errors import SettingsError

NOW = datetime.now(UTC).replace(microsecond=0)
EARLIER, LATER = NOW - timedelta(minutes=5), NOW + timedelta(hours=5)
ALL = ContainerSasPermissions(read=True, write=True, list=True)
READ = BlobSasPermissions(read=True)
CONTAINER = f"staging-{secrets.token_hex(6)}"
BY_KEY = SimpleNamespace(storage_account_url=None)
BY_ENTRA = SimpleNamespace(storage_account_url="https://account.blob.core.windows.net")


def sign(signs, *, blob=None, permission=None, start=EARLIER, expiry=LATER):
    return signs(CONTAINER, blob, permission=permission or (READ if blob else ALL), start=start, expiry=expiry)


def facts(query):
    return {name: values[0] for name, values in parse_qs(query).items()}


# By the account's key


@pytest.fixture(scope="module")
def storage(user_storage):
    """The user's account, in which the container has two videos."""
    with user_storage.create_container(CONTAINER) as container:
        container.upload_blob("pack/0001.mp4", b"video")
        container.upload_blob("pack/0002.mp4", b"another")
    return user_storage


def test_a_container_link_is_of_the_kind_that_the_service_takes(storage):
    signed = facts(sign(signer(storage, BY_KEY)))

    assert signed["sr"] == "c"
    assert set("rwl") <= set(signed["sp"])
    assert "si" not in signed
    assert datetime.fromisoformat(signed["se"]) == LATER
    assert datetime.fromisoformat(signed["st"]) == EARLIER


def test_a_container_link_opens_the_container_to_be_written_listed_and_read(storage):
    url = f"{storage.url}{CONTAINER}?{sign(signer(storage, BY_KEY))}"

    with ContainerClient.from_container_url(url) as container:
        container.upload_blob("pack/summary.json", b"{}", overwrite=True)
        assert "pack/summary.json" in [blob.name for blob in container.list_blobs()]
        assert container.download_blob("pack/summary.json").readall() == b"{}"


def test_a_blob_link_opens_that_blob_alone_and_for_reading_only(storage):
    signed = sign(signer(storage, BY_KEY), blob="pack/0001.mp4")
    url = f"{storage.url}{CONTAINER}/pack/0001.mp4?{signed}"

    assert facts(signed)["sr"] == "b"
    assert requests.get(url, timeout=30).content == b"video"
    assert requests.get(url.replace("0001", "0002"), timeout=30).status_code == 403
    assert requests.delete(url, timeout=30).status_code == 403


def test_a_link_that_has_expired_opens_nothing(storage):
    expired = sign(signer(storage, BY_KEY), blob="pack/0001.mp4", start=NOW - timedelta(hours=2), expiry=EARLIER)

    assert requests.get(f"{storage.url}{CONTAINER}/pack/0001.mp4?{expired}", timeout=30).status_code == 403


def test_without_a_key_to_sign_with_the_setting_is_named_and_no_secret():
    shared = "BlobEndpoint=https://account.blob.core.windows.net;SharedAccessSignature=sv=1&sig=secret"
    with BlobServiceClient.from_connection_string(shared) as storage, pytest.raises(SettingsError) as caught:
        sign(signer(storage, BY_KEY))

    assert "BATCH_AVATAR_STORAGE_CONNECTION_STRING" in str(caught.value)
    assert "secret" not in str(caught.value)


# By Microsoft Entra


class Entra:
    """An account that is opened by Microsoft Entra: it gives keys to sign with, and counts them."""

    account_name = "account"
    credential = object()

    def __init__(self):
        self.asked = []

    def get_user_delegation_key(self, key_start_time, key_expiry_time):
        self.asked.append((key_start_time, key_expiry_time))
        key = UserDelegationKey()
        key.signed_oid = key.signed_tid = "0" * 36
        key.signed_start = key_start_time.strftime("%Y-%m-%dT%H:%M:%SZ")
        key.signed_expiry = key_expiry_time.strftime("%Y-%m-%dT%H:%M:%SZ")
        key.signed_service, key.signed_version = "b", "2025-11-05"
        key.value = "a2V5" * 11
        return key


def test_with_entra_links_are_signed_with_a_delegated_key():
    entra = Entra()
    signs = signer(entra, BY_ENTRA)

    container, blob = facts(sign(signs)), facts(sign(signs, blob="pack/0001.mp4"))

    assert (container["sr"], blob["sr"], blob["sp"]) == ("c", "b", "r")
    assert set("rwl") <= set(container["sp"])
    assert container["skoid"] == "0" * 36


def test_one_delegated_key_serves_many_links():
    entra = Entra()
    signs = signer(entra, BY_ENTRA)
    for number in range(20):
        sign(signs, blob=f"pack/{number:04d}.mp4", expiry=LATER + timedelta(minutes=number))

    assert len(entra.asked) == 1


@pytest.mark.parametrize("hours", [1, 5, 60])
def test_a_delegated_key_outlives_every_link_that_it_signed(hours):
    entra = Entra()
    signs = signer(entra, BY_ENTRA)
    for day in range(8):
        start = EARLIER + timedelta(days=day)
        signed = facts(sign(signs, start=start, expiry=start + timedelta(hours=hours)))
        assert datetime.fromisoformat(signed["ske"]) >= datetime.fromisoformat(signed["se"])

    assert len(entra.asked) < 8


def test_no_key_is_asked_for_that_lives_longer_than_the_storage_allows():
    entra = Entra()
    sign(signer(entra, BY_ENTRA), expiry=NOW + timedelta(days=30))

    [(start, expiry)] = entra.asked
    assert expiry - start <= LONGEST
    assert expiry <= NOW + LONGEST
