"""The receipt of a script: the proof that its video is archived. Frozen; read leniently, so that it can grow."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from batch_avatar.models import JobRef, Received


class Attempt(Received):
    """One job for a script.

    `accepted_at`: when the service took the job, None while it is not known to have it. `answered_at`: the same by our
    own clock, from which deadlines count, if it is known. `refused`: the service is known not to have it. `ended`: why
    the attempt was given up. `over`: the job can no longer finish, because it has failed or is deleted. `batch`: the
    run that sent it, or the run that this one was a part of. What was billed is noted once the attempt is given up.
    """

    number: int
    job_id: str
    input: int = 0
    """Which input of a pack this script is, from 1; 0 for a job of its own."""
    service_id: str | None = None
    """The id that the service chose, where the service chooses the ids."""
    accepted_at: datetime | None = None
    answered_at: datetime | None = None
    refused: bool = False
    ended: str | None = None
    over: bool = False
    batch: str = ""
    billed_seconds: int = 0
    billed_characters: int = 0


class StoredBlob(Received):
    """A blob in the archive, with the digests of its bytes as they came from the service.

    `doubtful` names what of a video is not as expected: its `container`, its `duration`, its `size`, the `status`
    of its job, what its `summary` says, the `link` to a side file, which was not opened, its `avatar`, which is not
    the one that the script named, its end, which may be `cut`.
    """

    blob_name: str
    size_bytes: int
    sha256: str
    content_md5: str
    content_type: str
    doubtful: tuple[str, ...] = ()


class Receipt(Received):
    """The record of an archived script. A script is archived exactly when it has a receipt.

    `missing` names side files that could not be fetched. `attempts` are all jobs of the script, each with how it ended.
    `form` holds the digests of the script's properties, `columns` what is kept beside the video, as it was when the
    script was sent. `avatar_kind` and `voice_kind` are those of `catalog/prices.py`, by which it is paid; the voice
    that is built into an avatar is `built-in`. Receipts of older versions have none of them.
    """

    layout: Literal[1] = 1
    script_id: str
    content_id: str
    attempt: int
    job_id: str
    service_id: str
    internal_id: str | None = None
    input: int = 0
    run: str
    resource: str
    api_version: str
    archived_at: datetime
    created_at: datetime | None = None
    last_action_at: datetime | None = None
    duration_milliseconds: int | None = None
    billing: dict[str, int] = Field(default_factory=dict)
    billed_seconds: int = 0
    billed_characters: int = 0
    voice: str = ""
    avatar: str = ""
    style: str = ""
    avatar_kind: str = ""
    voice_kind: str = ""
    predicted_seconds: float | None = None
    video: StoredBlob
    summary: StoredBlob | None = None
    subtitles: StoredBlob | None = None
    missing: tuple[str, ...] = ()
    revision: int = 0
    attempts: tuple[Attempt, ...] = ()
    form: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)

    def ref(self) -> JobRef:
        return JobRef(
            script_id=self.script_id,
            content_id=self.content_id,
            attempt=self.attempt,
            job_id=self.job_id,
            service_id=self.service_id,
            resource=self.resource,
            input=self.input,
        )
