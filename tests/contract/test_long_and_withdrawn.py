"""A video that would be too long, and an avatar that the service has withdrawn: each switch, the default first."""

import json
from datetime import date

import pytest
import requests

from tests.support.waiting import ANSWER_SECONDS

AFTER = date(2027, 1, 1)
JEFF = {"avatarConfig__talkingAvatarCharacter": "Jeff", "avatarConfig__talkingAvatarStyle": "formal"}
JEFF_PREVIEW = {"properties__talkingAvatarCharacter": "jeff", "properties__talkingAvatarStyle": "formal"}
SENTENCE = "A rainbow has seven colors. "  # 28 characters, 15 of which take a second


def summary_of(job):
    return requests.get(job["outputs"]["summary"], timeout=ANSWER_SECONDS).json()


def test_a_video_over_the_limit_is_cut_there_and_billed_up_to_there(start, make_body):
    speech = start()
    text = SENTENCE * 700  # 19,600 characters, 21:46
    job = speech.finished(body=make_body(inputs=[{"content": text}]))
    assert (job["status"], job["properties"]["durationInMilliseconds"]) == ("Succeeded", 1_200_000)
    assert job["properties"]["billingDetails"]["talkingAvatarDurationSeconds"] == 1200
    assert summary_of(job)["results"][0]["texts"] == [text]


def test_a_video_over_the_limit_can_make_its_job_fail(start):
    job = start(max_video_minutes=0.01, long_videos="failed").finished()
    assert job["status"] == "Failed"
    assert "longer" in job["properties"]["error"]["message"]


def test_a_withdrawn_avatar_is_refused_and_named(start, make_body, make_preview_body):
    speech = start(withdrawals_as_of=AFTER)
    for answer in (speech.put(body=make_body(**JEFF)), speech.preview.post(make_preview_body(**JEFF_PREVIEW))):
        assert answer.status_code == 400
        assert "jeff formal is not available any more" in answer.text.lower()


def test_a_withdrawn_avatar_can_have_a_substitute_which_job_and_summary_name(start, make_body, make_preview_body):
    speech = start(withdrawals_as_of=AFTER, withdrawn_avatars="substitute")
    job = speech.finished(body=make_body(**JEFF))
    shown = job["avatarConfig"]
    assert (shown["talkingAvatarCharacter"], shown["talkingAvatarStyle"]) == ("lisa", "casual-sitting")
    old = speech.preview.finished(body=make_preview_body(**JEFF_PREVIEW))
    shown = old["properties"]
    assert (shown["talkingAvatarCharacter"], shown["talkingAvatarStyle"]) == ("lisa", "casual-sitting")
    for one in (job, old):
        (entry,) = summary_of(one)["results"]
        assert (entry["TalkingAvatarCharacter"], entry["TalkingAvatarStyle"]) == ("lisa", "casual-sitting")


@pytest.mark.parametrize(("day", "status"), [(date(2026, 11, 30), 201), (date(2026, 12, 1), 400)])
def test_an_avatar_is_withdrawn_from_the_first_day_of_its_month(start, make_body, day, status):
    speech = start(withdrawals_as_of=day)
    assert speech.put(body=make_body(**JEFF)).status_code == status
    assert speech.put("job-2", body=make_body()).status_code == 201


def test_service_time_decides_if_no_day_is_named(start, make_body):
    speech = start()
    speech.emulator.advance(100 * 366 * 86_400)
    answer = speech.put(body=make_body(**JEFF))
    assert answer.status_code == 400
    assert json.loads(answer.request.body)["avatarConfig"]["talkingAvatarCharacter"] == "Jeff"
