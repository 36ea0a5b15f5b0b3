"""Claims, dead letters, packs, and the proofs for a delete. Frozen; read leniently, so that layouts can grow."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from batch_avatar.models import FailureFacts, JobRef, Received
from batch_avatar.receipt import Attempt, Receipt
from batch_avatar.scripts.prediction.kinds import avatar_kind_by, voice_kind
from batch_avatar.service.wire.voices import voice_names

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT_IN = "built-in"
"""The kind of the voice that an avatar was trained with; its characters are not billed apart."""
_SENT = re.compile(r"([A-Za-z0-9_-]{1,64})(?::([0-9]{1,9}):([0-9]{1,12}))?")


class SentAttempt(NamedTuple):
    """A job of a batch, and what it was billed, in seconds and characters; None while it is under way."""

    job_id: str
    billed: tuple[int, int] | None

    @classmethod
    def read(cls, text: str) -> tuple[SentAttempt, ...]:
        """Read back what `written` wrote; what is not so written is left out."""
        found = (_SENT.fullmatch(part) for part in text.split())
        return tuple(cls(one[1], (int(one[2]), int(one[3])) if one[2] else None) for one in found if one)

    def written(self) -> str:
        """Return it for metadata."""
        return self.job_id if self.billed is None else f"{self.job_id}:{self.billed[0]}:{self.billed[1]}"


class Kinds(NamedTuple):
    """Who speaks, and by which prices: names, and kinds as in `catalog/prices.py`, or `BUILT_IN`; empty if unknown."""

    avatar: str = ""
    style: str = ""
    avatar_kind: str = ""
    voice: str = ""
    voice_kind: str = ""

    @classmethod
    def of(cls, properties: Mapping[str, Any], voice: str) -> Kinds:
        """Return those of a script or its form, of which `voice` speaks most; all empty if it names no avatar."""
        avatar, custom = properties.get("talking_avatar_character"), properties.get("custom_voices")
        if not avatar:
            return cls(voice=voice)
        built_in = bool(properties.get("use_built_in_voice"))
        kind = voice_kind(voice, custom if isinstance(custom, dict) else ()) if voice else ""
        return cls(
            avatar=str(avatar).lower(),
            style=str(properties.get("talking_avatar_style") or "").lower(),
            avatar_kind=avatar_kind_by(
                photo=bool(properties.get("photo_avatar_base_model")), customized=bool(properties.get("customized"))
            ),
            voice="" if built_in else voice,
            voice_kind=BUILT_IN if built_in else kind,
        )


class Claim(Received):
    """States who may send a script; written before the first create and never deleted."""

    layout: Literal[1] = 1
    script_id: str
    content_id: str
    run: str
    holder: str
    resource: str
    api_version: str
    revision: int = 0
    voice: str = ""
    predicted_seconds: float | None = None
    """The video's predicted length before any learning; later predictions are corrected by it."""
    expected: str = ""
    """What a job is predicted to be billed, as `planning.prices.Usage` writes it."""
    form: dict[str, Any] = Field(default_factory=dict)
    """The script's normal form, with its content as a digest; a later change is found by comparing with it."""
    texts: tuple[str, ...] = ()
    """Digests of the script's text, by which a summary is recognised as its own; none in claims of older versions."""
    columns: dict[str, str] = Field(default_factory=dict)
    """What is kept beside the video. Whoever archives it, or rebuilds its receipt, may know nothing but the claim."""
    attempts: tuple[Attempt, ...] = Field(min_length=1)

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]

    def sent(self) -> tuple[SentAttempt, ...]:
        """Return the attempts of the batch that made the last one, as far as they have a job or may have one."""
        mine = (one for one in self.attempts if one.batch == self.last.batch)
        jobs = (one for one in mine if one.accepted_at or not (one.refused or one.over))
        return tuple(
            SentAttempt(one.job_id, (one.billed_seconds, one.billed_characters) if one.over else None) for one in jobs
        )

    def kinds(self) -> Kinds:
        return Kinds.of(self.form, self.voice)

    def ref(self) -> JobRef:
        """The job of the last attempt."""
        return self.ref_of(self.last)

    def ref_of(self, attempt: Attempt) -> JobRef:
        return JobRef(
            script_id=self.script_id,
            content_id=self.content_id,
            attempt=attempt.number,
            job_id=attempt.job_id,
            service_id=attempt.service_id or attempt.job_id,
            resource=self.resource,
            input=attempt.input,
        )


@dataclass(frozen=True)
class Held:
    """A claim as it was read or written, with its version, and its age by the storage's own clock."""

    claim: Claim
    etag: str
    age_seconds: float


class DeadLetter(Received):
    """A script that is not sent again unless a person says so, with the reason and the script itself."""

    layout: Literal[1] = 1
    ref: JobRef
    internal_id: str | None = None
    run: str
    batch: str = ""
    """The run that this run was a part of, if any."""
    written_at: datetime
    failure: FailureFacts
    request_id: str | None = None
    billing: dict[str, int] = Field(default_factory=dict)
    billed_seconds: int = 0
    billed_characters: int = 0
    attempts: tuple[Attempt, ...] = ()
    script: dict[str, Any]

    @property
    def script_id(self) -> str:
        return self.ref.script_id

    def kinds(self) -> Kinds:
        """Return who would have spoken: in SSML the first voice that it names."""
        named = voice_names(str(self.script.get("content") or "")) if self.script.get("input_kind") == "SSML" else ()
        return Kinds.of(self.script, next(iter(named), str(self.script.get("voice") or "")))


class Superseded(Received):
    """Proof, written in the claim, that an attempt is given up and its job may be deleted.

    `members`: of a pack, all its scripts; the claim of each says so.
    """

    ref: JobRef
    internal_id: str | None = None
    reason: str
    members: tuple[JobRef, ...] = ()

    @property
    def script_id(self) -> str:
        return self.ref.script_id


class PackMember(Received):
    """A script as an input of a pack; `characters` is its weight when what was billed for the pack is divided."""

    script_id: str
    content_id: str
    attempt: int
    characters: int


class Pack(Received):
    """A job with several inputs: which scripts they are, in their order. Written before the create, never changed."""

    layout: Literal[1] = 1
    job_id: str
    pack_id: str
    run: str
    resource: str
    api_version: str
    staging_container: str
    members: tuple[PackMember, ...]

    def ref(self) -> JobRef:
        """The job as a whole."""
        return JobRef(
            script_id=self.job_id,
            content_id=self.pack_id,
            attempt=1,
            job_id=self.job_id,
            service_id=self.job_id,
            resource=self.resource,
        )

    def member_refs(self) -> tuple[JobRef, ...]:
        """The job once for each of its inputs, with the ids of that script."""
        return tuple(
            self.ref().model_copy(
                update={
                    "script_id": member.script_id,
                    "content_id": member.content_id,
                    "attempt": member.attempt,
                    "input": number,
                }
            )
            for number, member in enumerate(self.members, start=1)
        )


class SettledPack(Received):
    """Proof that every script of a pack has a receipt or a dead letter, or has gone on to another attempt."""

    ref: JobRef

    @property
    def script_id(self) -> str:
        return self.ref.script_id


Proof = Receipt | DeadLetter | Superseded | SettledPack
