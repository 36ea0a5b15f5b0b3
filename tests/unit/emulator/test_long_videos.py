"""A video that would be longer than the service allows, with each kind of media."""

import json

import pytest

from batch_avatar.emulator.jobs.validation import parse_request
from batch_avatar.emulator.options import EmulatorOptions
from batch_avatar.emulator.storage.clips import make_clip
from tests.support.independent_decoder import probe

TEXT = "The rainbow has seven colors, and none of them is the most beautiful one of all. " * 2
BODY = {
    "inputKind": "PlainText",
    "inputs": [{"content": TEXT}],
    "synthesisConfig": {"voice": "en-US-AvaMultilingualNeural"},
    "avatarConfig": {"talkingAvatarCharacter": "rowan", "videoCodec": "h264", "subtitleType": "none"},
}
LIMIT = {"max_video_minutes": 3 / 60}


def clip(**options):
    given = EmulatorOptions(**LIMIT, **options)
    return make_clip(parse_request(json.dumps(BODY).encode(), given), TEXT, "nonce", given)


@pytest.mark.parametrize("media", ["real", "minimal", "shared"])
def test_it_is_cut_at_the_limit_or_long_enough_to_be_seen_as_too_long(media):
    assert clip(media=media).duration_milliseconds == 3000
    assert 3000 < clip(media=media, long_videos="failed").duration_milliseconds <= 4000


def test_the_file_itself_ends_at_the_limit():
    assert probe(clip(media="real").video).duration_seconds == pytest.approx(3, abs=0.1)
