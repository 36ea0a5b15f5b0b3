"""Say which extra reads a file, where a library is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import PurePath
from typing import TYPE_CHECKING

from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.findings import found

if TYPE_CHECKING:
    from batch_avatar.scripts.findings import Finding
    from batch_avatar.scripts.readers.draft import Named


def missing_extra(named: Named, *modules: str) -> Finding | None:
    """Return the fault of a file that is read with these modules; None if all are installed."""
    try:
        missing = any(find_spec(module) is None for module in modules)
    except ImportError:
        missing = True
    if not missing:
        return None
    file = shown(PurePath(named.source).name)
    how = "pip install 'batch-avatar[documents]'"
    return found("extra-missing", f"{file}: reading it needs the extra documents: {how}")
