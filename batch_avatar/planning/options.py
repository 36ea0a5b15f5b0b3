"""The options of a run, as they travel from a flow to its child runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from batch_avatar.planning.budget import Budget
from batch_avatar.planning.order import Order
from batch_avatar.planning.permits import Permits


@dataclass(frozen=True)
class RenderOptions:
    """What a person wants of a run. `pack`: the most scripts that share a job; 0 chooses."""

    permits: Permits = field(default_factory=Permits)
    order: Order = Order.LONGEST
    pack: int = 1
    budget: Budget = field(default_factory=Budget)

    def keywords(self) -> dict[str, Any]:
        """Return them as `prepare` and `render_scripts` take them."""
        return {"permits": self.permits, "order": self.order, "pack": self.pack, "budget": self.budget}

    def as_parameters(self) -> dict[str, Any]:
        """Return them as the flow `render-batch` takes them, in JSON."""
        limits = self.budget.model_dump(mode="json", exclude_none=True)
        return {**self.permits.model_dump(), "order": self.order.value, "pack": self.pack, **limits}

    def within(self, budget: Budget) -> RenderOptions:
        """Return the same options with another budget."""
        return replace(self, budget=budget)
