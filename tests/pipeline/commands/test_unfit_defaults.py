"""Defaults that cannot apply to a script are not sent with it: the emulator refuses a request that holds them."""

import json
from pathlib import Path

import pytest

from tests.support.scripts import LOOK_TOML

MIXED = Path(__file__).parents[2] / "data" / "cases" / "mixed-prosody"
SSML = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
    '<voice name="en-US-JennyNeural">Hi.</voice></speak>'
)
UNFIT_TOML = LOOK_TOML + 'rate = "+10%"\nstyle = "sad"\nscene = { zoom = 2 }\nuse_built_in_voice = true\n'
ROWS = [
    {"script_id": "plain", "content": "Hi."},
    {"script_id": "ssml", "content": SSML, "input_kind": "SSML"},
    {"script_id": "photo", "content": "Hi.", "talking_avatar_character": "Adrian", "photo_avatar_base_model": "vasa-1"},
    {"script_id": "custom", "content": "Hi.", "talking_avatar_character": "Mia", "customized": True},
]


def report_of(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_rate_beside_ssml_renders_both_and_is_sent_with_the_text_alone(quick, tmp_path):
    b = quick()
    b.overrides |= {"voice": "en-US-AvaMultilingualNeural", "talking_avatar_character": "lisa"}
    b.overrides |= {"talking_avatar_style": "casual-sitting"}

    report = report_of(b.command("render", MIXED, "--json", folder=tmp_path))

    assert (report["archived"], report["failed"]) == (2, 0)
    assert set(b.accepted().values()) == {1}
    forms = {claim["script_id"]: claim["form"] for claim in b.documents("/claim.json").values()}
    assert forms["a"]["rate"] == forms["b"]["rate"] == "+10%", "the id is of what the script and its defaults say"
    configs = sent(b)
    assert configs["a"]["rate"] == "+10%"
    assert configs["b"] is None


def sent(b):
    """The `synthesisConfig` of each job that the emulator has, by script."""
    jobs = {job.id.rpartition("-")[0].rpartition("-")[0]: job.request for job in b.emulator.service.store.history()}
    return {
        name: request.synthesis_config and request.synthesis_config.model_dump(exclude_none=True)
        for name, request in jobs.items()
    }


@pytest.mark.parametrize("pack", [[], ["--pack", "3"]], ids=["alone", "packs"])
def test_all_that_does_not_fit_is_left_out_of_every_request(packs, tmp_path, pack):
    b = packs()
    (tmp_path / "defaults.toml").write_text(UNFIT_TOML)
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))

    report = report_of(b.command("render", "m.jsonl", *pack, "--json", folder=tmp_path))

    assert (report["archived"], report["failed"]) == (len(ROWS), 0)
    assert set(b.accepted().values()) == {1}
