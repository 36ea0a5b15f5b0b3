"""What videos and speech cost, as a person states it: a small table of prices in one currency.

Azure's prices differ by region, agreement and date, so none are built in. A kind of avatar or voice without a price
makes the cost of what uses it unknown, never nothing.
"""

from __future__ import annotations

import json
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from batch_avatar.catalog.files import Strict


class AvatarKind(StrEnum):
    """What kind of avatar is billed."""

    STANDARD = "standard"
    PHOTO = "photo"
    CUSTOM = "custom"
    CUSTOM_PHOTO = "custom-photo"


class VoiceKind(StrEnum):
    """What kind of voice is billed, as the service's `billingDetails` tell them apart."""

    NEURAL = "neural"
    HD = "hd"
    CUSTOM = "custom"


Price = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Prices(Strict):
    """Prices in one currency. Voices that are built into an avatar are billed with it."""

    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    """As in ISO 4217, e.g. USD."""
    video_per_minute: dict[AvatarKind, Price] = Field(default_factory=dict)
    characters_per_million: dict[VoiceKind, Price] = Field(default_factory=dict)


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise ValueError(
            'is not JSON like {"currency": "USD", "video_per_minute": {"standard": 1.00}, '
            '"characters_per_million": {"neural": 15.00}}'
        ) from None


def _some(prices: Any) -> Any:
    if not prices.video_per_minute and not prices.characters_per_million:
        raise ValueError("names no price: give video_per_minute, characters_per_million, or both")
    return prices


PriceTable = Annotated[Prices, BeforeValidator(_parsed), AfterValidator(_some)]
