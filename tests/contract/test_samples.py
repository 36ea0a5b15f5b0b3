"""The requests of the service's public samples, in their order, against the command: by key, by token, over TLS.

The bodies are written anew from the documents of each generation; the values are our own.
"""

import contextlib
import os
import signal
import subprocess
import sys
import uuid

import pytest
import requests

from tests.support.waiting import ANSWER_SECONDS, until

COMMAND = (sys.executable, "-c", "from batch_avatar.emulator.command import emulator; emulator()")
SWITCHES = ("--tls", "--media", "minimal", "--creates-per-minute", "0", "--progression", "at_once")
TOKEN = "a.bearer-token"
VOICE = "en-US-AvaMultilingualNeural"
VIDEO_AVATAR = {
    "customized": False,
    "talkingAvatarCharacter": "Lisa",
    "talkingAvatarStyle": "casual-sitting",
    "videoFormat": "mp4",
    "videoCodec": "h264",
    "subtitleType": "soft_embedded",
    "backgroundColor": "#FFFFFFFF",
}
BODIES = {
    "plain_text": {
        "synthesisConfig": {"voice": VOICE},
        "customVoices": {},
        "inputKind": "plainText",
        "inputs": [{"content": "Welcome to the first lesson.\r\nIt is a short one."}],
        "avatarConfig": VIDEO_AVATAR,
    },
    "ssml": {
        "inputKind": "SSML",
        "inputs": [
            {
                "content": "<speak version='1.0' xml:lang='en-US'>"
                f"<voice name='{VOICE}'>Good morning<bookmark mark='gesture.show-front-1'/>, class.</voice></speak>"
            }
        ],
        "avatarConfig": {"talkingAvatarCharacter": "lisa", "talkingAvatarStyle": "casual-sitting"},
    },
    "transparent": {
        "inputKind": "PlainText",
        "synthesisConfig": {"voice": VOICE},
        "inputs": [{"content": "Nothing is behind me."}],
        "avatarConfig": VIDEO_AVATAR
        | {"videoFormat": "webm", "videoCodec": "vp9", "backgroundColor": "transparent", "subtitleType": "none"},
    },
    "crop_and_image": {
        "inputKind": "PlainText",
        "synthesisConfig": {"voice": VOICE, "rate": "+5%"},
        "inputs": [{"content": "Only a part of me is seen."}],
        "avatarConfig": {
            "talkingAvatarCharacter": "meg",
            "talkingAvatarStyle": "business",
            "bitrateKbps": 1500,
            "videoCrop": {"topLeft": {"x": 600, "y": 0}, "bottomRight": {"x": 1320, "y": 1080}},
            "backgroundImage": "https://example.com/office.png",
        },
    },
    "custom_voice": {
        "inputKind": "PlainText",
        "synthesisConfig": {"voice": "SchoolVoiceNeural"},
        "customVoices": {"SchoolVoiceNeural": "0f8fad5b-d9cb-469f-a165-70867728950e"},
        "inputs": [{"content": "This is the voice of our school."}],
        "avatarConfig": VIDEO_AVATAR,
    },
    "custom_avatar": {
        "inputKind": "PlainText",
        "synthesisConfig": {"voice": VOICE},
        "inputs": [{"content": "I am the head of the school."}],
        "avatarConfig": {"talkingAvatarCharacter": "Our-Head", "customized": True},
    },
    "voice_sync": {
        "inputKind": "PlainText",
        "inputs": [{"content": "I am the head of the school, with my own voice."}],
        "avatarConfig": {
            "talkingAvatarCharacter": "Our-Head",
            "customized": True,
            "useBuiltInVoice": True,
            "subtitleType": "external_file",
        },
    },
    "photo_avatar": {
        "inputKind": "PlainText",
        "synthesisConfig": {"voice": VOICE},
        "inputs": [{"content": "I was a picture until now."}],
        "avatarConfig": {
            "talkingAvatarCharacter": "Adrian",
            "talkingAvatarStyle": "",
            "photoAvatarBaseModel": "vasa-1",
            "customized": False,
            "videoCodec": "h264",
            "scene": {"zoom": 1, "positionX": 0, "positionY": 0, "amplitude": 0.8},
        },
    },
    "no_style": {
        "inputKind": "PlainText",
        "synthesisConfig": {"voice": "en-US-Andrew:DragonHDLatestNeural"},
        "inputs": [{"content": "I have one style only."}],
        "avatarConfig": {"talkingAvatarCharacter": "Rowan", "subtitleType": "external_file"},
        "properties": {"timeToLiveInHours": 24},
    },
}  # fmt: skip
OLD = {
    "displayName": "Batch avatar synthesis",
    "description": "The first lesson",
    "textType": "PlainText",
    "inputs": [{"text": "Welcome to the first lesson."}],
    "synthesisConfig": {"voice": VOICE},
    "customVoices": {},
    "properties": {
        "customized": False,
        "talkingAvatarCharacter": "lisa",
        "talkingAvatarStyle": "casual-sitting",
        "videoFormat": "webm",
        "videoCodec": "vp9",
        "subtitleType": "soft_embedded",
        "backgroundColor": "transparent",
    },
}


@pytest.fixture(scope="module")
def told():
    """What the running command says of itself, by the name of each variable."""
    environment = os.environ | {"EMULATOR_BEARER_TOKEN": TOKEN}
    with (
        subprocess.Popen([*COMMAND, *SWITCHES], stdout=subprocess.PIPE, text=True, env=environment) as process,
        contextlib.ExitStack() as ends,
    ):
        ends.callback(process.kill)
        found = {}
        for line in process.stdout:
            if "Ctrl-C" in line:
                break
            name, _, value = line.strip().partition("=")
            found[name] = value
        yield found
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=ANSWER_SECONDS)


@pytest.fixture(params=["key", "token"])
def client(request, told):
    key = told["BATCH_AVATAR_SPEECH_KEY"]
    headers = {"key": {"Ocp-Apim-Subscription-Key": key}, "token": {"Authorization": f"Bearer {TOKEN}"}}
    with requests.Session() as session:
        session.trust_env = False  # a bundle that the environment names would be taken instead
        session.verify = told["SSL_CERT_FILE"]
        session.headers.update(headers[request.param])
        session.endpoint = told["BATCH_AVATAR_ENDPOINT"]
        yield session


def call(client, method, path, status, **options):
    answer = client.request(method, client.endpoint + path, timeout=ANSWER_SECONDS, **options)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def ended(client, path, params=None):
    """Ask for the job until it is no longer rendered, as the samples do."""
    until(lambda: call(client, "GET", path, 200, params=params)["status"] in ("Succeeded", "Failed"))
    return call(client, "GET", path, 200, params=params)


def download(client, link):
    """As the samples do, without a credential."""
    assert link.startswith("https://")
    answer = requests.get(link, verify=client.verify, timeout=ANSWER_SECONDS)
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize("version", ["2024-08-01", "2024-04-15-preview"])
def test_the_samples_of_2024_run(client, version):
    params = {"api-version": version}
    paths = {name: f"/avatar/batchsyntheses/{uuid.uuid4()}" for name in BODIES}
    for name, path in paths.items():
        assert call(client, "PUT", path, 201, params=params, json=BODIES[name])["status"] == "NotStarted", name
    for name, path in paths.items():
        job = ended(client, path, params)
        assert job["status"] == "Succeeded", name
        assert download(client, job["outputs"]["result"]).content
        (entry,) = download(client, job["outputs"]["summary"]).json()["results"]
        assert entry["TalkingAvatarCharacter"] == BODIES[name]["avatarConfig"]["talkingAvatarCharacter"]
        assert ("subtitle" in job["outputs"]) == (name == "no_style")
        call(client, "DELETE", path, 204, params=params)
        call(client, "GET", path, 404, params=params)
    assert "value" in call(client, "GET", "/avatar/batchsyntheses", 200, params=params | {"maxpagesize": 2})


def test_the_samples_of_2023_run(client):
    place = "/api/texttospeech/3.1-preview1/batchsynthesis/talkingavatar"
    path = f"{place}/{call(client, 'POST', place, 201, json=OLD)['id']}"
    job = ended(client, path)
    assert job["status"] == "Succeeded"
    assert download(client, job["outputs"]["result"]).content
    call(client, "GET", place, 200, params={"skip": 0, "top": 2})
    call(client, "DELETE", path, 204)


def test_neither_key_nor_token_is_refused_and_the_certificate_is_needed(client):
    del client.headers[next(name for name in ("Authorization", "Ocp-Apim-Subscription-Key") if name in client.headers)]
    call(client, "GET", "/avatar/batchsyntheses", 401, params={"api-version": "2024-08-01"})
    client.verify = True
    with pytest.raises(requests.exceptions.SSLError):
        client.get(client.endpoint, timeout=ANSWER_SECONDS)
