"""The outputs of jobs: blobs in a storage account, which are reached by links with a signature of their own."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, Protocol

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.blob import (
    BlobBlock,
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    ContainerClient,
    ContentSettings,
    generate_blob_sas,
)

from batch_avatar.emulator.jobs.billing import billed_characters
from batch_avatar.emulator.jobs.job import Job, OutputBlob, Rendered, RenderedInput, content_key
from batch_avatar.emulator.jobs.summary import make_summary
from batch_avatar.emulator.jobs.verdict import NOT_WRITABLE, Verdict, choose_failures, judge
from batch_avatar.emulator.storage.clips import Clip, make_clip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from batch_avatar.emulator.clock import ServiceClock
    from batch_avatar.emulator.options import EmulatorOptions

CONTAINER = "batchsynthesis-output"
_BLOCK_BYTES = 4 * 1024 * 1024
_ROLES: dict[str, tuple[Literal["video", "subtitle", "summary"], str]] = {
    ".mp4": ("video", "video/mp4"),
    ".webm": ("video", "video/webm"),
    ".srt": ("subtitle", "application/x-subrip"),
    ".json": ("summary", "application/json"),
}


class LinkMint(Protocol):
    """Makes a link to one output blob of the service's own storage."""

    def __call__(self, container: str, blob_name: str) -> str: ...


class Outputs:
    """Writes, links and deletes the outputs of jobs. Several threads may use it at once."""

    def __init__(self, options: EmulatorOptions, clock: ServiceClock, storage_connection_string: str) -> None:
        self._options = options
        self._clock = clock
        self.storage = BlobServiceClient.from_connection_string(
            storage_connection_string,
            max_block_size=_BLOCK_BYTES,
            retry_total=3,
            use_env_settings=False,
            connection_verify=options.storage_certificate or True,
        )
        self._container = self.storage.get_container_client(CONTAINER)
        with contextlib.suppress(ResourceExistsError):
            self._container.create_container()
        self.resource_folder = uuid.uuid4().hex
        """First segment of blob names. It is constant for a resource (I), except for jobs whose id was used before."""
        self.mint_link: LinkMint = self.sign_link
        self._shared_lock = threading.Lock()
        self._shared: dict[str, tuple[str, str, int]] = {}

    def close(self) -> None:
        """Close the connections to the storage."""
        self._container.close()
        self.storage.close()

    def sign_link(
        self, container: str, blob_name: str, *, start: datetime | None = None, life: timedelta | None = None
    ) -> str:
        """Return a link straight to the storage. Its times are real ones, because the storage has a real clock."""
        start = start or datetime.now(UTC)
        life = life or timedelta(seconds=self._clock.real_seconds(self._options.link_lifetime_seconds))
        signature = generate_blob_sas(
            account_name=str(self.storage.account_name),
            account_key=self.storage.credential.account_key,
            container_name=container,
            blob_name=blob_name,
            permission=BlobSasPermissions(read=True),
            start=start - timedelta(minutes=5),
            expiry=start + life,
        )
        return f"{self.storage.url.rstrip('/')}/{container}/{blob_name}?{signature}"

    def links(self, job: Job) -> dict[str, str] | None:
        """Return a terminal job's outputs: links, or relative paths in the user's container (D)."""
        if not job.terminal or job.rendered is None or not job.rendered.blobs:
            return None
        if job.links is not None:
            return job.links
        if job.request.properties.destination_container_url:
            outputs = {"summary": job.rendered.blobs[-1].name}
            if job.shows_outcome:
                outputs = {"result": job.rendered.blobs[-1].name.rsplit("/", 1)[0], **outputs}
            return self._as_told(job, outputs)
        outputs = {}
        for member, role in (("result", "video"), ("summary", "summary"), ("subtitle", "subtitle")):
            if (blob := job.rendered.blob(role)) is not None:
                outputs[member] = self.mint_link(CONTAINER, blob.name)
        outputs = self._as_told(job, outputs)
        if self._options.links_minted == "once":
            job.links = outputs
        return outputs

    def _as_told(self, job: Job, outputs: dict[str, str]) -> dict[str, str]:
        """Return the outputs as a fault rule wants the result to be shown; unchanged without such a rule."""
        if job.odd is None or job.odd.result == "there":
            return outputs
        rest = {member: link for member, link in outputs.items() if member != "result"}
        video = job.rendered.blob("video") if job.rendered else None
        if job.odd.result == "hidden" or video is None:
            return rest
        gone = str(PurePosixPath(video.name).with_stem("gone"))
        return {"result": self.mint_link(CONTAINER, gone), **rest}

    def render(self, job: Job) -> Rendered:
        """Render every input and write all blobs. A job that times out in the queue writes nothing."""
        if job.aborted:
            return Rendered(at=self._clock.now(), blobs=())
        clips = [
            None if failure else make_clip(job.request, item.content, self._nonce(job, item.content), self._options)
            for item, failure in zip(job.request.inputs, choose_failures(job), strict=True)
        ]
        attempted = [clip.duration_milliseconds if clip else 0 for clip in clips]
        verdict = judge(job, attempted, self._options, self._clock.now())
        blobs: list[OutputBlob] = []
        try:
            inputs = self._write(job, clips, verdict, blobs)
        except AzureError:
            if not job.request.properties.destination_container_url:
                raise
            with contextlib.suppress(AzureError):
                self._discard(job, blobs)
            refused = (NOT_WRITABLE,) * len(clips)
            verdict = verdict._replace(failure=NOT_WRITABLE, failures=refused, keeps=False, writes=False)
            inputs, blobs = self._write(job, clips, verdict, []), []
        counts_all = self._options.size_in_bytes == "all_outputs"
        return Rendered(self._clock.now(), tuple(blobs), tuple(inputs), verdict.failure, counts_all=counts_all)

    def _write(
        self, job: Job, clips: Sequence[Clip | None], verdict: Verdict, blobs: list[OutputBlob]
    ) -> list[RenderedInput]:
        """Write what the verdict keeps, add each blob to `blobs`, and return the result of each input."""
        inputs: list[RenderedInput] = []
        with self._target(job) as (container, folder):
            for number, (item, clip) in enumerate(zip(job.request.inputs, clips, strict=True), start=1):
                failure, milliseconds = verdict.failures[number - 1], verdict.lengths[number - 1]
                video = None
                if clip is not None and failure is None and verdict.keeps:
                    video = self._write_clip(container, f"{folder}/{number:04d}", job, clip, blobs)
                characters = billed_characters(job.request.input_kind, item.content) if milliseconds else 0
                inputs.append(RenderedInput(content_key(item.content), milliseconds, characters, video, failure))
            if verdict.writes:
                summary = make_summary(job, inputs, verdict.failure, self.resource_folder, self._options.summary_texts)
                blobs.append(self._upload(container, f"{folder}/summary.json", summary))
        return inputs

    def delete(self, job: Job) -> None:
        """Delete the job's blobs; blobs that are already gone are no error."""
        if job.rendered is None or not job.rendered.blobs:
            return
        if job.request.properties.destination_container_url and not self._options.delete_destination_blobs:
            return
        self._discard(job, job.rendered.blobs)

    def _discard(self, job: Job, blobs: Iterable[OutputBlob]) -> None:
        with self._target(job) as (container, _):
            for blob in blobs:
                with contextlib.suppress(HttpResponseError):  # gone, or the user's signature has expired
                    container.delete_blob(blob.name)

    @contextlib.contextmanager
    def _target(self, job: Job) -> Iterator[tuple[ContainerClient, str]]:
        url = job.request.properties.destination_container_url
        if not url:
            yield self._container, f"{self._first_folder(job)}/{job.id}"
            return
        prefix = (job.request.properties.destination_path or "").strip("/")
        with ContainerClient.from_container_url(
            url, use_env_settings=False, connection_verify=self._options.storage_certificate or True
        ) as container:
            yield container, f"{prefix}/{job.internal_id}" if prefix else job.internal_id

    def _first_folder(self, job: Job) -> str:
        """Return the resource's folder, or a new one if the job's id was used before.

        Blobs of the earlier job may still be written or removed.
        """
        return job.internal_id.replace("-", "") if job.preview is None and job.incarnation else self.resource_folder

    def _nonce(self, job: Job, content: str) -> str:
        if self._options.vary_bytes:
            return uuid.uuid4().hex
        settings = job.request.model_dump_json(exclude={"inputs", "properties"})
        return hashlib.sha256(f"{settings}{content}".encode()).hexdigest()

    def _write_clip(
        self, container: ContainerClient, stem: str, job: Job, clip: Clip, blobs: list[OutputBlob]
    ) -> OutputBlob:
        extension = job.request.avatar_config.video_format
        name = f"{stem}.{extension}"
        if self._options.media == "shared" and container is self._container:
            video = self._copy_shared(name, extension, clip)
        else:
            video = self._upload(container, name, clip.video, clip.duration_milliseconds)
        blobs.append(video)
        if job.request.avatar_config.subtitles == "external_file":
            blobs.append(self._upload(container, f"{stem}.srt", clip.subtitles_srt.encode()))
        return video

    def _upload(self, container: ContainerClient, name: str, content: bytes, milliseconds: int = 0) -> OutputBlob:
        """Write a blob in blocks: the storage then computes no Content-MD5 of the whole, as with the real service.

        The MD5 of each block lets Azurite skip its own slow checksum; clients do not see it. If a Content-MD5 is
        wanted, the blob is written in a single request.
        """
        role, content_type = _ROLES[PurePosixPath(name).suffix]
        with container.get_blob_client(name) as blob:
            if self._options.content_md5:
                md5 = bytearray(hashlib.md5(content, usedforsecurity=False).digest())
                settings = ContentSettings(content_type=content_type, content_md5=md5)
                blob.upload_blob(content, length=len(content), overwrite=True, content_settings=settings)
            else:
                self._upload_blocks(blob, content, content_type)
        return OutputBlob(role, name, len(content), hashlib.sha256(content).hexdigest(), milliseconds)

    @staticmethod
    def _upload_blocks(blob: BlobClient, content: bytes, content_type: str) -> None:
        blocks = []
        for offset in range(0, len(content), _BLOCK_BYTES):
            piece = content[offset : offset + _BLOCK_BYTES]
            block_id = f"{offset:016d}"
            blob.stage_block(block_id, piece, length=len(piece), validate_content="md5")
            blocks.append(BlobBlock(block_id=block_id))
        blob.commit_block_list(blocks, content_settings=ContentSettings(content_type=content_type))

    def _copy_shared(self, name: str, extension: str, clip: Clip) -> OutputBlob:
        """Store one video for all jobs and let the storage copy it (Azurite copies a pointer, not the bytes)."""
        with self._shared_lock:
            if extension not in self._shared:
                source = self._upload(self._container, f"{self.resource_folder}/shared.{extension}", clip.video)
                signed = self.sign_link(CONTAINER, source.name)
                self._shared[extension] = (signed, source.sha256, source.size_bytes)
            link, sha256, size = self._shared[extension]
        with self._container.get_blob_client(name) as blob:
            blob.start_copy_from_url(link)
        return OutputBlob("video", name, size, sha256, clip.duration_milliseconds)
