"""SSML that was sent as text before, tags and all: a script that says the same, and sounds otherwise. Pure.

What begins with `<speak>` counts as SSML today, whoever said nothing of it. It was text to earlier versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.identity import content_ids, known_forms
from batch_avatar.planning.changes import Archived, Change
from batch_avatar.scripts.content.kind import is_ssml

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.models import Script

_SAME = ("content", "input_kind")


def read_aloud_before(
    script: Script, past: Iterable[Archived], *, archive_id: str, index: ArchiveIndex, jobs: Container[str]
) -> Change | None:
    """Return what is archived or paid for already of the script's SSML as text, the latest; None if nothing is.

    `past`: the receipts of the script. `jobs`: the content ids of which the service has a job.
    """
    if script.input_kind != "SSML" or not is_ssml(script.content):
        return None
    text = script.model_copy(update={"input_kind": "PlainText"})
    form, ids = known_forms(text)[0], content_ids(text, archive_id=archive_id)
    archived = [one for one in past if _is_same(one, form, ids)]
    found = max(archived, key=lambda one: (one.archived_at, one.content_id), default=None)
    found = found or next(_under_way(script.script_id, ids, index, jobs), None)
    return None if found is None else Change(found, ("input_kind",), read_aloud=True)


def _is_same(one: Archived, form: dict[str, str], ids: Container[str]) -> bool:
    if not one.form:
        return one.content_id in ids
    return all(one.form.get(name) == form[name] for name in _SAME)


def _under_way(script_id: str, ids: Iterable[str], index: ArchiveIndex, jobs: Container[str]) -> Iterator[Archived]:
    for content_id in ids:
        claim = index.claims.get((script_id, content_id), {})
        accepted = claim.get("accepted") and not claim.get("over") and content_id not in index.dead
        if accepted or content_id in jobs:
            yield Archived("", content_id, int(claim.get("attempt", "1")), {})
