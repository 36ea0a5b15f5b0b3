"""Read a template from its file, as a script's own file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.errors import ManifestError
from batch_avatar.safe_text.sinks import name as shown
from batch_avatar.scripts.decoding import NotUtf8
from batch_avatar.scripts.findings import Finding, Place, found
from batch_avatar.scripts.readers.draft import Draft, Named
from batch_avatar.scripts.readers.kinds import TEMPLATE_ENDINGS, kind_of_template
from batch_avatar.scripts.readers.unreadable import unreadable
from batch_avatar.scripts.reading import NotRead, opened_twice
from batch_avatar.scripts.templates.template import MalformedTemplate, parse_template

if TYPE_CHECKING:
    from pathlib import Path

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.reading import Roots
    from batch_avatar.scripts.templates.template import Template


def read_template(path: Path, choice: SourceChoice, roots: Roots | None = None) -> Template:
    """Return the template in a file. `roots`: the folders below which it must lie.

    Raises:
        ManifestError: with every fault of it.
    """
    kind = kind_of_template(path)
    if kind is None:
        text = f"is no template; the name of one ends in {TEMPLATE_ENDINGS}"
        raise ManifestError([found("kind-unknown", text).at(Place(str(path)))])
    try:
        with opened_twice(path, kind.limit, roots=roots) as file:
            parts = list(kind.reader(file, Named(str(path), ""), choice))
    except (OSError, ValueError, NotUtf8, NotRead) as error:
        raise ManifestError([unreadable(path, Place(str(path), 1), error)]) from None
    if faults := [part for part in parts if isinstance(part, Finding)]:
        raise ManifestError(faults)
    [draft] = [part for part in parts if isinstance(part, Draft)]
    try:
        return parse_template(shown(path.name), draft.values["content"], draft.values["input_kind"])
    except MalformedTemplate as error:
        faults = [found("template-malformed", text).at(Place(str(path), line)) for line, text in error.faults]
        raise ManifestError(faults) from None
