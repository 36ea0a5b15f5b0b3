"""Requests to a storage that drips come to an end, and answers without an end are not taken in."""

import gzip

import pytest
from azure.core.exceptions import AzureError, ServiceResponseError
from azure.identity import ManagedIdentityCredential
from azure.storage.blob import BlobServiceClient

from batch_avatar.archive.access.transport import StorageTransport
from batch_avatar.service.session import open_session
from batch_avatar.service.sign_in.transport import TokenTransport
from batch_avatar.service.time_limit import MOST_BYTES, time_limit
from tests.support.servers.dripping import DrippingServer
from tests.support.tiny_server import Answer, TinyServer

HEAD = (
    b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1000000000\r\n"
    b"Content-Range: bytes 0-999999999/1000000000\r\nx-ms-blob-type: BlockBlob\r\n"
)


def storage(url, session):
    account = "DefaultEndpointsProtocol=http;AccountName=user;AccountKey=a2V5;"
    string = f"{account}BlobEndpoint={url}/user;"
    return BlobServiceClient.from_connection_string(
        string, transport=StorageTransport(session, seconds=0.05), retry_total=0
    )


CALLS = {
    "list": lambda container: list(container.list_blobs()),
    "download": lambda container: container.download_blob("intro/claim.json").readall(),
    "upload": lambda container: container.upload_blob("intro/claim.json", b"{}"),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("beginning", [HEAD + b"X: ", HEAD + b"\r\n"], ids=["head", "body"])
def test_a_request_to_a_storage_that_drips_ends(call, beginning):
    with DrippingServer(beginning) as server, open_session() as session:
        container = storage(server.url, session).get_container_client("videos")

        with pytest.raises(AzureError):
            call(container)


TOO_MUCH = b" " * (2 * MOST_BYTES)
BODIES = {
    "large": Answer(200, TOO_MUCH, {"Content-Type": "application/json"}),
    "unpacked": Answer(
        200, gzip.compress(TOO_MUCH, 1), {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    ),
}


@pytest.mark.parametrize("answer", BODIES.values(), ids=BODIES)
def test_a_token_that_is_too_large_is_not_taken_in(monkeypatch, answer):
    with TinyServer() as server, open_session() as session:
        server.answers = [answer]
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "x")
        identity = ManagedIdentityCredential(transport=TokenTransport(session), retry_total=0)

        with identity, time_limit(120), pytest.raises(ServiceResponseError, match=f"larger than {MOST_BYTES:,} bytes"):
            identity.get_token("https://storage.azure.com/.default")
