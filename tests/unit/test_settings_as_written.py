"""Which settings are taken as they are written, and from which what was copied with them is taken off."""

import json

import pytest

from batch_avatar.errors import SettingsError
from batch_avatar.settings import PREFIX, Settings, load_settings

KEY = "0123456789abcdef0123456789abcdef"
CONNECTION = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=QUJDRA==;EndpointSuffix=core.windows.net"
ENDPOINT = "https://x.cognitiveservices.azure.com"
ACCOUNT = "https://a.blob.core.windows.net"


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """`environment(NAME=value)` sets our variables; endpoint and storage are set, and no others of ours."""
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)

    def set_(**values):
        for name, value in {"ENDPOINT": ENDPOINT, "STORAGE_CONNECTION_STRING": CONNECTION, **values}.items():
            monkeypatch.setenv(PREFIX + name, str(value))

    return set_


def key_of(settings):
    key = settings.all_resources()[0].speech_key
    return key and key.get_secret_value()


@pytest.mark.parametrize("written", ['"lessons"', "'lessons'", "lessons ", " lessons", "\u200blessons", "“lessons”"])
def test_the_folder_of_an_archive_stays_where_the_first_version_put_it(environment, written):
    """That version took nothing off. In another folder everything would be paid for again."""
    environment(PREFIX=written)

    assert load_settings().prefix == f"{written}/"


@pytest.mark.parametrize("name", ["CONTAINER", "STAGING_CONTAINER", "INBOX_CONTAINER"])
def test_no_container_is_taken_for_another_one(environment, name):
    environment(**{name: '"videos"'})

    with pytest.raises(SettingsError, match=f"{PREFIX}{name}: must be 3 to 63 lower-case letters"):
        load_settings()


@pytest.mark.parametrize("name", ["voice", "talking_avatar_character", "talking_avatar_style", "background_color"])
def test_what_is_sent_is_what_is_written(environment, name):
    """It is a part of the id under which a video was paid for."""
    environment(**{name.upper(): '"x" '})

    assert load_settings().video_defaults()[name] == '"x" '


def test_what_was_copied_with_an_address_is_taken_off(environment):
    environment(ENDPOINT=f"'{ENDPOINT}' ", STORAGE_CONNECTION_STRING="", STORAGE_ACCOUNT_URL=f'"{ACCOUNT}"')

    settings = load_settings()

    assert (settings.endpoint, settings.storage_account_url) == (ENDPOINT, ACCOUNT)


@pytest.mark.parametrize("member", ["endpoint", "speech_key"])
def test_a_resource_in_a_list_is_read_like_a_single_one(environment, member):
    one = {"name": "a", "endpoint": ENDPOINT, "speech_key": KEY}
    environment(ENDPOINT="", RESOURCES=json.dumps([{**one, member: f" '{one[member]}'"}]))

    settings = load_settings()

    assert (settings.resources[0].endpoint, key_of(settings)) == (ENDPOINT, KEY)


@pytest.mark.parametrize("around", ['"{}"', " {}", "\ufeff'{}'"])
def test_what_was_copied_with_the_path_of_a_file_is_taken_off(environment, tmp_path, around):
    (tmp_path / "key").write_text(KEY)
    environment(SPEECH_KEY_FILE=around.format(tmp_path / "key"))

    assert key_of(load_settings()) == KEY


@pytest.mark.parametrize("nothing", ['""', "''", " ", "\u200b"])
def test_quotes_around_nothing_are_no_value(environment, tmp_path, nothing):
    (tmp_path / "key").write_text(KEY)
    environment(SPEECH_KEY=nothing, RESOURCES=nothing, RESOURCES_FILE=nothing, STORAGE_ACCOUNT_URL=nothing)
    assert key_of(load_settings()) is None

    environment(SPEECH_KEY=nothing, SPEECH_KEY_FILE=tmp_path / "key")
    assert key_of(load_settings()) == KEY


def test_quotes_around_nothing_in_a_file_are_an_empty_file(environment, tmp_path):
    (tmp_path / "key").write_text('""\n')
    environment(SPEECH_KEY_FILE=tmp_path / "key")

    with pytest.raises(SettingsError, match=f"{PREFIX}SPEECH_KEY_FILE: {tmp_path}/key is empty"):
        load_settings()


@pytest.mark.parametrize("around", ["\u200b{}", "\ufeff{}\n", "{}\u2060"])
def test_a_sign_without_a_width_is_not_told_as_quotes(environment, caplog, around):
    environment(SPEECH_KEY=around.format(KEY))

    assert key_of(load_settings()) == KEY
    assert caplog.messages == []
