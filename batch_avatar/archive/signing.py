"""Sign links into our own storage account, with its key or with a user delegation key of Microsoft Entra."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from azure.storage.blob import generate_blob_sas, generate_container_sas

from batch_avatar.errors import SettingsError
from batch_avatar.safe_text.redaction import know

if TYPE_CHECKING:
    from datetime import datetime

    from azure.storage.blob import BlobSasPermissions, BlobServiceClient, ContainerSasPermissions

    from batch_avatar.archive.staging import Sign
    from batch_avatar.settings import Settings

LONGEST = timedelta(days=7)  # a user delegation key lives no longer (documented)


def signer(storage: BlobServiceClient, settings: Settings) -> Sign:
    """Return a function that signs for this account, with the kind of key that the settings choose."""
    delegation = _Delegation(storage) if settings.storage_account_url is not None else None

    def sign(
        container: str,
        blob: str | None,
        *,
        permission: ContainerSasPermissions | BlobSasPermissions,
        start: datetime,
        expiry: datetime,
    ) -> str:
        by: dict[str, Any]
        if delegation is not None:
            by = {"user_delegation_key": delegation.key(start, expiry)}
        else:
            key = getattr(storage.credential, "account_key", None)
            if key is None:
                name = "BATCH_AVATAR_STORAGE_CONNECTION_STRING"
                raise SettingsError(f"{name} holds no account key, which packed jobs need for signed links")
            by = {"account_key": key}
        common = {**by, "permission": permission, "start": start, "expiry": expiry}
        if blob is None:
            signed = generate_container_sas(str(storage.account_name), container, **common)
        else:
            signed = generate_blob_sas(str(storage.account_name), container, blob, **common)
        know(signed, passing=True)
        return signed

    return sign


class _Delegation:
    """One user delegation key for many links; a new one is fetched when a link would outlive it."""

    def __init__(self, storage: BlobServiceClient) -> None:
        self._storage = storage
        self._lock = threading.Lock()
        self._key: Any = None
        self._until: datetime | None = None

    def key(self, start: datetime, expiry: datetime) -> Any:
        with self._lock:
            if self._until is None or expiry > self._until:
                until = min(max(expiry, start + LONGEST / 2), start + LONGEST)
                self._key = self._storage.get_user_delegation_key(start, until)
                know(self._key.value)  # it signs all links for hours
                self._until = until
            return self._key
