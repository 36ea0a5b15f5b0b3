"""As `judge`, where scripts share jobs: each text is paid for once, and archived are the bytes of its own input."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from tests.support.judge import JOB_NAME, Evidence, Figures, check_blob, check_leftovers, pronounce, read_evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

PROBE = "emulator-probe-"  # a block that the emulator never commits: how it tries whether it may write


def judge_packs(
    endpoint: str,
    connection_string: str,
    containers: tuple[str, str],
    scripts: Iterable[str],
    *,
    attempts_due: Mapping[str, int] | None = None,
    dropped: Collection[str] = (),
    note: Callable[[Figures], None] = lambda _: None,
) -> Figures:
    """The figures of a scenario that is over, in seconds with their milliseconds.

    `containers`: archive and staging. `dropped`: scripts whose rendered video the service did not keep, so that they
    were rightly paid for again.

    Raises:
        AssertionError: with every violation.
    """
    evidence = read_evidence(endpoint, connection_string, containers[0])
    wanted = set(scripts)
    claims = {claim["script_id"]: claim for claim in evidence.documents("*/claim.json").values()}
    keys = {name: claim["form"]["content"].removeprefix("sha256:")[:16] for name, claim in claims.items()}
    if missing := wanted - claims.keys():
        evidence.faults.append(f"no claim for {', '.join(sorted(missing))}")
    _check_receipts(evidence, wanted, keys)
    _check_shares(evidence)
    _check_creates(evidence, keys, attempts_due or {})
    check_leftovers(evidence)
    _check_staging(evidence, connection_string, containers[1])
    billed = evidence.stats["billed_milliseconds_by_content"]
    unique = evidence.stats["unique_milliseconds_by_content"]
    for name, key in sorted(keys.items()):
        if billed.get(key, 0) > unique.get(key, 0) and name not in dropped:
            evidence.faults.append(f"{name}: {billed[key]} ms billed for {unique.get(key, 0)} ms of video")
    figures = Figures(
        scripts=len(wanted),
        accepted_creates=evidence.stats["creates"]["accepted"],
        billed_seconds=sum(billed.values()) / 1000,
        unique_seconds=sum(unique.values()) / 1000,
        leftovers=tuple(evidence.leftovers),
        violations=(),
    )
    return pronounce(evidence, figures, note)


def _check_receipts(evidence: Evidence, wanted: set[str], keys: Mapping[str, str]) -> None:
    """One true receipt per script, for the input that has its text."""
    jobs = {job["internal_id"]: job for job in evidence.jobs}
    receipts = list(evidence.documents("*/receipt.json").values())
    by_script = Counter(receipt["script_id"] for receipt in receipts)
    evidence.faults += [
        f"{name}: {by_script[name]} receipts"
        for name in sorted(wanted | by_script.keys())
        if by_script[name] != (name in wanted)
    ]
    for receipt in receipts:
        name, number = receipt["script_id"], receipt["input"]
        job = jobs.get(receipt["internal_id"])
        inputs = job["inputs"] if job else []
        if len(inputs) < max(number, 1) or (len(inputs) > 1) != bool(number):
            evidence.faults.append(f"{name}: its receipt names input {number} of a job with {len(inputs)}")
            continue
        own = inputs[max(number, 1) - 1]
        if own["content"] != keys.get(name):
            evidence.faults.append(f"{name}: its receipt names the input of another script")
        output = next((output for output in job["outputs"] if output["name"] == own["video"]), None)
        check_blob(evidence, receipt, "video", output)
        _check_summary(evidence, receipt, keys.get(name))
    named = {receipt["video"]["blob_name"] for receipt in receipts}
    videos = {name for name in evidence.blobs if "/video." in name}
    evidence.faults += [f"{name}: a video without a receipt" for name in sorted(videos - named)]


def _check_summary(evidence: Evidence, receipt: dict[str, Any], key: str | None) -> None:
    """It is about this script alone."""
    stored = receipt["summary"]
    content = evidence.blobs.get(stored["blob_name"]) if stored else None
    if content is None:
        evidence.faults.append(f"{receipt['script_id']}: no summary")
        return
    if hashlib.sha256(content).hexdigest() != stored["sha256"]:
        evidence.faults.append(f"{receipt['script_id']}: summary has not the receipt's bytes")
    texts = [text for result in json.loads(content)["results"] for text in result["texts"]]
    if [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts] != [key]:
        evidence.faults.append(f"{receipt['script_id']}: its summary is about {len(texts)} texts, or another one")


def _check_shares(evidence: Evidence) -> None:
    """What the receipts of one job bear is what it cost; less only where some of its inputs came to nothing."""
    for job in evidence.jobs:
        receipts = [one for one in evidence.documents("*/receipt.json").values() if one["job_id"] == job["name"]]
        for unit in ("seconds", "characters"):
            total = job["billed"][unit] if job["billed"] else 0
            borne = sum(receipt[f"billed_{unit}"] for receipt in receipts)
            if borne > total or (borne < total and len(receipts) == len(job["inputs"])):
                evidence.faults.append(f"{job['name']}: {borne} {unit} in the receipts, {total} billed")


def _check_creates(evidence: Evidence, keys: Mapping[str, str], attempts_due: Mapping[str, int]) -> None:
    """One accepted create per job name, one input per attempt of a script that was due."""
    by_name = Counter(job["name"] for job in evidence.jobs)
    evidence.faults += [f"{name}: {count} accepted creates" for name, count in by_name.items() if count != 1]
    packs = evidence.documents("_packs/*.json")
    claimed = {claim["content_id"] for claim in evidence.documents("*/claim.json").values()}
    for job in evidence.jobs:
        found = JOB_NAME.fullmatch(job["name"])
        pack = packs.get(f"_packs/{found[1]}.json") if found else None
        if pack is not None:
            members = [keys.get(member["script_id"]) for member in pack["members"]]
            if members != [one["content"] for one in job["inputs"]]:
                evidence.faults.append(f"{job['name']}: its inputs are not those that the archive names")
        elif not found or found[1] not in claimed or len(job["inputs"]) != 1:
            evidence.faults.append(f"{job['name']}: a job that nobody has claimed")
    rendered = Counter(one["content"] for job in evidence.jobs for one in job["inputs"])
    for name, key in sorted(keys.items()):
        if rendered[key] != (due := 1 + attempts_due.get(name, 0)):
            evidence.faults.append(f"{name}: {rendered[key]} times an input, {due} due")
    if evidence.stats["creates"]["accepted"] != len(evidence.jobs):
        evidence.faults.append("the service's counts and its jobs do not agree")


def _check_staging(evidence: Evidence, connection_string: str, name: str) -> None:
    """Nothing lies there any more, whole or half."""
    with ContainerClient.from_connection_string(connection_string, name) as container:
        try:
            found = [blob.name for blob in container.list_blobs(include=["uncommittedblobs"])]
        except ResourceNotFoundError:
            found = []
    evidence.leftovers += [f"{blob}: still in staging" for blob in found if not blob.startswith(PROBE)]
