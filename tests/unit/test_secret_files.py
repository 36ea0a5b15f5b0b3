"""Secrets that come as files, and secrets that were copied together with what stood around them."""

import json
import os

import pytest

from batch_avatar.errors import SettingsError
from batch_avatar.settings import PREFIX, SECRETS, Settings, load_settings, renewed

CANARY = "c4n4ry-s3cr3t"
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={CANARY}==;EndpointSuffix=core.windows.net"
ENDPOINT = "https://westus2.api.cognitive.microsoft.com"
ONE = [{"name": "west", "endpoint": ENDPOINT, "speech_key": CANARY}]


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """`environment(NAME=value)` sets our variables, and no others of ours are set."""
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)

    def set_(**values):
        for name, value in values.items():
            monkeypatch.setenv(PREFIX + name, str(value))

    return set_


@pytest.fixture
def secret(tmp_path):
    def write(content, name="secret"):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / name

    return write


def shown(settings):
    """Speech key and connection string, in clear."""
    return (
        settings.all_resources()[0].speech_key.get_secret_value(),
        settings.storage_connection_string.get_secret_value(),
    )


def refusal():
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert CANARY not in f"{caught.value} {caught.value!r}"
    return str(caught.value)


def test_every_secret_may_come_as_a_file(environment, secret):
    environment(
        ENDPOINT=ENDPOINT,
        SPEECH_KEY_FILE=secret(f"{CANARY}\n", "key"),
        STORAGE_CONNECTION_STRING_FILE=secret(f"{CONNECTION}\r\n", "storage"),
    )

    assert shown(load_settings()) == (CANARY, CONNECTION)


def test_several_resources_may_come_as_a_file(environment, secret):
    environment(RESOURCES_FILE=secret(f"{json.dumps(ONE, indent=2)}\n"), STORAGE_CONNECTION_STRING=CONNECTION)

    assert shown(load_settings()) == (CANARY, CONNECTION)


def test_a_relative_name_is_one_in_the_folder_of_the_process(environment, secret):
    secret(CANARY, "key")
    environment(ENDPOINT=ENDPOINT, SPEECH_KEY_FILE="key", STORAGE_CONNECTION_STRING=CONNECTION)

    assert shown(load_settings()) == (CANARY, CONNECTION)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_given_twice_is_refused(environment, secret, name):
    name = name.upper()
    environment(**{name: CANARY, f"{name}_FILE": secret(CANARY)})

    assert f"set only one of {PREFIX}{name} and {PREFIX}{name}_FILE" in refusal()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read (FileNotFoundError)"),
        ("", "is empty"),
        (" \n", "is empty"),
        (f"{CANARY}\xff".encode("latin-1"), "is not UTF-8 text"),
        (CANARY * 20_000, "is larger than 64,000 bytes"),
    ],
    ids=["missing", "empty", "blank", "binary", "large"],
)
def test_a_file_that_cannot_be_a_secret_is_named_with_its_variable(environment, secret, tmp_path, content, reason):
    path = tmp_path / "nowhere" if content is None else secret(content)
    environment(**{f"{name.upper()}_FILE": path for name in SECRETS})

    said = refusal()

    assert [name for name in SECRETS if f"\n  {PREFIX}{name.upper()}_FILE: {path} {reason}" not in said] == []


def test_only_a_file_is_opened(environment, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    environment(SPEECH_KEY_FILE=tmp_path / "pipe", STORAGE_CONNECTION_STRING_FILE=tmp_path)

    said = refusal()

    assert f"{PREFIX}SPEECH_KEY_FILE: {tmp_path / 'pipe'} is not a file" in said
    assert f"{PREFIX}STORAGE_CONNECTION_STRING_FILE: {tmp_path} is not a file" in said


def test_what_a_file_holds_is_checked_as_the_variable_is(environment, secret):
    environment(ENDPOINT=ENDPOINT, SPEECH_KEY_FILE=secret(f"{CANARY} {CANARY}"), STORAGE_CONNECTION_STRING=CONNECTION)

    assert f"{PREFIX}SPEECH_KEY: holds characters that no key has" in refusal()


@pytest.mark.parametrize("content", ["[", "{'name': 1}", f'"{CANARY}'])
def test_resources_that_are_no_json_are_named(environment, secret, content):
    environment(RESOURCES_FILE=secret(content), STORAGE_CONNECTION_STRING=CONNECTION)

    assert f"{PREFIX}RESOURCES: is not JSON" in refusal()


AROUND = [
    '"{}"',
    "'{}'",
    " {}\t",
    "\ufeff{}",
    "“{}”",
    "‘{}’",
    "„{}“",
    "«{}»",
    '" {} "\n',
    "\u200b{}",
    "'\"{}\"'",
    "`{}`",
]


@pytest.mark.parametrize("around", AROUND)
def test_what_was_copied_with_a_secret_is_taken_off(environment, secret, around):
    """As `docker run --env-file` keeps quotes, an editor writes a byte order mark, and a chat makes quotes curly."""
    environment(
        ENDPOINT=ENDPOINT,
        SPEECH_KEY=around.format(CANARY),
        STORAGE_CONNECTION_STRING_FILE=secret(around.format(CONNECTION)),
    )

    assert shown(load_settings()) == (CANARY, CONNECTION)


def test_quotes_that_are_taken_off_are_told(environment, caplog):
    environment(ENDPOINT=ENDPOINT, SPEECH_KEY=f'"{CANARY}"', STORAGE_CONNECTION_STRING=f" {CONNECTION}\n")

    load_settings()

    assert caplog.messages == [f"{PREFIX}SPEECH_KEY: the quotes around its value are taken off"]


@pytest.mark.parametrize("around", ['"{}"', "'{}'", "\ufeff{}\n"])
def test_what_was_copied_with_a_list_of_resources_is_taken_off(environment, around):
    environment(RESOURCES=around.format(json.dumps(ONE)), STORAGE_CONNECTION_STRING=CONNECTION)

    assert shown(load_settings())[0] == CANARY


@pytest.mark.parametrize("around", ['"{}', "{}”", "'{}\"", '{}="x"'])
def test_a_quote_that_has_no_counterpart_is_named(environment, around):
    environment(
        ENDPOINT=ENDPOINT,
        SPEECH_KEY=around.format(CANARY),
        STORAGE_CONNECTION_STRING=around.format(CONNECTION),
    )

    said = refusal()

    assert f"{PREFIX}STORAGE_CONNECTION_STRING: holds a quote or another character" in said
    if not around.endswith('"x"'):
        assert f"{PREFIX}SPEECH_KEY: holds a quote at one end only" in said or "characters that no key has" in said


def test_a_secret_that_is_in_a_file_is_read_again(environment, secret):
    environment(
        ENDPOINT=ENDPOINT,
        SPEECH_KEY_FILE=secret("old-key", "key"),
        STORAGE_CONNECTION_STRING_FILE=secret(CONNECTION.replace(CANARY, "old"), "storage"),
        VOICE="v",
    )
    before = load_settings(container="from-code")
    secret("new-key", "key")
    secret(CONNECTION.replace(CANARY, "new"), "storage")

    after = renewed(before)

    assert shown(after) == ("new-key", CONNECTION.replace(CANARY, "new"))
    assert after == before.model_copy(
        update={
            "speech_key": after.speech_key,
            "storage_connection_string": after.storage_connection_string,
        }
    )


def test_a_file_that_is_wrong_when_it_is_read_again_changes_nothing(environment, secret, caplog):
    """As in the moment in which somebody writes it."""
    environment(ENDPOINT=ENDPOINT, SPEECH_KEY_FILE=secret("old-key", "key"), STORAGE_CONNECTION_STRING=CONNECTION)
    before = load_settings()
    secret("", "key")

    assert renewed(before) == before
    assert f"{PREFIX}SPEECH_KEY_FILE: " in caplog.text
