"""No error of a library reaches a caller: each has its counterpart in `errors.py`."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime

import pytest
import requests
import urllib3
from pydantic import SecretStr, ValidationError
from requests.adapters import BaseAdapter

from batch_avatar.clock import SystemClock
from batch_avatar.errors import BatchAvatarError, CreateUnclear, ServiceUnavailable, TransferError
from batch_avatar.models import Script
from batch_avatar.service.client import AvatarClient
from batch_avatar.service.credentials import KeyCredential
from batch_avatar.service.wire.generations import wire_for

SCRIPT = Script(script_id="a", content="Hi.", voice="v", talking_avatar_character="lisa")


def kinds(module, root):
    found = {kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, root)}
    return sorted(found, key=lambda kind: kind.__name__)


REQUESTS = kinds(requests.exceptions, requests.RequestException)
URLLIB3 = kinds(urllib3.exceptions, urllib3.exceptions.HTTPError)


def instance(kind):
    """Also of those whose constructor wants more than a text."""
    error = kind.__new__(kind)
    Exception.__init__(error, "no answer")
    return error


class Raising(BaseAdapter):
    """A transport on which nothing ever arrives."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def send(self, *_args, **_kwargs):
        raise self.error

    def close(self):
        pass


@pytest.fixture
def client():
    """`client(error, api_version)`: every request of it raises that error."""
    sessions = []

    def make(error, api_version="2024-08-01"):
        session = requests.Session()
        session.mount("http://", Raising(error))
        sessions.append(session)
        return AvatarClient(
            endpoint="http://127.0.0.1:1",
            credential=KeyCredential(SecretStr("key")),
            wire=wire_for(api_version),
            session=session,
            clock=SystemClock(),
            request_timeout_seconds=1,
        )

    yield make
    for session in sessions:
        session.close()


def test_the_libraries_have_errors_to_speak_of():
    assert len(REQUESTS) > 15
    assert len(URLLIB3) > 20


@pytest.mark.parametrize("api_version", ["2024-08-01", "3.1-preview1"])
@pytest.mark.parametrize(
    "kind", [*REQUESTS, *URLLIB3], ids=lambda kind: f"{kind.__module__.split('.')[0]}-{kind.__name__}"
)
def test_every_error_of_the_http_libraries_is_told_in_our_words(client, kind, api_version):
    broken = client(instance(kind), api_version)
    with pytest.raises(ServiceUnavailable, match=kind.__name__):
        broken.get("job")
    with pytest.raises(ServiceUnavailable):
        next(broken.list_pages())
    with pytest.raises(ServiceUnavailable):
        broken.delete("job")
    with pytest.raises(CreateUnclear):
        broken.create(SCRIPT, job_id="job", description="")
    with pytest.raises(TransferError), broken.open_output("http://127.0.0.1:1/x"):
        pass


def test_bodies_of_the_service_that_our_models_refuse_are_told_in_our_words():
    """The decoders raise ValueError, of which pydantic's error is one; the client turns that into its own."""
    assert issubclass(ValidationError, ValueError)
    for api_version in ("2024-08-01", "3.1-preview1"):
        wire = wire_for(api_version)
        for body in (None, [], "x", {}, {"id": 1, "status": {}}, {"id": "x", "status": ""}):
            with pytest.raises(ValueError):  # noqa: PT011 - whichever it is
                wire.decode_job(body, observed_at=datetime.now(UTC))


def test_an_error_of_ours_is_never_a_librarys():
    ours = [BatchAvatarError]
    for kind in ours:
        ours.extend(kind.__subclasses__())
    foreign = (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, OSError)
    assert [kind for kind in ours if issubclass(kind, foreign)] == []
