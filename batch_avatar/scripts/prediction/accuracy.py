"""How good predictions have been: each of the latest videos, predicted from those before it alone. Pure."""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from batch_avatar.scripts.prediction.predictor import ENOUGH_VIDEOS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batch_avatar.scripts.prediction.predictor import PastRender

LATEST = 200
"""Of so many videos, the latest ones, it is told how good predictions were."""
FEWEST = 5
"""Fewer videos tell nothing."""


@dataclass(frozen=True)
class Accuracy:
    """Over `renders` videos: what was billed beyond the prediction of all together, as a share of the prediction."""

    renders: int
    off: float

    @property
    def told(self) -> str:
        """As a person reads it, e.g. `last 200 scripts: 4 % longer than predicted`."""
        percent = round(abs(self.off) * 100)
        how = f"{percent} % {'longer' if self.off > 0 else 'shorter'} than predicted" if percent else "as predicted"
        return f"last {self.renders:,} scripts: {how}"


def accuracy(past: Iterable[PastRender]) -> Accuracy | None:
    """Return how good predictions have been; None if there are too few videos to tell.

    As in `Predictor`, the prediction of a video is corrected by the median of the voice, or else of all voices.
    """
    usable = (one for one in past if one.predicted_video_seconds > 0 and one.video_seconds > 0)
    renders = sorted(usable, key=lambda one: one.archived_at)
    before, latest = renders[:-LATEST], renders[-LATEST:]
    everybody = sorted(map(_ratio, before))
    by_voice: defaultdict[str, list[float]] = defaultdict(list)
    for one in before:
        by_voice[one.voice.lower()].append(_ratio(one))
    for known in by_voice.values():
        known.sort()
    predicted = real = 0.0
    for one in latest:
        own = by_voice[one.voice.lower()]
        known = own if len(own) >= ENOUGH_VIDEOS else everybody
        predicted += one.predicted_video_seconds * (median(known) if len(known) >= ENOUGH_VIDEOS else 1.0)
        real += one.video_seconds
        insort(own, _ratio(one))
        insort(everybody, _ratio(one))
    if len(latest) < FEWEST or not predicted:
        return None
    return Accuracy(len(latest), real / predicted - 1)


def _ratio(render: PastRender) -> float:
    return render.video_seconds / render.predicted_video_seconds
