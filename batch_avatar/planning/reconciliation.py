"""Compare the wanted scripts with what the service and the archive hold. Pure; no request is made here."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from batch_avatar.archive.index import form_of, letter_attempt, overtaken
from batch_avatar.errors import FailureClass
from batch_avatar.identity import archive_of, content_ids, form_digest, known_forms, parse_job_id
from batch_avatar.models import FailureFacts, JobStatus
from batch_avatar.planning.changes import Archived, change_since, judge_changes
from batch_avatar.planning.moved import find_moved, tell_moved
from batch_avatar.planning.permits import Permits
from batch_avatar.planning.plan import Leftover, Plan, PlanItem, PlanState
from batch_avatar.planning.read_aloud import read_aloud_before
from batch_avatar.scripts.prediction.predictor import PastRender

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.models import Script, SynthesisJob
    from batch_avatar.planning.changes import Change


def own_jobs(
    jobs: Iterable[SynthesisJob], archive_id: str, *, of_other_marks: Container[str] = ()
) -> dict[str, list[SynthesisJob]]:
    """Return this archive's jobs by content id, oldest first, without those of others and names that we cannot read.

    `of_other_marks`: content ids whose jobs are ours whatever archive they name, see `ArchiveIndex.ids_before_repair`.
    """
    ours: defaultdict[str, dict[tuple[str, str], SynthesisJob]] = defaultdict(dict)
    for job in jobs:
        parsed = parse_job_id(job.job_id)
        if parsed is not None and (archive_of(job.description) == archive_id or parsed[0] in of_other_marks):
            ours[parsed[0]][job.resource, job.service_id] = job  # a page may repeat jobs of the page before
    return {content_id: sorted(found.values(), key=lambda job: job.born) for content_id, found in ours.items()}


def reconcile(
    scripts: Iterable[Script],
    *,
    archive_id: str,
    jobs: Iterable[SynthesisJob],
    index: ArchiveIndex,
    resources: Collection[str] | None = None,
    unclear: Container[str] = (),
    permits: Permits | None = None,
    max_changed: int = 0,
) -> Plan:
    """Return one state per script. Read the jobs before the index, or a job that a run has just archived looks lost.

    `resources`: all hosts whose jobs were read; a job that was sent to another host does not count as lost. Nor does
    one of `unclear`, the `job_id` of jobs of which the service did not tell whether it has them. More than
    `max_changed` changed texts are taken for a mistake and refused, unless the permits accept them.
    """
    permits = permits or Permits()
    ours, archived = own_jobs(jobs, archive_id, of_other_marks=index.ids_before_repair()), _archived(index)
    revisions, before = _claimed_revisions(index), index.same_forms()
    items, changes, new = [], {}, {}
    for script in scripts:
        known = known_forms(script)
        claimed = {number for form in known for number in revisions[script.script_id, form_digest(form)]}
        ids = [
            (number, content_id)
            for number in sorted({permits.revision, *(n for n in claimed if n > permits.revision)}, reverse=True)
            for content_id in (
                *content_ids(script, archive_id=archive_id, revision=number),
                *(same for form in known for same in before[script.script_id, form_digest(form), str(number)]),
            )
        ]
        revision, content_id = _serving(script.script_id, ids, ours, index, permits.revision)
        past = archived[script.script_id]
        if not any(one.form in known for one in past):
            aloud = read_aloud_before(script, past, archive_id=archive_id, index=index, jobs=ours)
            if change := aloud or (change_since(known[0], past) if past else None):
                changes[script.script_id] = change
        item = _classify(script.script_id, content_id, ours, index, resources) or _unknown(
            script.script_id, content_id, changes.get(script.script_id), wanted_again=bool(past)
        )
        item = replace(_in_doubt(item, index, unclear), letter=content_id in index.dead, revision=revision)
        items.append(_permitted(item, permits))
        if item.state is PlanState.NEW and not past:
            new[script.script_id] = [form_digest(form) for form in known]
    moved = find_moved(new, archived, {item.script_id for item in items})
    items, changes = tell_moved(items, moved), changes | moved
    items = judge_changes(items, changes, index=index, permits=permits, max_changed=max_changed)
    return Plan(tuple(items), tuple(_settled_packs(ours, index)))


def _settled_packs(ours: Mapping[str, Sequence[SynthesisJob]], index: ArchiveIndex) -> Iterator[str]:
    """Find the packs that no script waits for, by `job_id`.

    A script that has gone on to another attempt no longer names its pack, so this starts from the packs.
    """
    waiting, in_doubt = index.inputs_waiting(), index.packs_in_doubt()
    for pack_id in sorted(index.packs & ours.keys()):
        for job in ours[pack_id]:
            if job.terminal and not waiting[job.job_id] and job.job_id not in in_doubt:
                yield job.job_id


def _serving(
    script_id: str,
    ids: Sequence[tuple[int, str]],
    ours: Mapping[str, Sequence[SynthesisJob]],
    index: ArchiveIndex,
    wanted: int,
) -> tuple[int, str]:
    """Return the revision and content id that serve the script; `ids` has those that would do, the latest first.

    It is the first that is archived, else the first with a job, else the first that was paid for. Else it is of the
    wanted revision: the first id that is known at all, else the first one.
    """
    tests: tuple[Callable[[int, str], bool], ...] = (
        lambda _, content_id: index.is_whole((script_id, content_id)),
        lambda _, content_id: content_id in ours,
        lambda _, content_id: bool(index.claims.get((script_id, content_id), {}).get("accepted")),
        lambda number, content_id: number == wanted and index.knows((script_id, content_id)),
        lambda number, _: number == wanted,
    )
    return next(one for test in tests for one in ids if test(*one))


def _claimed_revisions(index: ArchiveIndex) -> defaultdict[tuple[str, str], set[int]]:
    """Return known revisions by script and form; one later than wanted serves too, so none is paid for beside it."""
    claimed: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for (script_id, _), claim in index.claims.items():
        claimed[script_id, claim.get("form", "")].add(int(claim.get("revision", "0")))
    for (script_id, _), receipt in index.receipts.items():
        claimed[script_id, form_digest(form_of(receipt))].add(int(receipt.get("revision", "0")))
    return claimed


def frequent_doubts(index: ArchiveIndex, *, at_least: int) -> set[str]:
    """Return what is doubtful about so many archived videos that somebody has had reason to look at them."""
    found = Counter(doubt for receipt in index.receipts.values() for doubt in receipt.get("doubtful", "").split())
    return {doubt for doubt, count in found.items() if count >= at_least}


def past_renders(index: ArchiveIndex) -> Iterator[PastRender]:
    """Yield what the archive's receipts teach about how long scripts take."""
    for receipt in index.receipts.values():
        cut = "cut" in receipt.get("doubtful", "").split()  # its length is the service's, and not that of its text
        took = receipt.get("rendered")
        if receipt.get("predicted") and receipt.get("video") and not cut:
            yield PastRender(
                voice=receipt.get("voice", ""),
                predicted_video_seconds=float(receipt["predicted"]),
                video_seconds=float(receipt["video"]),
                render_seconds=float(took) if took else None,
                archived_at=receipt.get("archived_at", ""),
            )


def _classify(
    script_id: str,
    content_id: str,
    ours: Mapping[str, Sequence[SynthesisJob]],
    index: ArchiveIndex,
    resources: Collection[str] | None,
) -> PlanItem | None:
    """Return what is known about exactly this content; None if nothing is."""
    jobs = ours.get(content_id, ())
    if (receipt := index.receipts.get((script_id, content_id))) is not None:
        return _receipted(script_id, content_id, receipt, ours, index)
    if jobs:
        return _alive(script_id, content_id, jobs)
    claim = index.claims.get((script_id, content_id), {})
    pack = _pack_of(claim, ours)
    if pack is None or claim.get("over"):
        return _decided(script_id, content_id, index, resources)
    return PlanItem(
        script_id,
        content_id,
        PlanState.ALIVE,
        int(claim.get("attempt", "1")),
        f"{pack.job_id} is {pack.status}; this is input {claim['input']} of it",
        resource=pack.resource,
        pack=pack.job_id,
    )


def _pack_of(facts: Mapping[str, str], ours: Mapping[str, Sequence[SynthesisJob]]) -> SynthesisJob | None:
    """Return the pack that this claim or receipt names, if the service has it."""
    parsed = parse_job_id(facts.get("job_id", "")) if facts.get("input") else None
    return ours[parsed[0]][0] if parsed is not None and parsed[0] in ours else None


def _receipted(
    script_id: str,
    content_id: str,
    receipt: Mapping[str, str],
    ours: Mapping[str, Sequence[SynthesisJob]],
    index: ArchiveIndex,
) -> PlanItem:
    """Return an archived item, or a damaged one if the receipt's video is gone."""
    jobs, pack = ours.get(content_id, ()), _pack_of(receipt, ours)
    item = PlanItem(
        script_id,
        content_id,
        PlanState.ARCHIVED,
        int(receipt.get("attempt", "1")),
        resource=receipt.get("resource", ""),
        pack=pack.job_id if pack else "",
    )
    if index.video_of((script_id, content_id), item.attempt):
        if receipt.get("doubtful"):
            return item
        ended = tuple(Leftover(job.resource, job.service_id) for job in jobs if job.terminal)
        same = {job.service_id for job in jobs if job.job_id == receipt.get("job_id")}
        return replace(item, leftovers=ended, named=tuple(sorted(same | {receipt.get("service_id", "")} - {""})))
    if any(job.status == JobStatus.SUCCEEDED or job.odd for job in (*jobs, *([pack] if pack else ()))):
        text = "the receipt's video is gone, and its job still has it"
        return replace(item, state=PlanState.DAMAGED, detail=text, has_job=True)
    damaged = _facts(FailureClass.LOST, "Damaged", "the receipt's video is not in the archive")
    return replace(item, state=PlanState.DAMAGED, detail=damaged.message, failure=damaged)


def _decided(
    script_id: str, content_id: str, index: ArchiveIndex, resources: Collection[str] | None
) -> PlanItem | None:
    """Return what dead letter and claim say, of a script neither archived nor alive; None if nobody has claimed it."""
    key = (script_id, content_id)
    claim = index.claims.get(key, {})
    claimed, host = int(claim.get("attempt", "0")), claim.get("resource", "")
    if (letter := index.dead.get(content_id)) is not None:
        attempt = letter_attempt(letter)
        if not overtaken(letter, claim):
            facts = _facts(letter.get("failure_class", ""), letter.get("code", ""), letter.get("message", ""))
            text = f"{facts.code}: {facts.message}"
            return PlanItem(script_id, content_id, PlanState.DEAD, attempt, text, facts, host)
    if not claim:
        return None
    item = PlanItem(script_id, content_id, PlanState.CLAIMED, claimed, claim.get("ended"), resource=host)
    if not claim.get("accepted") or claim.get("over"):
        return item
    if index.video_of(key, claimed):
        return replace(item, detail="a video without a receipt; the receipt is rebuilt")
    if resources is not None and host and host not in resources:
        return replace(item, detail=f"sent to {host}, where this run cannot look")
    return replace(item, state=PlanState.LOST, detail=f"{claim.get('job_id')} is not in the job list")


def _in_doubt(item: PlanItem, index: ArchiveIndex, unclear: Container[str]) -> PlanItem:
    """Take back that an item's job is lost if the service did not tell whether it has it."""
    key = (item.script_id, item.content_id)
    job_id = (index.receipts.get(key) or index.claims.get(key, {})).get("job_id", "")
    if job_id not in unclear:
        return item
    text = f"the service does not tell whether it has {job_id}; ask again"
    if item.state is PlanState.LOST:
        return replace(item, state=PlanState.CLAIMED, detail=text)
    if item.state is PlanState.DAMAGED and item.failure is not None:
        text = f"{item.failure.message}, and {text}"
        return replace(item, detail=text, failure=item.failure.model_copy(update={"message": text}))
    return item


def _alive(script_id: str, content_id: str, jobs: Sequence[SynthesisJob]) -> PlanItem:
    """Return an item for the latest attempt; if several jobs have its name, the oldest counts."""
    attempts = [(parsed[1], job) for job in jobs if (parsed := parse_job_id(job.job_id))]
    latest = max(number for number, _ in attempts)
    named = [job for number, job in attempts if number == latest]
    detail = f"{named[0].job_id} is {named[0].status}"
    if len(named) > 1:
        detail += f"; {len(named) - 1} more of that name, paid for as well"
    names, host = tuple(job.service_id for job in named), named[0].resource
    return PlanItem(script_id, content_id, PlanState.ALIVE, latest, detail, resource=host, named=names)


def _unknown(script_id: str, content_id: str, change: Change | None, *, wanted_again: bool) -> PlanItem:
    """Return a new item, or one that changed since it was archived; a wanted re-render of the same is no change."""
    if change is not None:
        return PlanItem(script_id, content_id, PlanState.CHANGED, detail=str(change))
    detail = "archived before, wanted again" if wanted_again else None
    return PlanItem(script_id, content_id, PlanState.NEW, detail=detail)


def _archived(index: ArchiveIndex) -> defaultdict[str, list[Archived]]:
    """Return the receipts of each script."""
    found: defaultdict[str, list[Archived]] = defaultdict(list)
    for (script_id, content_id), receipt in index.receipts.items():
        attempt = int(receipt.get("attempt", "1"))
        found[script_id].append(Archived(receipt.get("archived_at", ""), content_id, attempt, form_of(receipt)))
    return found


def _permitted(item: PlanItem, permits: Permits) -> PlanItem:
    """Drop the reason not to send the script if a person has permitted to pay for it again."""
    allowed = {PlanState.DEAD: permits.retry_failed, PlanState.DAMAGED: permits.rerender_lost}
    return replace(item, failure=None) if allowed.get(item.state) else item


def _facts(failure_class: str, code: str, message: str) -> FailureFacts:
    return FailureFacts.model_validate({"class": failure_class, "code": code, "message": message})
