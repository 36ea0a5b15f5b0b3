"""How a model looks as a form in Prefect's UI. Only the model's schema is changed for it."""

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
"""The fields that most people fill in; the others follow in the order of the model."""


def for_forms(schema: dict[str, Any]) -> None:
    """Give every property a position, and show optional texts, numbers and choices as plain fields.

    Prefect's server on Postgres loses the order of properties, and its UI sorts by `position`. The UI turns every
    `| None` into a switch that must be set before the field can be filled in (read in the UI of 3.8.8).
    """
    properties = schema["properties"]
    order = [*FIRST, *(name for name in properties if name not in FIRST)]
    for name, about in properties.items():
        about["position"] = order.index(name)
        (kind, *more) = [kind for kind in about.get("anyOf", [{}]) if kind.get("type") != "null"]
        if not more and kind.get("type") in ("string", "integer") and "const" not in kind:  # the UI fills in a const
            del about["anyOf"], about["default"]
            about.update(kind)
