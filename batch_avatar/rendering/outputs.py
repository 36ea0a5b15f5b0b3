"""Copy the outputs of one job into blobs of the archive, always through fresh links. Blocking."""

from __future__ import annotations

import json
import logging
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from azure.storage.blob import ContainerClient

from batch_avatar.archive.container_probe import doubts, is_cut, is_short
from batch_avatar.archive.metadata import fit, metadata_key, quoted, write_bill
from batch_avatar.archive.rescue import stored_blob
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.archive.transfer import Transfer, store_bytes
from batch_avatar.errors import (
    JobFailed,
    JobOverdue,
    LinkExpired,
    LinkRefused,
    NotThere,
    ResultLost,
    SideFileMissing,
    TransferError,
)
from batch_avatar.models import JobStatus
from batch_avatar.service.links import split_link
from batch_avatar.service.session import NO_ANSWER
from batch_avatar.service.wire.summary import decode_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import requests
    from azure.storage.blob import BlobClient
    from pydantic import SecretStr

    from batch_avatar.archive.container_probe import ContainerFacts
    from batch_avatar.models import JobRef, SynthesisJob
    from batch_avatar.receipt import StoredBlob
    from batch_avatar.rendering.run import Run

CONTENT_TYPES = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".json": "application/json",
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
}


logger = logging.getLogger(__name__)


class _Short(Exception):
    """A video has clearly fewer bytes than its job told."""


class Outputs:
    """The outputs of one job, or of one input of a pack. `read` reads the job again when its links expire.

    `built_in_voice`: a custom avatar speaks with its own voice, so that no subtitles are made (batch avatar properties
    page), whatever the job says of them.
    """

    def __init__(
        self,
        run: Run,
        ref: JobRef,
        job: SynthesisJob,
        *,
        read: Callable[[], SynthesisJob],
        built_in_voice: bool = False,
    ) -> None:
        self._run = run
        self._c = run.connections
        self._ref = ref
        self._job = job
        self._read = read
        self._built_in_voice = built_in_voice
        self._read_twice = False
        self.duration_milliseconds = job.duration_milliseconds
        """Length of the video: as the service says, or for an input of a pack as the video itself says."""
        self.link_refused = False
        """Whether a side file is missing because its link is not opened, so that a person should look at the job."""
        self._client = self._c.resource_of(ref.resource).client
        self._job_key = metadata_key(job.internal_id or job.service_id)

    def has_result(self) -> bool:
        """Return whether the job shows a result that is there: its link answers, and with more than nothing.

        Raises:
            TransferError: that cannot be told now.
        """
        if self._job.result_link is None:
            return False
        try:
            with self._open("result") as response:
                return response.headers.get("Content-Length") != "0"
        except ResultLost:
            return False
        except NO_ANSWER as error:
            raise TransferError(f"the result's host does not answer ({type(error).__name__})") from None

    def move(self, output: str, name: str) -> StoredBlob:
        """Stream one output into `<attempt>/<name><its own ending>`."""
        if self._ref.input and output == "summary":
            return self._own_summary()
        ending = PurePosixPath(urlsplit(self._link(output)[0]).path).suffix.lower()
        if name == "video" and ending not in (".mp4", ".webm"):
            raise TransferError(f"the result is named *{ending or '(nothing)'}, neither .mp4 nor .webm")
        content_type = CONTENT_TYPES.get(ending, "application/octet-stream")
        target = self._c.archive.output_blob(self._ref, f"{name}{ending}")
        with suppress(NotThere), archive_errors(f"look at {target.blob_name}"):
            found = target.get_blob_properties()
            stored = stored_blob(found)
            if stored is not None and found.metadata.get("job_key") == self._job_key:
                return stored

        run = partial(self._transfer, output, target, content_type=content_type, metadata=self._facts())
        if name != "video":
            return run()
        judge = partial(self._judge, ending)
        try:
            return run(judge=judge)
        except _Short as error:
            logger.warning("%s is read once more: %s", self._ref.script_id, error)
            self._job, self._read_twice = self._read(), True
            return run(judge=judge)

    def _transfer(
        self,
        output: str,
        target: BlobClient,
        *,
        content_type: str,
        metadata: dict[str, str],
        judge: Callable[[ContainerFacts], tuple[str, ...]] | None = None,
    ) -> StoredBlob:
        @contextmanager
        def open_at(offset: int, etag: str | None) -> Iterator[requests.Response]:
            with ExitStack() as stack:
                try:
                    response = stack.enter_context(self._open(output, offset=offset, etag=etag))
                except (LinkExpired, ResultLost):  # read the job for new links, or find that another run was faster
                    self._job = self._read()
                    response = stack.enter_context(self._open(output, offset=offset, etag=etag))
                yield response

        transfer = Transfer(
            open_at=open_at,
            target=target,
            clock=self._c.clock,
            deadline_seconds=self._c.settings.transfer_deadline_seconds,
            stopping=self._c.stopping,
        )
        return transfer.run(content_type=content_type, metadata=metadata, judge=judge)

    def move_side_files(self, *, without: bool) -> tuple[dict[str, StoredBlob | None], list[str]]:
        """Copy summary and subtitles. Return their blobs, and the names of those that are missing.

        One is missing if it does not exist, or if its link is not opened.

        Raises:
            SideFileMissing: one is missing, and `without` is false.
        """
        side_files: dict[str, StoredBlob | None] = {"summary": None, "subtitles": None}
        missing = []
        for name, output in self._side_files().items():
            try:
                side_files[name] = self.move(output, name)
            except (ResultLost, LinkRefused) as error:  # a failed transfer is retried with the whole step
                missing.append(name)
                if not without:
                    raise SideFileMissing(f"the {name} is not there yet: {error.message}") from None
                if isinstance(error, LinkRefused):
                    logger.warning("the %s of %s is not opened: %s", name, self._ref.script_id, error.message)
                    self.link_refused = True
        return side_files, missing

    def _side_files(self) -> dict[str, str]:
        """Return the side files that the job should have, by name; what the service calls each of them."""
        promised = self._job.subtitle_type == "external_file" and not self._built_in_voice
        subtitles = self._job.subtitle_link or promised
        return {"summary": "summary"} | ({"subtitles": "subtitle"} if subtitles else {})

    def _facts(self) -> dict[str, str]:
        """Return the blob metadata from which a lost receipt is rebuilt."""
        metadata = {
            "job_id": self._ref.job_id,
            "internal_id": self._job.internal_id or "",
            "created_at": self._job.created_at.isoformat() if self._job.created_at else "",
            "duration_milliseconds": str(self._job.duration_milliseconds or ""),
            "billed_seconds": str(self._job.billed_seconds),
            "billed_characters": str(self._job.billed_characters),
            "billing": write_bill(self._job.billing),
            "side_files": " ".join(self._side_files()),
        }
        return fit(metadata) | quoted({"script_id": self._ref.script_id}) | {"job_key": self._job_key}

    def _own_summary(self) -> StoredBlob:
        """Store the part of a pack's summary that is about this input, as a summary of its own."""
        whole = self._c.staging.summary(self._ref.job_id) if self._c.staging is not None else None
        results = whole.get("results") if whole is not None else None
        if not isinstance(results, list) or len(results) < self._ref.input:
            raise ResultLost(f"no summary of input {self._ref.input}", job_id=self._ref.job_id)
        own = json.dumps({**(whole or {}), "results": [results[self._ref.input - 1]]}, ensure_ascii=False, indent=2)
        target = self._c.archive.output_blob(self._ref, "summary.json")
        content = own.encode(errors="replace")
        return store_bytes(target, content, content_type=CONTENT_TYPES[".json"], metadata=self._facts())

    def _judge(self, ending: str, facts: ContainerFacts) -> tuple[str, ...]:
        """Return what is doubtful about the video.

        Raises:
            JobOverdue: the video of a pack is not whole, and the job has not ended yet.
            JobFailed: the video of a pack is not whole, and the job has failed.
            _Short: the video is shorter than its job told, and was read only once.
        """
        found = doubts(facts, ending=ending, duration_milliseconds=self._job.duration_milliseconds)
        if found and self._ref.input and not self._job.ended:
            raise JobOverdue("its video is not whole yet", job=self._job)
        if found and self._ref.input and self._job.status == JobStatus.FAILED:
            raise JobFailed("its video is not whole", job=self._job, worth_another_attempt=True)
        if is_cut(facts.duration_milliseconds, self._job.duration_milliseconds):
            found = (*found, "cut")
        self.duration_milliseconds = self.duration_milliseconds or facts.duration_milliseconds
        if not self._ref.input and is_short(facts.size_bytes, self._job.size_bytes):
            if not self._read_twice:
                raise _Short(f"its video has {facts.size_bytes:,} bytes, and its job told {self._job.size_bytes:,}")
            found = (*found, "size")
        return (*found, "status") if self._ended_oddly() else found

    def _ended_oddly(self) -> bool:
        """Return whether neither the job nor its summary says that this video succeeded."""
        if self._ref.input and self._job.status == JobStatus.FAILED:
            said = decode_results((self._c.staging and self._c.staging.summary(self._ref.job_id)) or {})
            return len(said) < self._ref.input or said[self._ref.input - 1].status != JobStatus.SUCCEEDED
        return self._job.odd

    def _open(
        self, output: str, *, offset: int = 0, etag: str | None = None
    ) -> AbstractContextManager[requests.Response]:
        link, ours = self._link(output)
        return self._client.open_output(link, offset=offset, etag=etag, ours=ours)

    def _link(self, output: str) -> tuple[str, bool]:
        """Return the link to an output, and whether we have signed it ourselves.

        Raises:
            LinkRefused: it is malformed.
            ResultLost, TransferError: there is none.
        """
        if self._ref.input:
            return self._in_staging(output), True
        link: SecretStr | None = getattr(self._job, f"{output}_link")
        if link is None and output != "result":
            raise ResultLost(f"the job shows no {output}", job_id=self._ref.job_id)
        if link is None:
            raise TransferError(f"the job succeeded but shows no {output}", job_id=self._ref.job_id)
        url = link.get_secret_value()
        return (url, False) if split_link(url).scheme else (self._in_destination(output, url), True)

    def _in_staging(self, output: str) -> str:
        staging, number = self._c.staging, self._ref.input
        link = None
        if staging is not None:
            find = staging.subtitles if output == "subtitle" else staging.video
            link = find(self._ref.job_id, number)
        if link is None:
            raise ResultLost(f"no {output} of input {number} in the staging container", job_id=self._ref.job_id)
        return link

    def _in_destination(self, output: str, relative: str) -> str:
        """Return a signed link to an output in the destination container.

        The job shows only a relative path whose form is not documented, so the file is found by listing.
        """
        container = self._run.destinations.get(self._ref.job_id)
        if container is None:
            raise TransferError("the result lies in a destination container that this run has no link to")
        folder = relative.removesuffix("/summary.json").strip("/")
        wanted = ("summary.json",) if output == "summary" else ("0001.mp4", "0001.webm")
        wanted = ("0001.srt", "0001.vtt") if output == "subtitle" else wanted
        with (
            archive_errors("list the destination container"),
            ContainerClient.from_container_url(container.get_secret_value()) as listing,
        ):
            names = [blob.name for blob in listing.list_blobs(name_starts_with=folder)]
        for name in names:
            if f"/{folder}/" in f"/{name}" and PurePosixPath(name).name in wanted:
                parts = urlsplit(container.get_secret_value())
                return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}"))
        raise ResultLost(f"no {' or '.join(wanted)} in the destination container", job_id=self._ref.job_id)
