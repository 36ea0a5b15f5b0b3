"""The outcomes of scripts, and the report that sums them up. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from batch_avatar.errors import AlreadyArchived, BatchAvatarError, FailureClass
from batch_avatar.models import FailureFacts, Outcome, OutcomeKind
from batch_avatar.planning.plan import PlanState
from batch_avatar.rendering.report import BatchReport
from batch_avatar.scripts.spool import SUMMED, OutcomeSpool, summands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batch_avatar.archive.records import DeadLetter
    from batch_avatar.planning.plan import PlanItem
    from batch_avatar.receipt import Receipt

FINAL = frozenset({FailureClass.INPUT, FailureClass.JOB, FailureClass.LOST, FailureClass.CHANGED, FailureClass.LONG})
"""Failure classes that waiting does not mend: the script is `failed`. With any other class it is `unfinished`."""


def facts_of(error: BatchAvatarError) -> FailureFacts:
    """Return the error as reports and dead letters show it."""
    return FailureFacts.model_validate({"class": str(error.failure_class), "code": error.code, "message": str(error)})


def settled(item: PlanItem, *, prefix: str) -> Outcome | None:
    """Return the outcome of a script that needs no step, else None. `prefix` is the script's folder in the archive."""
    ref = item.ref()
    final = item.failure is None or item.failure.failure_class in FINAL
    kind = OutcomeKind.FAILED if final else OutcomeKind.UNFINISHED
    outcome = Outcome(script_id=ref.script_id, job_id=ref.job_id, outcome=kind, error=item.failure)
    if item.state is PlanState.ARCHIVED:
        note = _paid_as_well(len(item.extras)) if item.leftovers else None
        return outcome.model_copy(update={"outcome": OutcomeKind.SKIPPED, "blob_prefix": prefix, "note": note})
    if item.state is PlanState.KEPT:
        kept = {"outcome": OutcomeKind.SKIPPED, "blob_prefix": prefix, "note": f"kept: {item.detail}", "kept": True}
        return outcome.model_copy(update=kept)
    return outcome if item.failure is not None else None


def archived(receipt: Receipt, *, prefix: str, extras: int = 0) -> Outcome:
    """Return the outcome of an archived script. `extras`: how many further jobs were paid for it."""
    notes = []
    if receipt.video.doubtful:
        notes.append(f"doubtful {' and '.join(receipt.video.doubtful)}: look at the video; its remote job is kept")
    if receipt.missing:
        notes.append(f"without {' and '.join(receipt.missing)}")
    if paid := _paid_as_well(extras):
        notes.append(paid)
    return Outcome(
        script_id=receipt.script_id,
        job_id=receipt.job_id,
        outcome=OutcomeKind.ARCHIVED,
        blob_prefix=prefix,
        note="; ".join(notes) or None,
        doubtful=bool(receipt.video.doubtful),
        billed_seconds=receipt.billed_seconds,
        billed_characters=receipt.billed_characters,
    )


def _paid_as_well(extras: int) -> str | None:
    return f"{extras} more job{'s' if extras > 1 else ''} of its name existed and cost as well" if extras else None


def outcome_of_letter(letter: DeadLetter) -> Outcome:
    return Outcome(
        script_id=letter.ref.script_id,
        job_id=letter.ref.job_id,
        outcome=OutcomeKind.FAILED,
        error=letter.failure,
    )


def outcome_of_error(error: BatchAvatarError, script_id: str, *, prefix: str) -> Outcome:
    if isinstance(error, AlreadyArchived):
        return Outcome(script_id=script_id, job_id=error.job_id, outcome=OutcomeKind.SKIPPED, blob_prefix=prefix)
    return Outcome(
        script_id=script_id,
        job_id=error.job_id,
        outcome=OutcomeKind.FAILED if error.failure_class in FINAL else OutcomeKind.UNFINISHED,
        error=facts_of(error),
    )


def own_mistake(error: Exception) -> BatchAvatarError:
    """Return the error that reports show when this program itself broke; the log has the details."""
    return error if isinstance(error, BatchAvatarError) else BatchAvatarError("see the log", code=type(error).__name__)


def build_report(run: str, outcomes: Sequence[Outcome]) -> BatchReport:
    """Sum up the outcomes of a run, one for each script."""
    if isinstance(outcomes, OutcomeSpool):
        return _report(run, outcomes, outcomes.kinds, outcomes.sums)
    kinds = Counter(outcome.outcome for outcome in outcomes)
    sums: Counter[str] = Counter()
    for outcome in outcomes:
        sums.update(summands(outcome))
    return _report(run, tuple(outcomes), kinds, sums)


def _report(run: str, outcomes: Sequence[Outcome], kinds: Counter[OutcomeKind], sums: Counter[str]) -> BatchReport:
    return BatchReport(
        run=run,
        scripts=len(outcomes),
        archived=kinds[OutcomeKind.ARCHIVED],
        skipped=kinds[OutcomeKind.SKIPPED],
        failed=kinds[OutcomeKind.FAILED],
        unfinished=kinds[OutcomeKind.UNFINISHED],
        **{name: sums[name] for name in SUMMED},
        outcomes=outcomes,
    )
