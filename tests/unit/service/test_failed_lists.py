"""A list of jobs that fails says which resource was asked, and for what; and foreign words in it are bounded."""

from __future__ import annotations

import json

import pytest

from batch_avatar.errors import ServiceError
from tests.support.tiny_server import Answer

FAILED = {
    "refused": Answer(403, b'{"error": {"code": "Forbidden", "message": "no"}}'),
    "broken": Answer(500, b""),
    "not a list": Answer(200, b"[]"),
}


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_list_names_resource_and_operation(server, client, name):
    server.answers = [FAILED[name]] * 8

    with pytest.raises(ServiceError) as caught:
        list(client.list_pages())

    host = server.url.partition("//")[2]
    assert f"while listing the jobs of {host}" in str(caught.value)


def test_a_status_and_a_message_are_kept_as_far_as_anybody_reads(server, client):
    job = {
        "id": "my-job-01",
        "status": "s" * 1_000_000,
        "internalId": "i" * 1_000_000,
        "properties": {"error": {"code": "c" * 1_000_000, "message": "m" * 1_000_000}},
    }
    server.answers = [Answer(200, json.dumps(job).encode())]

    found = client.get("my-job-01")

    assert len(found.model_dump_json()) < 10_000
    assert found.error_message.endswith("... (998,000 more characters)")
