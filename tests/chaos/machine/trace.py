"""What a failure prints of the steps before it: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from batch_avatar.emulator.faults import FaultRule
    from batch_avatar.planning.permits import Permits
    from tests.chaos.machine.runs import Ended


def describe(rule: FaultRule) -> str:
    facts = rule.action.model_dump(exclude_defaults=True)
    return f"{rule.operation} {rule.action.kind} {facts} {rule.probability} {rule.at_most}x"


def permitted(permits: Permits) -> str:
    return str(permits.model_dump(exclude_defaults=True))


def brief(ended: Ended) -> str:
    """A run's end in a line of the trace."""
    what = ended.value
    if hasattr(what, "outcomes"):
        what = " ".join(
            f"{one.script_id}:{one.outcome}{f'({one.error.code})' if one.error else ''}" for one in what.outcomes
        )
    elif hasattr(what, "counts"):
        what = {str(kind): count for kind, count in what.counts().items()}
    return f"{'stopped ' if ended.stopped else ''}{ended.error or what}"
