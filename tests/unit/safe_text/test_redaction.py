"""No secret is left in a text, however it is written; and what is no secret stays."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote

import pytest

from batch_avatar.safe_text.redaction import MOST_PASSING, REDACTED, Secrets, redact

CANARY = "c4n4ry+Secret/0123456789=="
SAS = f"https://u.blob.core.windows.net/c/b.mp4?sv=2024-11-04&se=2026-12-01&sig={quote(CANARY, safe='')}"
PLAIN = "c4n4ry0123456789abcdef"


@pytest.fixture
def secrets():
    """Of a process of its own."""
    return Secrets()


WRITTEN = {
    "a query": f"GET /c/b?sv=1&sig={PLAIN} HTTP/1.1",
    "first in a query": f"/c/b?sig={PLAIN}&se=1",
    "in capitals": f"/c/b?SIG={PLAIN}",
    "JSON's ampersand": f"/c/b?sv=1\\u0026sig={PLAIN}",
    "HTML's ampersand": f"/c/b?sv=1&amp;sig={PLAIN}",
    "percent-encoded": f"next=%2Fc%3Fsv%3D1%26sig%3D{PLAIN}",
    "percent-encoded, first": f"next=%2Fc%3Fsig%3D{PLAIN}",
    "percent-encoded twice": f"next=%252Fc%253Fsv%253D1%2526sig%253D{PLAIN}",
    "percent-encoded twice, first": f"next=%252Fc%253Fsig%253D{PLAIN}",
    "with an escaped slash": f'{{"sas": "sig=ab\\/{PLAIN}"}}',
    "Signature": f"/c?Key-Pair-Id=K&Signature={PLAIN}&Expires=1",
    "Amazon": f"/c?X-Amz-Date=1&X-Amz-Signature={PLAIN}",
    "Amazon's session": f"/c?X-Amz-Security-Token={PLAIN}",
    "Google": f"/c?X-Goog-Signature={PLAIN}",
    "token": f"/c?token={PLAIN}",
    "access_token": f"/callback#access_token={PLAIN}",
    "accessToken": f"accessToken={PLAIN}",
    "client_secret": f"grant_type=client_credentials&client_secret={PLAIN}",
    "password": f"host=db password={PLAIN} user=u",
    "AccountKey": f"AccountName=a;AccountKey={PLAIN};EndpointSuffix=x",
    "SharedAccessSignature": f"BlobEndpoint=x;SharedAccessSignature=sv=1&sig={PLAIN}",
    "JSON": f'{{"key": "{PLAIN}", "name": "x"}}',
    "JSON without blanks": f'{{"access_token":"{PLAIN}"}}',
    "JSON in JSON": f'{{\\"token\\": \\"{PLAIN}\\"}}',
    "a dict of Python": f"{{'speech_key': 'x', 'api-key': '{PLAIN}'}}",
    "bearer": f"Authorization: Bearer {PLAIN}",
    "bearer in JSON": f'{{"Authorization": "Bearer {PLAIN}"}}',
    "bearer alone": f"the token was Bearer {PLAIN}",
    "shared key": f"Authorization: SharedKey account:{PLAIN}",
    "the service's key": f"Ocp-Apim-Subscription-Key: {PLAIN}",
    "a header in a dict": f"{{'Ocp-Apim-Subscription-Key': '{PLAIN}'}}",
    "a header in a list": f"[('Ocp-Apim-Subscription-Key', '{PLAIN}')]",
    "a user's password": f"cannot open https://user:{PLAIN}@host.example/c",
    "a user's password, escaped slashes": f"https:\\/\\/user:{PLAIN}@host.example\\/c",
    "a JSON web token": f"got eyJhbGciOiJSUzI1NiJ9.{PLAIN}.{PLAIN} back",
    "a link with any query": f"cannot read https://host.example/c?whatever={PLAIN}, sorry",
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_secret_is_cut_out_however_it_is_named_and_spelled(name):
    said = redact(WRITTEN[name])

    assert PLAIN not in said
    assert redact(said) == said


SPELLED = {
    "as it is": CANARY,
    "percent-encoded": quote(CANARY, safe=""),
    "percent-encoded in lower case": quote(CANARY, safe="")
    .replace("%2B", "%2b")
    .replace("%2F", "%2f")
    .replace("%3D", "%3d"),
    "percent-encoded twice": quote(quote(CANARY, safe=""), safe=""),
    "with slashes as they are": quote(CANARY),
    "in JSON": json.dumps(CANARY)[1:-1],
    "in JSON with escaped slashes": CANARY.replace("/", "\\/"),
    "in HTML": html.escape(CANARY),
    "in base64": base64.b64encode(CANARY.encode()).decode(),
}


@pytest.mark.parametrize("name", SPELLED)
def test_a_value_that_is_known_is_cut_out_wherever_it_stands(secrets, name):
    secrets.know(CANARY)

    assert SPELLED[name][:-3] not in secrets.redact(f"you sent me {SPELLED[name]}, thank you")


def test_of_a_link_and_of_a_connection_string_the_secrets_in_them_are_known(secrets):
    secrets.know(SAS, passing=True)
    secrets.know(
        f"DefaultEndpointsProtocol=https;AccountName=name;AccountKey={PLAIN};BlobEndpoint=http://127.0.0.1:1/name;"
    )

    assert secrets.redact(f"{quote(CANARY, safe='')} {PLAIN}") == f"{REDACTED} {REDACTED}"
    assert secrets.redact("u.blob.core.windows.net 127.0.0.1:1") == "u.blob.core.windows.net 127.0.0.1:1"


@pytest.mark.parametrize("value", ["key", "pa55w0r", "something", "Anything", "20261201", "s" * 19])
def test_values_that_texts_hold_by_chance_are_not_sought(secrets, value):
    secrets.know(value)

    assert secrets.redact(f"the {value} of it") == f"the {value} of it"


@pytest.mark.parametrize("value", ["pa55w0rd", "some-thing", "s" * 20, "7" * 20])
def test_values_that_texts_do_not_hold_by_chance_are_sought(secrets, value):
    secrets.know(value)

    assert secrets.redact(f"the {value} of it") == f"the {REDACTED} of it"


def test_what_is_made_known_meanwhile_is_forgotten_and_no_more(secrets):
    secrets.know(PLAIN)
    with secrets.forgetting():
        secrets.know(CANARY)
        secrets.know(SAS, passing=True)
        assert secrets.redact(f"{PLAIN} {CANARY}") == f"{REDACTED} {REDACTED}"

    assert secrets.redact(f"{PLAIN} {CANARY}") == f"{REDACTED} {CANARY}"


def test_of_values_that_come_and_go_the_newest_are_known_and_the_lasting_ones_stay_known(secrets):
    secrets.know(PLAIN)
    for number in range(MOST_PASSING + 1):
        secrets.know(f"passing-{number:04d}", passing=True)

    assert secrets.redact(f"{PLAIN} passing-0000 passing-0001") == f"{REDACTED} passing-0000 {REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no secret",
        "design=1",
        "the sign = here",
        "?signature",
        "sig",
        "x&design=a",
        "the token has expired",
        "plain Bearer authentication",
        "key: value, tokens: 5",
        "monkey=1 keyboard=2",
        "https://host.example/c/b.mp4, and more",
        "see https://host.example/c? It is there",
        "AuthorizationPermissionMismatch: this request is not authorized",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


def test_the_rest_of_a_text_stays_readable():
    assert redact(f"cannot read {SAS}&x=1, sorry") == (
        "cannot read https://u.blob.core.windows.net/c/b.mp4?REDACTED, sorry"
    )
    assert redact("GET /c?sv=1&sig=abc&x=1 HTTP") == "GET /c?sv=1&sig=REDACTED&x=1 HTTP"
    assert redact("https://user:pw@host/c") == "https://REDACTED@host/c"


@pytest.mark.parametrize("text", [*WRITTEN.values(), SAS])
def test_json_stays_json(secrets, text):
    secrets.know(PLAIN)
    written = json.dumps({"message": text, "token": PLAIN, "last": 1})

    assert json.loads(secrets.redact(written))["last"] == 1


@pytest.mark.parametrize(
    "piece", ["sig=", "eyJ", "bearer ", "://", "://?", '"key": "', "api-key: ", "%2526sig%253d", "a"]
)
def test_a_long_text_is_read_once(piece):
    """2 MB of what may begin a secret; reading each start to the end would take hours."""
    text = piece * (2_000_000 // len(piece))

    assert len(redact(text)) <= len(text) + len(REDACTED) * text.count("://")
