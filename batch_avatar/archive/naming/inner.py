"""Archives that lie in a folder of this one: their claims and receipts look like those of nested ids. Blocking."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from batch_avatar.archive.naming.names import ARCHIVE_BLOB, earlier_ids, folders_above
from batch_avatar.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from azure.storage.blob import ContainerClient


def asked(container: ContainerClient, prefix: str) -> Callable[[str], bool]:
    """Return a function that tells whether a folder is an archive of its own. It asks once for each folder."""

    @cache
    def is_archive(folder: str) -> bool:
        return bool(container.get_blob_client(f"{prefix}{folder}/{ARCHIVE_BLOB}").exists())

    return is_archive


def is_of_inner(script_id: str, is_archive: Callable[[str], bool]) -> bool:
    """Return whether a script of this id lies in an archive of its own."""
    return any(is_archive(folder) for folder in folders_above(script_id))


def archives_above(container: ContainerClient, prefix: str, script_ids: Iterable[str]) -> set[str]:
    """Return the folders above these scripts, under all their `earlier_ids`, that are archives of their own."""
    names = {one for script_id in script_ids for one in (script_id, *earlier_ids(script_id))}
    folders = {folder for name in names for folder in folders_above(name)}
    is_archive = asked(container, prefix)
    return {folder for folder in sorted(folders) if is_archive(folder)}


def check_place(script_ids: Iterable[str], inner: Collection[str]) -> None:
    """Check that no script would be written into another archive.

    Raises:
        InputError: some would.
    """
    for script_id in script_ids:
        for folder in folders_above(script_id):
            if folder in inner:
                raise InputError(
                    f"{script_id} would be archived in the folder {folder}/, which is an archive of its own; rename "
                    "the folder of the script, or set BATCH_AVATAR_PREFIX to a folder without another archive",
                    script_id=script_id,
                )
