"""The container that the service writes the outputs of packs into, through a signed link that is stored nowhere.

The outputs stay there for a while only: they count once they are in the archive, and are removed with their job. The
service may delete them with the job as well (not documented), so a job is never deleted before they are archived.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from azure.storage.blob import BlobPrefix, BlobSasPermissions, ContainerSasPermissions
from pydantic import SecretStr

from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import LostRace, NotThere

if TYPE_CHECKING:
    from datetime import datetime

    from azure.storage.blob import ContainerClient

    from batch_avatar.clock import Clock

EARLIER = timedelta(minutes=5)  # links are valid from so long before now, because clocks may not agree
READ_SECONDS = 3600.0  # within which a transfer must begin; an expired link is replaced by a new one
VIDEO = (".mp4", ".webm")
SUBTITLES = (".srt", ".vtt")
SUMMARY = "summary.json"


class Sign(Protocol):
    """Makes the query of a signed link to a container, or to one of its blobs."""

    def __call__(
        self,
        container: str,
        blob: str | None,
        *,
        permission: ContainerSasPermissions | BlobSasPermissions,
        start: datetime,
        expiry: datetime,
    ) -> str: ...


class Staging:
    """Blocking; shared by all threads."""

    def __init__(self, *, container: ContainerClient, sign: Sign, clock: Clock) -> None:
        self._container = container
        self._sign = sign
        self._clock = clock
        self._lock = threading.Lock()
        self._names: dict[str, dict[str, str]] = {}
        self._summaries: dict[str, Any] = {}

    def open(self) -> None:
        """Create the container if it is missing."""
        with suppress(LostRace), archive_errors(f"make container {self._container.container_name}"):
            self._container.create_container()

    def write_link(self, *, seconds: float) -> SecretStr:
        """Return a link for the service, valid for `seconds`: to read, write and list, as the service requires."""
        permission = ContainerSasPermissions(read=True, write=True, list=True, create=True, add=True)
        return SecretStr(f"{self._container.url}?{self._signed(None, permission, seconds)}")

    def video(self, job_id: str, number: int) -> str | None:
        """Return a link to the video of this input, if it is there."""
        return self._link(job_id, number, VIDEO)

    def subtitles(self, job_id: str, number: int) -> str | None:
        return self._link(job_id, number, SUBTITLES)

    def look_again(self, job_id: str) -> None:
        """Forget the job's listing and summary, because it has gone on since."""
        with self._lock:
            self._names.pop(job_id, None)
            self._summaries.pop(job_id, None)

    def summary(self, job_id: str) -> dict[str, Any] | None:
        """Return the job's summary, which is read once; None if it is missing or not readable."""
        name = self._listed(job_id).get(SUMMARY)
        if name is None:
            return None
        with self._lock:
            known = self._summaries.get(job_id)
        if known is None:
            try:
                with archive_errors(f"read {name}"):
                    text = self._container.download_blob(name).readall()
                known = json.loads(text)
            except (ValueError, RecursionError, NotThere):
                return None
            with self._lock:
                self._summaries[job_id] = known
        return known if isinstance(known, dict) else None

    def jobs(self) -> set[str]:
        """Return the ids of the jobs of which outputs lie here; none if there is no container."""
        with suppress(NotThere), archive_errors(f"list {self._container.container_name}"):
            folders = (found.name for found in self._container.walk_blobs() if isinstance(found, BlobPrefix))
            return {folder.removesuffix("/") for folder in folders}
        return set()

    def remove(self, job_id: str) -> None:
        """Delete what is left of a job's outputs."""
        with archive_errors(f"list {self._container.container_name}"):
            found = list(self._container.list_blobs(name_starts_with=f"{job_id}/"))
        for blob in found:
            with suppress(NotThere), archive_errors(f"delete {blob.name} in {self._container.container_name}"):
                self._container.delete_blob(blob.name)
        self.look_again(job_id)

    def _link(self, job_id: str, number: int, endings: tuple[str, ...]) -> str | None:
        listed = self._listed(job_id)
        name = next((listed[f"{number:04d}{end}"] for end in endings if f"{number:04d}{end}" in listed), None)
        if name is None:
            return None
        signed = self._signed(name, BlobSasPermissions(read=True), READ_SECONDS)
        return f"{self._container.get_blob_client(name).url}?{signed}"

    def _listed(self, job_id: str) -> dict[str, str]:
        """Return blob names by file name, from the folder that the job was told to write into.

        The folder is listed each time until it has a summary, which is about all inputs; then the listing is kept
        until `look_again`.
        """
        with self._lock:
            known = self._names.get(job_id)
            if known is None:
                with archive_errors(f"list {self._container.container_name}"):
                    found = self._container.list_blobs(name_starts_with=f"{job_id}/")
                    known = {PurePosixPath(blob.name).name: blob.name for blob in found if blob.size}
                if SUMMARY in known:
                    self._names[job_id] = known
            return known

    def _signed(
        self, blob: str | None, permission: ContainerSasPermissions | BlobSasPermissions, seconds: float
    ) -> str:
        now = self._clock.now()
        with archive_errors(f"sign a link to {self._container.container_name}"):
            return self._sign(
                str(self._container.container_name),
                blob,
                permission=permission,
                start=now - EARLIER,
                expiry=now + timedelta(seconds=seconds),
            )
