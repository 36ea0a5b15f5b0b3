"""Folders of scripts: what is read, under which id, and what is named as left out."""

import os
import shutil
from pathlib import Path

import pytest

from batch_avatar.errors import InputError, ManifestError
from batch_avatar.scripts.choice import SourceChoice
from batch_avatar.scripts.folders.walk import MOST_COUNTED
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.scripts.reading import Roots
from tests.unit.scripts.hostile import DEFAULTS, WIRE

OWN_DIGITS = "digits alone are the archive's own; rename it, e.g. 'part-2026'"
OWN_NAMES = "such names are the archive's own"
CASES = Path(__file__).parents[2] / "data" / "cases"


def read(*sources, roots=None, **choice):
    return read_scripts(sources, defaults=DEFAULTS, wire=WIRE, roots=roots, choice=SourceChoice(**choice))


def ids(*sources, **choice):
    return list(read(*sources, **choice).script_ids)


def left_out(*sources, **choice):
    return [finding.message for finding in read(*sources, **choice).warnings if finding.rule == "left-out"]


def faults(*sources, **choice):
    with pytest.raises(ManifestError) as caught:
        read(*sources, **choice)
    return list(caught.value.faults)


def write(path, text="Hi."):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def copied(name, folder):
    return Path(shutil.copytree(CASES / name, folder / name.replace("/", "-")))


# What people brought


def test_sub_folders_and_other_files_are_named(tmp_path):
    folder = copied("folders/nested", tmp_path)

    assert ids(folder) == ["intro"]
    assert left_out(folder) == [
        (
            "2 of another kind: README.md, slide.png; 2 sub folders with 2 scripts: --recursive; "
            "4 left by a system: .DS_Store, Thumbs.db, desktop.ini, ~$intro.docx"
        )
    ]
    assert ids(folder, recursive=True) == ["intro", "module1/lesson1", "module2/deep/lesson2"]
    assert "sub folder" not in left_out(folder, recursive=True)[0]


def test_what_a_mac_writes_beside_a_script_is_no_script(tmp_path):
    folder = copied("folders/appledouble", tmp_path)

    assert ids(folder) == ["intro"]
    assert left_out(folder) == ["1 left by a system: ._intro.txt"]
    assert ids(folder / "intro.txt", folder / "._intro.txt") == ["intro"], "as a shell names them"


def test_a_manifest_beside_scripts_is_named_with_the_way_to_render_it(tmp_path):
    folder = copied("folder-with-manifest", tmp_path)

    assert left_out(folder) == [
        f"1 manifest beside scripts: manifest.csv (`batch-avatar render {folder}/manifest.csv` renders it)"
    ]
    assert ids(folder, include=["*.csv"]) == ["welcome-de", "welcome"]


def test_three_hundred_scripts_in_forty_folders_and_junk(tmp_path):
    for number in range(300):
        write(tmp_path / f"module-{number % 40}" / "texts" / f"lesson-{number}.txt")
    for number in range(40):
        write(tmp_path / f"module-{number}" / "Thumbs.db")
        write(tmp_path / f"module-{number}" / f"slides-{number}.key")
    write(tmp_path / "intro.txt")
    write(tmp_path / ".git" / "description.txt")

    assert len(ids(tmp_path, recursive=True)) == 301
    [line] = left_out(tmp_path, recursive=True)
    assert line == (
        "40 of another kind: module-0/slides-0.key, module-1/slides-1.key, module-10/slides-10.key, "
        "module-11/slides-11.key, module-12/slides-12.key and 35 more; 1 hidden: .git; 40 left by a system: "
        "module-0/Thumbs.db, module-1/Thumbs.db, module-10/Thumbs.db, module-11/Thumbs.db, module-12/Thumbs.db "
        "and 35 more"
    )
    assert ids(tmp_path) == ["intro"]
    assert left_out(tmp_path) == ["40 sub folders with 300 scripts: --recursive; 1 hidden: .git"]


# Ids


def test_the_path_below_the_source_is_the_id(tmp_path):
    write(tmp_path / "hr" / "it" / "welcome.txt")
    write(tmp_path / "hr" / "welcome.ssml", "<speak version='1.0'><voice name='v'>Hi.</voice></speak>")
    write(tmp_path / "hr.txt")

    assert ids(tmp_path, recursive=True) == ["hr/it/welcome", "hr/welcome", "hr"]
    assert ids(tmp_path / "hr", recursive=True) == ["it/welcome", "welcome"]


def test_two_sources_may_not_give_one_id_and_their_parent_does(tmp_path):
    write(tmp_path / "hr" / "welcome.txt")
    write(tmp_path / "it" / "welcome.txt")

    [fault] = faults(tmp_path / "hr", tmp_path / "it", recursive=True)
    assert "welcome: script_id is taken by" in fault
    assert ids(tmp_path, recursive=True) == ["hr/welcome", "it/welcome"]


def test_a_folder_whose_name_cannot_be_a_part_of_an_id_is_named_with_its_file(tmp_path):
    write(tmp_path / "2026" / "welcome.txt")
    write(tmp_path / "_drafts" / "welcome.txt")

    assert faults(tmp_path, recursive=True) == [
        f"{tmp_path}/2026/welcome.txt:1: 2026/welcome: script_id has the part '2026': {OWN_DIGITS}",
        f"{tmp_path}/_drafts/welcome.txt:1: _drafts/welcome: script_id must not start with '_'; {OWN_NAMES}",
    ]


def test_ids_that_differ_in_case_only_are_told(tmp_path):
    write(tmp_path / "HR" / "Welcome.txt")
    write(tmp_path / "hr" / "welcome.txt")

    [finding] = [finding for finding in read(tmp_path, recursive=True).warnings if finding.rule == "id-case"]

    assert finding.message == "it differs from HR/Welcome in case only; on many disks copies of both would be one"
    assert (finding.script_id, finding.level) == ("hr/welcome", "warning")


# Patterns


def test_an_ignore_file_leaves_out_and_the_nearest_one_decides(tmp_path):
    write(tmp_path / ".batchavatarignore", "# notes\nREADME*\ndrafts/\n/LICENSE.txt\n")
    for name in ("README.txt", "LICENSE.txt", "a.txt", "hr/README.txt", "hr/LICENSE.txt", "hr/drafts/b.txt"):
        write(tmp_path / name)
    write(tmp_path / "it" / ".batchavatarignore", "!README.txt\n/c.txt")
    write(tmp_path / "it" / "README.txt")
    write(tmp_path / "it" / "c.txt")

    assert ids(tmp_path, recursive=True) == ["a", "hr/LICENSE", "it/README"]
    assert left_out(tmp_path, recursive=True) == [
        "5 names by patterns: LICENSE.txt, README.txt, hr/README.txt, hr/drafts/, it/c.txt"
    ]
    assert ids(tmp_path / "hr") == ["LICENSE", "README"], "a file above the source says nothing"


def test_exclude_wins_over_the_ignore_file_and_include_does_not(tmp_path):
    write(tmp_path / ".batchavatarignore", "a.txt\nm.jsonl\n")
    for name in ("a.txt", "b.txt", "c.txt"):
        write(tmp_path / name)
    write(tmp_path / "m.jsonl", '{"script_id": "m", "content": "Hi."}\n')

    assert ids(tmp_path, exclude=["!a.txt", "b.*"]) == ["a", "c"]
    assert ids(tmp_path, include=["*.jsonl"]) == ["b", "c"]


def test_a_file_of_another_kind_that_is_included_is_read_as_if_it_were_named(tmp_path):
    note = write(tmp_path / "hr" / "note.key", "Hi")
    write(tmp_path / "a.txt")

    [fault] = faults(tmp_path, recursive=True, include=["*.key"])

    assert fault in faults(note)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("!", "is no pattern"), ("[z-a]", "is no pattern"), ("*a*a*a*b", "more than 3"), ("x" * 1001, "1,001 characters")],
)
def test_what_is_no_pattern_is_refused(tmp_path, pattern, words):
    write(tmp_path / "a.txt")
    with pytest.raises(InputError, match=words):
        read(tmp_path, exclude=[pattern])
    write(tmp_path / ".batchavatarignore", f"*.md\n{pattern}\n")
    [fault] = faults(tmp_path)
    assert fault.startswith(f"{tmp_path}/.batchavatarignore:2: the line ")
    assert words in fault


# Defaults


def test_defaults_hold_for_the_folders_below_and_the_nearer_win(tmp_path):
    write(tmp_path / "defaults.toml", 'voice = "top"\ntalking_avatar_style = "casual-sitting"')
    write(tmp_path / "hr" / "defaults.toml", 'voice = "hr"')
    for name in ("a.txt", "hr/b.txt", "it/deep/c.txt"):
        write(tmp_path / name)

    found = {script.script_id: (script.voice, script.talking_avatar_style) for script in read(tmp_path, recursive=True)}

    assert found == {
        "a": ("top", "casual-sitting"),
        "hr/b": ("hr", "casual-sitting"),
        "it/deep/c": ("top", "casual-sitting"),
    }


def test_a_mistake_in_defaults_is_told_once_for_all_folders_below(tmp_path):
    write(tmp_path / "defaults.toml", "voice = ")
    for name in ("a.txt", "hr/b.txt"):
        write(tmp_path / name)

    assert len(faults(tmp_path, recursive=True)) == 1


# Folders that are not as they should be


def test_no_scripts_says_what_is_there_instead(tmp_path):
    write(tmp_path / "hr" / "welcome.txt")
    write(tmp_path / "slides.key")

    [fault] = faults(tmp_path)

    assert fault == (
        f"{tmp_path}: no scripts in it (*.txt, *.ssml, *.xml); left out are 1 of another kind: slides.key; "
        "1 sub folder with 1 script: --recursive"
    )


def test_links_to_folders_are_not_followed(tmp_path):
    write(tmp_path / "a.txt")
    (tmp_path / "round").symlink_to(tmp_path)

    assert ids(tmp_path, recursive=True) == ["a"]
    assert left_out(tmp_path, recursive=True) == ["1 link to folders: round"]


def test_a_folder_that_cannot_be_read_is_a_fault(tmp_path):
    write(tmp_path / "a.txt")
    (tmp_path / "hr" / ".batchavatarignore").mkdir(parents=True)
    write(tmp_path / "it" / "b.txt")
    (tmp_path / "it" / ".batchavatarignore").write_bytes(b"\xff")

    assert faults(tmp_path, recursive=True) == [
        f"{tmp_path}/hr: .batchavatarignore is no file",
        f"{tmp_path}/it/.batchavatarignore:1: is not UTF-8 (byte 0); it seems to be windows-1252: save it as UTF-8",
    ]
    assert ids(tmp_path) == ["a"]


def test_counting_what_is_below_ends(tmp_path):
    write(tmp_path / "a.txt")
    many = tmp_path / "many"
    many.mkdir()
    for number in range(MOST_COUNTED + 1):
        os.link(tmp_path / "a.txt", many / f"{number}.txt")

    assert left_out(tmp_path) == [f"1 sub folder with at least {MOST_COUNTED:,} scripts: --recursive"]


def test_below_roots_no_link_leads_out_and_no_hidden_folder_is_entered(tmp_path):
    root = tmp_path / "root"
    write(root / "hr" / "a.txt")
    write(root / ".batchavatarignore", "b.txt\n")
    write(root / "hr" / "b.txt")
    write(root / ".secret" / "s.txt")
    write(tmp_path / "outside" / "o.txt")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "hr" / ".batchavatarignore").symlink_to(tmp_path / "outside" / "o.txt")
    roots = Roots((root,), hidden=False)

    [fault] = faults(root, recursive=True, roots=roots)
    assert fault == f"{root}/hr: cannot be read: Too many levels of symbolic links"
    (root / "hr" / ".batchavatarignore").unlink()

    assert ids(root, recursive=True, roots=roots) == ["hr/a"]
    assert left_out(root, recursive=True, roots=roots) == [
        "1 name by patterns: hr/b.txt; 1 hidden: .secret; 1 link to folders: out"
    ]
