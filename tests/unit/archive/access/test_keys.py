"""The account's key is rotated while a process works with the storage: real Azurite, real files."""

from __future__ import annotations

import base64
import secrets

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

from batch_avatar.archive.access.keys import StorageRetry, account_of
from batch_avatar.emulator.storage.azurite import USER_ACCOUNT

WRONG = base64.b64encode(secrets.token_bytes(64)).decode()


@pytest.fixture
def right(azurite):
    return azurite.connection_string(USER_ACCOUNT)


@pytest.fixture
def wrong(right):
    return right.replace(account_of(right)[1], WRONG)


@pytest.fixture
def connect():
    """`connect(first, *later)`: a client with the first connection string, whose file then holds the later ones."""
    opened = []

    def connect_(first, *later):
        reads = iter(later)
        retry = StorageRetry(lambda: next(reads))
        client = BlobServiceClient.from_connection_string(first, retry_policy=retry)
        opened.append(client)
        retry.sign_with(client)
        return client.get_container_client(f"test-{secrets.token_hex(6)}")

    yield connect_
    for client in opened:
        client.close()


def test_a_rotated_key_is_taken_from_its_file_by_every_client_and_the_request_is_signed_anew(connect, right, wrong):
    container = connect(wrong, right)

    container.create_container()
    blob = container.get_blob_client("a")
    blob.upload_blob(b"x" * 100_000)

    assert blob.download_blob().readall() == b"x" * 100_000


@pytest.mark.parametrize("held", ["wrong", "account", "sas", "empty"])
def test_a_file_without_another_key_of_this_account_changes_nothing(connect, right, wrong, held):
    later = {
        "wrong": wrong,
        "account": right.replace("AccountName=", "AccountName=x"),
        "sas": "BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=2025&sig=x",
        "empty": "",
    }[held]
    container = connect(wrong, later)

    with pytest.raises(HttpResponseError) as caught:
        container.create_container()

    assert caught.value.status_code == 403
