"""Whether a step kept every promise: pure, from what service and archive held before it and after it.

Each function gives its findings in words; none means innocent.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.chaos.machine.evidence import attempt_of
from tests.support.judge import JOB_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.models import Outcome
    from batch_avatar.planning.permits import Permits
    from batch_avatar.rendering.report import BatchReport
    from tests.chaos.machine.evidence import Document, Evidence

CONTENT_CODE = "BadRequest"
"""The one code of a failed job by which the machine says that the script is at fault."""
SUBTITLES = {"subtitle": "subtitles"}
"""What the service calls them, and what a receipt does."""


@dataclass(frozen=True)
class Told:
    """What a run said at its end (None: nothing). `contents` of each script: at the wanted revision and the later ones.

    `free`: nothing stood in its way, no fault, no stuck job, no stop. `stopped`: it did not come to its own end.
    """

    report: BatchReport | None
    contents: dict[str, tuple[str, ...]]
    free: bool
    stopped: bool = False


@dataclass
class Step:
    """One step of the machine. `permits` are None where it may create nothing."""

    name: str
    permits: Permits | None = None
    told: list[Told] = field(default_factory=list)
    reads_only: bool = False


@dataclass
class Deeds:
    """What was done by hand, behind the back of every run."""

    strangers: set[str] = field(default_factory=set)
    """Jobs of others, by their internal ids, as all jobs here."""
    jobs: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    """Those of the jobs that were deleted before the archive knew of them: nobody can tell that they were paid."""
    videos: set[tuple[str, int]] = field(default_factory=set)
    """Content and attempt of each video that was deleted."""


@dataclass(frozen=True)
class Case:
    before: Evidence
    after: Evidence
    step: Step
    deeds: Deeds
    max_attempts: int

    def findings(self) -> list[str]:
        checks = (
            self._creates,
            self._deletes,
            self._claims,
            self._receipts,
            self._what_was_archived,
            self._reports,
            self._strangers,
            self._reading,
        )
        return [finding for check in checks for finding in check()]

    def _creates(self) -> Iterator[str]:
        """One accepted create per name, one content per wish, and no payment that nobody has permitted."""
        for content, jobs in self.after.ours.items():
            creates = Counter(job["name"] for job in jobs if job["internal_id"] not in self.deeds.unknown)
            yield from (f"{name}: {count} creates" for name, count in creates.items() if count > 1)
            known = {job["internal_id"] for job in self.before.ours.get(content, ())}
            for job in jobs:
                if job["internal_id"] not in known:
                    yield from self._new_job(content, job)

    def _new_job(self, content: str, job: Document) -> Iterator[str]:
        name, attempt, permits = job["name"], attempt_of(job), self.step.permits
        wanted = {ids for told in self.step.told for ids in told.contents.values() if content in ids}
        if permits is None or not wanted:
            yield f"{name}: created by a step that did not want it"
            return
        for ids in wanted:
            if self.before.archived & set(ids[ids.index(content) :]):
                yield f"{name}: created, though it or a later revision is archived"
            if content != ids[0] and content not in self.before.claims:
                yield f"{name}: created, a later revision than was asked for"
        if content not in self.before.receipts and any(key[0] == content for key in self.before.videos):
            yield f"{name}: created, though its video was there"
        permitted = permits.retry_failed or permits.rerender_lost or attempt in self.before.attempts(content)
        if attempt > self.max_attempts and not permitted:
            yield f"{name}: one attempt too many"
        yield from (f"{name}: {fault}" for fault in self._too_early(content, attempt))

    def _too_early(self, content: str, attempt: int) -> Iterator[str]:
        """Why there must not be this attempt yet."""
        claimed = max(self.before.attempts(content), default=0)
        letter = self.before.letters.get(content)
        given_up = letter is not None and attempt_of({"name": letter["ref"]["job_id"]}) >= claimed
        accepted = self.before.attempts(content).get(claimed, {}).get("accepted_at")
        overtaken = accepted and letter is not None and letter["failure"]["class"] == "input"
        if given_up and not overtaken and not self.step.permits.retry_failed:  # refused to one run, taken from another
            yield "a dead letter says no"
        for earlier in range(max(claimed, 1), attempt):  # those before were replaced by an earlier step
            yield from self._not_over(content, earlier)

    def _not_over(self, content: str, number: int) -> Iterator[str]:
        """Why this attempt must not be replaced in this step."""
        permits = self.step.permits
        reason = self.after.attempts(content).get(number, {}).get("ended") or ""
        if reason.startswith(CONTENT_CODE) and not permits.retry_failed:
            yield f"attempt {number} failed by the script's own fault"
        for job in self.after.ours[content]:
            if attempt_of(job) != number or job["status"] == "Failed":
                continue
            gone = job["internal_id"] in self.deeds.jobs or (content, number) in self.deeds.videos
            if job["removed"] is None:
                yield f"attempt {number} is {job['status']} and still there"
            elif gone and not permits.rerender_lost:
                yield f"attempt {number} was lost, and nobody has permitted to pay again"
            elif job["status"] == "Succeeded" and not gone and not self._overdue(content, number):
                yield f"attempt {number} had succeeded"

    def _overdue(self, content: str, number: int) -> bool:
        """Given up as overdue, and deleted: it may have succeeded at that very moment."""
        return "deadline" in (self.after.attempts(content).get(number, {}).get("ended") or "")

    def _deletes(self) -> Iterator[str]:
        """A job of ours is deleted when a receipt, a letter or the claim says why."""
        there = {job["internal_id"] for job in self.before.jobs if job["removed"] is not None}
        for content, jobs in self.after.ours.items():
            for job in jobs:
                internal_id, number = job["internal_id"], attempt_of(job)
                if job["removed"] != "deleted" or internal_id in there or internal_id in self.deeds.jobs:
                    continue
                if content in self.after.archived or self._overdue(content, number):
                    continue
                if job["status"] == "Succeeded":
                    yield f"{job['name']}: deleted, billed and not archived"
                elif not self.after.attempts(content).get(number, {}).get("ended"):
                    yield f"{job['name']}: deleted ({job['status']}), and nothing says why"
        yield from (f"{job['name']}: {job['removed']}" for job in self.after.jobs if job["removed"] == "replaced")

    def _claims(self) -> Iterator[str]:
        """Every job of ours is claimed; attempts are numbered without gaps, and all but the last have ended."""
        for content, jobs in self.after.ours.items():
            known = self.after.attempts(content)
            yield from (f"{job['name']}: nobody has claimed it" for job in jobs if attempt_of(job) not in known)
        for content in self.after.claims:
            attempts = self.after.attempts(content)
            if list(attempts) != list(range(1, len(attempts) + 1)):
                yield f"{content}: its attempts are {list(attempts)}"
            yield from (
                f"{content}: attempt {number} was left without a reason"
                for number in list(attempts)[:-1]
                if not attempts[number]["ended"]
            )

    def _receipts(self) -> Iterator[str]:
        """A receipt names a job that succeeded, and blobs that have its bytes."""
        served = {job["internal_id"]: job for job in self.after.jobs} | {job["id"]: job for job in self.after.jobs}
        for content, receipt in self.after.receipts.items():
            about = f"{receipt['script_id']}/{content}"
            job = served.get(receipt["internal_id"] or receipt["service_id"])
            if job is None or job["status"] != "Succeeded":
                yield f"{about}: its receipt names {job['status'] if job else 'no'} job"
                continue
            outputs = {SUBTITLES.get(one["role"], one["role"]): one["sha256"] for one in job["outputs"]}
            for member in ("video", "summary", *SUBTITLES.values()):
                said = receipt[member]
                if said is None:
                    if member not in receipt["missing"] and (member in outputs or member != "subtitles"):
                        yield f"{about}: no {member}, and the receipt does not say that it is missing"
                elif (content, receipt["attempt"]) not in self.deeds.videos or member != "video":
                    blob = self.after.blobs.get(said["blob_name"])
                    digests = {blob and hashlib.sha256(blob).hexdigest(), said["sha256"], outputs.get(member)}
                    if len(digests) != 1:
                        yield f"{about}: {member} differs between blob, receipt and service"

    def _what_was_archived(self) -> Iterator[str]:
        """From the receipt on nothing changes."""
        for content in self.before.archived & self.after.archived:
            script_id = self.before.receipts[content]["script_id"]
            for name, blob in self.before.blobs.items():
                ours = name.startswith(f"{script_id}/{content}/") and not name.endswith("claim.json")
                if ours and self.after.blobs.get(name) != blob:
                    yield f"{name}: changed after it was archived"
        for content in self.before.archived - self.after.archived:
            receipt = self.before.receipts[content]
            robbed = (content, receipt["attempt"]) in self.deeds.videos or content not in self.after.receipts
            if not (robbed and self.step.name.startswith("rob")):
                yield f"{receipt['script_id']}/{content}: no longer archived"

    def _reports(self) -> Iterator[str]:
        """Scripts in are outcomes out, and each says what is."""
        for told in self.step.told:
            if told.report is None:
                if told.free:
                    yield "a run without a report"
                continue
            named = Counter(outcome.script_id for outcome in told.report.outcomes)
            if named != Counter(told.contents.keys()) or told.report.scripts != len(told.contents):
                yield f"outcomes {dict(named)} of {sorted(told.contents)}"
            kept = self.after.blobs.get(f"_runs/{told.report.run}/report.json")
            if not told.stopped and (kept is None or len(json.loads(kept)["outcomes"]) != len(told.contents)):
                yield f"the report of {told.report.run} is not in the archive"
            for outcome in told.report.outcomes:
                if reason := self._wrong(outcome, told):
                    yield f"{outcome.script_id} is told as {outcome.outcome} ({outcome.error}): {reason}"

    def _wrong(self, outcome: Outcome, told: Told) -> str | None:  # noqa: PLR0911 - one return per kind
        if outcome.outcome == "unfinished":
            raced = len(self.step.told) > 1 and outcome.error.code == "ClaimedElsewhere"
            return "nothing was in the way" if told.free and not raced else None
        found = JOB_NAME.fullmatch(outcome.job_id or "")
        if not found or (content := found[1]) not in told.contents[outcome.script_id]:
            return "that was not asked for"
        if outcome.outcome in ("archived", "skipped"):
            return None if content in self.after.archived else "it is not archived"
        if content in self.before.archived:
            return "it was archived before"
        attempts = self.after.attempts(content)
        last = max(attempts, default=0)
        match outcome.error.failure_class:
            case "lost":
                jobs = [job for job in self.after.ours.get(content, ()) if attempt_of(job) == last]
                gone = any(job["internal_id"] in self.deeds.jobs for job in jobs) or any(
                    (content, number) in self.deeds.videos for number in attempts
                )
                return None if gone else "nothing of it was lost"
            case "changed":
                others = [r for c, r in self.after.receipts.items() if c != content]
                same = any(receipt["script_id"] == outcome.script_id for receipt in others)
                return None if same else "nothing else of it is archived"
            case "job" | "input":
                spent = outcome.error.code == "AttemptsSpent" and attempts[last]["ended"]
                return None if spent or content in self.after.letters else "it has no dead letter"
        return "no such failure is known"

    def _strangers(self) -> Iterator[str]:
        yield from (
            f"{job['name']}: a job of others was {job['removed']}"
            for job in self.after.jobs
            if job["internal_id"] in self.deeds.strangers and job["removed"]
        )

    def _reading(self) -> Iterator[str]:
        """Who only looks changes nothing."""
        if not self.step.reads_only:
            return
        if self.before.blobs != self.after.blobs:
            yield "looking has changed the archive"
        if [job["removed"] for job in self.before.jobs] != [job["removed"] for job in self.after.jobs]:
            yield "looking has changed the service"
