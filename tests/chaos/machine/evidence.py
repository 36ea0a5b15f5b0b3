"""What service and archive hold between two steps of the machine, read from themselves and from no report of ours."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.support.judge import JOB_NAME

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

    from batch_avatar.emulator.web.server import EmulatorServer

Document = dict[str, Any]


def content_of(name: str) -> str:
    """Of a job of ours."""
    return JOB_NAME.fullmatch(name)[1]


def attempt_of(job: Document) -> int:
    """Of a job of ours."""
    return int(JOB_NAME.fullmatch(job["name"])[2])


@dataclass(frozen=True)
class Evidence:
    """Every job ever, and every blob with its bytes."""

    jobs: tuple[Document, ...] = ()
    blobs: dict[str, bytes] = field(default_factory=dict)
    uncommitted: tuple[str, ...] = ()

    @cached_property
    def archive_id(self) -> str:
        """Empty where there is no archive yet."""
        about = self.blobs.get("_archive.json")
        return json.loads(about)["archive_id"] if about else ""

    @cached_property
    def claims(self) -> dict[str, Document]:
        return self._by_content("claim.json")

    @cached_property
    def receipts(self) -> dict[str, Document]:
        return self._by_content("receipt.json")

    @cached_property
    def letters(self) -> dict[str, Document]:
        return {
            name.split("/")[1].removesuffix(".json"): json.loads(content)
            for name, content in self.blobs.items()
            if name.startswith("_failed/")
        }

    @cached_property
    def videos(self) -> dict[tuple[str, int], str]:
        """Blob names by content and attempt."""
        found = [(name.split("/"), name) for name in self.blobs if "/video." in name]
        return {(parts[1], int(parts[2])): name for parts, name in found}

    @cached_property
    def ours(self) -> dict[str, list[Document]]:
        """Jobs by content, in the order of their creation."""
        found: defaultdict[str, list[Document]] = defaultdict(list)
        for job in self.jobs if self.archive_id else ():
            parsed = JOB_NAME.fullmatch(job["name"])
            if parsed and f"batch-avatar:{self.archive_id}" in (job["description"] or ""):
                found[parsed[1]].append(job)
        return dict(found)

    @cached_property
    def archived(self) -> set[str]:
        """Contents with receipt and video."""
        return {content for content, receipt in self.receipts.items() if (content, receipt["attempt"]) in self.videos}

    @cached_property
    def documents(self) -> dict[str, bytes]:
        """The archive without the reports of its runs."""
        return {name: blob for name, blob in self.blobs.items() if not name.startswith("_runs/")}

    def attempts(self, content: str) -> dict[int, Document]:
        """What the claim says of each attempt, by number."""
        claim = self.claims.get(content)
        return {attempt["number"]: attempt for attempt in claim["attempts"]} if claim else {}

    def _by_content(self, ending: str) -> dict[str, Document]:
        found = {name: content for name, content in self.blobs.items() if name.endswith("/" + ending)}
        return {name.split("/")[1]: json.loads(content) for name, content in found.items()}


class Reader:
    """Reads a blob again only when it has changed."""

    def __init__(self, emulator: EmulatorServer, container: ContainerClient) -> None:
        self._emulator = emulator
        self._container = container
        self._known: dict[str, tuple[str, bytes]] = {}

    def read(self) -> Evidence:
        """The service first: what it has deleted must be found in the archive afterwards."""
        jobs = tuple(self._emulator.jobs())
        if not self._container.exists():
            return Evidence(jobs, {})
        listed = {blob.name: str(blob.etag) for blob in self._container.list_blobs()}
        everything = {blob.name for blob in self._container.list_blobs(include=["uncommittedblobs"])}
        for name, etag in listed.items():
            if self._known.get(name, ("", b""))[0] != etag:
                self._known[name] = (etag, self._container.download_blob(name).readall())
        blobs = {name: self._known[name][1] for name in listed}
        return Evidence(jobs, blobs, tuple(sorted(everything - listed.keys())))
