"""Which settings `deployments.bootstrap` goes on without: the shared limits of the resources are made of them."""

import pytest
from click.testing import CliRunner
from prefect.settings import PREFECT_API_URL, temporary_settings

from batch_avatar.settings import PREFIX, Settings
from deployments import bootstrap
from tests.support.tiny_server import Answer, TinyServer

ENDPOINT = "https://x.cognitiveservices.azure.com"


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A Prefect server that lets nobody in; the shell has no settings of ours."""
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    with TinyServer() as server:
        server.answers = [Answer(401, {"exception_message": "Unauthorized"})]
        url = f"{server.url}/api"
        monkeypatch.setenv("PREFECT_API_URL", url)
        with temporary_settings({PREFECT_API_URL: url}):
            yield server


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"SPEECH_KEY_FILE": "/nowhere/key"}, "SPEECH_KEY_FILE: /nowhere/key cannot be read"),
        ({"RESOURCES_FILE": "/nowhere/list"}, "RESOURCES_FILE: /nowhere/list cannot be read"),
        ({"RESOURCES": "["}, "RESOURCES: is not JSON"),
        ({"CREATES_PER_MINUTE": "-1"}, "CREATES_PER_MINUTE: "),
    ],
    ids=lambda one: next(iter(one)) if isinstance(one, dict) else "",
)
def test_settings_that_are_wrong_end_it_before_anything_is_asked(server, monkeypatch, given, told):
    for name, value in {
        "ENDPOINT": ENDPOINT,
        "STORAGE_ACCOUNT_URL": "https://a.blob.core.windows.net",
        **given,
    }.items():
        monkeypatch.setenv(PREFIX + name, value)

    done = CliRunner().invoke(bootstrap.main, [])

    assert (done.exit_code, server.requests) == (2, [])
    assert f"{PREFIX}{told}" in done.stderr


def test_without_a_resource_all_but_the_limits_is_set_up(server):
    done = CliRunner().invoke(bootstrap.main, [])

    assert f"limits: left out, {PREFIX}ENDPOINT: is not set" in done.stdout
    assert server.requests
