"""What a script differs in from what is archived under its name, and whether that is rendered. Pure.

A changed text is new work. A look that changed alone, often by one default over everything, is never billed unasked,
nor is SSML that an earlier version took for text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from batch_avatar.errors import FailureClass
from batch_avatar.models import FailureFacts
from batch_avatar.planning.plan import PlanItem, PlanState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batch_avatar.archive.index import ArchiveIndex
    from batch_avatar.planning.permits import Permits

TEXT = frozenset({"content", "input_kind"})
"""The properties that are the text; all others are the look, voices among them."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A receipt of a script. `form`: the digests of its properties, empty in receipts of before these were kept.

    `archived_at` is empty of what is paid for and not archived yet.
    """

    archived_at: str
    content_id: str
    attempt: int
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """That a script differs in these properties from its latest receipt; none are known if that has no form.

    `before`: the other id under which the same is archived; then nothing differs but the id. `read_aloud`: the same
    SSML was sent as text, so that its tags were spoken.
    """

    since: Archived
    differs: tuple[str, ...]
    before: str = ""
    read_aloud: bool = False

    @property
    def text_is_same(self) -> bool:
        """Whether nobody has written anything new, so that it is not rendered again unasked."""
        return self.read_aloud or (bool(self.differs) and TEXT.isdisjoint(self.differs))

    def __str__(self) -> str:
        if self.read_aloud:
            verb = "archived" if self.since.archived_at else "sent"
            return f"its tags were read aloud when it was {verb} as {self.since.content_id}; it is SSML now"
        if self.before:
            return f"says what is archived as {self.before}/{self.since.content_id}"
        verb = "differs" if len(self.differs) == 1 else "differ"
        what = f"{', '.join(self.differs)} {verb}" if self.differs else "differs"
        return f"{what} from what was archived as {self.since.content_id}"


def change_since(now: Mapping[str, str], archived: Sequence[Archived]) -> Change:
    """Return what differs from the latest of these receipts. `now`: the script's form as it is today."""
    last = max(archived, key=lambda one: (one.archived_at, one.content_id))
    names = (now.keys() | last.form.keys()) if last.form else ()
    return Change(last, tuple(sorted(name for name in names if now.get(name) != last.form.get(name))))


def judge_changes(
    items: Sequence[PlanItem], changes: Mapping[str, Change], *, index: ArchiveIndex, permits: Permits, max_changed: int
) -> list[PlanItem]:
    """Keep or refuse the changed scripts, by `script_id`, that nobody has permitted to render."""
    changed = sum(item.state is PlanState.CHANGED and not changes[item.script_id].text_is_same for item in items)
    too_many = changed > max_changed

    def judge(item: PlanItem) -> PlanItem:
        change = changes.get(item.script_id)
        if change is None:
            return item
        if change.text_is_same and permits.keep_changed and _may_be_kept(item, change, index):
            return _kept(item, change)
        if item.state is not PlanState.CHANGED or permits.accept_changes:
            return item
        if change.text_is_same:
            return _refused(
                item,
                "its text is the same, so it is not rendered again unasked: `--accept-changes` renders it, "
                "`--keep-changed` leaves it as it is archived",
            )
        text = f"{changed} scripts have changed, perhaps by mistake: look at the plan, then accept changes"
        return _refused(item, text) if too_many else item

    return [judge(item) for item in items]


def _may_be_kept(item: PlanItem, change: Change, index: ArchiveIndex) -> bool:
    """Return whether nothing is under way for the new look, and the archive has the video of the one before."""
    left = item.state is PlanState.CHANGED or (item.state is PlanState.DEAD and item.failure is not None)
    return left and index.is_whole((item.script_id, change.since.content_id))


def _kept(item: PlanItem, change: Change) -> PlanItem:
    since = change.since
    return PlanItem(item.script_id, since.content_id, PlanState.KEPT, since.attempt, str(change))


def _refused(item: PlanItem, text: str) -> PlanItem:
    facts = {"class": FailureClass.CHANGED, "code": "ChangesNotAccepted", "message": f"{item.detail}; {text}"}
    return replace(item, failure=FailureFacts.model_validate(facts))
