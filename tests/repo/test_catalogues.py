"""The catalogue and what the emulator knows, written apart: where they differ, and that the emulator takes ours."""

import json
from datetime import date, timedelta

import pytest

from batch_avatar.catalog.avatars import characters, photo_avatars
from batch_avatar.catalog.limits import limit
from batch_avatar.emulator.clock import ServiceClock
from batch_avatar.emulator.errors import ApiError
from batch_avatar.emulator.jobs import catalog
from batch_avatar.emulator.jobs.gestures import ignored_gestures
from batch_avatar.emulator.jobs.validation import parse_request
from batch_avatar.emulator.jobs.withdrawal import settle_withdrawn
from batch_avatar.emulator.options import EmulatorOptions

VOICE = "en-US-AvaMultilingualNeural"
DIFFERENCES = {
    "harry without a style: gestures": "the emulator's gestures are from the page of 11/2025, which has no such entry",
    "request-bytes: 500000 or 512000": "500 KB are documented; the client keeps below the smaller of its meanings",
}
"""What differs, and why that is meant."""

STYLES = [(one, style) for one in characters() for style in one.styles]


def name_of(character, style):
    return f"{character.name} {style.name}" if style.name else f"{character.name} without a style"


def month_of(character, style):
    return character.withdrawn or style.withdrawn


def test_the_two_differ_only_where_that_is_meant():
    ours = {name_of(*one): one for one in STYLES}
    theirs = {
        f"{character} {style}" if style else f"{character} without a style": (character, style)
        for character, styles in catalog.STYLES.items()
        for style in styles
    }
    differing = [f"{name}: only one has it" for name in ours.keys() ^ theirs.keys()]
    for name in ours.keys() & theirs.keys():
        (_, style), (character, its_name) = ours[name], theirs[name]
        if set(style.gestures) != catalog.GESTURES[character][its_name]:
            differing.append(f"{name}: gestures")
        month, ends = month_of(*ours[name]), catalog.WITHDRAWN.get(character, {})
        since = ends.get("*") or ends.get(its_name)
        if month != (since and f"{since:%Y-%m}"):
            differing.append(f"{name}: withdrawn {month} or {since}")
    for photos in photo_avatars():
        in_batch = photos.base_model == catalog.PHOTO_BASE_MODEL
        if photos.in_batch != in_batch or (in_batch and set(photos.names) != catalog.PHOTO_CHARACTERS):
            differing.append(f"{photos.base_model}: photo avatars")
    options = EmulatorOptions()
    limits = {
        "video-minutes": options.max_video_minutes,
        "request-bytes": options.body_limit_bytes,
        "unfinished-jobs": options.active_jobs_limit,
        "creates-per-minute": options.creates_per_minute,
        "jobs-per-page": options.page_size_limit,
    }
    differing += [f"{name}: {limit(name)} or {value}" for name, value in limits.items() if limit(name) != value]
    assert set(differing) == set(DIFFERENCES)


def parse(avatar, content="Hi", kind="PlainText"):
    voice = {"synthesisConfig": {"voice": VOICE}} if kind == "PlainText" else {}
    body = {"inputKind": kind, "inputs": [{"content": content}], "avatarConfig": avatar} | voice
    return parse_request(json.dumps(body).encode(), EmulatorOptions())


def avatar_of(character, style):
    named = {"talkingAvatarStyle": style.name} if style.name else {}
    return {"talkingAvatarCharacter": character.name} | named


@pytest.mark.parametrize(("character", "style"), [pytest.param(*one, id=name_of(*one)) for one in STYLES])
def test_the_emulator_takes_every_character_style_and_gesture_until_it_is_withdrawn(character, style):
    marks = "".join(f"<bookmark mark='gesture.{gesture}'/>" for gesture in style.gestures)
    asked = parse(avatar_of(character, style), f"<speak><voice name='{VOICE}'>Hi{marks}</voice></speak>", "SSML")
    known = f"{name_of(character, style)}: gestures" in DIFFERENCES
    assert not known or ignored_gestures(asked) == list(style.gestures)
    assert known or ignored_gestures(asked) == []
    month = month_of(character, style)
    first = date.fromisoformat(f"{month or '2226-01'}-01")
    now = ServiceClock(stepped=True).now()
    before = EmulatorOptions(withdrawals_as_of=first - timedelta(days=1))
    assert settle_withdrawn(asked, before, now) == asked
    after = EmulatorOptions(withdrawals_as_of=first)
    if month is None:
        assert settle_withdrawn(asked, after, now) == asked
    else:
        with pytest.raises(ApiError, match="not available any more"):
            settle_withdrawn(asked, after, now)


def test_the_emulator_takes_every_photo_avatar_that_is_in_batch_and_no_other():
    for photos in photo_avatars():
        for name in photos.names:
            avatar = {"talkingAvatarCharacter": name, "photoAvatarBaseModel": photos.base_model}
            if photos.in_batch:
                assert parse(avatar)
            else:
                with pytest.raises(ApiError, match="photoAvatarBaseModel"):
                    parse(avatar)
