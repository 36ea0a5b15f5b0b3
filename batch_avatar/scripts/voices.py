"""Compare the voices of a script with the lists that were asked for, or with how voices are named. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.catalog.near import fold
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.avatars import meant
from batch_avatar.scripts.findings import found
from batch_avatar.service.wire.voices import voice_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from batch_avatar.models import Script
    from batch_avatar.scripts.findings import Finding

NO_VOICES: Mapping[str, str] = MappingProxyType({})
FORM = re.compile(
    r"[a-z]{2,3}(-[a-z0-9]{2,8}){1,2}-\S{1,100}"
    r"|Microsoft Server Speech Text to Speech Voice \([^()]{1,100}\)"
    r"|[a-z]{1,50}Neural",
    re.IGNORECASE,
)
"""`en-US-AvaNeural`, `en-US-Ava:DragonHDLatestNeural`, long names, and personal voices such as `DragonLatestNeural`."""


class Known(NamedTuple):
    """What checks know besides the catalogue: the day, and voices in lower case and as they are written.

    No voices are known until `batch-avatar voices` has asked for them.
    """

    today: date
    voices: Mapping[str, str] = NO_VOICES


def check_voices(script: Script, known: Mapping[str, str]) -> Iterator[Finding]:
    """Say which voices are not in the lists, or are named like none. Voices of one's own are in no list."""
    if script.use_built_in_voice:
        return
    own = {fold(name) for name in script.custom_voices or {}}
    named = voice_names(script.content) if script.input_kind == "SSML" else [script.voice or ""]
    for name in dict.fromkeys(named):
        if not name or fold(name) in own:
            continue
        if not (known or FORM.fullmatch(name)):
            text = (
                f"voice {shown(name)} is named as no voice of the service is; declare one of your own in custom_voices"
            )
            yield found("voice-unknown", text)
        elif known and fold(name) not in known:
            text = f"no voice {shown(name)} was there when the region was asked{meant(name, known.values())}"
            yield found("voice-unknown", text)
