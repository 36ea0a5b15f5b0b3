"""The key of the storage account, and the storage SDK's retries, which look for a new key when one is refused."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from azure.storage.blob import ExponentialRetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.storage.blob import BlobServiceClient

logger = logging.getLogger(__name__)

REFUSED = (401, 403)


def account_of(connection_string: str) -> tuple[str, str]:
    """Return name and key of the account; an empty key where the connection string has another kind of access."""
    parts = [part.partition("=") for part in connection_string.split(";")]
    given = {name.strip().lower(): value.strip() for name, _, value in parts}
    return given.get("accountname", ""), given.get("accountkey", "")


class StorageRetry(ExponentialRetry):
    """The SDK's retries. After a refusal it signs once more if `read_again` gives another key of the same account.

    `read_again` returns the connection string as it is configured now.
    """

    def __init__(self, read_again: Callable[[], str] | None = None) -> None:
        super().__init__(initial_backoff=1, increment_base=2, retry_total=4)  # its own default waits 15 s
        self._read_again = read_again
        self._lock = threading.Lock()
        self._signer: Any = None

    def sign_with(self, service: BlobServiceClient) -> None:
        """Renew the key of this client and of all that are made from it; they share one object that signs."""
        self._signer = service.credential

    def send(self, request: Any) -> Any:
        key = getattr(self._signer, "account_key", None)
        response = super().send(request)  # type: ignore[no-untyped-call]
        if response.http_response.status_code in REFUSED and key is not None and self._has_other(key):
            response = super().send(request)  # type: ignore[no-untyped-call]
        return response

    def _has_other(self, refused: str) -> bool:
        with self._lock:
            if self._signer.account_key == refused and self._read_again is not None:
                name, key = account_of(self._read_again())
                if key not in ("", refused) and name == self._signer.account_name:
                    self._signer.account_key = key
                    logger.warning("the storage refused the account's key; its file has another one, which is used now")
            return bool(self._signer.account_key != refused)
