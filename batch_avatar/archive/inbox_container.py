"""The container that scripts are dropped into: what lies there, and moving it away without losing a byte.

A move is a copy inside the storage, bound to the version that was read, and then a delete of that very version. Killed
in between it is repeated; whoever wrote or moved the blob in the meantime goes first.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple
from unicodedata import normalize

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from batch_avatar.archive.storage_errors import archive_errors, storage_code
from batch_avatar.errors import ArchiveRefused
from batch_avatar.scripts.drafts import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from azure.core.pipeline import PipelineResponse
    from azure.storage.blob import BlobProperties, ContainerClient

INBOX = "inbox/"
REASON_ENDING = ".reason.txt"
NOT_MET = ("ConditionNotMet", "SourceConditionNotMet")
"""The storage's words for "not that version any more"; it answers 412 for leases as well."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A blob below inbox/ as one listing showed it; `age_seconds` by the storage's own clock."""

    name: str
    etag: str
    size_bytes: int
    age_seconds: float

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @property
    def file(self) -> str:
        return self.name.rpartition("/")[2]

    @property
    def ending(self) -> str:
        return PurePosixPath(self.file).suffix.lower()

    @property
    def script_id(self) -> str:
        """As the script would be called, in the normal form that scripts have; empty where it can be none."""
        return normalize("NFC", PurePosixPath(self.file).stem) if self.ending in KINDS else ""


class Copy(NamedTuple):
    """`copy_id` tells it from a later copy to the same name."""

    copy_id: str
    complete: bool


class Inbox:
    """Blocking; shared by all threads."""

    def __init__(self, *, container: ContainerClient) -> None:
        self._container = container

    def look(self) -> list[Drop]:
        """Every blob below inbox/, without the folders that some accounts list as blobs.

        Makes the container where it is missing.
        """
        dates: list[datetime] = []

        def note_date(response: PipelineResponse) -> None:  # type: ignore[type-arg]
            if date := response.http_response.headers.get("Date"):
                dates.append(parsedate_to_datetime(date))

        drops: list[Drop] = []
        with archive_errors(f"list container {self._container.container_name}"):
            try:
                listed = self._container.list_blobs(
                    name_starts_with=INBOX, include=["metadata"], raw_response_hook=note_date
                )
                for page in listed.by_page():
                    found = [blob for blob in page if not _is_folder(blob)]
                    drops.extend(_drop(blob, dates[-1]) for blob in found)  # every answer is dated (HTTP)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):  # another run was first
                    self._container.create_container()
        return drops

    def read(self, drop: Drop) -> bytes | None:
        """Its content; None where it is another by now, or gone."""
        with archive_errors(f"read {drop.name}"), _UnlessAnother():
            blob = self._container.get_blob_client(drop.name)
            return blob.download_blob(etag=drop.etag, match_condition=MatchConditions.IfNotModified).readall()
        return None

    def copy(self, drop: Drop, target: str, facts: Mapping[str, str]) -> Copy | None:
        """Begin to copy this version over whatever has that name; None where it is another by now, or gone."""
        with archive_errors(f"copy {drop.name}"), _UnlessAnother():
            begun = self._container.get_blob_client(target).start_copy_from_url(
                self._container.get_blob_client(drop.name).url,
                metadata=dict(facts),
                source_etag=drop.etag,
                source_match_condition=MatchConditions.IfNotModified,
            )
            return Copy(str(begun["copy_id"]), begun["copy_status"] == "success")
        return None

    def is_copied(self, target: str, copy: Copy) -> bool:
        """Whether it is complete by now.

        Raises:
            ArchiveRefused: it never will be.
        """
        with archive_errors(f"look at {target}"):
            found = self._container.get_blob_client(target).get_blob_properties().copy
        if found.id != copy.copy_id or found.status not in ("pending", "success"):
            raise ArchiveRefused(f"the copy to {target} was given up: {found.status}")
        return bool(found.status == "success")

    def write_reason(self, target: str, text: str) -> None:
        """Beside what was rejected; an older one is replaced."""
        settings = ContentSettings(content_type="text/plain; charset=utf-8")
        with archive_errors(f"write the reason of {target}"):
            blob = self._container.get_blob_client(target + REASON_ENDING)
            blob.upload_blob(text.encode(), overwrite=True, content_settings=settings)

    def remove(self, drop: Drop) -> None:
        """Delete this version; where it is another by now, or gone, there is nothing to do."""
        with archive_errors(f"delete {drop.name}"), _UnlessAnother():
            blob = self._container.get_blob_client(drop.name)
            blob.delete_blob(etag=drop.etag, match_condition=MatchConditions.IfNotModified)


class _UnlessAnother:
    """Ends its block where the blob is another version by now, or gone."""

    def __enter__(self) -> None:
        return

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> bool:
        if isinstance(error, ResourceModifiedError):
            return storage_code(error) in NOT_MET
        return isinstance(error, ResourceNotFoundError)


def _drop(blob: BlobProperties, now: datetime) -> Drop:
    etag = str(blob.etag).strip('"')  # listings show it without its quotes
    return Drop(blob.name, f'"{etag}"', blob.size, (now - blob.last_modified).total_seconds())


def _is_folder(blob: BlobProperties) -> bool:
    """Accounts with a hierarchical namespace mark folders so; other tools leave a blob that ends with a slash."""
    return blob.name.endswith("/") or (blob.metadata or {}).get("hdi_isfolder") == "true"
