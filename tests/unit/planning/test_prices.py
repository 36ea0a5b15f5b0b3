"""What a video costs at stated prices."""

from decimal import Decimal

import pytest

from batch_avatar.catalog.prices import AvatarKind, Prices, VoiceKind
from batch_avatar.errors import SettingsError
from batch_avatar.models import Script
from batch_avatar.planning.prices import Sum, Usage, cost_of, money
from batch_avatar.script_settings import ScriptSettings, loaded
from batch_avatar.scripts.prediction.kinds import avatar_kind, voice_kind

PRICES = Prices.model_validate(
    {"currency": "USD", "video_per_minute": {"standard": "1.20"}, "characters_per_million": {"neural": 15, "hd": 30}}
)


def usage(seconds: float = 60, characters: int = 0, avatar: str = "standard", voice: str | None = "neural") -> Usage:
    return Usage(seconds, characters, AvatarKind(avatar), VoiceKind(voice) if voice else None)


@pytest.mark.parametrize(
    ("used", "cost"),
    [
        (usage(), "1.20"),
        (usage(seconds=30, characters=1_000_000), "15.60"),
        (usage(characters=500_000, voice="hd"), "16.20"),
        (usage(characters=500_000, voice=None), "1.20"),
        (usage(avatar="photo"), None),
        (usage(seconds=0, avatar="photo"), "0"),
        (usage(characters=1, voice="custom"), None),
        (usage(characters=0, voice="custom"), "1.20"),
    ],
)
def test_a_cost_is_the_sum_of_video_and_speech_or_unknown(used: Usage, cost: str | None) -> None:
    assert cost_of(used, PRICES) == (None if cost is None else Decimal(cost))


def test_many_costs_say_how_many_are_unknown() -> None:
    assert Sum.of([Decimal("1.5"), None, Decimal(2), None]) == Sum(Decimal("3.5"), 2)
    assert money(Decimal("1234.505"), "EUR") == "1,234.51 EUR"


def test_kinds_are_those_of_the_price_page() -> None:
    def kind(**given: object) -> AvatarKind:
        return avatar_kind(
            Script.model_validate({"script_id": "a", "content": "a", "talking_avatar_character": "x", **given})
        )

    assert kind() is AvatarKind.STANDARD
    assert kind(photo_avatar_base_model="vasa-1") is AvatarKind.PHOTO
    assert kind(customized=True) is AvatarKind.CUSTOM
    assert kind(photo_avatar_base_model="vasa-1", customized=True) is AvatarKind.CUSTOM_PHOTO
    assert voice_kind("en-US-Ava:DragonHDLatestNeural") is VoiceKind.HD
    assert voice_kind("en-US-Ava-DragonHDOmniLatestNeural") is VoiceKind.HD
    assert voice_kind("en-US-AvaMultilingualNeural") is VoiceKind.NEURAL
    assert voice_kind("Ours", {"ours": "deployment"}) is VoiceKind.CUSTOM


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("free", "is not JSON like"),
        ("[]", "PRICES"),
        ('{"currency": "USD"}', "names no price"),
        ('{"currency": "dollars", "video_per_minute": {"standard": 1}}', "currency"),
        ('{"currency": "USD", "video_per_minute": {"standard": -1}}', "video_per_minute standard"),
        ('{"currency": "USD", "video_per_minute": {"luxury": 1}}', "video_per_minute luxury"),
        ('{"currency": "USD", "video_per_minute": {"standard": NaN}}', "video_per_minute standard"),
    ],
)
def test_a_wrong_table_of_prices_is_named(monkeypatch: pytest.MonkeyPatch, text: str, reason: str) -> None:
    monkeypatch.setenv("BATCH_AVATAR_PRICES", text)
    with pytest.raises(SettingsError) as refused:
        loaded(ScriptSettings)
    assert reason in str(refused.value)


def test_prices_are_read_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCH_AVATAR_PRICES", '{"currency": "USD", "video_per_minute": {"photo": 0.1}}')
    prices = loaded(ScriptSettings).prices
    assert prices is not None
    assert prices.video_per_minute == {AvatarKind.PHOTO: Decimal("0.1")}
