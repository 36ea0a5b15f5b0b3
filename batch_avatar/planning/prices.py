"""What a video costs at the prices that a person has stated. Pure.

A price that is needed and not stated makes the cost unknown, which is told and never taken for nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from batch_avatar.catalog.prices import AvatarKind, VoiceKind
from batch_avatar.scripts.prediction.billed_characters import billed_characters
from batch_avatar.scripts.prediction.kinds import avatar_kind, voice_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batch_avatar.catalog.prices import Prices
    from batch_avatar.models import Script
    from batch_avatar.scripts.prediction.predictor import Prediction

_WRITTEN = re.compile(
    rf"([0-9]{{1,9}}\.[0-9]{{1,6}}) ([0-9]{{1,12}}) ({'|'.join(AvatarKind)}) ({'|'.join(VoiceKind)}|-)"
)
_SECONDS, _MILLION, _CENT = Decimal(60), Decimal(1_000_000), Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Usage:
    """What is billed for one job of one script: seconds of video, and characters of speech."""

    seconds: float
    characters: int
    avatar: AvatarKind
    voice: VoiceKind | None
    """None: the voice that is built into the avatar, whose characters are not billed apart."""

    def written(self) -> str:
        """Return it for a claim."""
        return f"{self.seconds:.3f} {self.characters} {self.avatar} {self.voice or '-'}"

    @classmethod
    def read(cls, text: str) -> Usage | None:
        """Read back what `written` wrote; None if it is not so written."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            return None
        seconds, characters, avatar, voice = found.groups()
        voice_kind = None if voice == "-" else VoiceKind(voice)
        return cls(float(seconds), int(characters), AvatarKind(avatar), voice_kind)


def predicted_usage(script: Script, prediction: Prediction) -> Usage:
    """Return what one job of this script is predicted to be billed."""
    voice = None if script.use_built_in_voice else voice_kind(prediction.voice, script.custom_voices or ())
    characters = billed_characters(script) if voice is not None else 0
    return Usage(prediction.video_seconds, characters, avatar_kind(script), voice)


def cost_of(usage: Usage, prices: Prices) -> Decimal | None:
    """Return the cost in the currency of the prices, unrounded; None if a price is missing that it needs."""
    video = prices.video_per_minute.get(usage.avatar) if usage.seconds else Decimal(0)
    speech = prices.characters_per_million.get(usage.voice) if usage.characters and usage.voice else Decimal(0)
    if video is None or speech is None:
        return None
    return Decimal(str(usage.seconds)) / _SECONDS * video + usage.characters / _MILLION * speech


def missing_prices(usages: Iterable[Usage], prices: Prices) -> list[str]:
    """Return the prices that these need and that are not stated, as they are named in the settings."""
    kinds = {(usage.avatar, usage.voice if usage.characters else None) for usage in usages}
    avatars = {f"video_per_minute {avatar}" for avatar, _ in kinds if avatar not in prices.video_per_minute}
    spoken = prices.characters_per_million
    voices = {f"characters_per_million {voice}" for _, voice in kinds if voice and voice not in spoken}
    return sorted(avatars | voices)


@dataclass(frozen=True)
class Sum:
    """The cost of many: what is known of it, and how many have none because a price is missing."""

    known: Decimal = Decimal(0)
    unknown: int = 0

    @classmethod
    def of(cls, costs: Iterable[Decimal | None]) -> Sum:
        """Add up the costs."""
        known, unknown = Decimal(0), 0
        for cost in costs:
            if cost is None:
                unknown += 1
            else:
                known += cost
        return cls(known, unknown)


def money(amount: Decimal, currency: str) -> str:
    """Return an amount as it is shown, e.g. `1,234.50 USD`."""
    return f"{amount.quantize(_CENT, ROUND_HALF_UP):,} {currency}"
