"""Say why a file could not be read. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batch_avatar.scripts.decoding import NotUtf8
from batch_avatar.scripts.findings import Place, found
from batch_avatar.scripts.reading import NotRead

if TYPE_CHECKING:
    from pathlib import PurePath

    from batch_avatar.scripts.findings import Finding


def unreadable(path: PurePath, place: Place, error: Exception) -> Finding:
    """Return why a file cannot be read: at its own line, or at the row of the table that names the file."""
    own = place.source == str(path)
    match error:
        case NotUtf8():
            at_line = Place(place.source, error.line) if own else place
            return found("encoding-unknown", f"{path.name} is {error.reason(option=True)}").at(at_line)
        case NotRead():
            at_line = Place(place.source, error.line) if own and error.line is not None else place
            return found("file-unreadable", f"{path.name} {error.reason}").at(at_line)
        case OSError():
            return found("file-unreadable", f"cannot read {path.name}: {error.strerror}").at(place)
        case _:  # the name holds a NUL or half a surrogate pair
            return found("file-unreadable", f"{path.name!r} is not the name of a file").at(place)
