"""The two ways into a Speech resource: its key, or a token from Microsoft Entra."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport

from batch_avatar.errors import AccessRefused, ServiceUnavailable
from batch_avatar.service.time_limit import time_limit

if TYPE_CHECKING:
    import requests
    from azure.core.credentials import AccessToken, TokenCredential
    from pydantic import SecretStr

    from batch_avatar.clock import Clock

logger = logging.getLogger(__name__)

SCOPE = "https://cognitiveservices.azure.com/.default"
CONNECT_SECONDS = 5.0
TOKEN_SECONDS = 20.0  # for one answer of Microsoft Entra, which takes a second
MOST_WAIT_SECONDS = 10.0  # between two tries; whoever waits for the token may be a create
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
                    with time_limit(TOKEN_SECONDS):
                        token = self._token = self._credential.get_token(SCOPE)
                except (AzureError, ValueError, OverflowError) as error:  # the latter two over odd headers
                    if token is None or left <= 0:
                        raise _refused(error) from None
                    logger.warning("no new token from Microsoft Entra, the old one is good for %.0f s", left)
        return "Authorization", f"Bearer {token.token}"

    def renew(self) -> bool:
        with self._lock:
            had = self._token is not None
            self._token = None
        return had


class TokenTransport(RequestsTransport):  # type: ignore[misc]  # the library gives it no type
    """The HTTP of the identity library. Each answer heeds `time_limit`, and each wait that one asks for is bounded."""

    def __init__(self, session: requests.Session) -> None:
        super().__init__(
            session=session, connection_timeout=CONNECT_SECONDS, read_timeout=TOKEN_SECONDS, session_owner=True
        )

    def sleep(self, duration: float) -> None:
        super().sleep(bounded_wait(duration))


def bounded_wait(seconds: float) -> float:
    return max(0.0, min(seconds, MOST_WAIT_SECONDS))


def _refused(error: Exception) -> AccessRefused | ServiceUnavailable:
    if isinstance(error, ClientAuthenticationError):
        return AccessRefused(
            "Microsoft Entra gives no token; sign in, or give this machine an identity with the role "
            f"Cognitive Services Speech User: {error.message}"
        )
    return ServiceUnavailable(f"Microsoft Entra does not answer ({type(error).__name__})")
