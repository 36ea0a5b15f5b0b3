"""Scripts of sub folders on their whole way: from the command line to the archive and back to a disk."""

import json
import shutil
from pathlib import Path

from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.service.wire.generations import wire_for
from tests.support.scripts import LOOK, script

CASES = Path(__file__).parents[2] / "data" / "cases"


def test_sub_folders_are_rendered_under_their_paths_and_what_was_flat_is_named(quick, tmp_path):
    b = quick()
    b.overrides |= LOOK
    folder = shutil.copytree(CASES / "folders/nested", tmp_path / "scripts")
    b.render(read_scripts([folder / "intro.txt", folder / "module1"], defaults=LOOK, wire=wire_for("2024-08-01")))

    planned = b.command("plan", "scripts", "--recursive", "--json", folder=tmp_path)
    done = b.command("render", "scripts", "--recursive", "--exclude", "module1/", folder=tmp_path)

    rows = {row["script_id"]: (row["state"], row["detail"]) for row in json.loads(planned.stdout)["scripts"]}
    assert rows.keys() == {"intro", "module1/lesson1", "module2/deep/lesson2"}
    assert (rows["intro"], rows["module2/deep/lesson2"]) == (("archived", None), ("new", None))
    assert rows["module1/lesson1"][0] == "changed"
    assert rows["module1/lesson1"][1].startswith("says what is archived as lesson1/")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 name by patterns: module1/" in done.stderr
    assert set(b.accepted()) == {claim["attempts"][0]["job_id"] for claim in b.documents("/claim.json").values()}
    assert {name.rsplit("/", 2)[0] for name in b.documents("/receipt.json")} == {
        "intro",
        "lesson1",
        "module2/deep/lesson2",
    }


def test_a_nested_job_of_a_run_that_died_is_swept_into_its_folder(quick):
    b = quick()
    b.submit([script("hr/welcome"), script("hr")])

    report = b.sweep()

    assert report.clean
    assert set(b.documents("/receipt.json")) == {
        f"{claim['script_id']}/{claim['content_id']}/receipt.json" for claim in b.documents("/claim.json").values()
    }
    assert [str(item.state) for item in b.plan([script("hr/welcome"), script("hr")]).items] == ["archived", "archived"]


def test_a_file_in_the_place_of_a_folder_is_one_failure_of_a_fetch(quick, tmp_path):
    b = quick()
    b.render([script("hr/welcome"), script("it/welcome")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "hr").write_text("a file")

    done = b.command("archive", "fetch", "out", folder=tmp_path)

    assert done.returncode == 1
    assert "hr/welcome: cannot be written here: Not a directory" in done.stderr
    assert (tmp_path / "out" / "it" / "welcome" / "video.mp4").exists()
