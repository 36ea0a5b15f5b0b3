"""One Speech resource in a run: how to reach it, who may create there, and who watches its jobs."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batch_avatar.errors import Stopped, TooManyJobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from batch_avatar.errors import BatchAvatarError, RequestRefused, Throttled
    from batch_avatar.models import Script
    from batch_avatar.service.admission import Admission
    from batch_avatar.service.client import AvatarClient
    from batch_avatar.service.watcher import Deadlines, Watcher

logger = logging.getLogger(__name__)

CREATES_AT_ONCE = 8
"""Under way on one resource: what is not sent yet may still go to another. Half of the threads for short calls."""

SYSTEMIC = 5
"""So many scripts refused in a row with one code: it is not the scripts (design, section 4)."""

_VOICE = re.compile(r"<voice\b[^>]*?\bname\s*=\s*[\"']([^\"']+)[\"']", re.IGNORECASE)


@dataclass
class Resource:
    """`host` is how claims and receipts name it, `name` how people do."""

    name: str
    host: str
    client: AvatarClient
    admission: Admission
    watcher: Watcher
    deadlines: Deadlines
    unsupported: frozenset[str] = frozenset()
    """Characters and voices that it cannot do, in lower case."""
    set_aside: BatchAvatarError | None = None
    """Why nothing more is sent there in this run."""
    unread: bool = False
    """The plan could not list its jobs, so nothing is sent there before they can be listed."""
    sending: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CREATES_AT_ONCE))
    """Scripts that were taken from the queue, and are not sent yet."""
    creating: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CREATES_AT_ONCE))
    """Creates that are not answered yet: what the answers say stops those behind them."""
    alone: bool = False
    """A pack never started there: one script a job from now on."""
    listeners: list[Callable[[Resource, Throttled], None]] = field(default_factory=list)
    """Told whenever the service takes no new job for now."""
    refusals: deque[RequestRefused] = field(default_factory=lambda: deque(maxlen=SYSTEMIC))
    """Of scripts, in a row."""

    def systemic(self) -> Stopped | None:
        """Why nothing more should be sent there: five scripts refused in a row with one code are no accident."""
        if len(self.refusals) < SYSTEMIC or len({error.code for error in self.refusals}) > 1:
            return None
        last = self.refusals[-1]
        return Stopped(
            f"{SYSTEMIC} scripts in a row were refused with {last.code} ({last.message}); that is hardly "
            "the scripts' fault, so no more are sent. Mend the common cause and run again with retry_failed",
            code="Systemic",
        )

    def heed(self, error: Throttled) -> None:
        """The service takes no new job for now: nobody sends there before its time is over."""
        logger.warning("%s takes no new job for now: %s", self.name, error)
        self.admission.throttled(error.retry_after_seconds, full=isinstance(error, TooManyJobs))
        for listener in self.listeners:
            listener(self, error)

    def can_render(self, script: Script) -> bool:
        """Whether the settings say nothing against it."""
        if not self.unsupported:
            return True
        voices = _VOICE.findall(script.content) if script.input_kind == "SSML" else [script.voice or ""]
        needed = {voice.lower() for voice in (*voices, script.talking_avatar_character or "")}
        return not needed & self.unsupported
