"""The interface of all readers: a file comes in, drafts and findings come out."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from batch_avatar.scripts.choice import SourceChoice
    from batch_avatar.scripts.findings import Finding, Place


class Named(NamedTuple):
    """A file to read. `source`: how it is shown. `script_id`: of the script in it, or of what comes before a number."""

    source: str
    script_id: str


class Draft(NamedTuple):
    """What a file says of one script, before any default, and where."""

    place: Place
    values: Mapping[str, Any]


def script_of(script_id: str, input_kind: str | None, content: str, place: Place) -> Draft:
    """Return what a file says that holds nothing but the text of a script. Without an `input_kind` the text decides."""
    return Draft(place, {"script_id": script_id, "input_kind": input_kind, "content": content})


class Reader(Protocol):
    """Reads one form of file."""

    def __call__(self, file: IO[bytes], named: Named, choice: SourceChoice, /) -> Iterator[Draft | Finding]:
        """Yield a draft for each script, and a finding for each fault of the file, in the order of the file.

        `file` is open at its beginning and can be read again. Of large files only a part is in memory.

        Raises:
            NotUtf8, NotRead: the file cannot be read as what its name says; nothing of it was yielded.
            OSError: the disk does not give it.
        """
