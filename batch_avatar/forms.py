"""How a model looks as a form in Prefect's UI: pure, and the schema of a model is all that it touches."""

from __future__ import annotations

from typing import Any

FIRST = (
    "script_id",
    "input_kind",
    "content",
    "voice",
    "talking_avatar_character",
    "talking_avatar_style",
    "video_format",
    "video_codec",
    "subtitle_type",
    "background_color",
)
"""What most people fill in; the rest follows in the order of the model."""


def for_forms(schema: dict[str, Any]) -> None:
    """Add the order, and make plain fields of what may be left empty.

    Prefect's server on Postgres loses the order of properties, and its UI sorts by `position`; of every `| None` it
    makes a switch that has to be thrown before anything can be filled in (read in the UI of 3.8.8).
    """
    properties = schema["properties"]
    order = [*FIRST, *(name for name in properties if name not in FIRST)]
    for name, about in properties.items():
        about["position"] = order.index(name)
        (kind, *more) = [kind for kind in about.get("anyOf", [{}]) if kind.get("type") != "null"]
        if not more and kind.get("type") in ("string", "integer") and "const" not in kind:  # that would be filled in
            del about["anyOf"], about["default"]
            about.update(kind)
