"""What no schedule can beat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def lower_bound(
    times: Sequence[float],
    *,
    slots: int,
    resources: int = 1,
    spacing_seconds: float = 0.0,
    inputs_per_job: int = 1,
) -> float:
    """Seconds that a batch takes at least: the most of what slots, the longest script and the pace of creates ask for.

    `times`: seconds that each script occupies a slot. `spacing_seconds`: between two creates on one resource, 0 where
    creates are not paced.

    The pace's part holds for creates that are spread evenly. A service that counts them in a sliding minute also takes
    a whole minute's worth at once, and its last create may then leave up to a minute less one spacing earlier: at
    2 a minute that is 30 seconds.
    """
    if not times:
        return 0.0
    creates_per_resource = math.ceil(len(times) / (inputs_per_job * resources))
    by_slots = sum(times) / (slots * resources)
    by_pace = (creates_per_resource - 1) * spacing_seconds + min(times)
    return max(by_slots, by_pace, *times)
