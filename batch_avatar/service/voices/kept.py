"""The lists of voices that were asked for, as files in the user's cache: one for each region."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from batch_avatar.models import Received
from batch_avatar.settings import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

MOST_VOICES = 10_000
"""Of one region. In 2025 a region had some 600."""
MOST_CHARACTERS = 400
"""Of one member of a voice. The longest name has some 80."""
MOST_FILE_BYTES = 4_000_000
MOST_FILES = 50
"""More are not read; Azure Speech is in some 35 regions (regions.md)."""

logger = logging.getLogger(__name__)

Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]


class Voice(Received):
    """A voice: `name` as in en-US-AvaNeural, `long_name` as in "Microsoft Server Speech Text to Speech Voice (...)"."""

    name: Annotated[Text, Field(min_length=1)]
    long_name: Text = ""
    locale: Text = ""
    gender: Text = ""
    status: Text = ""


class VoiceList(Received):
    """The voices that a region told, and when by its own clock."""

    region: Text
    asked_at: datetime | None = None
    voices: Annotated[tuple[Voice, ...], Field(min_length=1, max_length=MOST_VOICES)]


def path_for(region: str) -> Path:
    """Return the file that keeps the voices of a region; its folder may be missing."""
    return cache_folder() / f"voices-{region}.json"


def known_voices(folder: Path | None = None) -> dict[str, str]:
    """Return all voices that are kept, of any region: in lower case, and as the service writes them. Nothing is asked.

    Empty if nothing was asked for yet, and then nothing can be said of a name. What cannot be read is left out.
    """
    kept = [found for path in _files(folder or cache_folder()) if (found := _read(path)) is not None]
    voices = [voice for found in kept for voice in found.voices]
    return {name.casefold(): name for voice in voices for name in (voice.name, voice.long_name) if name}


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("voices-*.json"))[:MOST_FILES]
    except OSError:
        return []


def _read(path: Path) -> VoiceList | None:
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            content = file.read(MOST_FILE_BYTES + 1)
        if len(content) > MOST_FILE_BYTES:
            raise ValueError(f"it has more than {MOST_FILE_BYTES:,} bytes")  # noqa: TRY301 - one way out for all faults
        return VoiceList.model_validate_json(content)
    except (OSError, ValueError) as error:
        logger.warning("%s is not used (%s); `batch-avatar voices` writes it anew", path, type(error).__name__)
        return None
