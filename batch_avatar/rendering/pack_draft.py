"""A pack that is being sent: a value that lasts while the step that sends it is taken again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from batch_avatar.archive.ledger import Held
    from batch_avatar.archive.records import Pack
    from batch_avatar.models import Script


@dataclass
class PackDraft:
    """The scripts that are still to go, and the claims that this run holds for them."""

    scripts: dict[str, Script]
    """By script_id."""
    written_at: datetime
    """When the oldest of the claims was written last."""
    held: dict[str, Held] = field(default_factory=dict)
    """By script_id."""
    unclear: Pack | None = None
    """Sent, and not known yet to have come to nothing."""
