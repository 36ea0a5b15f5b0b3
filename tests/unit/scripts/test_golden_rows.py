"""The ids of rows that take part of their look from elsewhere. A row that means something else is billed again."""

import json

import pytest

from batch_avatar.identity import derive_content_id
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for

ARCHIVE = "00112233445566aa"
WIRE = wire_for("2024-08-01")
SETTINGS = {"voice": "en-US-JennyNeural", "subtitle_type": "none"}
DEFAULTS = """
voice = "en-US-AvaMultilingualNeural"
talking_avatar_character = "lisa"
talking_avatar_style = "casual-sitting"
"""
SSML = "<speak version='1.0' xml:lang='en-US'><voice name='en-US-AvaMultilingualNeural'>Hi.</voice></speak>"
JSONL = [
    {"script_id": "nothing", "content": "Hi."},
    {"script_id": "custom", "content": "Hi.", "talking_avatar_character": "Mia", "customized": True},
    {
        "script_id": "photo",
        "content": "Hi.",
        "talking_avatar_character": "Adrian",
        "photo_avatar_base_model": "vasa-1",
    },
    {"script_id": "ssml", "input_kind": "SSML", "content": SSML},
    {"script_id": "empty-rate", "content": "Hi.", "rate": ""},
    {"script_id": "null-style-custom", "content": "Hi.", "customized": True, "talking_avatar_style": None},
    {"script_id": "empty-style-custom", "content": "Hi.", "customized": True, "talking_avatar_style": ""},
]
CSV = """script_id,content,talking_avatar_character,talking_avatar_style,customized,photo_avatar_base_model,rate
nothing,Hi.,,,,,
custom,Hi.,Mia,,true,,
photo,Hi.,Adrian,,,vasa-1,
quoted,Hi.,"","","","",""
"""
GOLDEN = {
    "rows.jsonl": {
        "nothing": "6fb33bd4483b141a",
        "custom": "681a55b17b6d812d",
        "photo": "da304bec1bc723eb",
        "ssml": "30e0ac4b4eb500b8",
        "empty-rate": "1e1f9efe615e1c8c",
        "null-style-custom": "333f7845aa9f3128",
        "empty-style-custom": "f6f21706710955e7",
    },
    "rows.csv": {
        "nothing": "6fb33bd4483b141a",
        "custom": "681a55b17b6d812d",
        "photo": "da304bec1bc723eb",
        "quoted": "3973a29b34093cbb",
    },
}


def ids(source):
    scripts = read_scripts([source], defaults=SETTINGS, wire=WIRE)
    return {script.script_id: derive_content_id(script, archive_id=ARCHIVE) for script in scripts}


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_a_row_means_what_it_always_meant(tmp_path, name):
    (tmp_path / "defaults.toml").write_text(DEFAULTS)
    rows = CSV if name == "rows.csv" else "".join(json.dumps(row) + "\n" for row in JSONL)
    (tmp_path / name).write_text(rows)

    assert ids(tmp_path / name) == GOLDEN[name]
