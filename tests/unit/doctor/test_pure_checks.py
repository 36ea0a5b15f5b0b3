"""Decisions of single checks, and texts that are safe to show."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import requests
import yaml
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NameResolutionError, NewConnectionError, ProxyError

from batch_avatar.doctor.checks import failed
from batch_avatar.doctor.machine_checks import check_clock
from batch_avatar.doctor.prefect_checks import DEFAULT_POOL, EXPECTED, asked_range, check_version, within
from batch_avatar.doctor.reach import Reached, kind_of
from batch_avatar.doctor.sign_in_checks import claims_of, fix_for, told
from batch_avatar.doctor.speech_checks import check_endpoint, resource_name
from batch_avatar.doctor.storage_fixes import Fixes
from batch_avatar.errors import ArchiveRefused
from batch_avatar.resource_settings import ResourceSettings
from batch_avatar.safe_text.redaction import know
from batch_avatar.service.sign_in.tokens import NoToken

ROOT = Path(__file__).parents[3]
SECRET = "c4n4ry-s3cret-of-a-test"


def test_no_check_shows_a_secret_or_ends_a_line():
    know(SECRET)

    check = failed("x", f"it is {SECRET}\nand more", f"say {SECRET}\nsecond\x1b[2J")

    assert check.found == r"it is REDACTED\nand more"
    assert check.fix == "say REDACTED\nsecond\\x1b[2J"


@pytest.mark.parametrize(
    ("ahead", "status", "words"),
    [
        ({"a": 1.0, "b": -59.0}, "ok", "within 60 s of a, b"),
        ({"a": 1.0, "b": -61.0}, "warning", "b is 61 s behind"),
        ({"a": 299.0}, "warning", "a is 299 s ahead"),
        ({"a": 1.0, "b": 301.0}, "failed", "b is 301 s ahead"),
        ({"a": -4000.0, "b": -4000.5}, "failed", "a is 4,000 s behind; b is 4,000 s behind"),
        ({"a": None}, "skipped", "no host has told its time"),
        ({}, "skipped", "no host has told its time"),
    ],
)
def test_a_clock_is_judged_by_the_host_from_which_it_is_farthest(ahead, status, words):
    check = check_clock({name: Reached(name, 200, {}, by) for name, by in ahead.items()})

    assert (check.status, words in check.found) == (status, True), check.found
    assert bool(check.fix) == (status in ("warning", "failed"))


POOL = requests.packages.urllib3.connectionpool.HTTPSConnectionPool("h")


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (NameResolutionError("h", POOL, OSError()), "name"),
        (NewConnectionError(POOL, "refused"), "refused"),
        (ConnectTimeoutError(POOL, "late"), "silent"),
        (ProxyError("no", OSError()), "proxy"),
        (OSError("x"), "broken"),
    ],
)
def test_why_a_host_is_not_reached_is_told_by_what_lies_beneath(reason, kind):
    error = requests.exceptions.ConnectionError(MaxRetryError(POOL, "/", reason))

    assert kind_of(error) == kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (requests.exceptions.SSLError("x"), "certificate"),
        (requests.exceptions.ReadTimeout("x"), "silent"),
        (requests.exceptions.ChunkedEncodingError("x"), "broken"),
    ],
)
def test_errors_of_the_requests_library_itself_are_told_apart(error, kind):
    assert kind_of(error) == kind


def test_an_error_that_names_itself_comes_to_an_end():
    error = requests.exceptions.ConnectionError()
    error.args = (error,)

    assert kind_of(error) == "broken"


@pytest.mark.parametrize(
    ("version", "inside"),
    [("3.8.0", True), ("3.9.1", True), ("3.7.9", False), ("4.0.0", False), ("3.10.0rc1", True), ("2.20", False)],
)
def test_versions_are_compared_by_their_numbers(version, inside):
    assert within(version, ">=3.8,<4") is inside


def test_the_range_is_that_of_our_extra():
    (asked,) = [line for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("prefect = [")]

    assert f'"prefect{asked_range()}"' in asked


@pytest.mark.parametrize("told_by_server", [None, 3, "unknown"])
def test_a_version_that_is_not_told_is_not_judged(told_by_server):
    assert check_version(200, told_by_server).status == "skipped"


def test_pool_and_deployments_are_those_that_are_deployed():
    given = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    names = {f"{one['entrypoint'].rpartition(':')[2].replace('_', '-')}/{one['name']}" for one in given}

    assert set(EXPECTED) <= names
    assert {one["work_pool"]["name"] for one in given} == {DEFAULT_POOL}


def token_of(claims):
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


def test_of_a_token_only_names_are_read():
    assert claims_of(token_of({"oid": "o", "upn": "u", "wids": ["x"], "tid": 5})) == {"oid": "o", "upn": "u"}


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "e30.W10.x", "é.é.é", "e30..x"])
def test_a_token_that_is_none_names_nobody(token):
    assert claims_of(token) == {}


def test_who_is_signed_in_is_told_in_one_line():
    assert told("AzureCliCredential", {"upn": "u", "tid": "t"}) == "by the Azure CLI, az login: u, tenant t"
    assert told("NewCredential", {}) == "by NewCredential"
    assert told("", {}) == "by a way that is not told"


@pytest.mark.parametrize(
    ("words", "away", "fix"),
    [
        ("no sign-in is found", False, "az login"),
        ("x; set AZURE_CLIENT_SECRET to a valid secret of that application", False, "az ad app credential reset"),
        ("x; mend AZURE_TENANT_ID and AZURE_CLIENT_ID", False, "export AZURE_TENANT_ID=<tenant> AZURE_CLIENT_ID="),
        ("x; set this machine's clock, and renew the federated token", False, "timedatectl"),
        ("Microsoft Entra does not answer", True, "curl --head https://login.microsoftonline.com"),
    ],
)
def test_why_there_is_no_token_has_its_fix(words, away, fix):
    assert fix in fix_for(NoToken(words, away=away))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("westeurope.api.cognitive.microsoft.com", "ok"),
        ("mine.cognitiveservices.azure.com", "ok"),
        ("westeurope.stt.speech.microsoft.com", "failed"),
        ("mine.openai.azure.com", "failed"),
        ("mine.cognitiveservices.azure.us", "warning"),
    ],
)
def test_an_address_is_judged_by_its_host(host, status):
    check = check_endpoint("x", ResourceSettings(name="a", endpoint=f"https://{host}"))

    assert check.status == status
    assert bool(check.fix) == (status != "ok")


@pytest.mark.parametrize(
    ("host", "name"), [("mine.cognitiveservices.azure.com", "mine"), ("x.api.cognitive.microsoft.com", "<name>")]
)
def test_the_name_of_a_resource_is_taken_from_its_custom_domain(host, name):
    assert resource_name(ResourceSettings(name="a", endpoint=f"https://{host}")) == name


ROLE = (
    'az role assignment create --assignee object-1 --role "Storage Blob Data Contributor" '
    '--scope "$(az storage account show --name acc --query id -o tsv)"'
)
SIGNED_IN = Fixes(account="acc", container="c", assignee="object-1", keyed=False)


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("AuthorizationPermissionMismatch", ROLE),
        ("AuthenticationFailed", "az login --tenant <tenant of the account>"),
        ("BlobImmutableDueToLegalHold", "export BATCH_AVATAR_CONTAINER=c-2"),
        ("SomethingNew", "az storage account show --name acc --query statusOfPrimary"),
    ],
)
def test_a_refusal_of_the_storage_has_the_commands_of_who_is_signed_in(code, fix):
    assert SIGNED_IN.of(ArchiveRefused("no", code=code)) == fix


def test_a_refusal_because_of_the_clock_is_not_one_of_the_key():
    error = ArchiveRefused(
        "x; set this machine's clock; if it is right, the signature or token in use has expired",
        code="AuthenticationFailed",
    )

    assert SIGNED_IN.of(error) == "sudo timedatectl set-ntp true"


def test_commands_of_who_is_signed_in_use_the_sign_in():
    assert SIGNED_IN.make("c") == "az storage container create --name c --account-name acc --auth-mode login"
