"""Whether what came back is what was asked for: the avatar that was named, and not a piece of a longer video."""

from types import SimpleNamespace

import pytest

from batch_avatar.archive.container_probe import is_cut
from batch_avatar.archive.receipt_files import is_substitute, summary_doubts
from batch_avatar.service.wire.summary import Summary, SummaryResult
from tests.unit.archive.known_claim import CLAIM

MEG = {"talking_avatar_character": "meg", "talking_avatar_style": "formal"}
NAMED = {"talking_avatar_character": "meg"}


@pytest.mark.parametrize(
    ("form", "shown", "substitute"),
    [
        (MEG, ("meg", "formal"), False),
        (MEG, ("Meg", "FORMAL "), False),
        (MEG, ("max", "formal"), True),
        (MEG, ("meg", "casual"), True),
        (MEG, ("max", None), True),
        (MEG, (None, "casual"), True),
        (MEG, (None, None), False),
        (MEG, ("", ""), False),
        (NAMED, ("meg", "business"), False),
        (NAMED, ("max", "business"), True),
        ({}, ("max", "business"), False),
    ],
)
def test_of_character_and_style_those_that_were_named_are_compared_with_those_that_are_shown(form, shown, substitute):
    character, style = shown

    assert is_substitute(form, SimpleNamespace(character=character, style=style)) is substitute


def summary(*avatars, job_id=None):
    made = (SummaryResult("Succeeded", None, None, {}, (), *avatar) for avatar in avatars)
    return Summary(job_id, tuple(made))


def test_a_summary_that_shows_another_avatar_is_a_doubt_about_the_avatar_and_one_of_another_job_tells_nothing():
    claim = CLAIM.model_copy(update={"form": MEG})
    ids = {"service_id": "ours-1", "internal_id": "i"}

    assert summary_doubts(summary(("meg", "formal")), claim, **ids) == ()
    assert summary_doubts(summary(("meg", "formal"), ("max", "formal")), claim, **ids) == ("avatar",)
    assert summary_doubts(summary(("max", "formal"), job_id="another"), claim, **ids) == ("summary",)
    assert summary_doubts(summary(("max", "formal")), None, **ids) == ()


@pytest.mark.parametrize(
    ("container", "told", "cut"),
    [
        (1_200_000, 1_200_000, True),
        (1_198_000, None, True),
        (None, 1_202_000, True),
        (1_200_040, 1_800_000, True),
        (1_197_999, 1_197_000, False),
        (1_202_001, None, False),
        (600_000, 600_000, False),
        (None, None, False),
    ],
)
def test_a_video_that_ends_at_the_limit_is_doubtful_by_the_file_or_by_its_job(container, told, cut):
    assert is_cut(container, told) is cut
