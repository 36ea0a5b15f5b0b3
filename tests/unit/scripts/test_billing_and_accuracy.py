"""How many characters are billed, and how good predictions have been."""

import pytest

from batch_avatar.emulator.jobs.billing import billed_characters as billed_by_emulator
from batch_avatar.scripts.prediction.accuracy import FEWEST, LATEST, accuracy
from batch_avatar.scripts.prediction.billed_characters import billed_characters
from batch_avatar.scripts.prediction.predictor import PastRender
from tests.support.scripts import script

SPEAK = '<speak version="1.0" xml:lang="en-US"><voice name="en-US-AvaNeural">{}</voice></speak>'


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Hello, you two.", 15),
        ("one\ntwo", 7),
        ("one\r\ntwo", 7),
        ("\u4f60\u597d", 4),
        (SPEAK.format("Hi."), 3),
        (SPEAK.format("Hi. <break time='1s'/>"), 22),
    ],
)
def test_billed_are_all_code_points_but_for_the_tags_speak_and_voice(text, count):
    kind = "SSML" if text.startswith("<") else "PlainText"
    assert billed_characters(script(content=text, input_kind=kind)) == count
    if "\r" not in text:
        assert billed_by_emulator(kind, text) == count


def render(number, predicted, real, voice="ava"):
    return PastRender(
        voice, predicted, real, None, archived_at=f"2026-11-{number // 24 + 1:02}T{number % 24:02}:00:00Z"
    )


def test_a_few_videos_tell_nothing():
    assert accuracy(render(number, 10, 12) for number in range(FEWEST - 1)) is None


def test_each_video_is_predicted_from_those_before_it_alone():
    """Half as long again from the fourth on: the median of three is known only then, so three count as they were."""
    found = accuracy(render(number, 10, 15) for number in range(10))

    assert found.renders == 10
    assert found.off == pytest.approx(150 / (3 * 10 + 7 * 15) - 1)


def test_only_the_latest_are_told_and_the_order_of_reading_does_not_matter():
    renders = [render(number, 10, 20 if number < 50 else 10) for number in range(LATEST + 100)]

    found = accuracy(reversed(renders))

    assert found.renders == LATEST
    assert found == accuracy(renders)
    assert found.told.startswith(f"last {LATEST} scripts: ")
