"""A pack that is being sent: a value that outlives the retries of the step that sends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from batch_avatar.archive.records import Held, Pack
    from batch_avatar.models import Script


@dataclass
class PackDraft:
    """The scripts that are still to be sent, and the claims that this run holds for them."""

    scripts: dict[str, Script]
    """The scripts by script_id."""
    written_at: datetime
    """When the oldest of the claims was last written."""
    held: dict[str, Held] = field(default_factory=dict)
    """The claims by script_id."""
    unclear: Pack | None = None
    """The pack whose create may have reached the service, if there is one."""
