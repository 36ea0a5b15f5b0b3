"""Scripts whose video would be longer than the service makes them: far beyond is refused, near is told. Pure.

Predictions of speech are off by a third at times, so what is only near the limit is sent. Pauses are as written.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from batch_avatar.errors import FailureClass
from batch_avatar.models import FailureFacts
from batch_avatar.planning.plan import PlanItem, PlanState
from batch_avatar.safe_text.bounds import some_of
from batch_avatar.safe_text.sinks import name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from batch_avatar.scripts.prediction.predictor import Prediction

MARGIN = 1.25
NAMED = 3
"""Scripts that a warning names; the others are counted."""


class Length(Enum):
    """How a predicted length compares with that of the longest video."""

    FITS = 0
    NEAR = 1
    BEYOND = 2

    @classmethod
    def of(cls, seconds: float, limit_seconds: float, *, pauses: float = 0.0) -> Length:
        """Compare. `pauses`: the seconds of it that are certain."""
        certain = min(pauses, seconds)
        if certain + (seconds - certain) / MARGIN > limit_seconds:
            return cls.BEYOND
        return cls.NEAR if seconds >= limit_seconds / MARGIN else cls.FITS


def judge_lengths(
    items: Sequence[PlanItem],
    predict: Callable[[int], Prediction],
    *,
    limit_seconds: float,
    allow_long: bool,
) -> tuple[tuple[PlanItem, ...], str]:
    """Judge the scripts that would be created, and return the items with a warning of those that may be cut, if any.

    `predict`: gives what is predicted of the script with that number.
    """
    judged, near = list(items), {}
    for number, item in enumerate(items):
        if not _would_be_created(item):
            continue
        guess = predict(number)
        seconds, pauses = guess.video_seconds, guess.pause_seconds
        limits = {"limit_seconds": limit_seconds, "pauses": pauses}
        judged[number] = judge_length(item, seconds, allow_long=allow_long, **limits)
        if judged[number].failure is None and Length.of(seconds, **limits) is not Length.FITS:
            near[item.script_id] = seconds
    return tuple(judged), told(near, limit_seconds) if near else ""


def judge_length(
    item: PlanItem, video_seconds: float, *, limit_seconds: float, allow_long: bool, pauses: float = 0.0
) -> PlanItem:
    """Refuse a script that would be created and is far beyond the limit; say so if it is sent all the same."""
    length = Length.of(video_seconds, limit_seconds, pauses=pauses)
    if not _would_be_created(item) or length is not Length.BEYOND:
        return item
    long = (
        f"its video is predicted to take {_minutes(video_seconds)}, and the service cuts at {_minutes(limit_seconds)}"
    )
    before = f"{item.detail}; " if item.detail else ""
    if allow_long:
        return replace(item, detail=f"{before}{long}")
    text = f"{before}{long}: split it into several scripts, or send it all the same with `--allow-long`"
    facts = {"class": FailureClass.LONG, "code": "TooLong", "message": text}
    return replace(item, detail=text, failure=FailureFacts.model_validate(facts))


def told(lengths: Mapping[str, float], limit_seconds: float) -> str:
    """Return one line about scripts near the limit, of which these are the predicted seconds by `script_id`."""
    count = len(lengths)
    some = some_of([f"{name(script_id)} ({_minutes(seconds)})" for script_id, seconds in lengths.items()], NAMED)
    scripts = f"{count:,} script{'s' if count > 1 else ''} may be longer"
    return f"{scripts} than the {_minutes(limit_seconds)} at which the service was seen to cut: {some}"


def _would_be_created(item: PlanItem) -> bool:
    """Return whether a run would certainly pay for it: it is not sent yet, or a person wants it sent again."""
    return item.to_create or (item.state is PlanState.DEAD and item.failure is None)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes"
