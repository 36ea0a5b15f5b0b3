"""Never paid twice, never lost: read from what the service saw and what the archive holds, from no report of ours."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

import requests
from azure.storage.blob import ContainerClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

JOB_NAME = re.compile(r"[A-Za-z0-9_-]+-([0-9a-f]{16})-([1-9][0-9]?)")


@dataclass(frozen=True)
class Figures:
    """What one scenario came to; `leftovers` in words, empty where nothing was left."""

    scripts: int
    accepted_creates: int
    billed_seconds: float
    unique_seconds: float
    leftovers: tuple[str, ...]
    violations: tuple[str, ...]

    @property
    def ratio(self) -> float:
        return self.billed_seconds / self.unique_seconds if self.unique_seconds else float("nan")


@dataclass
class Evidence:
    """Everything that is read, once."""

    stats: dict[str, Any]
    jobs: list[dict[str, Any]]
    blobs: dict[str, bytes]
    uncommitted: list[str]
    faults: list[str] = field(default_factory=list)
    leftovers: list[str] = field(default_factory=list)

    def documents(self, pattern: str) -> dict[str, dict[str, Any]]:
        return {name: json.loads(content) for name, content in self.blobs.items() if fnmatch(name, pattern)}


def judge(
    endpoint: str,
    connection_string: str,
    container_name: str,
    scripts: Iterable[str],
    *,
    attempts_due: Mapping[str, int] | None = None,
    note: Callable[[Figures], None] = lambda _: None,
) -> Figures:
    """The figures of a scenario that is over.

    `scripts` are the ids that were to be archived; `attempts_due` how many further attempts a script rightly got.
    `note` is told the figures before anything is raised.

    Raises:
        AssertionError: with every violation.
    """
    evidence = read_evidence(endpoint, connection_string, container_name)
    wanted = set(scripts)
    billed = _check_receipts(evidence, wanted)
    _check_creates(evidence, wanted, attempts_due or {})
    check_leftovers(evidence)
    figures = Figures(
        scripts=len(wanted),
        accepted_creates=evidence.stats["creates"]["accepted"],
        billed_seconds=evidence.stats["billed_seconds"],
        unique_seconds=billed,
        leftovers=tuple(evidence.leftovers),
        violations=(),
    )
    if figures.billed_seconds != figures.unique_seconds:
        evidence.faults.append(f"{figures.billed_seconds} s billed for {figures.unique_seconds} s of video")
    return pronounce(evidence, figures, note)


def pronounce(evidence: Evidence, figures: Figures, note: Callable[[Figures], None]) -> Figures:
    """The figures with what was found, after `note` was told.

    Raises:
        AssertionError: something was.
    """
    figures = replace(figures, violations=(*evidence.faults, *evidence.leftovers))
    note(figures)
    if figures.violations:
        raise AssertionError("the service and the archive say:\n  " + "\n  ".join(figures.violations))
    return figures


def read_evidence(endpoint: str, connection_string: str, container_name: str) -> Evidence:
    with requests.Session() as session:
        stats = session.get(f"{endpoint}/emulator/stats", timeout=30).json()
        jobs = session.get(f"{endpoint}/emulator/jobs", timeout=30).json()["jobs"]
    with ContainerClient.from_connection_string(connection_string, container_name) as container:
        names = {blob.name for blob in container.list_blobs()}
        everything = {blob.name for blob in container.list_blobs(include=["uncommittedblobs"])}
        blobs = {name: container.download_blob(name).readall() for name in names}
    return Evidence(stats, jobs, blobs, sorted(everything - names))


def _check_receipts(evidence: Evidence, wanted: set[str]) -> int:
    """One true receipt per script; the seconds of the jobs that they name."""
    served = {job[name]: job for job in evidence.jobs for name in ("id", "internal_id")}
    receipts = list(evidence.documents("*/receipt.json").values())
    by_script = Counter(receipt["script_id"] for receipt in receipts)
    for script_id in sorted(wanted | by_script.keys()):
        if (count := by_script[script_id]) != (script_id in wanted):
            evidence.faults.append(f"{script_id}: {count} receipts")
    seconds = 0
    for receipt in receipts:
        job = served.get(receipt["internal_id"] or receipt["service_id"])  # 3.1-preview1 tells no internal id
        if job is None:
            evidence.faults.append(f"{receipt['script_id']}: its receipt names a job that never was")
            continue
        seconds += job["billed"]["seconds"] if job["billed"] else 0
        for role, member in (("video", "video"), ("summary", "summary"), ("subtitle", "subtitles")):
            output = next((output for output in job["outputs"] if output["role"] == role), None)
            check_blob(evidence, receipt, member, output)
    named = {receipt["video"]["blob_name"] for receipt in receipts}
    videos = {name for name in evidence.blobs if fnmatch(name, "*/video.*")}
    evidence.faults += [f"{name}: a video without a receipt" for name in sorted(videos - named)]
    return seconds


def check_blob(evidence: Evidence, receipt: dict[str, Any], member: str, output: dict[str, Any] | None) -> None:
    """Its bytes are those that the receipt says and that the service served."""
    about, said = f"{receipt['script_id']}: {member}", receipt[member]
    if (said is None) != (output is None):
        evidence.faults.append(
            f"{about} was {'not ' if output is None else ''}served but is {'' if said else 'not '}there"
        )
    if said is None or output is None:
        return
    content = evidence.blobs.get(said["blob_name"])
    if content is None:
        evidence.faults.append(f"{about} is named by the receipt and is not in the archive")
        return
    held = (hashlib.sha256(content).hexdigest(), len(content))
    for whose, told in (("receipt's", said), ("service's", output)):
        if held != (told["sha256"], told["size_bytes"]):
            evidence.faults.append(f"{about} has not the {whose} bytes")


def _check_creates(evidence: Evidence, wanted: set[str], attempts_due: Mapping[str, int]) -> None:
    """One accepted create per job name, one job name per attempt that was due."""
    scripts = {claim["content_id"]: claim["script_id"] for claim in evidence.documents("*/claim.json").values()}
    by_name = Counter(job["name"] for job in evidence.jobs)
    evidence.faults += [f"{name}: {count} accepted creates" for name, count in by_name.items() if count != 1]
    by_content: defaultdict[str, int] = defaultdict(int)
    for name, count in by_name.items():
        found = JOB_NAME.fullmatch(name)
        if found is None or found[1] not in scripts:
            evidence.faults.append(f"{name}: a job that nobody has claimed")
        else:
            by_content[found[1]] += count
    for content_id, script_id in scripts.items():
        due = 1 + attempts_due.get(script_id, 0)
        if by_content[content_id] != due:
            evidence.faults.append(f"{script_id}: {by_content[content_id]} accepted creates, {due} due")
    if twice := [script_id for script_id, count in Counter(scripts.values()).items() if count != 1]:
        evidence.faults.append(f"more than one content for {', '.join(twice)}")
    if missing := wanted - set(scripts.values()):
        evidence.faults.append(f"no claim for {', '.join(sorted(missing))}")
    if evidence.stats["creates"]["accepted"] != len(evidence.jobs):
        evidence.faults.append("the service's counts and its jobs do not agree")


def check_leftovers(evidence: Evidence) -> None:
    """No job, no half-written blob, no claim that does not tell the truth."""
    evidence.leftovers += [f"job {job['id']} is left ({job['status']})" for job in evidence.jobs if not job["deleted"]]
    evidence.leftovers += [f"{name}: uncommitted" for name in evidence.uncommitted]
    for name, claim in evidence.documents("*/claim.json").items():
        last = claim["attempts"][-1]
        if last["accepted_at"] is None or last["refused"] or last["ended"] is not None:
            evidence.leftovers.append(f"{name}: stale, its last attempt is {last}")
        if name.replace("/claim.json", "/receipt.json") not in evidence.blobs:
            evidence.leftovers.append(f"{name}: no receipt beside it")
