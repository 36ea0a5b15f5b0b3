"""docs/doctor.md has a row for each check."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import batch_avatar.doctor
from batch_avatar.doctor.speech_checks import ASKED

PAGE = Path(__file__).parents[3] / "docs" / "doctor.md"
OF_A_RESOURCE = {f"speech {what}" for what in ("endpoint", "host", *ASKED)}
NAMES = {
    "ACCESS", "ACCOUNT", "ARCHIVE_ID", "AUTOMATIONS", "CLOCK", "CONDITIONS", "CONTAINER", "DELETING", "DEPLOYMENTS",
    "DISK", "INBOX", "LIMITS", "LISTING", "PACKS", "POOL", "SERVER", "SETTINGS", "SIGN_IN", "SOFT_DELETE",
    "VARIABLES", "VERSION", "WORKERS", "WRITING",
}  # fmt: skip
"""The constants that name checks."""


def names():
    """Of all checks, as the modules have them."""
    modules = [
        one.name
        for one in pkgutil.iter_modules(batch_avatar.doctor.__path__)
        if one.name.endswith(("checks", "containers"))
    ]
    found = set()
    for module in modules:
        values = vars(importlib.import_module(f"batch_avatar.doctor.{module}"))
        found |= {value for name, value in values.items() if name in NAMES and isinstance(value, str)}
    return found | OF_A_RESOURCE


def test_the_page_has_a_row_for_each_check():
    rows = set(re.findall(r"^\| `([a-z -]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))

    assert len(rows) > 25
    assert rows == names()
