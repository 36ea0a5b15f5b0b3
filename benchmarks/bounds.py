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
    inputs_per_job: float = 1,
    inputs_at_once: float = 1,
) -> float:
    """Seconds that a batch takes at least: the most of what slots, the longest script and the pace of creates ask for.

    `times`: seconds that each script occupies a slot. `spacing_seconds`: between two creates on one resource, 0 where
    creates are not paced. `inputs_at_once`: of one job, as many as the service renders side by side.

    The pace's part holds for creates that are spread evenly. A service that counts them in a sliding minute also takes
    a whole minute's worth at once, and its last create may then leave up to a minute less one spacing earlier: at
    2 a minute that is 30 seconds.
    """
    if not times:
        return 0.0
    creates_per_resource = math.ceil(len(times) / (inputs_per_job * resources) - 1e-9)
    by_slots = sum(times) / (slots * resources * inputs_at_once)
    by_pace = (creates_per_resource - 1) * spacing_seconds + min(times)
    return max(by_slots, by_pace, *times)


def packed_optimum(times: Sequence[float], *, spacing_seconds: float, resources: int = 1) -> float:
    """Seconds that packs take which all end together, their inputs rendered one after another.

    After t seconds t / g jobs have been created, which have worked t * t / (2 g) seconds between them.
    """
    return math.sqrt(2 * spacing_seconds * sum(times) / resources)
