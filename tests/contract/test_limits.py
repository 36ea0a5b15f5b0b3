"""Creates a minute and jobs at once."""

import pytest

from batch_avatar.emulator.options import Progression

UNFINISHED = Progression.after_reads(1000)


def test_two_creates_a_minute_then_429_in_the_gateway_shape(start):
    speech = start(creates_per_minute=2)
    speech.created("job-1")
    speech.emulator.advance(20)
    speech.created("job-2")
    speech.emulator.advance(10)
    answer = speech.put("job-3")
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "429"
    assert answer.headers["Retry-After"] == "30"
    assert "Please retry after 30 seconds" in answer.json()["error"]["message"]
    speech.emulator.advance(30)
    speech.created("job-3")
    assert speech.put("job-4").status_code == 429


def test_the_wait_is_told_in_real_seconds(start):
    speech = start(creates_per_minute=1, time_scale=10)
    speech.created("job-1")
    assert speech.put("job-2").headers["Retry-After"] == "6"


def test_the_wait_is_never_told_as_zero(start):
    speech = start(creates_per_minute=1, time_scale=1000)
    speech.created("job-1")
    assert speech.put("job-2").headers["Retry-After"] == "1"


def test_only_creates_count(start):
    speech = start(creates_per_minute=2)
    for _ in range(10):
        assert speech.list().status_code == 200
        assert speech.get().status_code == 404
        assert speech.delete().status_code == 204
    speech.created()


def test_a_refused_create_spends_the_allowance_by_default(start, make_body):
    speech = start(creates_per_minute=2)
    assert speech.put(body=make_body(inputs=[])).status_code == 400
    speech.created()
    assert speech.put("job-2").status_code == 429
    assert speech.emulator.stats()["creates"]["refused_by_code"] == {
        "400 BadRequest": 1,
        "429 TooManyRequests": 1,
    }


def test_a_refused_create_can_be_free(start, make_body):
    speech = start(creates_per_minute=1, refused_creates_count=False)
    for _ in range(3):
        assert speech.put(body=make_body(inputs=[])).status_code == 400
    speech.created()


def test_a_429_does_not_spend_the_allowance(start):
    speech = start(creates_per_minute=1)
    speech.created("job-1")
    for _ in range(5):
        assert speech.put("job-2").status_code == 429
    speech.emulator.advance(60)
    speech.created("job-2")


def test_a_wrong_key_does_not_spend_the_allowance(start):
    speech = start(creates_per_minute=1)
    key = speech.session.headers.pop("Ocp-Apim-Subscription-Key")
    assert speech.put().status_code == 401
    speech.session.headers["Ocp-Apim-Subscription-Key"] = key
    speech.created()


@pytest.mark.parametrize("status", [429, 400])
def test_too_many_unfinished_jobs_are_refused(start, status):
    speech = start(progression=UNFINISHED, active_jobs_limit=3, active_jobs_refusal=str(status))
    for number in range(3):
        speech.created(f"job-{number}")
    answer = speech.put("job-3")
    assert answer.status_code == status
    assert "too many active jobs" in answer.json()["error"]["message"]
    assert speech.emulator.stats()["most_unfinished"] == 3


def test_a_finished_job_frees_its_slot(start):
    speech = start(active_jobs_limit=1)
    speech.finished("job-1")
    speech.finished("job-2")
    assert speech.emulator.stats()["most_unfinished"] == 1
