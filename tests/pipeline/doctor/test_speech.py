"""Faults of a Speech resource: each is named once with its fix, and nothing else has failed."""

from __future__ import annotations

import json

import pytest

from batch_avatar.emulator.faults import DropBefore, FaultRule, Garbage, Status
from batch_avatar.emulator.ports import free_port
from tests.support.sign_in.identity_endpoint import IdentityEndpoint
from tests.support.tiny_server import Answer, TinyServer

NETWORK = "Access denied due to Virtual Network/Firewall rules."
NO_KEYS = "Key based authentication is disabled for this resource."
NO_DOMAIN = "Please provide a custom subdomain for token authentication."
TENANT = "Token tenant 33e01921 does not match resource tenant."


def playing(status, message, code=None):
    """The emulator refuses to list jobs with these words."""
    action = Status(status=status, code=code or str(status), message=message)
    return {"faults": (FaultRule(operation="list", action=action),)}


def test_a_wrong_key_is_told_with_the_command_that_shows_the_right_one(quick, doctor):
    said = doctor(quick(), speech_key="0123456789abcdef-wrong")

    found = said.only_fault("speech access", fix="az cognitiveservices account keys list --name <name>")
    assert "invalid subscription key" in found
    assert "0123456789abcdef-wrong" not in json.dumps([check.found + check.fix for check in said.checks])


@pytest.mark.parametrize(
    ("play", "name", "fix"),
    [
        ({"tier": "F0"}, "speech tier", "--sku S0"),
        (playing(403, NETWORK), "speech access", "network-rule add"),
        (playing(403, NO_KEYS), "speech access", "unset BATCH_AVATAR_SPEECH_KEY"),
        (playing(404, "Resource not found"), "speech region", "--location <one of"),
        (playing(500, "Oops"), "speech jobs", "batch-avatar jobs list"),
        ({"faults": (FaultRule(operation="list", action=Garbage(body="html")),)}, "speech jobs", "batch-avatar jobs"),
        ({"faults": (FaultRule(operation="list", action=Garbage(body="empty")),)}, "speech jobs", "batch-avatar jobs"),
    ],
    ids=["free tier", "network rules", "no keys taken", "no such API", "error", "a page", "nothing"],
)
def test_what_the_service_says_is_told_with_its_fix(quick, doctor, play, name, fix):
    doctor(quick(**play)).only_fault(name, fix=fix)


@pytest.mark.parametrize(
    ("play", "fix"),
    [
        ({"bearer_role": "none"}, 'az role assignment create --assignee object-1 --role "Cognitive'),
        (playing(403, "Principal does not have access to API/Operation.", "PermissionDenied"), "Services Speech User"),
        (playing(403, "No."), "Services Speech User"),
        (playing(401, TENANT), "az login --tenant"),
        (playing(400, NO_DOMAIN, "InvalidRequest"), "--custom-domain"),
        (playing(401, "The access token is missing, invalid, audience is incorrect, or has expired."), "az login"),
    ],
    ids=["data action", "role", "only a status", "other tenant", "no custom domain", "token refused"],
)
def test_an_identity_that_may_not_is_told_what_it_lacks(quick, doctor, monkeypatch, play, fix):
    token = "e30.eyJvaWQiOiAib2JqZWN0LTEifQ.c2ln"  # {"oid": "object-1"}
    with IdentityEndpoint() as identity:
        identity.token = token
        identity.use(monkeypatch)

        said = doctor(quick(bearer_token=token, **play), speech_key=None)

    said.only_fault("speech access", fix=fix)


def test_the_role_that_is_missing_is_no_role_of_owners(quick, doctor, monkeypatch):
    with IdentityEndpoint() as identity:
        identity.use(monkeypatch)
        said = doctor(quick(bearer_token="identity-token", bearer_role="none"), speech_key=None)

    assert "Owner and Contributor do not have this data action" in said["speech access"].fix


def test_a_list_that_is_throttled_is_warned_of(quick, doctor):
    doctor(quick(**playing(429, "Too many requests"))).only_warning("speech jobs", fix="batch-avatar jobs list")


def test_a_list_without_an_answer_says_nothing_of_access(quick, doctor):
    b = quick(faults=(FaultRule(operation="list", action=DropBefore()),))

    said = doctor(b)

    said.only_fault("speech jobs", fix="batch-avatar jobs list")
    assert said["speech access"].status == said["speech tier"].status == "skipped"


def test_a_region_of_which_documents_say_that_it_has_none_is_warned_of(quick, doctor):
    found = doctor(quick(), region="northpole").only_warning("speech region", fix="--location <one of")

    assert "northpole is not known here" in found


def test_a_region_that_has_batch_avatars_is_in_order(quick, doctor):
    said = doctor(quick(), region="westeurope")

    assert (said.failed, said["speech region"].status) == ([], "ok")


def test_a_host_that_takes_no_connection_is_told(quick, doctor):
    endpoint = f"http://127.0.0.1:{free_port()}"

    found = doctor(quick(), endpoint=endpoint).only_fault("speech host", fix="curl")

    assert "takes no connection" in found


def test_a_host_that_breaks_off_is_told(quick, doctor):
    with TinyServer() as server:
        server.answers = [Answer(drop=True)]

        found = doctor(quick(), endpoint=server.url).only_fault("speech host", fix="curl")

    assert "breaks the connection off" in found


def test_a_name_that_no_host_has_is_told(quick, doctor):
    said = doctor(quick(), endpoint="https://nobody.cognitiveservices.azure.invalid")

    assert said.failed == ["speech host"]
    assert said["speech host"].found == "no host has the name nobody.cognitiveservices.azure.invalid"
    assert "az cognitiveservices account list" in said["speech host"].fix


def test_the_address_of_another_part_of_the_service_is_told_with_the_right_one(quick, doctor):
    said = doctor(quick(), endpoint="https://westeurope.tts.speech.microsoft.com")

    fix = "export BATCH_AVATAR_ENDPOINT=https://westeurope.api.cognitive.microsoft.com"
    said.only_fault("speech endpoint", fix=fix)
    assert said["speech host"].found == said["speech jobs"].found == "after speech endpoint"


def test_of_several_resources_the_one_with_the_fault_is_named(quick, doctor):
    good, bad = quick(), quick()
    resources = [
        {"name": "good", "endpoint": good.emulator.endpoint, "speech_key": good.emulator.key},
        {"name": "bad", "endpoint": bad.emulator.endpoint, "speech_key": "0123456789abcdef-wrong"},
    ]

    said = doctor(good, endpoint=None, speech_key=None, resources=json.dumps(resources))

    said.only_fault("speech access (bad)", fix="az cognitiveservices account keys list")
    assert said["speech jobs (good)"].status == "ok"
    assert said["speech jobs (bad)"].found == "after speech access (bad)"


@pytest.mark.parametrize(("off", "words"), [(400, "ahead"), (-400, "behind")])
def test_a_clock_that_is_off_is_told_before_anything_is_signed(quick, doctor, off, words):
    b = quick(date_off_seconds=off)

    said = doctor(b)

    found = said.only_fault("clock", fix="timedatectl")
    assert f"{b.emulator.endpoint.removeprefix('http://')} is " in found
    assert words in found
    assert said["storage access"].found == "after clock"


def test_a_clock_that_is_a_little_off_is_warned_of(quick, doctor):
    doctor(quick(date_off_seconds=180)).only_warning("clock", fix="timedatectl")
