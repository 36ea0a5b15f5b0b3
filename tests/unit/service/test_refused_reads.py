"""A request that carries no script is refused: that says nothing about the script whose job it asks for."""

from __future__ import annotations

import pytest

from batch_avatar.errors import FailureClass, ServiceUnavailable
from tests.support.tiny_server import Answer

STATUSES = (400, 402, 405, 406, 409, 410, 413, 422, 431, 451)
CALLS = {
    "get": (lambda client: client.get("my-job-01"), STATUSES),
    "list": (lambda client: list(client.list_pages()), STATUSES),
    "delete": (lambda client: client.delete("my-job-01"), [status for status in STATUSES if status not in (400, 409)]),
}


@pytest.mark.parametrize(("name", "status"), [(name, status) for name, (_, said) in CALLS.items() for status in said])
def test_a_refusal_to_show_or_delete_a_job_is_an_outage_and_no_fault_of_its_script(server, client, name, status):
    server.answers = [Answer(status, {"error": {"code": "Odd", "message": "The job already exists, or not."}})]

    with pytest.raises(ServiceUnavailable, match="already exists, or not") as caught:
        CALLS[name][0](client)

    assert caught.value.failure_class is FailureClass.TRANSIENT
    assert (caught.value.code, caught.value.http_status, caught.value.request_id) == ("Odd", status, "r-1")
