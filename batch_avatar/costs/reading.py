"""Read what was billed from one listing of the archive. Blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.costs.facts import read_billed

if TYPE_CHECKING:
    from batch_avatar.archive.ledger import Archive
    from batch_avatar.costs.facts import Billed


def read_costs(archive: Archive) -> list[Billed]:
    """Return what each script was billed. Raises as `Archive.index` does for a storage that refuses."""
    with archive_errors("list the archive"):
        return list(read_billed((name, blob.metadata or {}) for name, blob in archive.listing()))
