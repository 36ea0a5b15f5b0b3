"""An outlook in the words and the JSON that terminal, artifact and programs show. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batch_avatar.planning.plan import Action
from batch_avatar.planning.prices import money
from batch_avatar.safe_text.sinks import name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batch_avatar.planning.budget import Budget
    from batch_avatar.planning.outlook import Outlook

DONE = {
    Action.CREATE: "to create",
    Action.ADOPT: "to adopt",
    Action.SKIP: "archived",
    Action.KEEP: "kept as they are",
    Action.REFUSE: "refused",
    Action.LEAVE: "beyond the budget",
}


def duration(seconds: float) -> str:
    """Return a time in hours, minutes and seconds, e.g. `1 h 05 min`, `3 min 20 s`, `12 s`."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {whole % 60:02d} s" if minutes else f"{whole} s"


def counted(outlook: Outlook) -> str:
    """Return how many scripts there are of each kind, e.g. `12 scripts: 10 to create, 2 archived`."""
    count = sum(outlook.actions.values())
    kinds = ", ".join(f"{number:,} {DONE[action]}" for action, number in outlook.actions.items())
    return f"{count:,} script{'s' * (count != 1)}" + (f": {kinds}" if kinds else "")


def sentences(outlook: Outlook, budget: Budget) -> Iterator[str]:
    """Yield what the run is predicted to take, a line each; nothing if it creates nothing."""
    if not outlook.creates:
        return
    yield f"predicted: {_taken(outlook)}"
    if outlook.cost.unknown:
        count = outlook.cost.unknown
        scripts = f"{count:,} script{'s' * (count != 1)}"
        yield f"the cost of {scripts} is not known: BATCH_AVATAR_PRICES lacks a price for them"
    if not budget.unlimited:
        yield f"budget of the run: {budget.told(outlook.currency)}"
    if (forecast := outlook.forecast) is not None:
        jobs = f"{forecast.jobs:,} job{'s' * (forecast.jobs != 1)}"
        last, end = duration(forecast.last_create_seconds), duration(forecast.ends_seconds)
        yield f"{jobs}: the last one is sent after {last}, and all is archived after about {end}"
    if len(outlook.longest) > 1:
        yield "longest: " + ", ".join(f"{name(script)} ({duration(seconds)})" for script, seconds in outlook.longest)
    if outlook.accuracy is not None:
        yield f"predictions so far: {outlook.accuracy.told}"


def _taken(outlook: Outlook) -> str:
    cost = f", {money(outlook.cost.known, outlook.currency)}" if outlook.currency else ""
    return f"{duration(outlook.video_seconds)} of video, {outlook.characters:,} characters{cost}"


def outlook_json(outlook: Outlook) -> dict[str, Any]:
    """Return the sums for programs. Money is a string with all its digits, and null without prices."""
    forecast, accuracy = outlook.forecast, outlook.accuracy
    return {
        "scripts": {str(action): outlook.actions.get(action, 0) for action in Action},
        "video_seconds": round(outlook.video_seconds, 3),
        "characters": outlook.characters,
        "cost": f"{outlook.cost.known:f}" if outlook.currency else None,
        "currency": outlook.currency or None,
        "cost_unknown": outlook.cost.unknown,
        "jobs": forecast.jobs if forecast else None,
        "last_create_seconds": round(forecast.last_create_seconds, 1) if forecast else None,
        "ends_seconds": round(forecast.ends_seconds, 1) if forecast else None,
        "longest": [{"script_id": script, "video_seconds": round(seconds, 3)} for script, seconds in outlook.longest],
        "predictions": accuracy.told if accuracy else None,
    }
