"""docs/doctor-live.md names every question with its readings."""

from pathlib import Path

import pytest

from batch_avatar.commands.doctor_live import LIVE
from batch_avatar.doctor.live import bodies
from batch_avatar.doctor.live.questions import QUESTIONS
from batch_avatar.doctor.live.run import CREATES
from batch_avatar.doctor.live.spending import MOST_SECONDS

PAGE = (Path(__file__).parents[4] / "docs" / "doctor-live.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_each_question_stands_there(question):
    readings = "; ".join(f"`{name}`: {means}" for name, means in question.readings.items()) or "a value"
    assert f"| `{question.id}`: {question.asks} | {question.never or readings} |\n" in PAGE


def test_what_is_sent_and_spent_stands_there():
    assert f'"{bodies.TEXT}"' in PAGE
    assert f'"{bodies.SHORT_TEXT}"' in PAGE
    assert f"some {CREATES} creates" in PAGE
    assert f"at most {MOST_SECONDS} seconds" in PAGE


def test_each_option_stands_there():
    def command():
        """Nothing."""

    for option in LIVE:
        command = option(command)
    names = {name for one in command.__click_params__ for name in one.opts} - {"--live"}
    assert [name for name in names if f"| `{name}" not in PAGE] == []
