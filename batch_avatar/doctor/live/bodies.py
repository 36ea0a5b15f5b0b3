"""The creates that are sent: texts, settings, and what about each is unusual. Pure."""

from __future__ import annotations

import json
from typing import Any

PREFIX = "batch-avatar-doctor-"
"""How the ids of all jobs here begin; what is left of one run is found by it."""
TEXT = "Good day. All is well."
"""About two seconds, and two sentences."""
TEXT_SECONDS = 2
"""Billed at most, as whole seconds are billed, rounded down."""
SHORT_TEXT = "Hi."
SHORT_SECONDS = 1
DESCRIPTION = "batch-avatar doctor --live"
UNKNOWN = "batchAvatarDoctor"
"""A member that no version has."""
HOURS = 1
LONGER_HOURS = 24
"""If one hour is refused."""
OVER_LIMIT_BYTES = 600_000
UNKNOWN_VERSION = "2099-01-01"


def clip(*, unknown: bool, hours: int) -> dict[str, Any]:
    """Return the create of the clip, with a member that nobody knows or without."""
    body = _body(TEXT, hours=hours, subtitleType="external_file")
    return body | {UNKNOWN: "x"} if unknown else body


def short(hours: int, **avatar: Any) -> dict[str, Any]:
    """Return the create of a job of about a second; `avatar`: members of avatarConfig."""
    return _body(SHORT_TEXT, hours=hours, **avatar)


def mismatched(hours: int) -> dict[str, Any]:
    return short(hours, videoFormat="mp4", videoCodec="vp9")


def refused(padding: int = 0) -> dict[str, Any]:
    """Return a create that no service can take: it has no inputs. `padding`: bytes of its description."""
    body = _body("", hours=HOURS)
    del body["inputs"]
    return body | {"description": "x" * padding} if padding else body


def encoded(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _body(text: str, *, hours: int, **avatar: Any) -> dict[str, Any]:
    return {
        "inputKind": "PlainText",
        "inputs": [{"content": text}],
        "description": DESCRIPTION,
        "synthesisConfig": {"voice": "en-US-AvaMultilingualNeural"},
        "properties": {"timeToLiveInHours": hours},
        "avatarConfig": {
            "talkingAvatarCharacter": "lisa",
            "talkingAvatarStyle": "casual-sitting",
            "videoFormat": "mp4",
            "videoCodec": "h264",
            "subtitleType": "none",
            **avatar,
        },
    }
