"""The archive's id: read it, make it, and see that it is the one under which claims and receipts were written.

Everything that was paid for is found by ids that are derived from this one. With another id nothing would be found, and
all of it would be rendered again. So an archive whose id is lost, unreadable or another is *damaged*, and opens only
after `repair.py` has mended it. The first versions did not note the id in metadata; such claims say nothing either way.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from azure.core import MatchConditions
from azure.storage.blob import ContentSettings
from pydantic import Field, ValidationError

from batch_avatar.archive.index import ARCHIVE_ID
from batch_avatar.archive.naming.inner import asked, is_of_inner
from batch_avatar.archive.naming.names import ARCHIVE_BLOB, key_of
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import ArchiveDamaged, ArchiveRefused, LostRace, NotThere
from batch_avatar.models import Received

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import BlobProperties, ContainerClient

logger = logging.getLogger(__name__)

NO_ARCHIVE = "0" * 16
OTHER_IDS_LAYOUT = 2
"""The layout of an archive that was repaired under another id than that of all its claims and receipts. Versions before
this one know layout 1 only, so they refuse it: by the id alone they would find nothing of what was paid for."""
NAMES, FOLDERS, BLOBS = 100, 3, 20
"""Of how many names at the top a sample is taken, of at most how many folders, and of how many blobs in each."""
MOST_NEIGHBOURS = 20  # folders that are asked for an archive before a new one is made


class About(Received):
    """What `_archive.json` says. `earlier_ids`: ids under which some of the claims and receipts were written.

    `repaired`: the id may be another one than before, so a script is also known by its form and revision.
    """

    layout: int
    archive_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    earlier_ids: tuple[str, ...] = ()
    repaired: bool = False


class Found(NamedTuple):
    """The blob as it was read; `about` is None if it cannot be understood."""

    about: About | None
    etag: str


def open_identity(container: ContainerClient, prefix: str, *, create: bool) -> About:
    """Return what the archive says of itself; with `create`, make container and archive if they are missing.

    Raises:
        ArchiveDamaged: claims or receipts are there, and the id is not theirs or cannot be read.
        ArchiveRefused: the layout is another one.
    """
    found = read_about(container, prefix)
    if found is None and find_record(container, prefix) is not None:
        found = read_about(container, prefix)  # another run may just have made the archive and its first claim
        if found is None:
            raise damaged(container, prefix, "it has claims or receipts, and its id is gone")
    if found is None and not create:
        return About.model_construct(layout=1, archive_id=NO_ARCHIVE)
    if found is None:
        warn_of_neighbours(container, prefix)
        fresh = About(layout=1, archive_id=secrets.token_hex(8))
        with suppress(LostRace), archive_errors(f"make container {container.container_name}"):
            container.create_container()  # a lost race: it is there, or another run was first
        with suppress(LostRace):
            write_about(container, prefix, fresh, etag=None)
        found = read_about(container, prefix)
    about = found.about if found is not None else None
    if about is None:
        raise damaged(container, prefix, "its id cannot be read")
    check_ids(container, prefix, about, sample_ids(container, prefix))
    return about


def check_ids(container: ContainerClient, prefix: str, about: About, ids: set[str]) -> None:
    """Check that these ids, which claims and receipts carry, are the archive's.

    Raises:
        ArchiveDamaged: some are not.
    """
    if others := ids - {about.archive_id, *about.earlier_ids}:
        raise damaged(
            container, prefix, f"its id is {about.archive_id}, and claims in it carry {', '.join(sorted(others))}"
        )


def damaged(container: ContainerClient, prefix: str, reason: str) -> ArchiveDamaged:
    return ArchiveDamaged(
        f"the archive in container {container.container_name}, folder /{prefix}, is damaged: {reason}. All that is in "
        "it would be rendered and paid for again, so nothing is sent until `batch-avatar archive repair` has mended it"
    )


def read_about(container: ContainerClient, prefix: str) -> Found | None:
    """Read `_archive.json`; None if there is none.

    Raises:
        ArchiveRefused: it has a layout that this version does not know.
    """
    name = prefix + ARCHIVE_BLOB
    try:
        with archive_errors(f"read {name}"):
            stream = container.get_blob_client(name).download_blob()
            text = stream.readall()
    except NotThere:
        return None
    try:
        about = About.model_validate_json(text)
    except ValidationError:
        return Found(None, str(stream.properties.etag))
    if about.layout not in (1, OTHER_IDS_LAYOUT):
        raise ArchiveRefused(f"{name} has layout {about.layout}; this version knows 1 and {OTHER_IDS_LAYOUT}")
    return Found(None if about.archive_id == NO_ARCHIVE else about, str(stream.properties.etag))


def write_about(container: ContainerClient, prefix: str, about: About, *, etag: str | None) -> None:
    """Write `_archive.json` over the version that was read; without an etag, only if there is none.

    Raises:
        LostRace: somebody else has written it.
    """
    name = prefix + ARCHIVE_BLOB
    text = about.model_dump_json(exclude_defaults=True)
    settings = ContentSettings(content_type="application/json")
    blob = container.get_blob_client(name)
    with archive_errors(f"write {name}"):
        if etag is None:
            blob.upload_blob(text, overwrite=False, content_settings=settings)
        else:
            blob.upload_blob(
                text,
                overwrite=True,
                content_settings=settings,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )


def find_record(container: ContainerClient, prefix: str) -> BlobProperties | None:
    """Return the first claim or receipt; None if there is none, or no container."""
    return next(records(container, prefix), None)


def records(
    container: ContainerClient, prefix: str, folder: str = "", *, most: int | None = None
) -> Iterator[BlobProperties]:
    """Yield claims and receipts with their metadata, in one listing, of at most so many blobs.

    Those of archives in folders of this one are left out.
    """
    is_archive = asked(container, prefix)
    with suppress(NotThere), archive_errors(f"list container {container.container_name}"):
        listed = container.list_blobs(name_starts_with=prefix + folder, include=["metadata"], results_per_page=most)
        for blob in islice(listed, most):
            key = key_of(blob.name.removeprefix(prefix))
            if key is not None and not is_of_inner(key[0], is_archive):
                yield blob


def sample_ids(container: ContainerClient, prefix: str) -> set[str]:
    """Return the ids that claims and receipts of one script carry, the first one of whom any carries one.

    A whole listing would cost more than opening should; plans check the ids of all that they list.
    """
    with suppress(NotThere), archive_errors(f"list container {container.container_name}"):
        top = islice(container.walk_blobs(prefix, delimiter="/", results_per_page=NAMES), NAMES)
        names = [blob.name.removeprefix(prefix) for blob in top]
        folders = [name for name in names if name.endswith("/") and not name.startswith("_")][:FOLDERS]
        for folder in folders:
            found = [blob.metadata or {} for blob in records(container, prefix, folder, most=BLOBS)]
            if ids := {str(metadata[ARCHIVE_ID]) for metadata in found if metadata.get(ARCHIVE_ID)}:
                return ids
    return set()


def warn_of_neighbours(container: ContainerClient, prefix: str) -> None:
    """Warn if a new archive is made beside one that is there: perhaps the folder is only mistyped."""
    parents = {"/".join(prefix.split("/")[:depth]) + "/" for depth in range(1, prefix.count("/"))}
    with suppress(NotThere), archive_errors(f"list container {container.container_name}"):
        names = [blob.name for blob in container.walk_blobs(delimiter="/")]
        folders = [name for name in names if name.endswith("/")][:MOST_NEIGHBOURS]
        known = [""] if ARCHIVE_BLOB in names else []
        others = sorted({*folders, *parents} - {prefix})
        known += [folder for folder in others if container.get_blob_client(folder + ARCHIVE_BLOB).exists()]
        if known:
            logger.warning(
                "a new archive is made in container %s, folder /%s, beside the one in folder /%s; what is archived "
                "there is not known here and is paid for again. If that is not meant, stop and set BATCH_AVATAR_PREFIX",
                container.container_name,
                prefix,
                ", /".join(known),
            )
