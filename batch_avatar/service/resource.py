"""One Speech resource in a run: how to reach it, who may create there, and who watches its jobs."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from batch_avatar.errors import Stopped, TooManyJobs
from batch_avatar.service.listeners import Listeners
from batch_avatar.service.wire.voices import voice_names

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class InARow:
    """Which reasons come up in one end after another, and how often. An end that does not have a reason clears it.

    What has one source, such as the inputs of a pack, counts once.
    """

    def __init__(self) -> None:
        self._sources: dict[str, frozenset[object]] = {}

    def note(self, reasons: Iterable[str] = (), source: object = None) -> None:
        """Note how one end was; without a reason all are cleared."""
        self._sources = {reason: self._sources.get(reason, frozenset()) | {source} for reason in reasons}

    @property
    def systemic(self) -> tuple[str, ...]:
        """The reasons that came up `SYSTEMIC` times in a row."""
        return tuple(reason for reason, sources in self._sources.items() if len(sources) >= SYSTEMIC)


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
    _refusals: InARow = field(default_factory=InARow)
    """Codes with which scripts were refused."""
    _last_refusal: RequestRefused | None = None

    def refused(self, error: RequestRefused) -> None:
        """Note that a script was refused."""
        self._refusals.note((error.code,), error)
        self._last_refusal = error

    def taken(self) -> None:
        """Note that a script got a job."""
        self._refusals.note()

    def systemic(self) -> Stopped | None:
        """Return why nothing more should be sent there, once `SYSTEMIC` scripts in a row were refused with one code."""
        last = self._last_refusal
        if last is None or not self._refusals.systemic:
            return None
        return Stopped(
            f"{SYSTEMIC} scripts in a row were refused with {last.code} ({last.message}); that is hardly "
            "the scripts' fault, so no more are sent. Mend the common cause and run again with --retry-failed",
            code="Systemic",
        )

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
