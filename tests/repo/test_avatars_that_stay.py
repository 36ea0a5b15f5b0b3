"""What people copy, such as the examples, names no avatar that is withdrawn soon."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from batch_avatar.catalog.avatars import characters

ROOT = Path(__file__).parents[2]
COPIED = ("README.md", ".env.example", "prefect.yaml", "examples", "benchmarks", "deployments", "docs/decisions")


def ending():
    """The characters and the styles that end, by their names; only those that nothing else is called."""
    stay = {style.name for one in characters() if not one.withdrawn for style in one.styles if not style.withdrawn}
    for character in characters():
        if character.withdrawn:
            yield character.name
        else:
            yield from (style.name for style in character.styles if style.withdrawn and style.name not in stay)


def texts():
    for name in COPIED:
        path = ROOT / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(ROOT), file.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("name", [*ending()])
def test_no_text_that_people_copy_names_an_avatar_that_ends(name):
    named = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)

    assert [str(path) for path, text in texts() if named.search(text)] == []
