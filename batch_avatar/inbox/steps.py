"""The steps of one drop: it is read and checked, and moved in the end; and the outcomes of drops without a job."""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from batch_avatar.clock import TOLD_SECONDS
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
    from batch_avatar.inbox.intake import KnownDrop, Look
    from batch_avatar.models import Script
    from batch_avatar.rendering.connections import Connections
    from batch_avatar.scripts.defaults import Defaults
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.settings import Settings

    Taken = tuple[Script, list[Finding]]

logger = logging.getLogger(__name__)

NO_INBOX = "scripts are dropped into BATCH_AVATAR_INBOX_CONTAINER, which is not set"
NOTHING_HELD: Mapping[str, KnownDrop] = MappingProxyType({})
COPY_LOOK_SECONDS = 5.0
COPY_LOOKS = 120
"""Ten minutes in all. Inside one account a copy is usually complete at once; until then the source must stay."""


def open_inbox(c: Connections) -> Inbox:
    """Return the inbox that the settings name.

    Raises:
        SettingsError: the settings name none.
    """
    if c.inbox is None:
        raise SettingsError(NO_INBOX)
    return c.inbox


async def look_into_inbox(held: Mapping[str, KnownDrop] = NOTHING_HELD) -> Look:
    """List the inbox once, inside open connections, and sort what is not `held`. Nothing is read or moved yet.

    Raises:
        SettingsError: no inbox is set.
        ArchiveError: the inbox cannot be listed.
    """
    c = current_connections()
    drops = await c.control(open_inbox(c).look)
    return look_over(drops, held=held, settle_seconds=c.settings.inbox_settle_seconds)


def read_defaults(inbox: Inbox, drop: Drop) -> Defaults | None:
    """Read a folder's defaults; None if they have changed or gone. Blocking.

    Raises:
        ManifestError: no script can have such defaults.
        ArchiveError: the defaults cannot be read.
    """
    if (reason := too_large(drop)) is not None:
        raise ManifestError([reason])
    content = inbox.read(drop)
    return None if content is None else check_defaults(drop.file, content)


def read_script(inbox: Inbox, drop: Drop, defaults: Defaults, settings: Settings) -> Taken | None:
    """Read the script in a drop, and the warnings about it; None if the drop has changed or gone. Blocking.

    Raises:
        ManifestError: with every fault.
        ArchiveError: the drop cannot be read.
    """
    content = inbox.read(drop)
    if content is None:
        return None
    wire, of_settings = wire_for(settings.api_version), settings.video_defaults()
    return check_file(drop.file, content, defaults=of_settings, beside=defaults, wire=wire, script_id=drop.script_id)


async def move(c: Connections, inbox: Inbox, drop: Drop, target: str, *, facts: Mapping[str, str], reason: str) -> bool:
    """Move a drop to `target`, with the reason beside it if there is one; False if the drop has changed or gone.

    Repeating it after any of its steps leads to the same result.

    Raises:
        ArchiveError: the storage did not allow it; the drop is still there.
    """
    copy = await c.control(inbox.copy, drop, target, facts)
    if copy is None:
        return False
    looks = 0
    while not (copy.complete or await c.control(inbox.is_copied, target, copy)):
        looks += 1
        if looks == COPY_LOOKS:
            raise ArchiveUnavailable(f"the storage has not copied it within {COPY_LOOKS * COPY_LOOK_SECONDS:g} s")
        if looks == TOLD_SECONDS // COPY_LOOK_SECONDS:
            logger.warning("%s is still being copied to %s; looking again for a while", drop.name, target)
        await c.clock.sleep(COPY_LOOK_SECONDS)
    if reason:
        await c.control(inbox.write_reason, target, reason)
    await c.control(inbox.remove, drop)
    return True


def put_off(script_id: str, error: BatchAvatarError) -> Outcome:
    """Return an unfinished outcome: whatever went wrong, it was not the script's fault."""
    return Outcome(script_id=script_id, outcome=OutcomeKind.UNFINISHED, error=facts_of(error))


def refused(name: str, text: str) -> Outcome:
    """Return a failed outcome for a drop that is not a script, under the name of its blob."""
    error = InputError(text, code=REFUSED)
    return Outcome(script_id=name, outcome=OutcomeKind.FAILED, error=facts_of(error))
