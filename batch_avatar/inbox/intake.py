"""Decide which drops are taken, which are refused and why, and where a drop goes when its script has ended. Pure."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from batch_avatar.archive.inbox_container import INBOX, REASON_ENDING, Drop
from batch_avatar.errors import FailureClass
from batch_avatar.models import Outcome, OutcomeKind
from batch_avatar.scripts.defaults import DEFAULTS_NAME
from batch_avatar.scripts.folders.ignoring import is_junk
from batch_avatar.scripts.readers.kinds import is_manifest, of_folders
from batch_avatar.scripts.reading import DEFAULTS_LIMIT, SCRIPT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROCESSED, REJECTED = "processed/", "rejected/"
LONGEST_NAME = 1024  # characters of a blob's name (documented)
EMPTY_SECONDS = 600.0
"""How long an empty blob may still become a script: some tools create a blob first and write its content later."""
REFUSED = "Refused"
"""Our code for drops that are not scripts."""

ACCEPTED = "*.txt, *.ssml and *.xml are taken, and a defaults.toml beside them"
DROP_AGAIN = "Mend it and drop it again."
ADVICE = {
    FailureClass.INPUT: f"The service refuses it as it is. {DROP_AGAIN}",
    FailureClass.LONG: "Split it into several scripts and drop these, or drop it again and run render-inbox with "
    "allow_long.",
    FailureClass.JOB: f"{DROP_AGAIN} Where the service was at fault, send it again as it was: `batch-avatar failed "
    "replay {script}`, or drop it again and run render-inbox with retry_failed. Either may be billed again.",
    FailureClass.LOST: "It was paid for, and its video is gone. Drop it again and run render-inbox with "
    "rerender_lost (in the command: `--rerender-lost`), which pays for it once more.",
}
"""What a person can do next. A dead letter blocks an unchanged script, so the advice says how to send it again."""
ACCEPT = "it stays in the inbox; `render-inbox` with accept_changes renders it"


@dataclass(frozen=True, slots=True)
class KnownDrop:
    """A drop that this run knows: `running` until its outcome is known and it is moved; else it stays in the inbox."""

    etag: str
    script_id: str
    running: bool


@dataclass(frozen=True)
class Look:
    """What to do with the drops of one listing.

    `good`: to be read; `refused`: to be rejected, with the reason; `stuck`: their names fit into no request; `waiting`:
    how many are too young, or wait for another drop. `defaults`: the defaults.toml of each folder.
    """

    good: tuple[Drop, ...] = ()
    refused: tuple[tuple[Drop, str], ...] = ()
    stuck: tuple[Drop, ...] = ()
    waiting: int = 0
    defaults: Mapping[str, Drop] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.good or self.refused or self.stuck)


def look_over(drops: Iterable[Drop], *, held: Mapping[str, KnownDrop], settle_seconds: float) -> Look:
    """Sort the drops of a listing; of two with the same script_id the older counts, or the one that is held already.

    What systems leave beside files is neither taken nor refused.
    """
    found = sorted(drops, key=lambda drop: (-drop.age_seconds, drop.name))
    defaults = {drop.folder: drop for drop in found if drop.file == DEFAULTS_NAME}
    listed = {drop.name for drop in found}
    first = {one.script_id: name for name, one in held.items() if name in listed}
    running = {one.script_id for one in held.values() if one.running}
    good, refused, stuck, waiting = [], [], [], 0
    for drop in found:
        known, beside = held.get(drop.name), defaults.get(drop.folder)
        if (known is not None and (known.running or known.etag == drop.etag)) or drop is beside:
            continue
        if is_junk(drop.file):
            continue
        if any(part in (".", "..") for part in drop.name.split("/")):
            stuck.append(drop)
        elif _is_young(drop, settle_seconds):
            waiting += 1
        elif reason := _refusal(drop):
            refused.append((drop, reason))
        elif (other := first.get(drop.script_id, drop.name)) != drop.name:
            refused.append((drop, f"its script_id is taken by {other}, which is in the inbox as well"))
        elif drop.script_id in running or (beside is not None and _is_young(beside, settle_seconds)):
            waiting += 1
        else:
            first[drop.script_id] = drop.name
            good.append(drop)
    return Look(tuple(good), tuple(refused), tuple(stuck), waiting, defaults)


def _is_young(drop: Drop, settle_seconds: float) -> bool:
    """Return whether somebody may still be writing the drop."""
    return drop.age_seconds < (settle_seconds if drop.size_bytes else max(settle_seconds, EMPTY_SECONDS))


def _refusal(drop: Drop) -> str | None:
    """Return why the drop cannot be a script, whatever its content; None if it can."""
    if drop.file.endswith(REASON_ENDING):
        return f"it is the reason of an earlier rejection, not a script: {ACCEPTED}"
    if is_manifest(PurePosixPath(drop.file)):
        return (
            "manifests are not taken here: put it into a folder and render it with render-batch, or with "
            f"`batch-avatar render`; {ACCEPTED}"
        )
    if not of_folders(PurePosixPath(drop.file)):
        return f"it is not a script: {ACCEPTED}"
    if not drop.size_bytes:
        return "it is empty"
    return too_large(drop)


def too_large(drop: Drop) -> str | None:
    """Return why the drop is too large to be read; None if it is not."""
    reason = (DEFAULTS_LIMIT if drop.file == DEFAULTS_NAME else SCRIPT_LIMIT).broken_by(drop.size_bytes)
    return reason and f"it {reason}"


def target_of(name: str, folder: str) -> str:
    """Return where a drop is moved to: the same name in the other folder, with its subfolders.

    If the name would be too long there, or look like the reason of another drop, a digest replaces its end.
    """
    rest = name.removeprefix(INBOX)
    most = LONGEST_NAME - len(folder) - len(REASON_ENDING)
    if len(rest) <= most and not rest.endswith(REASON_ENDING):
        return folder + rest
    ending = PurePosixPath(rest.rpartition("/")[2]).suffix[:10]
    mark = f"~{hashlib.sha256(rest.encode()).hexdigest()[:16]}{ending}"
    return folder + rest.removesuffix(ending)[: most - len(mark)] + mark


def folder_of(outcome: Outcome) -> str | None:
    """Return the folder that the drop belongs in now; None if it stays in the inbox for another run."""
    if outcome.outcome in (OutcomeKind.ARCHIVED, OutcomeKind.SKIPPED):
        return PROCESSED
    changed = outcome.error is not None and outcome.error.failure_class == FailureClass.CHANGED
    return REJECTED if outcome.outcome is OutcomeKind.FAILED and not changed else None


def with_advice(outcome: Outcome) -> Outcome:
    """Add what a person can do about the outcome, where that is different for an inbox."""
    if outcome.error is None or outcome.error.failure_class != FailureClass.CHANGED:
        return outcome
    error = outcome.error.model_copy(update={"message": f"{outcome.error.message}; {ACCEPT}"})
    return outcome.model_copy(update={"error": error})


def facts_of_move(outcome: Outcome, run: str) -> dict[str, str]:
    """Return the metadata of the moved blob, which are headers: ASCII, and none of them empty."""
    archive = outcome.blob_prefix or ""
    facts = {
        "script_id": outcome.script_id,
        "content_id": archive.rstrip("/").rpartition("/")[2],
        "archive": archive,
        "job_id": outcome.job_id or "",
        "run": run,
    }
    return {name: quote(value) for name, value in facts.items() if value}


def reason_of_faults(name: str, faults: Iterable[str]) -> str:
    """Return the text of the reason beside a drop that is not a script."""
    lines = "".join(f"- {fault}\n" for fault in faults)
    return f"{name} was not rendered, and nothing was billed:\n{lines}\n{DROP_AGAIN}\n"


def reason_of_failure(name: str, outcome: Outcome) -> str:
    """Return the text of the reason beside a drop whose script failed."""
    lines = [f"{name} was not rendered.", ""]
    if (error := outcome.error) is not None:
        lines += [f"class: {error.failure_class}", f"code: {error.code}", f"message: {error.message}"]
    if outcome.job_id:
        lines.append(f"job: {outcome.job_id}")
    known = {str(failure_class): text for failure_class, text in ADVICE.items()}
    advice = known.get(error.failure_class if error else "", DROP_AGAIN)
    return "\n".join([*lines, "", advice.replace("{script}", shlex.quote(outcome.script_id)), ""])
