"""Which avatar a job and its summary show; what is odd about one member leaves the others."""

import json
from datetime import UTC, datetime

import pytest

from batch_avatar.service.wire.avatar_2024 import Avatar2024
from batch_avatar.service.wire.preview_3_1 import AvatarPreview31
from batch_avatar.service.wire.summary import decode_summary

NOW = datetime(2026, 12, 1, tzinfo=UTC)
LATER, PREVIEW = Avatar2024("2024-08-01"), AvatarPreview31()
MEG = {"talkingAvatarCharacter": "Meg", "talkingAvatarStyle": "Formal"}


@pytest.mark.parametrize(("wire", "within"), [(LATER, "avatarConfig"), (PREVIEW, "properties")])
@pytest.mark.parametrize(
    ("members", "shown"),
    [
        (MEG, ("Meg", "Formal")),
        (MEG | {"talkingAvatarStyle": ["formal"]}, ("Meg", None)),
        (MEG | {"talkingAvatarCharacter": 7}, (None, "Formal")),
        ({}, (None, None)),
        ("meg", (None, None)),
    ],
)
def test_a_job_shows_its_avatar_as_far_as_it_can_be_read(wire, within, members, shown):
    body = {"id": "intro-1", "displayName": "intro-1", "status": "Succeeded", within: members}

    job = wire.decode_job(body, observed_at=NOW)

    assert (job.character, job.style, job.status) == (*shown, "Succeeded")


@pytest.mark.parametrize(
    ("members", "shown"),
    [
        ({"TalkingAvatarCharacter": "meg", "TalkingAvatarStyle": "formal"}, ("meg", "formal")),
        ({"talkingAvatarCharacter": "meg"}, ("meg", None)),
        ({"TalkingAvatarCharacter": {"name": "meg"}, "TalkingAvatarStyle": "formal"}, (None, "formal")),
        ({}, (None, None)),
    ],
)
def test_a_summary_shows_the_avatar_of_each_input(members, shown):
    (result,) = decode_summary(json.dumps({"results": [{"status": "Succeeded"} | members]}).encode())

    assert (result.character, result.style) == shown
