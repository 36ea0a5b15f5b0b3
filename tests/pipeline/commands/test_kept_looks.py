"""Another look by default over an archive: nothing is billed that nobody asked for, and a plan says so before."""

from __future__ import annotations

import json

from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK_TOML

ARCHIVED = 12
OTHER_LOOK_TOML = LOOK_TOML + 'background_color = "#336699FF"\n'


def test_a_new_default_over_an_archive_bills_only_new_texts_and_is_kept_on_request(quick, tmp_path):
    b = quick()
    folder = tmp_path / "scripts"
    folder.mkdir()
    for number in range(ARCHIVED):
        (folder / f"s{number:02}.txt").write_text(f"Text {number}.")
    (folder / "defaults.toml").write_text(LOOK_TOML)
    b.render(read_scripts([str(folder)], defaults={}, wire=wire_for("2024-08-01")))
    before = b.etags()
    (folder / "defaults.toml").write_text(OTHER_LOOK_TOML)
    (folder / "new-1.txt").write_text("A new text.")

    planned = b.command("plan", "scripts", folder=tmp_path, BATCH_AVATAR_CREATES_PER_MINUTE=60)
    refused = b.command("render", "scripts", folder=tmp_path)
    sent = len(b.accepted())
    (folder / "new-2.txt").write_text("Another new text.")
    kept = b.command("render", "scripts", "--keep-changed", "--json", folder=tmp_path)

    assert planned.stdout.count("background_color differs from what was archived as") == ARCHIVED
    assert f"{ARCHIVED + 1} scripts: 1 to create, {ARCHIVED} refused" in planned.stdout
    assert (refused.returncode, sent) == (1, ARCHIVED + 1)
    assert f"{ARCHIVED + 1} scripts: 1 archived, 0 archived before, {ARCHIVED} failed" in refused.stdout
    assert refused.stdout.count("`--keep-changed`") == ARCHIVED + 1
    report = json.loads(kept.stdout)
    assert (kept.returncode, report["archived"], report["kept"], report["failed"]) == (0, 1, ARCHIVED, 0)
    assert len(b.accepted()) == ARCHIVED + 2
    assert set(b.accepted().values()) == {1}
    assert before.items() <= b.etags().items()


def test_looks_are_kept_in_packs_and_by_the_setting_and_rendered_once_that_is_accepted(packs, tmp_path):
    b = packs()
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_text(f"Text {name}.")

    def render(*options, **look):
        (tmp_path / "defaults.toml").write_text(OTHER_LOOK_TOML if look else LOOK_TOML)
        done = b.command("render", ".", "--pack", "3", "--json", *options, folder=tmp_path, **look)
        report = json.loads(done.stdout)
        return done.returncode, report["archived"], report["kept"], report["failed"]

    setting = {"BATCH_AVATAR_KEEP_CHANGED": "true"}

    assert render() == (0, 3, 0, 0)
    assert render(**setting) == (0, 0, 3, 0)
    assert len(b.accepted()) == 1
    assert render("--accept-changes", **setting) == (0, 3, 0, 0)
    assert len(b.accepted()) == 2
