"""Tokens of Microsoft Entra for the storage SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batch_avatar.errors import ArchiveRefused, ArchiveUnavailable
from batch_avatar.service.sign_in.tokens import NoToken, Tokens

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

    from batch_avatar.service.sign_in.tokens import Identity

SCOPE = "https://storage.azure.com/.default"


class StorageTokens:
    """A credential for the storage SDK. Its errors are ours, which the SDK does not catch and so does not repeat."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._tokens = Tokens(identity, SCOPE)

    def get_token(self, *scopes: str, tenant_id: str | None = None, claims: str | None = None, **_: Any) -> AccessToken:
        """Return a token. With `tenant_id` or `claims` the storage has refused the last one and asks for these.

        Raises:
            ArchiveUnavailable: Microsoft Entra does not answer.
            ArchiveRefused: there is no token.
        """
        try:
            token = self._tokens.get()
            if not tenant_id and not claims:
                return token
            self._tokens.forget(token.token)
            return self._identity.ask(*scopes, tenant_id=tenant_id, claims=claims)
        except NoToken as error:
            if error.away:
                raise ArchiveUnavailable(error.message) from None
            advice = "or use the account's key, BATCH_AVATAR_STORAGE_CONNECTION_STRING"
            raise ArchiveRefused(f"{error.message}; {advice}") from None
