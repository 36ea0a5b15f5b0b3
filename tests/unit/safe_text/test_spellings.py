"""What looks like a secret is cut out in any spelling of its name and quotes; what people write stays."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from batch_avatar.safe_text.redaction import redact

PLAIN = "c4n4ry0123456789abcdef"
WRITTEN = {
    "single quotes": f"open /c?sv=1&sig='{PLAIN}'",
    "a user without a scheme": f"cannot reach user:{PLAIN}@db.example.com",
    "a user without a scheme, of a port": "cannot reach admin:changeme@db:5432",
    "an encoded user": f"next=https%3A%2F%2Fu%3A{PLAIN}%40host.example%2Fc",
    "an encoded link": f"next=https%3A%2F%2Fhost.example%2Fc%3Fwhatever%3D{PLAIN}",
    "YAML": f"password: {PLAIN}",
    "YAML in quotes": "password: 'correct horse battery'",
    "blanks": f"AccountKey = {PLAIN}",
    "tabs": f"api_key\t=\t{PLAIN}",
    "an arrow": f":token => '{PLAIN}'",
    "XML": f"<Signature>{PLAIN}</Signature>",
    "XML with an attribute": f'<Signature xmlns="urn:x">{PLAIN}</Signature>',
    "XML in HTML": f"&lt;Signature&gt;{PLAIN}&lt;/Signature&gt;",
    "an attribute": f'<add password="{PLAIN}"/>',
    "a name and its value": f'<add key="SPEECH_KEY" value="{PLAIN}"/>',
    "a name and its value in JSON": f'{{"name": "SPEECH_KEY", "value": "{PLAIN}"}}',
    "a list of a header": f'{{"Authorization": ["Basic {PLAIN}"]}}',
    "a tuple": f"('x-functions-key', '{PLAIN}')",
    "bytes": f"(b'api-key', b'{PLAIN}')",
    "a key of two": f'{{"primaryKey": "{PLAIN}"}}',
    "a key of Azure's list": f'{{"key1": "{PLAIN}"}}',
    "the environment": f"SPEECH_KEY={PLAIN}",
    "our environment": f"BATCH_AVATAR_SPEECH_KEY={PLAIN}",
    "a key with two names": f"secretAccessKey={PLAIN}",
    "a key with three names": f"aws_secret_access_key = {PLAIN}",
    "escapes of Python": f"\\x26sig\\x3d{PLAIN}\\x26x",
    "escapes of JSON": f"\\u0026sig\\u003d{PLAIN}",
    "escapes of JSON in the value": f'"token": "ab\\u003d\\u002b{PLAIN}"',
    "entities in the value": f"sig=ab&#43;{PLAIN}",
    "Prefect": f"AUTH_STRING=admin:{PLAIN}",
    "Prefect's variable": f"PREFECT_API_AUTH_STRING='admin:{PLAIN}'",
    "JSON with blanks in the value": '{"password": "correct horse battery"}',
    "JSON in JSON with blanks in the value": json.dumps(json.dumps({"password": "correct horse battery"})),
    "a quote within": json.dumps({"password": f'correct "horse" battery {PLAIN}'}),
    "a passphrase": f"passphrase={PLAIN}",
    "Basic alone": f"sent Basic {PLAIN}==",
    "a digest": f"Authorization: Digest {PLAIN}",
    "an option": f"--api-key={PLAIN}",
    "percent-encoded JSON": quote(json.dumps({"token": PLAIN})),
    "in a link's query, with a blank": f"https://host.example/c?a=b%20c&sig={PLAIN}",
    "in a link within JSON": f'"https:\\/\\/host.example\\/c?a=1\\u0026whatever={PLAIN}"',
}
PIECES = (PLAIN, "changeme", "horse", "battery")


@pytest.mark.parametrize("name", WRITTEN)
def test_a_secret_is_cut_out_in_every_spelling(name):
    said = redact(WRITTEN[name])

    assert [piece for piece in PIECES if piece in said] == []
    assert redact(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "the password: reset procedure",
        "Your password: how to change it (8 characters at least)",
        "our signature dish: noodles",
        "signature: see page 12",
        "the secret: patience, and salt",
        "a token: of gratitude",
        "write to anna.schmidt@example.com or max2000@example.org",
        "mailto:max2000@example.org",
        "E-Mail:max2000@example.org",
        "Kontakt:anna@example.org",
        "git@github.com:owner/name",
        "at 12:30@home",
        "01-welcome-d4ac1b08fb29d342-1: archived",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "e3c0d5f1-2a61-4c6f-9d5b-8f1d9a7b3c11",
        "script_id: 01-welcome, content_id: d4ac1b08fb29d342",
        "turkey=1 monkey=2 hockey: sticks",
        "primary school, key stage 2",
        "public_key_id, foreign_key, cache_key=abc",
        "keyboard shortcut: Ctrl+C",
        "the password, the token, and the key",
        '"password", "token" and "secret" are words',
        "Basic understanding of English",
        "authorization: denied",
        "Q&A: 100 %, a&b, C:\\new\\tokens",
        "50%25 of https://example.com/a%20b",
        "<token>",
        "use <key> and <password> here",
        "`Authorization: Bearer <token>` is accepted as `bearer`",
        "key: value",
        "SPEECH_KEY: 3.1-preview1 needs one; with 2024-04-15-preview it may be left out",
        "BATCH_AVATAR_SPEECH_KEY_FILE: /run/secrets/key1 is not a file",
        "the new token: 2026-12-01",
        "say: <phoneme alphabet='ipa'>",
    ],
)
def test_what_people_write_is_left_alone(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: hunter22, user: u", "password: REDACTED, user: u"),
        ('{"Authorization": ["Basic dTpw"], "x": 1}', '{"Authorization": ["Basic REDACTED"], "x": 1}'),
        (r"\x26sig\x3dabc\x26x", r"\x26sig\x3dREDACTED\x26x"),
        ("<Signature>abc</Signature>", "<Signature>REDACTED</Signature>"),
        ("AccountKey = abc; EndpointSuffix = x", "AccountKey = REDACTED; EndpointSuffix = x"),
        ("user:p4ssw0rd@db.example.com/x", "user:REDACTED@db.example.com/x"),
        ("https%3A%2F%2Fu%3Apw%40host%2Fc", "https%3A%2F%2FREDACTED%40host%2Fc"),
        (r'"{\"password\": \"a b\", \"x\": 1}"', r'"{\"password\": \"REDACTED\", \"x\": 1}"'),
        ("sig='abc', x", "sig='REDACTED', x"),
    ],
)
def test_what_stands_around_a_secret_stays(text, shown):
    assert redact(text) == shown


@pytest.mark.parametrize("text", WRITTEN.values())
def test_json_stays_json(text):
    written = json.dumps({"message": text, "token": PLAIN, "last": 1})

    assert json.loads(redact(written))["last"] == 1
    assert PLAIN not in redact(written)


@pytest.mark.parametrize(
    "piece",
    [
        *("token:", "token: ", "token='", 'token="', "a:b", "a:b@", "%3A%2F%2F", "\\", "\\\\x26sig", "&amp;", "&#"),
        *("<Sig", "<token ", '"key",', "basic ", "sig=&#4", "sig=\\u00", '"password": "a\\"', "a" * 64 + ":", "@"),
    ],
)
def test_a_long_text_is_read_a_bounded_number_of_times(piece):
    """400 KB of what may begin a secret; reading each start to the end would take many minutes."""
    assert redact(piece * (400_000 // len(piece)))
