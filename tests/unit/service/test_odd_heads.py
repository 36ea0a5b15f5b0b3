"""Heads of answers that HTTP does not allow: an answer or an outage, and never a stack trace in the log."""

import socket
import threading

import pytest
from pydantic import SecretStr

from batch_avatar.errors import ServiceUnavailable
from batch_avatar.safe_text.logs import make_logs_safe
from batch_avatar.service.client import AvatarClient
from batch_avatar.service.credentials import KeyCredential
from batch_avatar.service.session import open_session
from batch_avatar.service.wire.generations import wire_for
from tests.support.manual_clock import ManualClock

JOB = b'{"id": "my-job-01", "status": "Running"}'
LENGTH = b"Content-Length: %d\r\n" % len(JOB)
READ = {
    "a line without a colon": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"garbage\r\nX: \xff\x00\r\n\r\n",
    "odd bytes": b"HTTP/1.1 200 \xff\r\n" + LENGTH + b"ETag: \x01\x02\xff\r\nDate: \xff\r\n\r\n",
}
UNREADABLE = {
    "a length of thousands of digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n",
    "encoded seven times": b"HTTP/1.1 200 OK\r\n" + LENGTH + b"Content-Encoding: " + b"gzip, " * 6 + b"gzip\r\n\r\n",
    "thousands of headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "an odd status": b"HTTP/1.1 20\xb2 OK\r\n\r\n",
}


@pytest.fixture
def answer():
    """`answer(head)` has a client ask for a job, whose answer has this head."""
    servers = []

    def get(head):
        listener = socket.create_server(("127.0.0.1", 0))

        def run():
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(head + JOB)

        servers.append((listener, threading.Thread(target=run)))
        servers[-1][1].start()
        with open_session() as session:
            return AvatarClient(
                endpoint=f"http://127.0.0.1:{listener.getsockname()[1]}",
                credential=KeyCredential(SecretStr("key")),
                wire=wire_for("2024-08-01"),
                session=session,
                clock=ManualClock(),
                request_timeout_seconds=120,
            ).get("my-job-01")

    make_logs_safe()
    yield get
    for listener, thread in servers:
        thread.join()
        listener.close()


@pytest.mark.parametrize("head", READ.values(), ids=READ)
def test_a_job_behind_an_odd_head_is_read_and_no_stack_trace_is_logged(answer, caplog, head):
    assert answer(head).service_id == "my-job-01"
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("head", UNREADABLE.values(), ids=UNREADABLE)
def test_a_head_that_cannot_be_read_is_an_outage_at_most(answer, caplog, head):
    try:
        job = answer(head)
    except ServiceUnavailable:
        job = None

    assert job is None or job.service_id == "my-job-01"
    assert "Traceback" not in caplog.text
