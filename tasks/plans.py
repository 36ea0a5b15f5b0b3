"""What a flow run is about to do, as a page in the Prefect UI: the same plan that `batch-avatar plan` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect.artifacts import acreate_markdown_artifact

from batch_avatar.planning.outlook_text import DONE, counted, sentences
from batch_avatar.planning.plan import Action
from batch_avatar.safe_text.sinks import markdown
from tasks.reporting import show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.planning.budget import Budget
    from batch_avatar.rendering.preparing.preparation import Prepared

NAMED = 20
"""Scripts that the page names of each kind that needs a person."""


async def publish_plan(found: Prepared, *, budget: Budget) -> None:
    """Show the plan before anything is sent."""
    page = "\n".join(page_of(found, budget))
    await show("the plan", acreate_markdown_artifact(markdown=page, key="plan", description=counted(found.outlook)))


def page_of(found: Prepared, budget: Budget) -> Iterator[str]:
    """Yield the plan as Markdown: what becomes of the scripts, what it takes, and what needs a person. Pure."""
    yield from ("| | scripts |", "|---|--:|")
    yield from (f"| {DONE[action]} | {count:,} |" for action, count in found.outlook.actions.items())
    yield ""
    yield from (f"- {markdown(sentence)}" for sentence in sentences(found.outlook, budget))
    for action in (Action.REFUSE, Action.LEAVE):
        items = [item for item in found.plan.items if found.action_of(item) is action]
        if items:
            yield from ("", f"## {DONE[action].capitalize()}", "", "| script | why |", "|---|---|")
            yield from (f"| {markdown(item.script_id)} | {markdown(item.told or '')} |" for item in items[:NAMED])
        if len(items) > NAMED:
            yield f"\nand {len(items) - NAMED:,} more."
