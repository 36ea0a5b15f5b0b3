"""Standard characters with their styles, and the codecs of each container.

Source: standard-avatars.md of MicrosoftDocs/azure-ai-docs, commit b31f33b.
"""

from __future__ import annotations

STYLES: dict[str, frozenset[str]] = {
    "harry": frozenset({"business", "casual", "youthful"}),
    "jeff": frozenset({"business", "formal"}),
    "lisa": frozenset(
        {"casual-sitting", "graceful-sitting", "graceful-standing", "technical-sitting", "technical-standing"}
    ),
    "lori": frozenset({"casual", "graceful", "formal"}),
    "max": frozenset({"business", "casual", "formal"}),
    "meg": frozenset({"formal", "casual", "business"}),
}

# fmt: off
PHOTO_CHARACTERS = frozenset({
    "adrian", "amara", "amira", "anika", "bianca", "camila", "carlos", "clara",
    "darius", "diego", "elise", "farhan", "faris", "gabrielle", "hyejin", "imran",
    "isabella", "layla", "liwei", "ling", "marcus", "matteo", "rahul", "rana",
    "ren", "riya", "sakura", "simone", "zayd", "zoe",
})
# fmt: on

PHOTO_BASE_MODEL = "vasa-1"

CODECS: dict[str, frozenset[str]] = {
    "mp4": frozenset({"h264", "hevc", "av1"}),
    "webm": frozenset({"vp9", "av1"}),
}
PHOTO_CODECS = frozenset({"h264", "hevc", "vp9"})
