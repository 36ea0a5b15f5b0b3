"""Compare the voices of a script with the lists that were asked for, or with how voices are named. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from batch_avatar.catalog.near import fold
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.avatars import meant
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from batch_avatar.models import Script
    from batch_avatar.scripts.findings import Finding

NO_VOICES: Mapping[str, str] = MappingProxyType({})
FORM = re.compile(
    r"[a-z]{2,3}(-[a-z0-9]{2,8}){1,2}-\S{1,100}"
    r"|Microsoft Server Speech Text to Speech Voice \([^()]{1,100}\)"
    r"|[a-z][a-z0-9]{0,50}Neural",
    re.IGNORECASE,
)
"""`en-US-AvaNeural`, `en-US-Ava:DragonHDLatestNeural`, long names, and personal voices such as `PhoenixV2Neural`."""


LONG = re.compile(r"Microsoft Server Speech Text to Speech Voice \(([^(),]{1,50}),([^(),]{1,100})\)", re.IGNORECASE)
WINDOWS = re.compile(r"Microsoft .{1,200}", re.IGNORECASE)
"""`Microsoft Zira Desktop`, `Microsoft David`: what the speech engine of Windows (SAPI) calls its voices."""


class Known(NamedTuple):
    """What checks know besides the catalogue: the day, and voices in lower case and as they are written.

    No voices are known until `batch-avatar voices` has asked for them.
    """

    today: date
    voices: Mapping[str, str] = NO_VOICES


def check_voice(name: str, script: Script, known: Known) -> Iterator[Finding]:
    """Say that a voice is not in the lists, or is named like none. Voices of one's own are in no list."""
    own = {fold(each) for each in script.custom_voices or {}}
    if not name or script.use_built_in_voice or fold(name) in own:
        return
    if WINDOWS.fullmatch(name) and not FORM.fullmatch(name):
        text = f"voice {shown(name)} is one of Windows, not of the service; `batch-avatar voices` shows those it has"
        yield found("voice-impossible", text)
    elif not (known.voices or FORM.fullmatch(name)):
        text = f"voice {shown(name)} is named as no voice of the service is; declare one of your own in custom_voices"
        yield found("voice-unknown", text)
    elif known.voices and fold(_short(name)) not in known.voices:
        text = f"no voice {shown(name)} was there when the region was asked{meant(name, known.voices.values())}"
        yield found("voice-unknown", text)


def _short(name: str) -> str:
    """Return the form of a name that lists have: the long one of en-US-JennyNeural ends in (en-US, JennyNeural)."""
    long = LONG.fullmatch(name)
    return f"{long[1].strip()}-{long[2].strip()}" if long else name
