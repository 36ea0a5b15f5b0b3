"""What a run will take, before it begins: what becomes of scripts, minutes, characters, cost, and its end. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import nlargest
from typing import TYPE_CHECKING

from batch_avatar.planning.plan import Action
from batch_avatar.planning.prices import Sum, cost_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batch_avatar.catalog.prices import Prices
    from batch_avatar.planning.forecast import Forecast
    from batch_avatar.planning.plan import PlanItem
    from batch_avatar.planning.prices import Usage
    from batch_avatar.scripts.prediction.accuracy import Accuracy

LONGEST = 5
"""Scripts of which a plan tells how long they are predicted to be."""


@dataclass(frozen=True)
class Outlook:
    """Sums over the scripts that would be created; all of it is predicted. `currency`: empty without prices."""

    actions: Mapping[Action, int] = field(default_factory=dict)
    video_seconds: float = 0.0
    characters: int = 0
    cost: Sum = field(default_factory=Sum)
    currency: str = ""
    longest: tuple[tuple[str, float], ...] = ()
    """Scripts and seconds, the longest first."""
    forecast: Forecast | None = None
    accuracy: Accuracy | None = None
    """How good predictions have been; None if there are too few to tell."""

    @property
    def creates(self) -> int:
        """How many scripts would be created."""
        return self.actions.get(Action.CREATE, 0)

    @property
    def something_to_do(self) -> bool:
        """Whether a run would create or adopt anything, now or with a higher budget."""
        return any(self.actions.get(action, 0) for action in (Action.CREATE, Action.ADOPT, Action.LEAVE))


def look_ahead(
    items: Sequence[PlanItem],
    usages: Mapping[int, Usage],
    prices: Prices | None,
    *,
    rerender_lost: bool,
    forecast: Forecast | None = None,
    accuracy: Accuracy | None = None,
) -> Outlook:
    """Sum up a plan. `usages`: what each script that would be created is predicted to be billed, by its number."""
    actions = Counter(item.action(rerender_lost=rerender_lost) for item in items)
    longest = nlargest(LONGEST, usages, key=lambda number: usages[number].seconds)
    return Outlook(
        actions={action: actions[action] for action in Action if actions[action]},
        video_seconds=sum(usage.seconds for usage in usages.values()),
        characters=sum(usage.characters for usage in usages.values()),
        cost=Sum.of(cost_of(usage, prices) for usage in usages.values()) if prices else Sum(),
        currency=prices.currency if prices else "",
        longest=tuple((items[number].script_id, usages[number].seconds) for number in longest),
        forecast=forecast,
        accuracy=accuracy,
    )
