"""Packs as the machine's judge sees them: each input of a job is a job of its own, under its script's name. Pure."""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from tests.chaos.machine.evidence import Document, Evidence
from tests.support.judge import JOB_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.rendering.report import BatchReport


class Unpacked(Evidence):
    """Jobs and receipts of packs carry the number of their input behind the ids of the job.

    A receipt whose internal id no job has was lied to: it is known by the service's id.
    """

    @cached_property
    def receipts(self) -> dict[str, Document]:
        known = {job["internal_id"].partition("/")[0] for job in self.jobs}
        return {
            content: numbered(
                {**one, "internal_id": one["internal_id"] if one["internal_id"] in known else None}, one["input"]
            )
            for content, one in super().receipts.items()
        }


def unpacked(found: Evidence) -> Unpacked:
    jobs = tuple(one for job in found.jobs for one in inputs_of(found, job))
    return Unpacked(jobs, found.blobs, found.uncommitted)


def inputs_of(found: Evidence, job: Document) -> Iterator[Document]:
    """The job itself, unless the archive knows it as a pack."""
    members = members_of(found, job["name"])
    if not members:
        yield job
    for number, (member, own) in enumerate(zip(members, job["inputs"], strict=False), start=1):
        name = f"{member['script_id']}-{member['content_id']}-{member['attempt']}"
        outputs = outputs_of(found, job, member, number) if own["content"] == text_of(found, member) else []
        yield numbered({**job, "name": name, "outputs": outputs}, number)
    if members and len(members) != len(job["inputs"]):
        yield job  # the judge says that nobody has claimed it


def numbered(document: Document, number: int) -> Document:
    """As `Unpacked` has it."""
    names = ("id", "service_id", "internal_id") if number else ()
    return document | {name: f"{document[name]}/{number}" for name in names if document.get(name)}


def members_of(found: Evidence, job_id: str | None) -> list[Document]:
    """Of a pack, in the order of its inputs."""
    parsed = JOB_NAME.fullmatch(job_id or "")
    record = found.blobs.get(f"_packs/{parsed[1]}.json") if parsed else None
    return json.loads(record)["members"] if record else []


def outputs_of(found: Evidence, job: Document, member: Document, number: int) -> list[Document]:
    """What the service made of this input. Its summary is cut out of the job's, and right if it has this text alone."""
    own = [one for one in job["outputs"] if PurePosixPath(one["name"]).stem == f"{number:04d}"]
    held = found.blobs.get(f"{member['script_id']}/{member['content_id']}/{member['attempt']}/summary.json", b"")
    right = texts_of(held) == [text_of(found, member)]
    return [*own, {"role": "summary", "sha256": hashlib.sha256(held).hexdigest() if right else "that of another text"}]


def text_of(found: Evidence, member: Document) -> str:
    """The key of its script's text, as the emulator has it; empty where it is not known."""
    claim = found.claims.get(member["content_id"])
    return claim["form"]["content"].removeprefix("sha256:")[:16] if claim else ""


def texts_of(summary: bytes) -> list[str]:
    """The keys of all texts; none where it is no summary."""
    try:
        results = json.loads(summary)["results"]
        return [hashlib.sha256(text.encode()).hexdigest()[:16] for one in results for text in one["texts"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []


def told_alone(report: BatchReport | None, found: Evidence) -> BatchReport | None:
    """The report with the names that `unpacked` gives to jobs."""
    if report is None:
        return None

    def name(outcome: Any) -> str | None:
        mine = [one for one in members_of(found, outcome.job_id) if one["script_id"] == outcome.script_id]
        return f"{outcome.script_id}-{mine[0]['content_id']}-{mine[0]['attempt']}" if mine else outcome.job_id

    outcomes = [one.model_copy(update={"job_id": name(one)}) for one in report.outcomes]
    return report.model_copy(update={"outcomes": outcomes})
