"""The picture in docs/architecture.md shows the contracts as they are, and the page names only what exists."""

import re

import pytest

from tests.repo.house import PAGE, ROOT, draw, page_with


def test_the_picture_is_drawn_from_the_contracts_as_they_are():
    assert PAGE.read_text(encoding="utf-8") == page_with(draw()), "write it anew: python -m tests.repo.house"


def test_every_room_has_its_place_in_the_picture():
    rooms = {path.parent.name for path in (ROOT / "batch_avatar").glob("*/__init__.py")}

    assert rooms == {name for name in rooms if f"<b>{name}</b>" in draw() or f"subgraph {name}[" in draw()}


@pytest.mark.parametrize(
    ("page", "at_least"), [(PAGE, 25), (ROOT / "CONTRIBUTING.md", 15)], ids=lambda one: str(one)[-15:]
)
def test_every_module_that_a_page_names_is_there(page, at_least):
    """As `room/module.py`, or as a module beside the one that was named before it."""
    tops = ("batch_avatar", "flows", "tasks", "tests")
    files = [path.relative_to(ROOT).as_posix() for top in tops for path in (ROOT / top).rglob("*.py")]
    named = set(re.findall(r"`([a-z_/0-9]+\.py)`", page.read_text(encoding="utf-8")))

    assert len(named) >= at_least
    assert {name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)} == set()
