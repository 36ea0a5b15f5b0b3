"""A client that checks every answer of the emulator against schemas written from the service's documents."""

from __future__ import annotations

import contextlib
import copy
import json
import uuid
from functools import partial
from pathlib import Path

import pytest
import requests
from jsonschema import Draft202012Validator

from batch_avatar.emulator.options import EmulatorOptions, Progression
from batch_avatar.emulator.web.server import EmulatorServer
from tests.contract.storage_road import StorageRoad
from tests.support.signing import signed_url
from tests.support.waiting import ANSWER_SECONDS

SCHEMAS = json.loads((Path(__file__).parent / "schemas.json").read_text())
VERSION = "2024-08-01"
TEXT = "The rainbow has seven colors."
PLAIN = {
    "inputKind": "PlainText",
    "inputs": [{"content": TEXT}],
    "synthesisConfig": {"voice": "en-US-AvaMultilingualNeural"},
    "avatarConfig": {
        "talkingAvatarCharacter": "lisa",
        "talkingAvatarStyle": "casual-sitting",
        "videoCodec": "h264",
    },
}

PREVIEW_PLAIN = {
    "displayName": "episode-1",
    "textType": "PlainText",
    "inputs": [{"text": TEXT}],
    "synthesisConfig": {"voice": "en-US-AvaMultilingualNeural"},
    "properties": {
        "talkingAvatarCharacter": "lisa",
        "talkingAvatarStyle": "casual-sitting",
        "videoCodec": "h264",
    },
}


def check(content, schema):
    Draft202012Validator({"$ref": f"#/$defs/{schema}", **SCHEMAS}).validate(content)


def changed(**changes):
    """The plain request with some members replaced; `a__b` reaches into `a`, None removes."""
    return _replace(PLAIN, changes)


def changed_preview(**changes):
    """The plain request of 3.1-preview1 with some members replaced, likewise."""
    return _replace(PREVIEW_PLAIN, changes)


def _replace(plain, changes):
    body = copy.deepcopy(plain)
    for path, value in changes.items():
        *parents, name = path.split("__")
        place = body
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is None:
            place.pop(name, None)
        else:
            place[name] = value
    return body


class Speech:
    """One emulator and a session that checks what it answers."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.session = requests.Session()
        self.session.headers["Ocp-Apim-Subscription-Key"] = emulator.key
        self.preview = Preview(emulator, self.session)

    def url(self, job_id=None):
        base = f"{self.emulator.endpoint}/avatar/batchsyntheses"
        return base if job_id is None else f"{base}/{job_id}"

    def call(self, method, url, *, schema=None, shape="error", **options):
        options.setdefault("params", {"api-version": VERSION})
        answer = self.session.request(method, url, timeout=ANSWER_SECONDS, **options)
        assert answer.headers["apim-request-id"]
        if answer.status_code >= 400:
            assert answer.headers["x-ms-error-code"]
            check(answer.json(), shape)
        elif answer.status_code == 204:
            assert answer.content == b""
        elif schema is not None:
            check(answer.json(), schema)
        return answer

    def put(self, job_id="job-1", body=None, **options):
        answer = self.call("PUT", self.url(job_id), schema="job", json=body or PLAIN, **options)
        if answer.status_code == 201:
            assert answer.headers["Operation-Id"] in answer.headers["Operation-Location"]
        return answer

    def created(self, job_id="job-1", body=None, **options):
        answer = self.put(job_id, body, **options)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, job_id="job-1", **options):
        return self.call("GET", self.url(job_id), schema="job", **options)

    def status(self, job_id="job-1"):
        return self.get(job_id).json()["status"]

    def list(self, **params):
        return self.call("GET", self.url(), schema="list", params={"api-version": VERSION, **params})

    def ids(self, **params):
        return [job["id"] for job in self.list(**params).json()["value"]]

    def delete(self, job_id="job-1"):
        return self.call("DELETE", self.url(job_id))

    def finished(self, job_id="job-1", body=None):
        """Create a job and see it end; for the progression `at_once`."""
        self.created(job_id, body)
        self.emulator.settle()
        return self.get(job_id).json()


class Preview:
    """The same emulator through the paths of 3.1-preview1, checked by schemas of its own."""

    def __init__(self, emulator, session):
        self.emulator = emulator
        self.session = session

    def url(self, job_id=None):
        base = f"{self.emulator.endpoint}/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar"
        return base if job_id is None else f"{base}/{job_id}"

    def call(self, method, url, *, schema=None, shape="previewError", **options):
        answer = self.session.request(method, url, timeout=ANSWER_SECONDS, **options)
        assert answer.headers["apim-request-id"]
        if answer.status_code >= 400:
            check(answer.json(), shape)
        elif answer.status_code == 204:
            assert answer.content == b""
        elif schema is not None:
            check(answer.json(), schema)
        return answer

    def post(self, body=None, **options):
        return self.call("POST", self.url(), schema="previewJob", json=body or PREVIEW_PLAIN, **options)

    def created(self, name="episode-1", body=None):
        answer = self.post((body or PREVIEW_PLAIN) | {"displayName": name})
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, job_id, **options):
        return self.call("GET", self.url(job_id), schema="previewJob", **options)

    def list(self, **params):
        return self.call("GET", self.url(), schema="previewList", params=params)

    def names(self, **params):
        return [job["displayName"] for job in self.list(**params).json()["values"]]

    def delete(self, job_id):
        return self.call("DELETE", self.url(job_id))

    def finished(self, name="episode-1", body=None):
        """Create a job and see it end; for the progression `at_once`."""
        job_id = self.created(name, body)["id"]
        self.emulator.settle()
        return self.get(job_id).json()


def run(stack, azurite, *, storage_url=None, grace_seconds=2, **options):
    """Start an emulator: quick jobs, no pacing and no list lag unless told otherwise.

    `storage_url`: where it finds the storage, if that is not Azurite itself but a road to it.
    """
    usual = {
        "creates_per_minute": 0,
        "list_lag_seconds": 0,
        "progression": Progression.at_once(),
        "stepped_clock": True,
    }
    emulator = stack.enter_context(
        EmulatorServer(
            EmulatorOptions(**(usual | options)),
            storage_connection_string=azurite.connection_string().replace(azurite.url, storage_url or azurite.url),
            grace_seconds=grace_seconds,
        )
    )
    speech = Speech(emulator)
    stack.callback(speech.session.close)
    stack.callback(_expect_no_own_errors, emulator)
    return speech


def _expect_no_own_errors(emulator):
    assert emulator.stats()["own_errors"] == 0


@pytest.fixture
def start(azurite):
    """Start emulators with the options of the test."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: run(stack, azurite, **options)


@pytest.fixture
def speech(start):
    """One emulator for one test."""
    return start()


@pytest.fixture(scope="session")
def shared(azurite):
    """One emulator for all tests that do not mind each other's jobs; take a `fresh_id`."""
    with contextlib.ExitStack() as stack:
        yield run(stack, azurite, active_jobs_limit=0)


@pytest.fixture
def road(azurite):
    """The way to the storage, for what happens on it; give its `url` to `start`."""
    with StorageRoad(azurite.url) as road:
        yield road


@pytest.fixture
def preview(speech):
    """The paths of 3.1-preview1 of one emulator for one test."""
    return speech.preview


@pytest.fixture
def fresh_id():
    return f"job-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def container(user_storage):
    """A container of the user's own."""
    client = user_storage.create_container(f"own-{uuid.uuid4().hex[:12]}")
    yield client
    client.close()


@pytest.fixture
def sign(container):
    """Make the container's URL with a signature."""
    return partial(signed_url, container)


@pytest.fixture
def pack(make_body, sign):
    """Make the body of a job with several inputs, in the user's own container."""

    def make(*contents, signed=None, **changes):
        inputs = [{"content": content} for content in contents]
        return make_body(inputs=inputs, properties__destinationContainerUrl=signed or sign(), **changes)

    return make


@pytest.fixture
def make_body():
    return changed


@pytest.fixture
def make_preview_body():
    return changed_preview


@pytest.fixture
def check_schema():
    return check
