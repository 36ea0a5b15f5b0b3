"""Scripts that the service takes, so that a test says only what is special about its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.models import Script

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOOK = {
    "voice": "en-US-AvaMultilingualNeural",
    "talking_avatar_character": "lisa",
    "talking_avatar_style": "casual-sitting",
}
"""What a script has to say besides its id and its content."""
LOOK_TOML = "".join(f'{name} = "{value}"\n' for name, value in LOOK.items())
"""The same as a `defaults.toml`."""


def script(name="intro", **members) -> Script:
    """A valid script."""
    given = {"script_id": name, "content": f"The rainbow has seven colors, says {name}.", **LOOK}
    return Script.model_validate(given | members)


def write_manifest(folder: Path, scripts: Iterable[Script], *, name="scripts.jsonl") -> Path:
    """The scripts as a file in that folder."""
    path = folder / name
    path.write_text("\n".join(one.model_dump_json(exclude_unset=True) for one in scripts))
    return path
