"""What Prefect is told as secret is shown by none of its logs, in no format."""

from __future__ import annotations

import base64
import io
import json
import logging
import secrets

import pytest
from prefect.logging.formatters import JsonFormatter
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_DATABASE_CONNECTION_URL,
    PREFECT_API_KEY,
    PREFECT_SERVER_API_AUTH_STRING,
    temporary_settings,
)

from batch_avatar.safe_text.logs import make_logs_safe
from batch_avatar.safe_text.redaction import redact
from tasks.prefect_secrets import know_secrets


@pytest.fixture
def logged():
    """`logged(error)`: what Prefect's JSON formatter makes of the error when it is logged."""
    make_logs_safe()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("default", None, "%"))
    log = logging.getLogger("tests.prefect")
    log.propagate = False
    log.addHandler(handler)

    def log_it(error):
        try:
            raise error
        except type(error):
            log.exception("broken")
        return stream.getvalue()

    yield log_it
    log.removeHandler(handler)


def test_an_error_in_prefect_s_json_holds_no_secret_and_no_sign_that_steers(logged):
    said = logged(ValueError("cannot open https://u:p4ssw0rd@h/c?sig=abc, so\u202erry\x1b[2J"))

    record = json.loads(said)
    assert record["exc_info"]["type"] == "ValueError"
    assert record["exc_info"]["message"] == r"cannot open https://REDACTED@h/c?REDACTED, so\u202erry\x1b[2J"
    assert "test_secrets_of_prefect.py" in record["exc_info"]["traceback"]
    assert "p4ssw0rd" not in said
    assert "sig=abc" not in said


def test_an_error_that_cannot_be_told_is_logged_all_the_same(logged):
    class Silent(Exception):
        def __str__(self):
            raise RuntimeError("nothing to say")

    assert json.loads(logged(Silent()))["exc_info"]["type"] == "Silent"


@pytest.mark.parametrize(
    ("setting", "value", "seen"),
    [
        (PREFECT_API_KEY, "{}", "{}"),
        (PREFECT_API_AUTH_STRING, "admin:{}", "{}"),
        (PREFECT_API_AUTH_STRING, "admin:{}", "admin:{}"),
        (PREFECT_SERVER_API_AUTH_STRING, "admin:{}", "{}"),
        (PREFECT_API_DATABASE_CONNECTION_URL, "postgresql+asyncpg://prefect:{}@db/prefect", "{}"),
    ],
    ids=lambda given: getattr(given, "name", ""),
)
def test_what_prefect_is_told_as_secret_is_known(setting, value, seen):
    secret = secrets.token_hex(12)
    with temporary_settings({setting: value.format(secret)}):
        know_secrets()
    encoded = base64.b64encode(seen.format(secret).encode()).decode()

    assert secret not in redact(f"was {seen.format(secret)} there")
    assert encoded.rstrip("=")[:-1] not in redact(f"was {encoded} there")
