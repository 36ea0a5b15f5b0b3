"""List the blobs of single scripts, and not those of scripts in folders of the same name. Blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.storage.blob import BlobPrefix

from batch_avatar.archive.naming.names import earlier_ids, is_content_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from azure.storage.blob import BlobProperties, ContainerClient

ONE_PAGE = 100
"""Blobs of a first look at one script. A content has some six: claim, receipt, video, summary, subtitles."""


def listed(container: ContainerClient, prefix: str, script_ids: Sequence[str] | None) -> Iterator[BlobProperties]:
    """Yield the blobs of these scripts, or of all, and all letters and packs, with their metadata.

    A nested script is also looked for under its `earlier_ids`, so that a plan sees that it is archived there.
    """
    if script_ids is None:
        yield from container.list_blobs(name_starts_with=prefix, include=["metadata"])
        return
    for script_id in dict.fromkeys(one for given in script_ids for one in (given, *earlier_ids(given))):
        yield from own_blobs(container, f"{prefix}{script_id}/")
    for folder in ("_failed/", "_packs/"):
        yield from container.list_blobs(name_starts_with=prefix + folder, include=["metadata"])


def own_blobs(container: ContainerClient, folder: str) -> Iterator[BlobProperties]:
    """Yield the blobs, with metadata, in the content folders of one script; `folder` is the script's and ends with /.

    Mostly one request shows all. If there is more, only the names of the folders in `hr/` are listed, and then those of
    contents, and not what lies in hr/welcome/.
    """
    pages = container.list_blobs(name_starts_with=folder, include=["metadata"], results_per_page=ONE_PAGE).by_page()
    page = list(next(pages, ()))
    if not pages.continuation_token:  # type: ignore[attr-defined]  # a PageIterator
        yield from (blob for blob in page if is_content_id(blob.name.removeprefix(folder).partition("/")[0]))
        return
    for found in container.walk_blobs(name_starts_with=folder, delimiter="/"):
        if isinstance(found, BlobPrefix) and is_content_id(found.name.removeprefix(folder).rstrip("/")):
            yield from container.list_blobs(name_starts_with=found.name, include=["metadata"])
