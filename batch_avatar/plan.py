"""Compare what is wanted with what the service and the archive hold: pure, no request in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from batch_avatar.archive_index import form_of
from batch_avatar.errors import FailureClass
from batch_avatar.identity import (
    archive_of,
    derive_content_id,
    derive_job_id,
    form_digest,
    form_digests,
    parse_job_id,
    recorded_form,
)
from batch_avatar.models import FailureFacts, JobRef, JobStatus, Permits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from batch_avatar.archive_index import ArchiveIndex
    from batch_avatar.models import Script, SynthesisJob


class PlanState(StrEnum):
    """What a script is to the archive; only `new`, `changed` and `claimed` can lead to a create by themselves."""

    ARCHIVED = "archived"  # receipt and video are there: skip
    ALIVE = "alive"  # a job of ours exists: adopt
    CLAIMED = "claimed"  # claimed, no job seen: settle who sends
    DEAD = "dead"  # a dead letter says why it is not sent again
    LOST = "lost"  # paid, and the list does not show it: asked for by name, then a person decides
    DAMAGED = "damaged"  # a receipt without its video: a person decides
    CHANGED = "changed"  # archived before with other content
    NEW = "new"


@dataclass(frozen=True)
class PlanItem:
    """`failure`: why it is reported and not sent.

    `leftovers`: ended jobs, by service id, of a script that is archived. `named`: all jobs under the latest name, the
    oldest first; more than one only where the service chooses the ids, and each was paid for. `letter`: a dead letter
    exists, which a receipt makes void.
    """

    script: Script
    content_id: str
    state: PlanState
    attempt: int = 1
    detail: str | None = None
    failure: FailureFacts | None = None
    leftovers: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    letter: bool = False
    revision: int = 0

    @property
    def extras(self) -> tuple[str, ...]:
        """All of its name but one."""
        return self.named[1:]

    def paid_beside(self, service_id: str) -> int:
        """How many jobs of its name there are beside the one that was archived."""
        return len({*self.named, service_id}) - 1

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


def own_jobs(jobs: Iterable[SynthesisJob], archive_id: str) -> dict[str, list[SynthesisJob]]:
    """This archive's jobs by content id, oldest first; those of others, and names we cannot read, are left out."""
    ours: defaultdict[str, dict[str, SynthesisJob]] = defaultdict(dict)
    for job in jobs:
        parsed = parse_job_id(job.job_id)
        if parsed is not None and archive_of(job.description) == archive_id:
            ours[parsed[0]][job.service_id] = job  # a page may show again what the page before it showed
    return {content_id: sorted(found.values(), key=lambda job: job.born) for content_id, found in ours.items()}


def reconcile(
    scripts: Sequence[Script],
    *,
    archive_id: str,
    jobs: Iterable[SynthesisJob],
    index: ArchiveIndex,
    resource: str | None = None,
    permits: Permits | None = None,
    max_changed: int = 0,
) -> Plan:
    """One state per script. Read the jobs before the index, or a finishing run looks like a lost job.

    More than `max_changed` changed scripts are a mistake rather than a wish, unless the permits accept them.
    """
    permits = permits or Permits()
    ours = own_jobs(jobs, archive_id)
    forms: defaultdict[str, list[tuple[str, str, dict[str, str]]]] = defaultdict(list)
    for (script_id, content_id), receipt in index.receipts.items():
        forms[script_id].append((receipt.get("archived_at", ""), content_id, form_of(receipt)))
    revisions = _claimed_revisions(index)
    items = []
    for script in scripts:
        wanted = form_digest(form_digests(recorded_form(script)))
        later = {number for number in revisions[script.script_id, wanted] if number > permits.revision}
        ids = {
            number: derive_content_id(script, archive_id=archive_id, revision=number)
            for number in sorted({permits.revision, *later}, reverse=True)
        }
        revision = _serving(script.script_id, ids, ours, index, permits.revision)
        content_id = ids[revision]
        item = _classify(script, content_id, ours, index, resource) or _unknown(script, content_id, forms)
        item = replace(item, letter=content_id in index.dead, revision=revision)
        items.append(_permitted(item, permits))
    changed = sum(item.state is PlanState.CHANGED for item in items)
    if changed > max_changed and not permits.accept_changes:
        items = [_refuse_change(item, changed) if item.state is PlanState.CHANGED else item for item in items]
    return Plan(tuple(items))


def _serving(
    script_id: str,
    ids: Mapping[int, str],
    ours: Mapping[str, Sequence[SynthesisJob]],
    index: ArchiveIndex,
    wanted: int,
) -> int:
    """Of the revisions that would do, latest first: one that is archived, has a job, was paid for; else the wanted."""
    tests: tuple[Callable[[str], bool], ...] = (
        lambda content_id: index.is_whole((script_id, content_id)),
        lambda content_id: content_id in ours,
        lambda content_id: bool(index.claims.get((script_id, content_id), {}).get("accepted")),
    )
    return next((number for test in tests for number, content_id in ids.items() if test(content_id)), wanted)


def _claimed_revisions(index: ArchiveIndex) -> defaultdict[tuple[str, str], set[int]]:
    """By script and form: a later revision than the wanted one serves as well, and is not paid for beside it."""
    claimed: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for (script_id, _), claim in index.claims.items():
        claimed[script_id, claim.get("form", "")].add(int(claim.get("revision", "0")))
    for (script_id, _), receipt in index.receipts.items():
        claimed[script_id, form_digest(form_of(receipt))].add(int(receipt.get("revision", "0")))
    return claimed


def _classify(
    script: Script,
    content_id: str,
    ours: Mapping[str, Sequence[SynthesisJob]],
    index: ArchiveIndex,
    resource: str | None,
) -> PlanItem | None:
    """What is known under this very content; None where nothing is."""
    jobs = ours.get(content_id, ())
    if (receipt := index.receipts.get((script.script_id, content_id))) is not None:
        attempt = int(receipt.get("attempt", "1"))
        if index.video_of((script.script_id, content_id), attempt):
            ended = tuple(job.service_id for job in jobs if job.terminal)
            if receipt.get("doubtful"):
                return PlanItem(script, content_id, PlanState.ARCHIVED, attempt)
            same = {job.service_id for job in jobs if job.job_id == receipt.get("job_id")}
            named = tuple(sorted(same | {receipt.get("service_id", "")} - {""}))
            return PlanItem(script, content_id, PlanState.ARCHIVED, attempt, leftovers=ended, named=named)
        if any(job.status == JobStatus.SUCCEEDED for job in jobs):
            detail = "the receipt's video is gone, and its job still has it"
            return PlanItem(script, content_id, PlanState.DAMAGED, attempt, detail)
        damaged = _facts(FailureClass.LOST, "Damaged", "the receipt's video is not in the archive")
        return PlanItem(script, content_id, PlanState.DAMAGED, attempt, damaged.message, damaged)
    return _alive(script, content_id, jobs) if jobs else _decided(script, content_id, index, resource)


def _decided(script: Script, content_id: str, index: ArchiveIndex, resource: str | None) -> PlanItem | None:
    """Neither archived nor alive: what letter and claim say; None where nobody has claimed it."""
    key = (script.script_id, content_id)
    claim = index.claims.get(key, {})
    claimed = int(claim.get("attempt", "0"))
    if (letter := index.dead.get(content_id)) is not None:
        parsed = parse_job_id(letter.get("job_id", ""))
        attempt = parsed[1] if parsed else 1
        if attempt >= claimed:  # else it was sent again since, and the claim tells more
            facts = _facts(letter.get("failure_class", ""), letter.get("code", ""), letter.get("message", ""))
            return PlanItem(script, content_id, PlanState.DEAD, attempt, f"{facts.code}: {facts.message}", facts)
    if not claim:
        return None
    if not claim.get("accepted") or claim.get("over"):
        return PlanItem(script, content_id, PlanState.CLAIMED, claimed, claim.get("ended"))
    if index.video_of(key, claimed):
        return PlanItem(script, content_id, PlanState.CLAIMED, claimed, "video without receipt: it is rebuilt")
    if resource is not None and (elsewhere := claim.get("resource", resource)) != resource:
        return PlanItem(script, content_id, PlanState.CLAIMED, claimed, f"sent to {elsewhere}, seen only there")
    return PlanItem(script, content_id, PlanState.LOST, claimed, f"{claim.get('job_id')} is not in the job list")


def _alive(script: Script, content_id: str, jobs: Sequence[SynthesisJob]) -> PlanItem:
    """The latest attempt; where several jobs carry its name, the oldest of them."""
    attempts = {job.service_id: parsed[1] for job in jobs if (parsed := parse_job_id(job.job_id))}
    latest = max(attempts.values())
    named = [job for job in jobs if attempts[job.service_id] == latest]
    detail = f"{named[0].job_id} is {named[0].status}"
    if len(named) > 1:
        detail += f"; {len(named) - 1} more of that name, paid for as well"
    names = tuple(job.service_id for job in named)
    return PlanItem(script, content_id, PlanState.ALIVE, latest, detail, named=names)


def _unknown(
    script: Script, content_id: str, forms: Mapping[str, Sequence[tuple[str, str, dict[str, str]]]]
) -> PlanItem:
    """New, or changed since it was archived; a wanted re-render of the same is no change."""
    before = forms.get(script.script_id)
    if not before:
        return PlanItem(script, content_id, PlanState.NEW)
    now = form_digests(recorded_form(script))
    if any(form == now for _, _, form in before):
        return PlanItem(script, content_id, PlanState.NEW, detail="archived before, wanted again")
    _, last_id, last = max(before)
    differs = sorted(name for name in now.keys() | last.keys() if now.get(name) != last.get(name)) if last else []
    what = f"{', '.join(differs)} differ{'s' if len(differs) == 1 else ''}" if differs else "differs"
    return PlanItem(script, content_id, PlanState.CHANGED, detail=f"{what} from what was archived as {last_id}")


def _permitted(item: PlanItem, permits: Permits) -> PlanItem:
    """Without the reason not to send it, where a person has said that it may be paid for again."""
    allowed = {PlanState.DEAD: permits.retry_failed, PlanState.DAMAGED: permits.rerender_lost}
    return replace(item, failure=None) if allowed.get(item.state) else item


def _refuse_change(item: PlanItem, changed: int) -> PlanItem:
    text = f"{item.detail}; {changed} scripts differ so, which may be a mistake: look at the plan, then accept changes"
    return replace(item, failure=_facts(FailureClass.CHANGED, "ChangesNotAccepted", text))


def _facts(failure_class: str, code: str, message: str) -> FailureFacts:
    return FailureFacts.model_validate({"class": failure_class, "code": code, "message": message})
