"""What a video costs at the prices that a person has stated. Pure.

A price that is needed and not stated makes the cost unknown, which is told and never taken for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batch_avatar.catalog.prices import AvatarKind, Prices, VoiceKind

_SECONDS, _MILLION, _CENT = Decimal(60), Decimal(1_000_000), Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Usage:
    """What is billed for one job of one script: seconds of video, and characters of speech."""

    seconds: float
    characters: int
    avatar: AvatarKind
    voice: VoiceKind | None
    """None: the voice that is built into the avatar, whose characters are not billed apart."""


def cost_of(usage: Usage, prices: Prices) -> Decimal | None:
    """Return the cost in the currency of the prices, unrounded; None if a price is missing that it needs."""
    video = prices.video_per_minute.get(usage.avatar) if usage.seconds else Decimal(0)
    speech = prices.characters_per_million.get(usage.voice) if usage.characters and usage.voice else Decimal(0)
    if video is None or speech is None:
        return None
    return Decimal(str(usage.seconds)) / _SECONDS * video + usage.characters / _MILLION * speech


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
