"""The two ways into a Speech resource: its key, or a token from Microsoft Entra."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ClientAuthenticationError

from batch_avatar.errors import AccessRefused, ServiceUnavailable

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential
    from pydantic import SecretStr

    from batch_avatar.clock import Clock

logger = logging.getLogger(__name__)

SCOPE = "https://cognitiveservices.azure.com/.default"
REFRESH_SECONDS = 300  # before expiry, as azure-core's own bearer policy does


class KeyCredential:
    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def header(self) -> tuple[str, str]:
        return "Ocp-Apim-Subscription-Key", self._key.get_secret_value()

    def renew(self) -> bool:
        return False


class EntraCredential:
    """A cached bearer token; one thread fetches it while the others wait."""

    def __init__(self, credential: TokenCredential, clock: Clock) -> None:
        self._credential = credential
        self._clock = clock
        self._lock = threading.Lock()
        self._token: AccessToken | None = None

    def header(self) -> tuple[str, str]:
        with self._lock:
            token = self._token
            left = token.expires_on - self._clock.now().timestamp() if token else 0.0
            if token is None or left < REFRESH_SECONDS:
                try:
                    token = self._token = self._credential.get_token(SCOPE)
                except AzureError as error:
                    if token is None or left <= 0:
                        raise _refused(error) from None
                    logger.warning("no new token from Microsoft Entra, the old one is good for %.0f s", left)
        return "Authorization", f"Bearer {token.token}"

    def renew(self) -> bool:
        with self._lock:
            had = self._token is not None
            self._token = None
        return had


def _refused(error: AzureError) -> AccessRefused | ServiceUnavailable:
    if isinstance(error, ClientAuthenticationError):
        return AccessRefused(
            "Microsoft Entra gives no token; sign in, or give this machine an identity with the role "
            f"Cognitive Services Speech User: {error.message}"
        )
    return ServiceUnavailable(f"Microsoft Entra does not answer ({type(error).__name__})")
