"""What the storage says when it lets nobody in: its own explanation is shown, and what to do about it."""

from __future__ import annotations

import logging
from http.server import BaseHTTPRequestHandler

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from batch_avatar.archive.access.explanations import ADDRESS, CLOCK, KEY, MOST, TENANT, explanation
from batch_avatar.archive.storage_errors import archive_errors
from batch_avatar.errors import ArchiveRefused
from tests.support.loopback import Loopback

SIGNATURE = "dLkuH2awDsULG+Y9PNVZv+s5nwc9KwpkQYc1Wn2JCJs="
SERVER_FAILED = (
    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly"
)
NOT_THE_SAME = f"The MAC signature found in the HTTP request '{SIGNATURE}' is not the same as any computed signature."
SIGNED = "GET\n\n\n\nx-ms-date:Mon, 30 Nov 2026 10:00:00 GMT\n/account/container"
TIME_FRAME = (
    "Signature not valid in the specified time frame: Start [09:00:00] - Expiry [10:00:00] - Current [10:05:00]"
)
TOO_OLD = "Request date header too old: 'Mon, 30 Nov 2026 10:00:00 GMT'"
FAILED, INVALID = (403, "AuthenticationFailed"), (401, "InvalidAuthenticationInfo")
REFUSALS = {
    "wrong key": (
        *FAILED,
        f"{NOT_THE_SAME} Server used following string to sign: '{SIGNED}'.",
        "The MAC signature found in the HTTP request '...' is not the same as any computed signature",
        KEY,
    ),
    "clock": (*FAILED, TOO_OLD, TOO_OLD, CLOCK),
    "signature's time": (*FAILED, TIME_FRAME, TIME_FRAME, CLOCK),
    "link": (*FAILED, f"Signature did not match. String to sign used was {SIGNED}", "Signature did not match", KEY),
    "tenant": (*INVALID, "Issuer validation failed. Issuer did not match.", "Issuer did not match.", TENANT),
    "audience": (*INVALID, "Audience validation failed. Audience did not match.", "Audience did not match.", ADDRESS),
}


class Refusing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, code, detail = self.server.refusal
        body = (
            f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{SERVER_FAILED}\n'
            f"RequestId:1bf5614e-e01e-0009-1989-a171c7000000\nTime:2026-11-30T10:05:00Z</Message>"
            f"<AuthenticationErrorDetail>{detail}</AuthenticationErrorDetail></Error>"
        ).encode()
        self.send_response(status)
        self.send_header("x-ms-error-code", code)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Stay silent."""


@pytest.fixture
def storage():
    with Loopback(Refusing) as server:
        string = f"AccountName=account;AccountKey=YWJj;BlobEndpoint={server.url}/account"
        with BlobServiceClient.from_connection_string(string, retry_total=0) as client:
            yield server, client.get_container_client("container")


def refusal(container: ContainerClient) -> str:
    with pytest.raises(ArchiveRefused) as caught, archive_errors("read claim.json"):
        list(container.list_blobs())
    return str(caught.value)


@pytest.mark.parametrize("name", REFUSALS)
def test_the_storages_own_explanation_is_told_with_what_to_do(storage, name):
    server, container = storage
    *server.refusal, told, step = REFUSALS[name]

    said = refusal(container)

    assert said.startswith(f"{REFUSALS[name][1]}: cannot read claim.json: {SERVER_FAILED}")
    assert told in said
    assert said.endswith(f"; {step}")
    assert "\n" not in said


@pytest.mark.parametrize("name", REFUSALS)
def test_no_signature_is_told_and_nothing_that_was_signed(storage, name, caplog):
    caplog.set_level(logging.DEBUG, "batch_avatar")
    server, container = storage
    *server.refusal, _, _ = REFUSALS[name]

    said = refusal(container)

    assert SIGNATURE not in said + caplog.text
    assert "x-ms-date" not in said


def test_an_explanation_is_bounded_and_is_one_line():
    told = explanation({"authenticationerrordetail": "\x1b[2J" + "x\n" * 1_000_000, "headervalue": "SharedKey a:b"})

    assert len(told) < 2 * MOST
    assert told.isprintable()
    assert "SharedKey" not in told


@pytest.mark.parametrize("info", [{}, {"authenticationerrordetail": None}, {"authenticationerrordetail": ""}])
def test_without_an_explanation_there_is_none(info):
    assert explanation(info) == ""
