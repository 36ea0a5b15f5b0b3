"""Compare what is wanted with what the service and the archive hold: pure, no request in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from batch_avatar.errors import FailureClass
from batch_avatar.identity import archive_of, derive_content_id, derive_job_id
from batch_avatar.models import FailureFacts, JobRef

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from batch_avatar.archive import ArchiveIndex
    from batch_avatar.models import Script, SynthesisJob


class PlanState(StrEnum):
    """What a script is to the archive; only `new`, `changed` and `claimed` can lead to a create."""

    ARCHIVED = "archived"  # receipt and video are there: skip
    ALIVE = "alive"  # a job of ours exists: adopt
    CLAIMED = "claimed"  # claimed, no job seen: settle who sends
    DEAD = "dead"  # a dead letter says why it is not sent again
    DAMAGED = "damaged"  # a receipt without its video: a person decides
    CHANGED = "changed"  # archived before with other content
    NEW = "new"


@dataclass(frozen=True)
class PlanItem:
    script: Script
    content_id: str
    state: PlanState
    attempt: int = 1
    detail: str | None = None
    failure: FailureFacts | None = None  # of the states that are reported and not sent
    leftover: bool = False  # archived, and its job was not deleted yet

    def ref(self) -> JobRef:
        job_id = derive_job_id(self.script.script_id, self.content_id, self.attempt)
        return JobRef(
            script_id=self.script.script_id,
            content_id=self.content_id,
            attempt=self.attempt,
            job_id=job_id,
            service_id=job_id,
        )


@dataclass(frozen=True)
class Plan:
    items: tuple[PlanItem, ...]

    def counts(self) -> dict[PlanState, int]:
        found = Counter(item.state for item in self.items)
        return {state: found[state] for state in PlanState if found[state]}


def reconcile(scripts: Sequence[Script], *, archive_id: str, jobs: Iterable[SynthesisJob], index: ArchiveIndex) -> Plan:
    """One state per script. Read the jobs before the index, or a finishing run looks like a lost job."""
    ours = {job.service_id: job for job in jobs if archive_of(job.description) == archive_id}
    alive: dict[str, int] = {}
    for service_id in ours:
        stem, _, attempt = service_id.rpartition("-")
        if attempt.isdecimal():
            alive[stem] = max(alive.get(stem, 0), int(attempt))
    archived_before: dict[str, set[str]] = {}
    for script_id, content_id in index.receipts:
        archived_before.setdefault(script_id, set()).add(content_id)
    return Plan(tuple(_classify(script, archive_id, alive, archived_before, index) for script in scripts))


def _classify(  # noqa: PLR0911 - one return per state
    script: Script,
    archive_id: str,
    alive: dict[str, int],
    archived_before: dict[str, set[str]],
    index: ArchiveIndex,
) -> PlanItem:
    content_id = derive_content_id(script, archive_id=archive_id)
    key = (script.script_id, content_id)
    stem = derive_job_id(script.script_id, content_id, 1).rpartition("-")[0]
    if (receipt := index.receipts.get(key)) is not None:
        attempt = int(receipt.get("attempt", "1"))
        folder = f"{script.script_id}/{content_id}/{attempt}/"
        if any(f"{folder}video.{ending}" in index.videos for ending in ("mp4", "webm")):
            left = alive.get(stem) == attempt
            return PlanItem(script, content_id, PlanState.ARCHIVED, attempt, leftover=left)
        damaged = FailureFacts.model_validate(
            {"class": FailureClass.LOST, "code": "Damaged", "message": "the receipt's video is not in the archive"}
        )
        return PlanItem(script, content_id, PlanState.DAMAGED, attempt, damaged.message, damaged)
    if stem in alive:
        return PlanItem(script, content_id, PlanState.ALIVE, alive[stem])
    if (letter := index.dead.get(content_id)) is not None:
        dead = FailureFacts.model_validate(
            {
                "class": letter.get("failure_class", ""),
                "code": letter.get("code", ""),
                "message": letter.get("message", ""),
            }
        )
        attempt = int(letter.get("job_id", "").rpartition("-")[2] or 1)
        return PlanItem(script, content_id, PlanState.DEAD, attempt, f"{dead.code}: {dead.message}", dead)
    if key in index.claims:
        return PlanItem(script, content_id, PlanState.CLAIMED)
    if before := archived_before.get(script.script_id):
        return PlanItem(script, content_id, PlanState.CHANGED, 1, f"archived before as {', '.join(sorted(before))}")
    return PlanItem(script, content_id, PlanState.NEW)
