"""Readings that the emulator never gives."""

import json

import pytest
from requests.structures import CaseInsensitiveDict

from batch_avatar.doctor.live import judging, results
from batch_avatar.doctor.live.answers import completed, found
from batch_avatar.doctor.live.bodies import TEXT, clip
from batch_avatar.doctor.live.conversation import Seen
from batch_avatar.doctor.live.questions import QUESTIONS
from batch_avatar.doctor.live.results import File
from batch_avatar.doctor.live.run import STEPS
from batch_avatar.service.exchange import Answer


def seen(status=200, body=None, method="GET", at=0.0, **headers):
    named = CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Seen("x", at, at, Answer(method, status, named, json.dumps(body or {}).encode()))


def error(status, message="no", **headers):
    return seen(status, {"error": {"code": "C", "message": message}}, "PUT", **headers)


JOB = {"id": "a", "internalId": "1", "createdDateTime": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("answer", "reading"),
    [
        (error(409), "conflict"),
        (error(400), "bad_request"),
        (error(422), "other"),
        (seen(201, JOB), "existing"),
        (seen(200, JOB), "existing"),
        (seen(201, JOB | {"internalId": "2"}), "replace"),
        (seen(201, {"createdDateTime": JOB["createdDateTime"]}), "existing"),
        (seen(201, {"createdDateTime": "2026-01-01T00:00:01Z"}), "replace"),
    ],
)
def test_a_repeat(answer, reading):
    assert judging.repeat_reading(answer, JOB) == reading


def test_a_replay_is_compared_with_a_plain_repeat():
    conflict = found("repeat_ended", "conflict")
    assert judging.judge_replay(seen(201, JOB), JOB, conflict).reading == "first_result"
    assert judging.judge_replay(error(409), JOB, conflict).reading == "as_new"
    assert judging.judge_replay(error(400), JOB, conflict).reading == "other"
    assert judging.judge_replay(error(409), JOB, None).reading is None


@pytest.mark.parametrize(("status", "reading"), [(204, "204"), (404, "404"), (500, "other"), (403, "other")])
def test_a_status_that_nobody_thought_of(status, reading):
    assert judging.by_status("get_absent", seen(status), {404: "404", 204: "204"}).reading == reading


def test_a_limit_that_comes_too_soon_tells_nothing():
    burst = [error(400), error(429)]
    assert judging.judge_rate(burst, 2)[0].reading is None
    assert judging.judge_rate(burst, 1)[0].reading == "counted"
    assert judging.judge_rate([error(400)] * 3, 2)[0].reading == "not_counted"


@pytest.mark.parametrize(
    ("headers", "reading"),
    [({"Retry_After": "5"}, "retry_after"), ({"X_RateLimit_Reset": "5"}, "rate_headers"), ({}, "bare")],
)
def test_how_a_limit_is_told(headers, reading):
    assert judging.judge_refusal(error(429, **headers)).reading == reading


def test_reads_are_counted_by_the_minute():
    few = [seen(at=40.0 * number) for number in range(10)]
    assert judging.judge_limited(few, 2).reading is None
    many = [seen(at=20.0 * number) for number in range(10)]
    assert judging.judge_limited(many, 2).reading == "creates"
    assert judging.judge_limited([*many, seen(429)], 2).reading == "all"


def test_a_large_body_that_is_refused_as_a_small_one_is():
    assert judging.judge_oversize(error(400), error(400)).reading == "other"
    assert judging.judge_oversize(error(400, "too large"), error(400)).reading == "400"
    assert judging.judge_oversize(error(413), error(400)).reading == "413"


def test_what_a_job_shows_of_its_create():
    sent = clip(unknown=False, hours=1)
    answers = {one.question: one.reading for one in judging.judge_shown(sent, seen(200, sent))}
    assert answers == {"inputs_shown": "shown", "description_shown": "shown", "settings_shown": "as_sent"}

    shown = {"avatarConfig": sent["avatarConfig"] | {"videoCodec": "av1"}, "synthesisConfig": sent["synthesisConfig"]}
    answers = {one.question: one.reading for one in judging.judge_shown(sent, seen(200, shown))}
    assert answers == {"inputs_shown": "hidden", "description_shown": "hidden", "settings_shown": "changed"}
    assert judging.judge_shown(sent, seen(200, {}))[2].reading == "hidden"


def test_the_order_of_a_list():
    jobs = [{"createdDateTime": f"2026-01-0{day}T00:00:00Z"} for day in (3, 2, 1)]
    assert judging.judge_order(jobs, seen()).reading == "newest_first"
    assert judging.judge_order(jobs[::-1], seen()).reading == "oldest_first"
    assert judging.judge_order([jobs[1], jobs[0], jobs[2]], seen()).reading == "other"
    assert judging.judge_order(jobs[:1], seen()).reading is None


@pytest.mark.parametrize(
    ("outputs", "reading"),
    [
        ({"result": "https://a/b", "summary": "https://a/c"}, "none"),
        ({"result": "https://a/b", "webvttUrl": "https://a/c"}, "other"),
        ({"result": "https://a/b", "subtitle": "https://a/c"}, "subtitle"),
    ],
)
def test_the_member_of_subtitles(outputs, reading):
    assert results.judge_subtitle(seen(200, {"outputs": outputs})).reading == reading


@pytest.mark.parametrize(
    ("link", "reading"),
    [
        ("https://a/b?st=2026-01-01T00:00:00Z&se=2026-01-04T00:05:00Z&sig=x&skoid=y", "72 h 5 min"),
        ("https://a/b?se=2026-01-04T00:05:00Z", None),
        ("https://a/b?st=soon&se=later", None),
        ("https://a/b?st=2026-01-01T00:00:00&se=2026-01-04T00:05:00Z", None),
    ],
)
def test_the_life_of_a_link(link, reading):
    answer = results.judge_lifetime(seen(200, {"outputs": {"result": link}}))
    assert answer.reading == reading
    assert "x" not in answer.evidence[0].note.split()


@pytest.mark.parametrize(
    ("summary", "texts", "job_id"),
    [
        ({"jobID": "1", "results": [{"texts": [TEXT]}]}, "whole", "internal_id"),
        ({"jobID": "a", "results": [{"contents": [TEXT]}]}, "contents", "id"),
        ({"results": [{}]}, "absent", "absent"),
        ({"jobID": ["odd"], "results": "odd"}, "absent", "other"),
        ({"jobID": "z", "results": [{"texts": ["else"]}]}, "other", "other"),
        ([], None, None),
    ],
)
def test_a_summary(summary, texts, job_id):
    file = File("summary", 1, {}, json.dumps(summary).encode())
    assert [one.reading for one in results.judge_summary(JOB, [file])] == [texts, job_id]


def test_every_question_that_is_asked_belongs_to_one_step():
    asked = [question for _, questions in STEPS.values() for question in questions]
    assert sorted(asked) == sorted(question.id for question in QUESTIONS if not question.never)


def test_what_was_not_asked_says_why():
    assert all(answer.reading is None and answer.why for answer in completed({}))


def test_an_answer_has_a_reading_of_its_question():
    with pytest.raises(ValueError, match="no reading"):
        found("get_absent", "perhaps")
