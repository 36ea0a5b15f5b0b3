"""`batch-avatar avatars` and `batch-avatar voices`: what they show, whom they ask, and what they keep."""

import json
import os
import stat

import pytest
from click.testing import CliRunner

from batch_avatar.catalog.avatars import characters, photo_avatars
from batch_avatar.commands.cli import main
from batch_avatar.service.voices.kept import known_voices
from tests.support.tiny_server import KEY, Answer, TinyServer

VOICES = [
    {
        "Name": f"Microsoft Server Speech Text to Speech Voice ({locale}, {name}Neural)",
        "DisplayName": name,
        "LocalName": name,
        "ShortName": f"{locale}-{name}Neural",
        "Gender": "Female",
        "Locale": locale,
        "SampleRateHertz": "48000",
        "VoiceType": "Neural",
        "Status": "GA",
        "WordsPerMinute": "147",
    }
    for locale, name in [("en-US", "Ava"), ("en-GB", "Sonia"), ("ga-IE", "Orla")]
]


@pytest.fixture
def server():
    with TinyServer() as server:
        server.answers = [Answer(200, VOICES)]
        yield server


@pytest.fixture
def kept(tmp_path, monkeypatch, server):
    """The folder in which lists are kept, beside settings for a resource on this machine."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("BATCH_AVATAR_")]:
        monkeypatch.delenv(name)
    settings = {"ENDPOINT": server.url, "SPEECH_KEY": KEY, "STORAGE_ACCOUNT_URL": "https://a.blob.core.windows.net"}
    for name, value in settings.items():
        monkeypatch.setenv(f"BATCH_AVATAR_{name}", value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "batch-avatar"


def run(*arguments):
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.stdout, done.stderr


# Avatars


def test_avatars_are_shown_with_their_month_of_withdrawal(kept):
    code, out, _ = run("avatars")
    lines = {tuple(line.split()[:2]): line for line in out.splitlines() if line}

    assert code == 0
    assert "2026-12" in lines["jeff", "formal"]
    assert "2026-12" in lines["lisa", "graceful-sitting"]
    assert "20" not in lines["lisa", "casual-sitting"]
    assert "camila" in out
    assert not kept.exists()


@pytest.mark.usefixtures("kept")
def test_avatars_as_json_hold_all_that_is_known():
    code, out, _ = run("avatars", "--json")
    shown = json.loads(out)

    assert code == 0
    assert [one["name"] for one in shown["characters"]] == [one.name for one in characters()]
    assert [one["names"] for one in shown["photo_avatars"]] == [list(one.names) for one in photo_avatars()]
    assert all(style["source"] and style["seen"] for one in shown["characters"] for style in one["styles"])


# Voices


def test_the_region_is_asked_with_the_key_and_its_list_is_kept(kept, server):
    code, out, err = run("voices", "--region", "West Europe")

    assert (code, err) == (0, "")
    assert out.splitlines()[1].split() == ["en-US-AvaNeural", "en-US", "Female", "GA"]
    assert out.splitlines()[-1] == "3 voices in westeurope"
    [asked] = server.requests
    assert (asked.method, asked.path) == ("GET", "/cognitiveservices/voices/list")
    assert asked.headers["ocp-apim-subscription-key"] == KEY
    [file] = kept.iterdir()
    assert file.name == "voices-westeurope.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KEY not in file.read_text()
    assert known_voices()["en-us-avaneural"] == "en-US-AvaNeural"
    assert "microsoft server speech text to speech voice (ga-ie, orlaneural)" in known_voices()


@pytest.mark.parametrize(
    ("locale", "names"),
    [
        ("en", ["en-US-AvaNeural", "en-GB-SoniaNeural"]),
        ("EN-us", ["en-US-AvaNeural"]),
        ("e", []),
        ("GA-ie", ["ga-IE-OrlaNeural"]),
    ],
)
@pytest.mark.usefixtures("kept")
def test_a_locale_is_a_language_or_a_language_and_country(locale, names):
    code, out, _ = run("voices", "--region", "westeurope", "--locale", locale, "--json")

    assert code == 0
    assert [voice["name"] for voice in json.loads(out)["voices"]] == names
    assert len(known_voices()) == 6  # all are kept, whatever is shown


@pytest.mark.usefixtures("kept")
def test_a_locale_that_is_not_there_names_the_one_that_was_meant():
    _, out, _ = run("voices", "--region", "westeurope", "--locale", "ga-EI")

    assert out == "0 voices of ga-EI in westeurope; did you mean ga-IE?\n"


@pytest.mark.usefixtures("kept")
def test_the_region_may_come_from_the_settings(monkeypatch):
    monkeypatch.setenv("BATCH_AVATAR_REGION", "SwedenCentral")

    assert run("voices")[1].splitlines()[-1] == "3 voices in swedencentral"


@pytest.mark.parametrize("region", ["evil.example/", "a@b", "eu", "../../etc", "westeurope#", "é"])
@pytest.mark.usefixtures("kept")
def test_what_is_no_region_is_asked_of_nobody(server, region):
    code, _, err = run("voices", "--region", region)

    assert code == 2
    assert "is not the identifier of a region, such as westeurope" in err
    assert server.requests == []


@pytest.mark.usefixtures("kept")
def test_without_a_region_it_is_said_how_to_name_one(server):
    code, _, err = run("voices")

    assert code == 2
    assert err.startswith(f"{server.host} does not tell its region; say which it is with --region or BATCH_AVATAR_")
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (Answer(401, {"error": {"code": "401", "message": "Denied."}}), 3, "a key opens only the region of its"),
        (Answer(403, None), 3, "a key opens only the region of its resource"),
        (Answer(404, None), 1, "the list of voices of westeurope: no reason given"),
        (Answer(302, None, {"Location": "http://elsewhere.example/"}), 1, "the list of voices of westeurope"),
        (Answer(200, {"voices": VOICES}), 1, "the answer is not such a list; nothing is kept"),
        (Answer(200, []), 1, "the answer is not such a list; nothing is kept"),
        (Answer(200, [{"Name": 7}, "x", None]), 1, "the answer is not such a list; nothing is kept"),
        (Answer(200, VOICES * 4000), 1, "the answer is not such a list; nothing is kept"),
        (Answer(200, b"[" * 100_000), 1, "the answer is not such a list; nothing is kept"),
        (Answer(200, b"\xff\xfe"), 1, "the answer is not such a list; nothing is kept"),
        (Answer(200, b"[" + b" " * 10_000_001 + b"]"), 1, "larger than 10,000,000 bytes"),
    ],
)
def test_an_answer_that_is_no_list_ends_it_and_nothing_is_kept(kept, server, answer, code, said):
    server.answers = [answer]
    done, out, err = run("voices", "--region", "westeurope")

    assert (done, out) == (code, "")
    assert said in err
    assert len(server.requests) == 1
    assert not kept.exists()


@pytest.mark.usefixtures("kept")
def test_odd_members_are_left_out_and_the_others_are_used(server):
    odd = VOICES[0] | {"Gender": 5, "Locale": None, "Status": "x" * 5000}
    server.answers = [Answer(200, [odd, {"ShortName": ""}, 3, VOICES[1]])]
    code, out, _ = run("voices", "--region", "westeurope", "--json")

    first, second = json.loads(out)["voices"]
    assert code == 0
    assert (first["name"], first["gender"], first["locale"]) == ("en-US-AvaNeural", "", "")
    assert second["name"] == "en-GB-SoniaNeural"
    assert set(known_voices().values()) >= {"en-US-AvaNeural", "en-GB-SoniaNeural"}


@pytest.mark.usefixtures("kept")
def test_a_list_that_cannot_be_kept_is_shown_all_the_same(tmp_path):
    (tmp_path / "cache").write_text("a file, where a folder should be")
    code, out, err = run("voices", "--region", "westeurope")

    assert code == 0
    assert out.endswith("3 voices in westeurope\n")
    assert err.startswith("the list cannot be kept for checks of scripts: ")
    assert known_voices() == {}
