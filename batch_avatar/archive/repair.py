"""Give a damaged archive its id back, so that what was paid for is found again. Blocking."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from batch_avatar.archive.identity_check import OTHER_IDS_LAYOUT, About, read_about, records, write_about
from batch_avatar.archive.index import ARCHIVE_ID
from batch_avatar.errors import ArchiveConflict, InputError, LostRace

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


@dataclass(frozen=True)
class Repaired:
    """What the archive says of itself now.

    `changed`: whether that was written. `records`: how many claims and receipts there are; `telling` of them carry an
    id.
    """

    about: About
    changed: bool
    records: int
    telling: int


def repair_identity(container: ContainerClient, prefix: str) -> Repaired:
    """Restore the archive's id from the claims and receipts; where none carries it, write a new one.

    Raises:
        InputError: there is no archive.
        ArchiveConflict: somebody else writes the id at the same time.
    """
    found = read_about(container, prefix)
    ids: Counter[str] = Counter()
    count = 0
    for blob in records(container, prefix):
        count += 1
        if archive_id := (blob.metadata or {}).get(ARCHIVE_ID):
            ids[str(archive_id)] += 1
    about = choose(found.about if found is not None else None, ids)
    if found is None and not count:
        raise InputError(f"there is no archive in container {container.container_name}, folder /{prefix}")
    if found is not None and found.about == about:
        return Repaired(about, changed=False, records=count, telling=ids.total())
    try:
        write_about(container, prefix, about, etag=found.etag if found is not None else None)
    except LostRace:
        raise ArchiveConflict("somebody else has just written the archive's id; run the command again") from None
    return Repaired(about, changed=True, records=count, telling=ids.total())


def choose(found: About | None, ids: Counter[str]) -> About:
    """Return what the archive shall say of itself: the id that most claims and receipts carry, else a new one.

    An id that was read and that no claim contradicts stays.
    """
    if found is not None and set(ids) <= {found.archive_id, *found.earlier_ids}:
        return found
    main = max(sorted(ids), key=lambda archive_id: ids[archive_id], default=secrets.token_hex(8))
    layout = 1 if set(ids) == {main} else OTHER_IDS_LAYOUT
    return About(layout=layout, archive_id=main, earlier_ids=tuple(sorted(set(ids) - {main})), repaired=True)
