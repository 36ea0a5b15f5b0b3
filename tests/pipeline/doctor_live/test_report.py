"""What is sent to others: every answer, and nothing by which a resource, an account or a job could be found."""

from __future__ import annotations

import json

import pytest

from batch_avatar.doctor.live.questions import QUESTIONS
from batch_avatar.doctor.live.report import as_json, as_markdown
from batch_avatar.emulator.faults import FaultRule, Status

KEY = "c4n4ryk3y0f0neresource00000000ff"
SUBSCRIPTION = "7f3a9c1e-52b0-4c4d-9e11-canary000001"
GUID = "7f3a9c1e-52b0-4c4d-9e11-0123456789ab"
JOB_OF_OTHERS = "canary-episode-of-others"


async def test_the_report_names_nothing_that_is_secret(examined, make_job):
    message = (
        f"Subscription {GUID} ({SUBSCRIPTION}) at https://canary-speech.cognitiveservices.azure.com/avatar?sig=abc and "
        f"canary-speech.cognitiveservices.azure.com:443, key {KEY}, job '{JOB_OF_OTHERS}' of 'canary person'."
    )
    refusal = Status(status=400, code="BadRequest", message=message)
    doctor = examined(key=KEY, faults=(FaultRule(operation="delete", action=refusal, at_most=3),))
    make_job(doctor.emulator, JOB_OF_OTHERS)

    report = await doctor.run()

    host = doctor.emulator.endpoint.partition("://")[2]
    for text in (as_markdown(report), as_json(report)):
        assert "BadRequest" in text
        for secret in (KEY, "canary", GUID, "52b0", host, host.partition(":")[2], "127.0.0.1", "sig=", "azure.com"):
            assert secret not in text, (secret, text)
        for job in doctor.emulator.jobs():
            assert job["id"] not in text
            assert job["internal_id"] not in text


async def test_both_forms_have_every_question_and_answer(examined):
    doctor = examined()
    report = await doctor.run()

    told, text = json.loads(as_json(report)), as_markdown(report)

    assert [one["question"] for one in told["answers"]] == [question.id for question in QUESTIONS]
    assert told["answered"] == report.answered
    for answer in report.answers:
        assert f"| {answer.question}: " in text.replace("\\", "")
    assert "rows are not" not in text
    by_id = {one["question"]: one for one in told["answers"]}
    assert by_id["repeat_ended"]["reading"] == "conflict"
    assert by_id["repeat_ended"]["evidence"][0]["status"] == 409
    assert "apim-request-id" in by_id["repeat_ended"]["evidence"][0]["headers"]
    assert by_id["long_video"]["reading"] is None
    assert by_id["long_video"]["why"]


@pytest.mark.parametrize(("region", "told"), [("westeurope", "westeurope"), (None, "not told")])
async def test_the_region_is_told_as_the_settings_say(examined, region, told):
    doctor = examined()
    report = await doctor.run(region=region)
    assert report.region == told
