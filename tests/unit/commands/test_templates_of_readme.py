"""What the README shows of templates is what the command prints."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from batch_avatar.commands.cli import main

ROOT = Path(__file__).parents[3]
SECTION = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Templates and rows")[2].partition("\n## ")[0]
SHOWN = re.findall(r"^\$ batch-avatar (.*)\n((?:[^$`].*\n)+)", SECTION, re.MULTILINE)


@pytest.mark.parametrize(("line", "output"), SHOWN, ids=[line.split()[0] for line, _ in SHOWN])
def test_the_readme_shows_what_the_command_prints(tmp_path, monkeypatch, line, output):
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    monkeypatch.chdir(tmp_path)

    done = CliRunner().invoke(main, shlex.split(line))

    assert (done.exit_code, done.output) == (0, output)


def test_the_readme_shows_a_check_and_a_new_table():
    assert [line.split()[0] for line, _ in SHOWN] == ["check", "new-table"]
