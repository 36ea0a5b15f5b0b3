"""Dead letters for people: which ones still count, and which scripts can be sent again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from batch_avatar.archive.index import overtaken
from batch_avatar.errors import FailureClass, InputError
from batch_avatar.identity import content_ids
from batch_avatar.models import Script
from batch_avatar.rendering.connections import current_connections

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.archive.records import DeadLetter

MAX_REVISION = 999


@dataclass(frozen=True)
class LetterLine:
    """A dead letter as the listing shows it."""

    script_id: str
    content_id: str
    job_id: str
    failure_class: str
    code: str
    message: str
    written_at: str


def counting_letters(index: ArchiveIndex) -> list[LetterLine]:
    """Return the newest letter of each script, unless a receipt, a later attempt or later content overtook it. Pure."""
    archived_at: dict[str, str] = {}
    for (script_id, _), receipt in index.receipts.items():
        archived_at[script_id] = max(archived_at.get(script_id, ""), receipt.get("archived_at", ""))
    lines: dict[str, LetterLine] = {}
    for content_id, facts in index.dead.items():
        script_id, job_id = facts.get("script_id", ""), facts.get("job_id", "")
        sent_again = overtaken(facts, index.claims.get((script_id, content_id), {}))
        written_at = facts.get("written_at", "")
        mended = archived_at.get(script_id, "") > written_at
        if (script_id, content_id) in index.receipts or sent_again or mended:
            continue
        if script_id in lines and lines[script_id].written_at > written_at:
            continue
        lines[script_id] = LetterLine(
            script_id=script_id,
            content_id=content_id,
            job_id=job_id,
            failure_class=facts.get("failure_class", ""),
            code=facts.get("code", ""),
            message=facts.get("message", ""),
            written_at=written_at,
        )
    return [lines[script_id] for script_id in sorted(lines)]


async def list_letters(
    *, names: Sequence[str] = (), failure_class: FailureClass | None = None
) -> tuple[LetterLine, ...]:
    """List the letters with these script, content or job ids and of this class; without them, of all.

    Raises:
        InputError: a name has no dead letter.
    """
    c = current_connections()
    dead = (await c.control(c.archive.index, [])).dead
    about = sorted({facts.get("script_id", "") for facts in dead.values()} - {""})
    index = await c.control(c.archive.index, about)
    letters = counting_letters(index)
    for name in names:
        if not any(name in (line.script_id, line.content_id, line.job_id) for line in letters):
            raise InputError(f"{name} has no dead letter")
    return tuple(
        line
        for line in letters
        if (not names or {line.script_id, line.content_id, line.job_id} & set(names))
        and (failure_class is None or line.failure_class == failure_class)
    )


async def read_letters(lines: Iterable[LetterLine]) -> list[DeadLetter]:
    c = current_connections()
    found = [await c.control(c.archive.read_dead_letter, line.content_id) for line in lines]
    return [letter for letter in found if letter is not None]


def scripts_to_replay(letters: Iterable[DeadLetter], *, archive_id: str) -> dict[int, list[Script]]:
    """Return the letters' scripts by revision, each exactly as it was sent. Pure.

    Raises:
        InputError: a letter does not hold the whole script, e.g. because it carried a signed link; all are named.
    """
    wanted: dict[int, list[Script]] = {}
    incomplete = []
    for letter in letters:
        try:
            script = Script.model_validate(letter.script)
        except ValidationError:
            incomplete.append(letter.script_id)
            continue
        if None in letter.script.values():  # it carried a signed link
            incomplete.append(letter.script_id)
            continue
        revisions = (
            revision
            for revision in range(MAX_REVISION + 1)
            if letter.ref.content_id in content_ids(script, archive_id=archive_id, revision=revision)
        )
        revision = next(revisions, None)
        if revision is None:
            incomplete.append(letter.script_id)
        else:
            wanted.setdefault(revision, []).append(script)
    if incomplete:
        raise InputError(
            f"{', '.join(sorted(incomplete))}: the dead letter does not hold the whole script; "
            "render its source with --retry-failed instead"
        )
    return wanted
