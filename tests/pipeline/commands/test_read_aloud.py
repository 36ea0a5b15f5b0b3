"""SSML in a .txt that an earlier version rendered with its tags read aloud: nothing more is billed without a word."""

from __future__ import annotations

import json

from batch_avatar.models import Script
from tests.support.scripts import LOOK, LOOK_TOML

SSML = (
    '<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang="en-US">'
    '<voice name="en-US-JennyNeural">Welcome to lesson {}.</voice></speak>\n'
)


def test_a_folder_of_ssml_that_was_read_aloud_is_told_kept_and_rendered_as_is_wished(quick, tmp_path):
    b = quick()
    b.render([Script(script_id=f"s{number}", content=SSML.format(number), **LOOK) for number in range(3)])
    folder = tmp_path / "scripts"
    folder.mkdir()
    for number in range(3):
        (folder / f"s{number}.txt").write_text(SSML.format(number))
    (folder / "defaults.toml").write_text(LOOK_TOML)
    (folder / "new.txt").write_text(SSML.format("new"))
    before = b.etags()

    planned = b.command("plan", "scripts", folder=tmp_path)
    as_json = json.loads(b.command("plan", "scripts", "--json", folder=tmp_path).stdout)
    refused = b.command("render", "scripts", folder=tmp_path)
    sent = len(b.accepted())
    kept = json.loads(b.command("render", "scripts", "--keep-changed", "--json", folder=tmp_path).stdout)
    accepted = json.loads(b.command("render", "scripts", "--accept-changes", "--json", folder=tmp_path).stdout)

    assert planned.stdout.count("its tags were read aloud when it was archived as ") == 3
    assert "4 scripts: 1 to create, 3 refused" in planned.stdout
    assert "ssml-taken" in planned.stdout + planned.stderr
    assert [one["rule"] for one in as_json["warnings"]].count("ssml-taken") == 4
    assert (refused.returncode, sent) == (1, 4)
    assert "`--accept-changes`" in refused.stdout
    assert (kept["kept"], kept["failed"]) == (3, 0)
    assert (accepted["archived"], accepted["failed"]) == (3, 0)
    assert len(b.accepted()) == 7
    assert set(b.accepted().values()) == {1}
    assert before.items() <= b.etags().items()
