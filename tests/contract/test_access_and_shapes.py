"""Who may call, and that nothing but the service's own shapes ever comes back."""

from email.utils import parsedate_to_datetime

import pytest


def test_a_wrong_key_is_refused_in_the_gateway_shape(speech):
    speech.session.headers["Ocp-Apim-Subscription-Key"] = "wrong"
    answer = speech.get()
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "401"


def test_no_credential_is_refused(speech):
    del speech.session.headers["Ocp-Apim-Subscription-Key"]
    assert speech.list().status_code == 401


def test_a_plain_bearer_token_is_accepted_when_one_is_configured(start):
    speech = start(bearer_token="token-1")
    del speech.session.headers["Ocp-Apim-Subscription-Key"]
    assert speech.list().status_code == 401
    speech.session.headers["Authorization"] = "Bearer token-1"
    assert speech.list().status_code == 200
    speech.session.headers["Authorization"] = "Bearer aad#resource#token-1"
    assert speech.list().status_code == 401


def test_a_bearer_token_is_refused_when_none_is_configured(speech):
    del speech.session.headers["Ocp-Apim-Subscription-Key"]
    speech.session.headers["Authorization"] = "Bearer None"
    assert speech.list().status_code == 401


def test_an_identity_without_a_role_is_refused_and_the_key_is_not(start):
    speech = start(bearer_token="token-1", bearer_role="none")
    assert speech.list().status_code == 200
    del speech.session.headers["Ocp-Apim-Subscription-Key"]
    speech.session.headers["Authorization"] = "Bearer token-1"

    answer = speech.list()

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "PermissionDenied")
    assert "lacks the required data action" in answer.json()["error"]["message"]


def test_a_free_resource_refuses_everything_but_a_wrong_key_first(start):
    speech = start(tier="F0")

    answer = speech.list()

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Forbidden")
    assert answer.json()["error"]["message"].startswith('Only "Standard" subscriptions')
    assert speech.get().status_code == 403
    speech.session.headers["Ocp-Apim-Subscription-Key"] = "wrong"
    assert speech.list().status_code == 401


@pytest.mark.parametrize("off", [-86_400.0, 86_400.0])
def test_the_date_of_answers_may_be_off_while_service_time_is_right(start, off):
    speech = start(stepped_clock=True, date_off_seconds=off)

    told = parsedate_to_datetime(speech.list().headers["Date"])

    assert abs((told - speech.emulator.service.clock.now()).total_seconds() - off) < 1  # its clock stands still


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/docs", 404),
        ("GET", "/avatar", 404),
        ("GET", "/avatar/batchsyntheses/a/b", 404),
        ("GET", "/avatar/batchsyntheses/job-1/", 404),
        ("POST", "/avatar/batchsyntheses", 405),
        ("POST", "/avatar/batchsyntheses/job-1", 405),
        ("PATCH", "/avatar/batchsyntheses/job-1", 405),
        ("DELETE", "/avatar/operations/abc", 405),
        ("GET", "/avatar/batchsyntheses/a%2Fb", 404),
    ],
)
def test_an_unknown_path_or_method_gets_the_documented_shape(shared, method, path, status):
    answer = shared.call(method, shared.emulator.endpoint + path)
    assert answer.status_code == status


def test_every_operation_asks_for_the_api_version(speech):
    operation = f"{speech.emulator.endpoint}/avatar/operations/abc"
    calls = [
        ("GET", speech.url()),
        ("GET", speech.url("job-1")),
        ("PUT", speech.url("job-1")),
        ("DELETE", speech.url("job-1")),
        ("GET", operation),
    ]
    for method, url in calls:
        for params in ({}, {"api-version": ""}, {"api-version": "2024-04-01-preview"}):
            answer = speech.call(method, url, params=params)
            assert answer.status_code == 400
            assert answer.json()["error"]["target"] == "api-version"


def test_the_preview_version_is_served(speech, make_body):
    params = {"api-version": "2024-04-15-preview"}
    answer = speech.put(body=make_body(), params=params)
    assert answer.status_code == 201
    assert "2024-04-15-preview" in answer.headers["Operation-Location"]


def test_answers_carry_the_service_time(speech):
    before = speech.list().headers["Date"]
    speech.emulator.advance(86_400)
    assert speech.list().headers["Date"] != before
