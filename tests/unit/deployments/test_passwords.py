"""What the tools say to a Prefect server that asks for another password."""

import pytest
from click.testing import CliRunner
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from deployments import bootstrap, drain
from tests.support.tiny_server import Answer, TinyServer


@pytest.fixture
def refusing(monkeypatch, tmp_path):
    """The address of a server that lets nobody in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    with TinyServer() as server:
        server.answers = [Answer(401, {"exception_message": "Unauthorized"})]
        url = f"{server.url}/api"
        monkeypatch.setenv("PREFECT_API_URL", url)
        with temporary_settings({PREFECT_API_URL: url, PREFECT_API_AUTH_STRING: "admin:guessed"}):
            yield url


@pytest.mark.parametrize(
    ("main", "arguments", "code"),
    [(bootstrap.main, ["--dry-run"], 2), (drain.main, ["hand-over", "--worker", "a"], 0)],
)
def test_a_password_that_the_server_refuses_is_told_with_its_variable(refusing, main, arguments, code):
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == code
    told = f"the Prefect server at {refusing} refuses the password (401); PREFECT_API_AUTH_STRING must be that of the"
    assert told in done.stderr
