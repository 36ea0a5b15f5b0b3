"""One identity of Microsoft Entra, and its tokens. One thread asks at a time; the others use what there is, or wait."""

from __future__ import annotations

import logging
import math
import threading
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ClientAuthenticationError

from batch_avatar.safe_text.bounds import bounded
from batch_avatar.safe_text.redaction import know
from batch_avatar.service.sign_in.transport import TOKEN_SECONDS, hearing
from batch_avatar.service.sign_in.verdict import MOST_WORDS, explain, is_away, who_is_away
from batch_avatar.service.time_limit import time_limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.credentials import AccessToken, TokenCredential

    from batch_avatar.clock import Clock

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 300  # before expiry, as azure-core's own bearer policy does
PAUSE_SECONDS = 5.0
"""After one asking the identity is not asked again for so long; its result holds for all who want to know."""


class NoToken(Exception):
    """There is no token. `away`: the identity does not answer, which passes; otherwise it refuses, or there is none."""

    def __init__(self, message: str, *, away: bool) -> None:
        super().__init__(message)
        self.message = message
        self.away = away


class Identity:
    """Who this process is to Microsoft Entra. `sign_in` makes a credential that remembers no tokens."""

    def __init__(self, sign_in: Callable[[], TokenCredential], clock: Clock) -> None:
        self._sign_in = sign_in
        self._credential: TokenCredential | None = None
        self._proven = False
        self.clock = clock

    def ask(self, scope: str, **options: Any) -> AccessToken:
        """Ask for a token. Blocking, at most some `2 * TOKEN_SECONDS`.

        Raises:
            NoToken: there is none.
        """
        try:
            self._credential = credential = self._credential or self._sign_in()
        except (AzureError, ValueError, OSError) as error:
            said = bounded(str(error), MOST_WORDS)
            raise NoToken(
                f"Microsoft Entra gives no token: nobody can sign in with AZURE_... as they are set: {said}",
                away=False,
            ) from None
        try:
            with hearing() as heard, time_limit(TOKEN_SECONDS):
                token = credential.get_token(scope, **options)
                if not isinstance(token.token, str):
                    raise TypeError("the token is no text")  # noqa: TRY301 - judged like all odd answers
        except (AzureError, ValueError, TypeError, OverflowError) as error:  # the others over odd answers
            said = getattr(error, "message", "") or type(error).__name__
            if not isinstance(error, ClientAuthenticationError) or is_away(heard, said, proven=self._proven):
                who = who_is_away(heard, said, type(error).__name__)
                raise NoToken(f"Microsoft Entra does not answer ({who})", away=True) from None
            raise NoToken(f"Microsoft Entra gives no token: {explain(heard, said)}", away=False) from None
        know(token.token)
        self._proven = True
        return token

    @property
    def kind(self) -> str:
        """Which way to sign in gave the token, by the library's name for it; empty before there is one."""
        found = getattr(self._credential, "_successful_credential", None)
        return type(found).__name__ if found is not None else ""

    def forget(self) -> None:
        """Sign in anew at the next asking: the library would go on giving the token that it remembers."""
        self._credential = None


class Tokens:
    """The tokens of one scope. Any number of threads may call `get`."""

    def __init__(self, identity: Identity, scope: str) -> None:
        self._identity = identity
        self._scope = scope
        self._turn = threading.Condition()
        self._asking = False
        self._asked_at = -math.inf
        self._token: AccessToken | None = None
        self._failure: NoToken | None = None

    def get(self) -> AccessToken:
        """Return a token that is valid. Ask for a new one some minutes before it expires.

        Raises:
            NoToken: there is none. Until `PAUSE_SECONDS` have passed, everybody is told so without another asking.
        """
        with self._turn:
            while True:
                left = self._seconds_left()
                recent = self._identity.clock.monotonic() - self._asked_at < PAUSE_SECONDS
                if self._token is not None and (
                    left >= REFRESH_SECONDS
                    or (left > 0 and (recent or self._asking))
                    or (recent and self._failure is None)  # our clock may be fast
                ):
                    return self._token
                if recent and self._failure is not None:
                    raise NoToken(self._failure.message, away=self._failure.away)
                if not self._asking:
                    break
                self._turn.wait()
            self._asking = True
        return self._ask(left)

    def forget(self, refused: str) -> None:
        """Use the refused token no more; `get` tells whether there is another one."""
        with self._turn:
            if self._token is not None and self._token.token == refused:
                self._token = None
                self._identity.forget()
                if self._failure is None:
                    self._asked_at = -math.inf

    def _ask(self, left: float) -> AccessToken:
        token, failure = None, None
        try:
            token = self._identity.ask(self._scope)
        except NoToken as error:
            failure = error
        finally:
            with self._turn:
                self._asking, self._asked_at = False, self._identity.clock.monotonic()
                self._token, self._failure = token or self._token, failure
                old = self._token
                self._turn.notify_all()
        if token is not None:
            return token
        if old is not None and left > 0:
            logger.warning("no new token from Microsoft Entra, the old one is good for %.0f s", left)
            return old
        raise failure or NoToken("Microsoft Entra gives no token", away=True)

    def _seconds_left(self) -> float:
        return self._token.expires_on - self._identity.clock.now().timestamp() if self._token else 0.0
