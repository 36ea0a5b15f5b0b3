"""The container that scripts are dropped into: list its blobs, and move them away without losing a byte.

A move is a copy inside the storage, bound to the version that was read, and then a delete of that very version. If the
process dies in between, the next run repeats the move. A change that somebody else made to the blob meanwhile stands.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, NamedTuple
from unicodedata import normalize

from azure.core import MatchConditions
from azure.storage.blob import ContentSettings

from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import ArchiveRefused, LostRace, NotThere
from batch_avatar.scripts.readers.kinds import of_folders

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from azure.core.pipeline import PipelineResponse
    from azure.storage.blob import BlobProperties, ContainerClient

INBOX = "inbox/"
REASON_ENDING = ".reason.txt"
IdsOfDrops = Literal["name", "path"]


@dataclass(frozen=True, slots=True)
class Drop:
    """A blob below inbox/ as one listing showed it; `age_seconds` is by the storage's own clock.

    `ids`: whether its script is called by its name or by its path.
    """

    name: str
    etag: str
    size_bytes: int
    age_seconds: float
    ids: IdsOfDrops = "name"

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def file(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def script_id(self) -> str:
        """The id of the script, in the Unicode form that scripts have; empty where the drop cannot be one."""
        if not of_folders(PurePosixPath(self.file)):
            return ""
        folder = self.folder.removeprefix(INBOX.rstrip("/")).removeprefix("/")
        stem = PurePosixPath(self.file).stem
        return normalize("NFC", f"{folder}/{stem}" if folder and self.ids == "path" else stem)


class Copy(NamedTuple):
    """A copy that was begun; `copy_id` distinguishes it from a later copy to the same name."""

    copy_id: str
    complete: bool


class Inbox:
    """Blocking; shared by all threads."""

    def __init__(self, *, container: ContainerClient, ids: IdsOfDrops = "name") -> None:
        self._container = container
        self._ids = ids

    def look(self) -> list[Drop]:
        """List every blob below inbox/, without the folders that some accounts list as blobs.

        Creates the container if it is missing.
        """
        dates: list[datetime] = []

        def note_date(response: PipelineResponse) -> None:  # type: ignore[type-arg]
            if date := response.http_response.headers.get("Date"):
                dates.append(parsedate_to_datetime(date))

        drops: list[Drop] = []
        try:
            with archive_errors(f"list container {self._container.container_name}"):
                listed = self._container.list_blobs(
                    name_starts_with=INBOX, include=["metadata"], raw_response_hook=note_date
                )
                for page in listed.by_page():
                    found = [blob for blob in page if not _is_folder(blob)]
                    drops.extend(_drop(blob, dates[-1], self._ids) for blob in found)  # every answer is dated (HTTP)
        except NotThere:
            with suppress(LostRace), archive_errors(f"make container {self._container.container_name}"):
                self._container.create_container()
        return drops

    def read(self, drop: Drop) -> bytes | None:
        """Return the drop's content; None if it has changed or gone."""
        with suppress(LostRace, NotThere), archive_errors(f"read {drop.name}"):
            blob = self._container.get_blob_client(drop.name)
            return blob.download_blob(etag=drop.etag, match_condition=MatchConditions.IfNotModified).readall()
        return None

    def copy(self, drop: Drop, target: str, facts: Mapping[str, str]) -> Copy | None:
        """Begin to copy this version to `target`, replacing what is there; None if the drop has changed or gone."""
        with suppress(LostRace, NotThere), archive_errors(f"copy {drop.name}"):
            begun = self._container.get_blob_client(target).start_copy_from_url(
                self._container.get_blob_client(drop.name).url,
                metadata=dict(facts),
                source_etag=drop.etag,
                source_match_condition=MatchConditions.IfNotModified,
            )
            return Copy(str(begun["copy_id"]), begun["copy_status"] == "success")
        return None

    def is_copied(self, target: str, copy: Copy) -> bool:
        """Return whether the copy is complete.

        Raises:
            ArchiveRefused: the copy was given up.
        """
        with archive_errors(f"look at {target}"):
            found = self._container.get_blob_client(target).get_blob_properties().copy
        if found.id != copy.copy_id or found.status not in ("pending", "success"):
            raise ArchiveRefused(f"the copy to {target} was given up: {found.status}")
        return bool(found.status == "success")

    def write_reason(self, target: str, text: str) -> None:
        """Write the reason of a rejection beside the rejected blob; replace an older one."""
        settings = ContentSettings(content_type="text/plain; charset=utf-8")
        with archive_errors(f"write the reason of {target}"):
            blob = self._container.get_blob_client(target + REASON_ENDING)
            blob.upload_blob(text.encode(), overwrite=True, content_settings=settings)

    def remove(self, drop: Drop) -> None:
        """Delete this version; do nothing if the drop has changed or gone."""
        with suppress(LostRace, NotThere), archive_errors(f"delete {drop.name}"):
            blob = self._container.get_blob_client(drop.name)
            blob.delete_blob(etag=drop.etag, match_condition=MatchConditions.IfNotModified)


def _drop(blob: BlobProperties, now: datetime, ids: IdsOfDrops) -> Drop:
    etag = str(blob.etag).strip('"')  # listings show it without its quotes
    return Drop(blob.name, f'"{etag}"', blob.size, (now - blob.last_modified).total_seconds(), ids)


def _is_folder(blob: BlobProperties) -> bool:
    """Return whether the blob stands for a folder.

    Accounts with a hierarchical namespace mark it in the metadata; other tools leave a blob that ends with a slash.
    """
    return blob.name.endswith("/") or (blob.metadata or {}).get("hdi_isfolder") == "true"
