"""What is done with one drop: it is read and judged, and in the end moved; and what is told of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from batch_avatar.errors import ArchiveUnavailable, InputError, ManifestError, SettingsError
from batch_avatar.inbox.intake import REFUSED, look_over, too_large
from batch_avatar.models import Outcome, OutcomeKind
from batch_avatar.rendering.connections import current_connections
from batch_avatar.rendering.outcomes import facts_of
from batch_avatar.scripts.drafts import check_defaults, check_file
from batch_avatar.service.wire.generations import wire_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from batch_avatar.archive.inbox_container import Drop, Inbox
    from batch_avatar.errors import BatchAvatarError
    from batch_avatar.inbox.intake import Held, Look
    from batch_avatar.models import Script
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.settings import Settings

NO_INBOX = "scripts are dropped into BATCH_AVATAR_INBOX_CONTAINER, which is not set"
NOTHING_HELD: Mapping[str, Held] = MappingProxyType({})
COPY_LOOK_SECONDS = 5.0
COPY_LOOKS = 120
"""Ten minutes together. Inside one account a copy is complete at once as a rule; only then the source may go."""


def open_inbox(c: Connections) -> Inbox:
    """The inbox of the settings.

    Raises:
        SettingsError: they name none.
    """
    if c.inbox is None:
        raise SettingsError(NO_INBOX)
    return c.inbox


async def look_into_inbox(held: Mapping[str, Held] = NOTHING_HELD) -> Look:
    """What lies there beside what is held, in open connections; one listing, and nothing is read or moved yet.

    Raises:
        SettingsError: no inbox is set.
        ArchiveError: it cannot be listed.
    """
    c = current_connections()
    drops = await c.control(open_inbox(c).look)
    return look_over(drops, held=held, settle_seconds=c.settings.inbox_settle_seconds)


def read_defaults(inbox: Inbox, drop: Drop) -> dict[str, Any] | None:
    """Blocking. What a folder's defaults say; None where they are others by now, or gone.

    Raises:
        ManifestError: no script can have such defaults.
        ArchiveError: they cannot be read.
    """
    if (reason := too_large(drop)) is not None:
        raise ManifestError([reason])
    content = inbox.read(drop)
    return None if content is None else check_defaults(drop.file, content)


def read_script(inbox: Inbox, drop: Drop, *, defaults: Mapping[str, Any], settings: Settings) -> Script | None:
    """Blocking. The script that it is; None where it is another by now, or gone.

    Raises:
        ManifestError: with every fault.
        ArchiveError: it cannot be read.
    """
    content = inbox.read(drop)
    if content is None:
        return None
    given = {**settings.video_defaults(), **defaults}
    return check_file(drop.file, content, defaults=given, wire=wire_for(settings.api_version))


async def move(c: Connections, inbox: Inbox, drop: Drop, target: str, *, facts: Mapping[str, str], reason: str) -> bool:
    """To `target`, with the reason beside it where there is one; False where it is another by now, or gone.

    Taken again after any of its steps it comes to the same.

    Raises:
        ArchiveError: the storage did not let us; the drop is still there.
    """
    copy = await c.control(inbox.copy, drop, target, facts)
    if copy is None:
        return False
    looks = 0
    while not (copy.complete or await c.control(inbox.is_copied, target, copy)):
        looks += 1
        if looks == COPY_LOOKS:
            raise ArchiveUnavailable(f"the storage has not copied it within {COPY_LOOKS * COPY_LOOK_SECONDS:g} s")
        await c.clock.sleep(COPY_LOOK_SECONDS)
    if reason:
        await c.control(inbox.write_reason, target, reason)
    await c.control(inbox.remove, drop)
    return True


def put_off(script_id: str, error: BatchAvatarError) -> Outcome:
    """Whatever it was, it was not the script's fault."""
    return Outcome(script_id=script_id, outcome=OutcomeKind.UNFINISHED, error=facts_of(error))


def refused(name: str, text: str) -> Outcome:
    """A drop that is no script, by the name of its blob."""
    error = InputError(text, code=REFUSED)
    return Outcome(script_id=name, outcome=OutcomeKind.FAILED, error=facts_of(error))
