"""Bounds that no schedule can beat."""

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
    """Return the seconds that a batch takes at least: the largest bound that slots, longest script and pace set.

    `times`: seconds that each script occupies a slot. `spacing_seconds`: time between two creates on one resource, 0
    if creates are not paced. `inputs_at_once`: how many inputs of one job the service renders side by side.

    The bound of the pace holds for creates that are spread evenly. A service that counts them in a sliding minute also
    accepts a whole minute's creates at once, and the last create may then be sent up to a minute less one spacing
    earlier: 30 seconds at 2 a minute.
    """
    if not times:
        return 0.0
    creates_per_resource = math.ceil(len(times) / (inputs_per_job * resources) - 1e-9)
    by_slots = sum(times) / (slots * resources * inputs_at_once)
    by_pace = (creates_per_resource - 1) * spacing_seconds + min(times)
    return max(by_slots, by_pace, *times)


def packed_optimum(times: Sequence[float], *, spacing_seconds: float, resources: int = 1) -> float:
    """Return the seconds that a batch takes in packs that all end together and render their inputs one by one.

    After t seconds, with g seconds between creates, there are t / g jobs, which have rendered for t * t / (2 g)
    seconds in all.
    """
    return math.sqrt(2 * spacing_seconds * sum(times) / resources)
