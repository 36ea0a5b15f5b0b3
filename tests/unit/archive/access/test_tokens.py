"""Tokens of Microsoft Entra for the storage SDK: its retries repeat none of our refusals, and an outage is one."""

from __future__ import annotations

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.storage.blob import BlobServiceClient

from batch_avatar.archive.access.keys import StorageRetry
from batch_avatar.archive.access.tokens import SCOPE, StorageTokens
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import ArchiveRefused, ArchiveUnavailable
from batch_avatar.service.sign_in.tokens import Identity
from tests.support.manual_clock import ManualClock


class Entra:
    """Stands in for azure-identity: gives tokens, or the error that it has."""

    def __init__(self, error=None):
        self.asked, self.error = [], error

    def get_token(self, *scopes, **options):
        self.asked.append((scopes, options))
        if self.error is not None:
            raise self.error
        return AccessToken(f"token-{len(self.asked)}", int(ManualClock().now().timestamp()) + 3600)


def tokens(entra):
    return StorageTokens(Identity(lambda: entra, ManualClock()))


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ServiceRequestError("no answer"), ArchiveUnavailable, "Microsoft Entra does not answer"),
        (ClientAuthenticationError("nobody"), ArchiveRefused, "run `az login`, or set AZURE_TENANT_ID"),
    ],
)
def test_without_a_token_the_storage_is_not_asked_and_the_identity_once(error, kind, said):
    entra = Entra(error)
    with (
        BlobServiceClient(
            "https://account.blob.core.windows.net", credential=tokens(entra), retry_policy=StorageRetry()
        ) as client,
        pytest.raises(kind) as caught,
        archive_errors("read claim.json"),
    ):
        client.get_container_client("c").get_container_properties()

    assert said in str(caught.value)
    assert entra.asked == [((SCOPE,), {})]


def test_a_token_that_the_storage_refuses_is_asked_for_anew_and_for_its_tenant():
    entra = Entra()
    credential = tokens(entra)

    assert [credential.get_token(SCOPE).token, credential.get_token(SCOPE).token] == ["token-1", "token-1"]
    assert credential.get_token(SCOPE, tenant_id="theirs").token == "token-2"

    assert entra.asked[-1] == ((SCOPE,), {"tenant_id": "theirs", "claims": None})
