"""One Speech resource in a run: how to reach it, who may create there, and who watches its jobs."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from batch_avatar.errors import Stopped, TooManyJobs
from batch_avatar.service.listeners import Listeners
from batch_avatar.service.wire.messages import words_of
from batch_avatar.service.wire.voices import voice_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from batch_avatar.errors import BatchAvatarError, RequestRefused, Throttled
    from batch_avatar.models import Script
    from batch_avatar.service.admission import Admission
    from batch_avatar.service.client import AvatarClient
    from batch_avatar.service.deadlines import Deadlines
    from batch_avatar.service.watcher import Watcher

logger = logging.getLogger(__name__)

CREATES_AT_ONCE = 8
"""At most so many creates are under way on one resource, because a script that is not sent yet may still go to another.
Half of the threads for short calls."""

SYSTEMIC = 5
"""When so many scripts in a row end for one reason, the scripts are not the cause."""
REFUSED_IN_A_ROW = 10
"""When so many scripts in a row are refused for whatever reasons, somebody should look. A choice."""


class InARow:
    """Which reasons come up in one video after another, and how often. A video that does not have a reason clears it.

    What has one source, such as the inputs of a pack, counts once.
    """

    def __init__(self) -> None:
        self._sources: dict[str, frozenset[str | None]] = {}

    def note(self, reasons: Iterable[str] = (), source: str | None = None) -> None:
        """Note how one video was; without a reason all are cleared."""
        self._sources = {reason: self._with(source, self._sources.get(reason, frozenset())) for reason in reasons}

    @property
    def systemic(self) -> tuple[str, ...]:
        """The reasons that came up `SYSTEMIC` times in a row."""
        return tuple(reason for reason, sources in self._sources.items() if len(sources) == SYSTEMIC)

    @staticmethod
    def _with(source: str | None, known: frozenset[str | None]) -> frozenset[str | None]:
        return known if len(known) == SYSTEMIC else known | {source}


def systemic_refusal(refusals: Sequence[RequestRefused]) -> Stopped | None:
    """Return why nothing more should be sent after these refusals in a row, the newest last; None if it may. Pure.

    Two are of one kind if their code is the same and their messages have the same words (`words_of`).
    """
    newest = refusals[-SYSTEMIC:]
    alike = len(newest) == SYSTEMIC and len({(error.code, *words_of(error.message)) for error in newest}) == 1
    if not alike and len(refusals) < REFUSED_IN_A_ROW:
        return None
    last = newest[-1]
    if alike:
        text = (
            f"{SYSTEMIC} scripts in a row were refused with {last.code} ({last.message}); that is hardly "
            "the scripts' fault, so no more are sent. Mend the common cause and run again with --retry-failed"
        )
    else:
        text = (
            f"{len(refusals)} scripts in a row were refused for different reasons, the last with {last.code} "
            f"({last.message}), so no more are sent. The report has the reason of each: mend them, and run again with "
            "--retry-failed"
        )
    return Stopped(text, code="Systemic")


@dataclass
class Resource:
    """One Speech resource of a run. Claims and receipts name it by `host`, people by `name`."""

    name: str
    host: str
    client: AvatarClient
    admission: Admission
    watcher: Watcher
    deadlines: Deadlines
    unsupported: frozenset[str] = frozenset()
    """Characters and voices that it cannot do, in lower case, and patterns of such names."""
    set_aside: BatchAvatarError | None = None
    """Why nothing more is sent there in this run."""
    unread: bool = False
    """The plan could not list its jobs, so nothing is sent there before they can be listed."""
    sending: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CREATES_AT_ONCE))
    """Limits the scripts that are taken from the queue and not sent yet."""
    creating: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CREATES_AT_ONCE))
    """Limits the creates that are not answered yet, because their answers may stop those that wait behind them."""
    alone: bool = False
    """A pack never started there, so every job gets only one script from now on."""
    listeners: Listeners[Resource, Throttled] = field(default_factory=Listeners)
    """Called whenever the service takes no new job for now."""
    _refusals: deque[RequestRefused] = field(default_factory=lambda: deque(maxlen=REFUSED_IN_A_ROW))
    """Those since a script last got a job, the newest last."""

    def refused(self, error: RequestRefused) -> None:
        """Note that a script was refused."""
        self._refusals.append(error)

    def taken(self) -> None:
        """Note that a script got a job."""
        self._refusals.clear()

    def systemic(self) -> Stopped | None:
        """Return why nothing more should be sent there, if too many scripts in a row were refused."""
        return systemic_refusal(tuple(self._refusals))

    def heed(self, error: Throttled) -> None:
        """Pause the creates there, because the service takes no new job for now, and tell the listeners."""
        self.admission.throttled(error.retry_after_seconds, full=isinstance(error, TooManyJobs))
        text = "%s takes no new job for now, so nothing is sent there until %s; scripts of other resources go on: %s"
        logger.warning(text, self.name, f"{self.admission.resumes_at:%H:%M:%S} UTC", error)
        self.listeners.tell(self, error)

    def can_render(self, script: Script) -> bool:
        """Return whether the resource can render the script, as far as the settings say."""
        if not self.unsupported:
            return True
        voices = voice_names(script.content) if script.input_kind == "SSML" else [script.voice or ""]
        needed = {name.lower() for name in (*voices, script.talking_avatar_character) if name}
        return not any(fnmatchcase(name, pattern) for pattern in self.unsupported for name in needed)
