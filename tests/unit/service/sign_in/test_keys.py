"""A key that is refused: it is read again, once, before that counts."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from batch_avatar.errors import AccessRefused
from batch_avatar.service.credentials import KeyCredential
from tests.support.tiny_server import Answer

GATEWAY = Answer(401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key."}})


def keys(server):
    return [request.headers["ocp-apim-subscription-key"] for request in server.requests]


class KeyFile:
    """What a key's file holds, and how often it was read."""

    def __init__(self, *held):
        self.held, self.reads = list(held), 0

    def __call__(self):
        self.reads += 1
        key = self.held.pop(0) if len(self.held) > 1 else self.held[0]
        return None if key is None else SecretStr(key)


def test_a_key_that_was_rotated_is_read_again_and_the_request_sent_once_more(server, connect):
    file = KeyFile("new-key")
    client = connect(credential=KeyCredential(SecretStr("old-key"), file))
    server.answers = [GATEWAY, Answer(200, {"id": "my-job-01", "status": "Running"})]

    client.get("my-job-01")
    client.get("my-job-01")

    assert (keys(server), file.reads) == (["old-key", "new-key", "new-key"], 1)


@pytest.mark.parametrize("held", ["old-key", None])
def test_a_key_that_stays_the_same_is_refused_after_one_request(server, connect, held):
    client = connect(credential=KeyCredential(SecretStr("old-key"), KeyFile(held)))
    server.answers = [GATEWAY]

    with pytest.raises(AccessRefused, match="invalid subscription key"):
        client.get("my-job-01")

    assert keys(server) == ["old-key"]


def test_a_new_key_that_is_refused_too_is_refused(server, connect):
    client = connect(credential=KeyCredential(SecretStr("old-key"), KeyFile("new-key")))
    server.answers = [GATEWAY]

    with pytest.raises(AccessRefused):
        client.get("my-job-01")

    assert keys(server) == ["old-key", "new-key"]


def test_who_comes_second_with_the_old_key_takes_the_new_one_without_reading_again():
    file = KeyFile("new-key")
    credential = KeyCredential(SecretStr("old-key"), file)

    assert [credential.renew("old-key"), credential.renew("old-key")] == [True, True]
    assert (credential.header()[1], file.reads) == ("new-key", 1)


def test_no_key_is_in_the_log(server, connect, caplog):
    client = connect(credential=KeyCredential(SecretStr("old-key"), KeyFile("new-key")))
    server.answers = [GATEWAY, Answer(200, {"id": "my-job-01", "status": "Running"})]

    client.get("my-job-01")

    assert "its file has another one" in caplog.text
    assert "new-key" not in caplog.text + json.dumps(caplog.messages)
