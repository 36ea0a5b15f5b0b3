"""Below some folders only: whoever may name paths gets no other file read, by no way that leads there."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from batch_avatar.errors import ManifestError
from batch_avatar.scripts.manifest import read_scripts
from batch_avatar.scripts.reading import SCRIPT_LIMIT, Roots, read_whole
from tests.unit.scripts.hostile import DEFAULTS, WIRE

OUTSIDE = "is outside the folders that flow runs may read (BATCH_AVATAR_SOURCE_ROOTS)"
HIDDEN = "is behind a name with a dot, which is read only where BATCH_AVATAR_SOURCE_ROOTS names the folder"


@pytest.fixture
def root(tmp_path):
    """A folder with a script, and beside it what must not be read."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "own.txt").write_text("Mine.")
    beside = tmp_path / "root-of-others"
    beside.mkdir()
    (beside / "secret.txt").write_text("Secret.")
    (beside / "defaults.toml").write_text('voice = "secret"')
    (beside / "m.jsonl").write_text('{"script_id": "secret", "content": "Secret."}\n')
    return folder


@pytest.fixture
def secret(root):
    return root.parent / "root-of-others"


def read(source, *roots, hidden=True):
    return read_scripts([source], defaults=DEFAULTS, wire=WIRE, roots=Roots(tuple(roots), hidden=hidden))


def faults(source, *roots, **options):
    with pytest.raises(ManifestError) as caught:
        read(source, *roots, **options)
    return list(caught.value.faults)


def test_what_lies_below_a_root_is_read_by_any_way(root, secret, monkeypatch):
    (root / "inner").mkdir()
    (root / "inner" / "link.txt").symlink_to("../own.txt")
    manifest = root / "m.jsonl"
    manifest.write_text('{"script_id": "a", "content_file": "inner/../own.txt"}\n')
    (root / "m.csv").write_text(f"script_id,content_file\nb,{root}/inner/link.txt\n")
    monkeypatch.chdir(root.parent)
    for source in (root, root / "own.txt", root / "inner", manifest, root / "m.csv", "root/inner/.."):
        assert len(read(source, root)) == 1, source
    assert len(read(secret / "secret.txt", root, secret)) == 1, "below one of them is enough"


@pytest.mark.parametrize("name", ["", "secret.txt", "m.jsonl", "not-there.txt", "not-there"])
def test_no_source_outside_tells_even_whether_it_is_there(root, secret, name):
    for source in (secret / name, root / ".." / secret.name / name):
        assert faults(source, root) == [f"{source}: {OUTSIDE}"]


@pytest.mark.parametrize("name", ["secret.txt", "m.jsonl"])
def test_a_link_that_leads_out_is_no_source(root, secret, name):
    link = root / name
    link.symlink_to(secret / name)
    assert faults(link, root) == [f"{link}: {OUTSIDE}"]
    (root / "folder").symlink_to(secret)
    assert faults(root / "folder", root) == [f"{root / 'folder'}: {OUTSIDE}"]
    assert faults(root / "folder" / name, root) == [f"{root / 'folder' / name}: {OUTSIDE}"]


def test_a_link_inside_a_folder_that_leads_out(root, secret):
    (root / "other.txt").symlink_to(secret / "secret.txt")
    assert faults(root, root) == [f"{root}/other.txt:1: other.txt {OUTSIDE}"]


def test_defaults_behind_a_link_that_leads_out(root, secret):
    (root / "defaults.toml").symlink_to(secret / "defaults.toml")
    assert faults(root, root) == [f"{root}/defaults.toml:1: defaults.toml {OUTSIDE}"]


@pytest.mark.parametrize("named", ["{secret}/secret.txt", "../root-of-others/secret.txt", "/proc/self/environ", "link"])
@pytest.mark.parametrize("name", ["m.jsonl", "m.csv"])
def test_a_content_file_that_leads_out(root, secret, named, name):
    (root / "link").symlink_to(secret / "secret.txt")
    named = named.format(secret=secret)
    manifest = root / name
    line = json.dumps({"script_id": "a", "content_file": named})
    manifest.write_text(f"{line}\n" if name.endswith("jsonl") else f"script_id,content_file\na,{named}\n")
    place = f"{manifest}:{1 if name.endswith('jsonl') else 2}"
    assert faults(manifest, root) == [f"{place}: {named.rpartition('/')[2]} {OUTSIDE}"]


class Watched(type(Path())):
    """A folder; `when_opened` is done in the moment in which it is opened."""

    when_opened = None

    def __fspath__(self):
        if self.when_opened is not None:
            self.when_opened()
        return super().__fspath__()


def test_a_link_that_is_put_there_after_the_check_is_not_followed(root, secret):
    place = root / "inner"
    place.mkdir()
    (place / "secret.txt").write_text("Mine.")
    watched = Watched(root)
    roots = Roots((watched,), hidden=True)
    assert read_whole(place / "secret.txt", SCRIPT_LIMIT, roots=roots) == b"Mine."

    def swap():
        watched.when_opened = None
        place.rename(root / "aside")
        place.symlink_to(secret)

    watched.when_opened = swap
    with pytest.raises(OSError, match=r"Not a directory|symbolic link"):
        read_whole(place / "secret.txt", SCRIPT_LIMIT, roots=roots)
    assert (place / "secret.txt").read_text() == "Secret."


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl"])
def test_a_pipe_is_not_waited_for(root, name):
    os.mkfifo(root / name)
    assert faults(root / name, root) == [f"{root / name}:1: {name} is a pipe, and only files are read"]


def test_what_a_name_with_a_dot_hides_is_read_only_where_that_is_wanted(root):
    (root / ".env").write_text("KEY=secret")
    manifest = root / "m.jsonl"
    manifest.write_text('{"script_id": "a", "content_file": ".env"}\n')
    (root / ".kept").mkdir()
    (root / ".kept" / "own.txt").write_text("Mine.")
    assert faults(manifest, root, hidden=False) == [f"{manifest}:1: .env {HIDDEN}"]
    assert faults(root / ".kept", root, hidden=False) == [f"{root / '.kept'}: {HIDDEN}"]
    assert len(read(manifest, root)) == len(read(root / ".kept", root)) == 1
    assert len(read(root / ".kept", root / ".kept", hidden=False)) == 1, "the root itself may be called anything"


def test_a_name_that_nothing_can_have(root):
    assert faults(f"{root}/a\0.txt", root) == [f"{root}/a\\x00.txt: {OUTSIDE}"]


@pytest.fixture
def nobody():
    """`nobody()`: be a user for whom permissions count, until the test ends."""
    user = os.geteuid()

    yield lambda: user == 0 and os.seteuid(65534)
    os.seteuid(user)


@pytest.fixture
def gates():
    """A folder for all, with a script two folders below; both may be entered, and not listed."""
    made = Path(tempfile.mkdtemp(prefix="batch-avatar-test-"))
    made.chmod(0o755)
    inner = made / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "own.txt").write_text("Mine.")
    for folder in (inner, made / "outer", made):
        folder.chmod(0o311)
    yield made
    for folder in (made, made / "outer", inner):
        folder.chmod(0o755)
    shutil.rmtree(made)


@pytest.mark.parametrize("below", ["", "outer", "outer/inner"])
def test_a_folder_that_may_be_entered_but_not_listed_is_no_obstacle(gates, nobody, below):
    path = gates / "outer" / "inner" / "own.txt"
    nobody()

    assert read_whole(path, SCRIPT_LIMIT, roots=Roots((gates / below,), hidden=True)) == b"Mine."
    with pytest.raises(PermissionError):
        list(gates.iterdir())


def test_a_link_on_the_way_is_not_followed_after_the_place_was_looked_up(root, secret, tmp_path):
    class Moving(Roots):
        """Somebody puts a link where the folder was, just after its place was looked up."""

        def place(self, path):
            found = super().place(path)
            (root / "inner").rename(tmp_path / "was-inner")
            (root / "inner").symlink_to(secret)
            return found

    (root / "inner").mkdir()
    (root / "inner" / "secret.txt").write_text("Mine.")

    with pytest.raises(OSError, match=r"Not a directory|Too many levels of symbolic links"):
        Moving((root,), hidden=True).open(str(root / "inner" / "secret.txt"), os.O_RDONLY)
