"""How a model looks as a form in Prefect's UI. Only the model's schema is changed for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batch_avatar.catalog.avatars import styles_for_good
from batch_avatar.catalog.choices import SUBTITLE_TYPES, VIDEO_CODECS, VIDEO_FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

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

LASTING = styles_for_good()
EXAMPLES: dict[str, Sequence[str]] = {
    "talking_avatar_character": tuple(LASTING),
    "talking_avatar_style": sorted({style for styles in LASTING.values() for style in styles}),
    "photo_avatar_base_model": ("vasa-1",),
    "video_format": VIDEO_FORMATS,
    "video_codec": VIDEO_CODECS,
    "subtitle_type": SUBTITLE_TYPES,
}
MORE = {
    "talking_avatar_character": f" Standard avatars: {', '.join(LASTING)}.",
    "talking_avatar_style": " "
    + "; ".join(f"{name}: {', '.join(styles) or 'none'}" for name, styles in LASTING.items())
    + ".",
}
"""What the description says besides."""

LINKS = ("background_image", "destination_container_url")
KEPT = " Enter none with a signature (SAS): Prefect keeps what is entered, also if it is refused; use a manifest."


def for_forms(schema: dict[str, Any]) -> None:
    """Give every property a position, and show optional texts, numbers and choices as plain fields.

    Links get a warning as well.

    Choices are `examples`, and the description lists them, so that a new value of the service can be entered: one UI
    shows the first as a hint in the empty field, and the other shows none.

    Prefect's server on Postgres loses the order of properties, and its UI sorts by `position`. The UI turns every
    `| None` into a switch that must be set before the field can be filled in (read in the UI of 3.8.8).
    """
    properties = schema["properties"]
    order = [*FIRST, *(name for name in properties if name not in FIRST)]
    for name, about in properties.items():
        about["position"] = order.index(name)
        if name in LINKS:
            about["description"] += KEPT
        if name in MORE:
            about["description"] += MORE[name]
        if name in EXAMPLES:
            about["examples"] = list(EXAMPLES[name])
        (kind, *more) = [kind for kind in about.get("anyOf", [{}]) if kind.get("type") != "null"]
        if not more and kind.get("type") in ("string", "integer"):
            del about["anyOf"], about["default"]
            about.update(kind)
