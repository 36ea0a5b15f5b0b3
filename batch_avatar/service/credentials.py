"""The two ways into a Speech resource: its key, or a token from Microsoft Entra."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from batch_avatar.errors import AccessRefused, ServiceUnavailable
from batch_avatar.service.sign_in.tokens import NoToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from batch_avatar.service.sign_in.tokens import Tokens

logger = logging.getLogger(__name__)

SCOPE = "https://cognitiveservices.azure.com/.default"


class KeyCredential:
    """A key. `read_again` returns the key as it is configured now, which differs where a file has a new one."""

    def __init__(self, key: SecretStr, read_again: Callable[[], SecretStr | None] | None = None) -> None:
        self._key = key.get_secret_value()
        self._read_again = read_again
        self._lock = threading.Lock()

    def header(self) -> tuple[str, str]:
        return "Ocp-Apim-Subscription-Key", self._key

    def renew(self, refused: str) -> bool:
        with self._lock:
            if self._key == refused and self._read_again is not None:
                key = self._read_again()
                if key is not None and key.get_secret_value() != refused:
                    self._key = key.get_secret_value()
                    logger.warning("the Speech key was refused; its file has another one, which is used from now on")
            return self._key != refused


class EntraCredential:
    """A bearer token."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def header(self) -> tuple[str, str]:
        try:
            return "Authorization", f"Bearer {self._tokens.get().token}"
        except NoToken as error:
            if error.away:
                raise ServiceUnavailable(error.message) from None
            raise AccessRefused(f"{error.message}; or use a key, BATCH_AVATAR_SPEECH_KEY") from None

    def renew(self, refused: str) -> bool:
        self._tokens.forget(refused.removeprefix("Bearer "))
        return True
