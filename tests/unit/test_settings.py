"""What the environment says, and how a wrong word in it is named without being shown."""

import json

import pytest

from batch_avatar.errors import SettingsError
from batch_avatar.settings import PREFIX, Settings, load_settings, prefect_api_url

CANARY = "c4n4ry-s3cr3t"
GOOD = {
    "ENDPOINT": "https://westus2.api.cognitive.microsoft.com",
    "SPEECH_KEY": CANARY,
    "STORAGE_CONNECTION_STRING": f"AccountName=a;AccountKey={CANARY};EndpointSuffix=core.windows.net",
}
DOMAIN = "https://my-speech.cognitiveservices.azure.com"
PREVIEW_31 = "https://westus2.customvoice.api.speech.microsoft.com"


@pytest.fixture(autouse=True)
def _clean(monkeypatch, tmp_path):
    """No variable of ours, no `.env`, and no Prefect of whoever runs the tests."""
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def environment(monkeypatch):
    """Set variables, by their names without the prefix; None leaves one of the good ones out."""

    def set_(**changes):
        for name, value in (GOOD | changes).items():
            if value is not None:
                monkeypatch.setenv(PREFIX + name, value)

    return set_


def refusal():
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_three_variables_are_enough(environment):
    environment()

    settings = load_settings()

    assert settings.all_resources()[0].host == "westus2.api.cognitive.microsoft.com"
    assert (settings.api_version, settings.container, settings.prefix) == ("2024-08-01", "batch-avatar", "")
    assert (settings.creates_per_minute, settings.max_unfinished_jobs) == (2, 200)


def test_secrets_do_not_show_when_settings_are_printed(environment):
    environment()

    assert CANARY not in repr(load_settings())


def test_without_anything_every_missing_variable_is_named():
    assert refusal() == f"wrong settings:\n  {PREFIX}ENDPOINT: is not set"


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_variable_is_an_unset_one(environment, value):
    environment(SPEECH_KEY=value, ENDPOINT=DOMAIN, CONTAINER="", VOICE="")

    settings = load_settings()

    assert (settings.speech_key, settings.container, settings.voice) == (None, "batch-avatar", None)


WRONG = {
    "ENDPOINT": ["westus2", f"ftp://{CANARY}", "https://", f"https://user:{CANARY}@x", f"https://x?sig={CANARY}"],
    "API_VERSION": [CANARY, "2023-08-01", "2026-13-01", "3.2-preview1", "2026-01-01-x"],
    "CONTAINER": [f"{CANARY}!", "UPPER", "-a", "a--b", "ab", "a" * 64],
    "PREFIX": [f"{CANARY}/../x", f"a\n{CANARY}"],
    "CREATES_PER_MINUTE": [CANARY, "-1", "nan", "0,5"],
    "MAX_UNFINISHED_JOBS": [CANARY, "0", "1.5"],
    "POLL_INTERVAL_SECONDS": [CANARY, "0", "-1"],
    "START_DEADLINE_SECONDS": [CANARY, "0", "14401"],
    "JOB_DEADLINE_SECONDS": [CANARY, "0", "3599"],
    "CLAIM_SECONDS": [CANARY, "0", "119"],
    "MAX_ATTEMPTS": [CANARY, "0", "100"],
    "MAX_CHANGED_SCRIPTS": [CANARY, "-1", "1.5"],
    "SETTLE_SECONDS": [CANARY, "0", "-1"],
    "REQUEST_TIMEOUT_SECONDS": [CANARY, "0", "61"],
    "TRANSFER_DEADLINE_SECONDS": [CANARY, "0"],
    "BITRATE_KBPS": [CANARY, "0", "1.5"],
    "STORAGE_ACCOUNT_URL": [CANARY, f"http://{CANARY}", f"https://x?sig={CANARY}"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_named_with_its_variable_and_never_shown(environment, name, value):
    storage = {"STORAGE_CONNECTION_STRING": None} if name == "STORAGE_ACCOUNT_URL" else {}
    environment(**storage, **{name: value})

    said = refusal()

    assert PREFIX + name in said
    assert CANARY not in said


@pytest.mark.parametrize("value", ["abc", "a-b", "batch-avatar", "0a0", "a" * 63, "a-b-c-d"])
def test_every_name_that_azure_allows_for_a_container_is_accepted(environment, value):
    environment(CONTAINER=value)

    assert load_settings().container == value


def test_a_container_name_longer_than_azure_allows_is_refused(environment):
    environment(CONTAINER="a" + "-b" * 40)

    assert f"{PREFIX}CONTAINER" in refusal()


def test_every_wrong_variable_is_told_at_once(environment):
    environment(CREATES_PER_MINUTE="-1", MAX_ATTEMPTS="0", ENDPOINT="http://x")

    said = refusal()

    assert all(PREFIX + name in said for name in ("CREATES_PER_MINUTE", "MAX_ATTEMPTS", "ENDPOINT"))


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_http_is_accepted_for_this_machine(environment, host):
    environment(ENDPOINT=f"http://{host}/")

    assert load_settings().endpoint == f"http://{host}"
    assert load_settings().all_resources()[0].host == host


@pytest.mark.parametrize(
    "host", ["westus2.api.cognitive.microsoft.com", "127.0.0.1.evil.com", "10.0.0.1", "192.168.0.1"]
)
def test_http_is_refused_for_any_other(environment, host):
    environment(ENDPOINT=f"http://{host}")

    assert f"{PREFIX}ENDPOINT: must be https; http is accepted for this machine only" in refusal()


@pytest.mark.parametrize("port", ["99999", "abc", "0x50"])
def test_a_port_that_is_none_is_refused(environment, port):
    environment(ENDPOINT=f"https://westus2.api.cognitive.microsoft.com:{port}")

    assert f"{PREFIX}ENDPOINT" in refusal()


def test_a_slash_at_the_end_does_not_matter(environment):
    environment(ENDPOINT=f"{GOOD['ENDPOINT']}/")

    assert load_settings().endpoint == GOOD["ENDPOINT"]


def test_the_case_of_the_host_does_not_matter(environment):
    """Claims and receipts name the resource by it, and the credential goes to this host only."""
    environment(ENDPOINT="https://My-Speech.CognitiveServices.Azure.com")

    assert load_settings().all_resources()[0].host == "my-speech.cognitiveservices.azure.com"


def test_an_endpoint_with_a_path_is_refused(environment):
    environment(ENDPOINT=f"{GOOD['ENDPOINT']}/avatar")

    assert f"{PREFIX}ENDPOINT: must end after the host name" in refusal()


def test_a_foundry_project_is_answered_with_the_endpoint_to_use(environment):
    environment(ENDPOINT="https://my-res.services.ai.azure.com/api/projects/x")

    assert "is a Foundry project; use https://my-res.cognitiveservices.azure.com" in refusal()


def test_entra_needs_a_custom_domain(environment):
    environment(SPEECH_KEY=None)

    said = refusal()

    assert f"{PREFIX}ENDPOINT: Microsoft Entra needs the resource's custom domain" in said
    assert f"{PREFIX}SPEECH_KEY" in said


@pytest.mark.parametrize("endpoint", [DOMAIN, "https://My-Speech.CognitiveServices.Azure.com", "http://127.0.0.1:8000"])
def test_entra_is_accepted_with_a_custom_domain_and_on_this_machine(environment, endpoint):
    environment(SPEECH_KEY=None, ENDPOINT=endpoint)

    assert load_settings().speech_key is None


@pytest.mark.parametrize("version", ["2024-08-01", "2024-04-15-preview", "2025-03-01", "2026-12-31-preview"])
@pytest.mark.parametrize("endpoint", [GOOD["ENDPOINT"], DOMAIN, "http://127.0.0.1:8000"])
def test_the_generations_of_2024_are_spoken_by_the_region_the_custom_domain_and_this_machine(
    environment, version, endpoint
):
    environment(API_VERSION=version, ENDPOINT=endpoint)

    assert load_settings().api_version == version


@pytest.mark.parametrize(
    "endpoint", [PREVIEW_31, "https://WestUS2.CustomVoice.API.speech.microsoft.com", "http://[::1]:1"]
)
def test_the_older_generation_is_spoken_by_its_own_host_and_this_machine(environment, endpoint):
    environment(API_VERSION="3.1-preview1", ENDPOINT=endpoint)

    assert load_settings().endpoint == endpoint.lower()


@pytest.mark.parametrize("endpoint", [GOOD["ENDPOINT"], DOMAIN, f"{PREVIEW_31}.evil.com"])
def test_the_older_generation_is_refused_elsewhere_and_the_right_host_named(environment, endpoint):
    environment(API_VERSION="3.1-preview1", ENDPOINT=endpoint)

    assert (
        f"{PREFIX}ENDPOINT: with 3.1-preview1 it is https://<region>.customvoice.api.speech.microsoft.com, "
        f"not {endpoint.removeprefix('https://')}"
    ) in refusal()


@pytest.mark.parametrize("endpoint", [PREVIEW_31, "http://127.0.0.1:8000"])
def test_the_older_generation_needs_a_key(environment, endpoint):
    environment(API_VERSION="3.1-preview1", ENDPOINT=endpoint, SPEECH_KEY=None)

    assert f"{PREFIX}SPEECH_KEY: a key is needed for 3.1-preview1" in refusal()


@pytest.mark.parametrize("version", [None, "2024-08-01", "2024-04-15-preview"])
@pytest.mark.parametrize("key", [CANARY, None])
def test_the_host_of_the_older_generation_is_refused_for_the_others_and_the_right_ones_named(environment, version, key):
    environment(API_VERSION=version, ENDPOINT=PREVIEW_31, SPEECH_KEY=key)

    said = refusal()

    assert f"{PREFIX}ENDPOINT: westus2.customvoice.api.speech.microsoft.com speaks 3.1-preview1 only" in said
    assert "https://westus2.api.cognitive.microsoft.com or https://<name>.cognitiveservices.azure.com" in said


@pytest.mark.parametrize(
    "changes",
    [
        {"STORAGE_CONNECTION_STRING": None},
        {"STORAGE_ACCOUNT_URL": "https://a.blob.core.windows.net"},
    ],
    ids=["none", "both"],
)
def test_exactly_one_storage_setting_is_wanted(environment, changes):
    environment(**changes)

    assert f"set exactly one of {PREFIX}STORAGE_CONNECTION_STRING and {PREFIX}STORAGE_ACCOUNT_URL" in refusal()


def test_storage_may_be_named_by_its_url_alone(environment):
    environment(STORAGE_CONNECTION_STRING=None, STORAGE_ACCOUNT_URL="https://a.blob.core.windows.net/")

    assert load_settings().storage_account_url == "https://a.blob.core.windows.net"


def test_a_create_may_not_outlive_its_claim(environment):
    environment(CLAIM_SECONDS="100", REQUEST_TIMEOUT_SECONDS="25.1")

    assert f"{PREFIX}CLAIM_SECONDS must be at least four times {PREFIX}REQUEST_TIMEOUT_SECONDS" in refusal()


def test_a_job_may_not_be_overdue_before_it_has_to_start(environment):
    environment(START_DEADLINE_SECONDS="100", JOB_DEADLINE_SECONDS="99")

    assert f"{PREFIX}START_DEADLINE_SECONDS must not exceed {PREFIX}JOB_DEADLINE_SECONDS" in refusal()


def test_every_change_may_have_to_be_accepted(environment):
    environment(MAX_CHANGED_SCRIPTS="0")

    assert load_settings().max_changed_scripts == 0


def test_fractions_are_accepted_where_seconds_and_paces_are_meant(environment):
    environment(
        CREATES_PER_MINUTE="0.5", POLL_INTERVAL_SECONDS="0.25", CLAIM_SECONDS="1.5", REQUEST_TIMEOUT_SECONDS=".2"
    )

    settings = load_settings()

    assert (settings.creates_per_minute, settings.poll_interval_seconds) == (0.5, 0.25)
    assert (settings.claim_seconds, settings.request_timeout_seconds) == (1.5, 0.2)


@pytest.mark.parametrize(
    ("written", "prefix"), [("a", "a/"), ("/a/b/", "a/b/"), ("/", ""), ("größe", "größe/"), ("a.b", "a.b/")]
)
def test_the_prefix_is_a_folder(environment, written, prefix):
    environment(PREFIX=written)

    assert load_settings().prefix == prefix


def test_a_file_named_env_is_read_and_the_environment_wins(environment, tmp_path):
    lines = [f"{PREFIX}{name}='{value}'" for name, value in GOOD.items()]
    lines += [f"{PREFIX}VOICE=file-voice", f"{PREFIX}CONTAINER=from-file", "OTHER_TOOL=1"]
    (tmp_path / ".env").write_text("\n".join(lines))
    environment(**dict.fromkeys(GOOD), VOICE="environment-voice")

    settings = load_settings()

    assert settings.speech_key.get_secret_value() == CANARY
    assert (settings.voice, settings.container) == ("environment-voice", "from-file")


def test_a_wrong_value_in_the_file_is_named_and_never_shown(tmp_path):
    (tmp_path / ".env").write_text(f"{PREFIX}ENDPOINT={GOOD['ENDPOINT']}\n{PREFIX}MAX_ATTEMPTS={CANARY}\n")

    said = refusal()

    assert f"{PREFIX}MAX_ATTEMPTS" in said
    assert CANARY not in said


def test_a_key_with_a_newline_at_its_end_is_the_key_without_it(environment):
    """As `$(cat key)` in a file, or a mounted secret, often gives it."""
    environment(SPEECH_KEY=f"{CANARY}\n")

    assert load_settings().speech_key.get_secret_value() == CANARY


@pytest.mark.parametrize("inside", [" ", "\t", "\n", "\r", "\x00", "\x1f", "\x7f", "\x85", "\xa0", "ü", "\u200b", "日"])
def test_a_key_with_a_character_that_no_header_carries_is_refused_and_not_shown(environment, inside):
    environment(SPEECH_KEY=None)

    with pytest.raises(SettingsError, match="characters that no key has") as caught:
        load_settings(speech_key=f"{CANARY}{inside}{CANARY}")

    assert f"{PREFIX}SPEECH_KEY: " in str(caught.value)
    assert CANARY not in f"{caught.value} {caught.value!r}"
    assert caught.value.__suppress_context__


def test_a_key_of_blanks_in_the_environment_is_refused_by_its_name(environment):
    environment(SPEECH_KEY=f"{CANARY} {CANARY}")

    said = refusal()

    assert f"{PREFIX}SPEECH_KEY: " in said
    assert CANARY not in said


def test_a_key_may_hold_every_visible_character_of_ascii(environment):
    key = "".join(map(chr, range(0x21, 0x7F)))
    environment(SPEECH_KEY=key)

    assert load_settings().speech_key.get_secret_value() == key


def test_an_override_wins_over_the_environment(environment):
    environment(CONTAINER="from-environment")

    assert load_settings(container="from-code").container == "from-code"


def test_only_what_is_set_becomes_a_default_of_the_scripts(environment):
    environment(VOICE="v", VIDEO_FORMAT="WebM", BITRATE_KBPS="500")

    assert load_settings().video_defaults() == {"voice": "v", "video_format": "webm", "bitrate_kbps": 500}


def test_no_default_of_the_scripts_is_set_by_us(environment):
    """One of ours would enter every content id; the choice of h264 is made where a request is encoded."""
    environment()

    assert load_settings().video_defaults() == {}


# Which Prefect


def profiles(tmp_path, text):
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "profiles.toml").write_text(text)


TWO = """
active = "local"
[profiles.local]
PREFECT_API_URL = "http://127.0.0.1:4200/api"
[profiles.ephemeral]
PREFECT_SERVER_ALLOW_EPHEMERAL_MODE = "true"
"""


def test_without_prefect_there_is_no_api():
    assert prefect_api_url() is None


def test_the_variable_names_the_prefect_api(monkeypatch, tmp_path):
    profiles(tmp_path, TWO)
    monkeypatch.setenv("PREFECT_API_URL", "http://elsewhere/api")

    assert prefect_api_url() == "http://elsewhere/api"


def test_the_active_profile_names_the_prefect_api(tmp_path):
    profiles(tmp_path, TWO)

    assert prefect_api_url() == "http://127.0.0.1:4200/api"


def test_a_profile_can_be_chosen_and_need_not_name_one(monkeypatch, tmp_path):
    profiles(tmp_path, TWO)
    monkeypatch.setenv("PREFECT_PROFILE", "ephemeral")

    assert prefect_api_url() is None


@pytest.mark.parametrize(
    "text",
    ["", 'active = "gone"', "not toml", "[profiles]", 'active = "a"\n[profiles.a]', 'active = "a"\n[profiles]\na = 7'],
)
def test_profiles_that_name_none_are_no_error(tmp_path, text):
    profiles(tmp_path, text)

    assert prefect_api_url() is None


def a_resource(name, **members):
    return {"name": name, "endpoint": f"https://{name}.cognitiveservices.azure.com", "speech_key": CANARY, **members}


def test_several_resources_share_the_limits_they_do_not_name(environment):
    west = a_resource("west", creates_per_minute=10, unsupported=["lisa"])
    environment(
        ENDPOINT=None, SPEECH_KEY=None, RESOURCES=json.dumps([west, a_resource("north")]), CREATES_PER_MINUTE="4"
    )

    first, second = load_settings().all_resources()

    assert (first.name, first.host) == ("west", "west.cognitiveservices.azure.com")
    assert (first.creates_per_minute, first.max_unfinished_jobs, first.unsupported) == (10, 200, ("lisa",))
    assert (second.creates_per_minute, second.max_unfinished_jobs, second.unsupported) == (4, 200, ())
    assert CANARY not in repr(load_settings())


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ("not json " + CANARY, "RESOURCES: is not JSON"),
        ("[" * 100_000, "RESOURCES: is not JSON"),
        (json.dumps([a_resource("a"), a_resource("a")]), "two of them have the same name"),
        (json.dumps([a_resource("a"), a_resource("b", endpoint=a_resource("a")["endpoint"])]), "the same endpoint"),
        (json.dumps([a_resource("a"), {"name": "b"}]), "RESOURCES 1 endpoint: is not set"),
        (json.dumps([a_resource("a", pace=2)]), "RESOURCES 0 pace: Extra inputs are not permitted"),
        (json.dumps([a_resource("a", endpoint="http://x.example")]), "RESOURCES 0 endpoint: must be https"),
        (
            json.dumps([a_resource("a", speech_key=None, endpoint="https://westus2.api.cognitive.microsoft.com")]),
            "RESOURCES, a, endpoint: Microsoft Entra needs the resource's custom domain",
        ),
    ],
)
def test_what_is_wrong_with_a_resource_is_named(environment, resources, reason):
    environment(ENDPOINT=None, SPEECH_KEY=None, RESOURCES=resources)

    assert reason in (said := refusal())
    assert CANARY not in said


def test_one_resource_and_several_exclude_each_other(environment):
    environment(RESOURCES=json.dumps([a_resource("a")]))

    assert "set only one of BATCH_AVATAR_ENDPOINT and BATCH_AVATAR_RESOURCES" in refusal()


def test_the_archive_is_no_place_for_packed_jobs(environment):
    environment(CONTAINER="videos", STAGING_CONTAINER="videos")

    assert "STAGING_CONTAINER must not be the archive's own" in refusal()
