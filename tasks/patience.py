"""How long one question to Prefect is asked again: for as long as a wait may mend it, and that is told meanwhile."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from batch_avatar.clock import TOLD_SECONDS
from batch_avatar.errors import Stopped
from batch_avatar.safe_text.sinks import name
from tasks.asking import Kinds, NoAnswer

if TYPE_CHECKING:
    import httpx

    from batch_avatar.clock import Clock

logger = logging.getLogger("batch_avatar.children")
"""As in `tasks.children`, whose questions these are."""

REFUSED_SECONDS = 60.0
"""A refusal that lasts for so long is believed; some pass, as while a server or its proxy starts. A choice."""
NEXT_STEPS = {
    401: "Check PREFECT_API_AUTH_STRING, or PREFECT_API_KEY of Prefect Cloud",
    403: "See that the user of PREFECT_API_AUTH_STRING or PREFECT_API_KEY may read and change flow runs",
    422: "Install the same version of Prefect here and at the server",
}
"""HTTP statuses that no wait mends, and what to do."""


class PrefectRefuses(Stopped):
    """Prefect refuses what a run cannot do without."""


class Question:
    """A question that is asked again and again. `failing`: what fails without an answer, as the log says it.

    `vital`: nothing goes on without an answer.
    """

    def __init__(self, clock: Clock, failing: str, *, vital: bool) -> None:
        self._clock = clock
        self._failing = failing
        self._vital = vital
        self._kinds = Kinds()
        self._told_at = -math.inf
        self._refused_since: float | None = None

    def answered(self) -> None:
        """Note an answer, so that earlier refusals do not count."""
        self._refused_since = None

    def failed(self, error: Exception) -> None:
        """Note that there was no answer, and tell: at once if the error is of a new kind, else after a minute again.

        Raises:
            PrefectRefuses: Prefect has been refusing for `REFUSED_SECONDS` to answer what is vital.
        """
        refusal = error.refusal if isinstance(error, NoAnswer) else None
        now = self._clock.monotonic()
        if refusal is None or refusal.status_code not in NEXT_STEPS:
            self._refused_since = None
        elif self._refused_since is None:
            self._refused_since = now
        elif self._vital and now - self._refused_since >= REFUSED_SECONDS:
            raise PrefectRefuses(_in_words(self._failing, refusal), code=PrefectRefuses.__name__)
        if self._kinds.is_new(error) or now - self._told_at >= TOLD_SECONDS:
            self._told_at = now
            logger.warning("%s, will ask again: %s", self._failing, error)


def _in_words(failing: str, refusal: httpx.Response) -> str:
    said = name(refusal.text.strip()) or refusal.reason_phrase
    return (
        f"{failing}: Prefect has been refusing it for {REFUSED_SECONDS:.0f} s with status {refusal.status_code} "
        f"({said}). {NEXT_STEPS[refusal.status_code]}, and run again. Child runs that are at work go on"
    )
