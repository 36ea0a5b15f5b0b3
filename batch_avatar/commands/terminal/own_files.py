"""Files and folders that we make for ourselves: no other user reads them, and they are checked before they are used."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from batch_avatar.errors import BatchAvatarError

MARKER = ".made-by-batch-avatar"
OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; what lies there is replaced, a link too, and not written to."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # with mode 0600
    part = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - it has a descriptor, not a path
            file.write(text)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_private(path: Path) -> str | None:
    """Return the text of a file that `write_private` wrote, or None if there is none.

    Raises:
        BatchAvatarError: it is a link, or another user owns it or may write it, so somebody else may have written it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_believed(path, "it is a link") from None
        return None
    with open(descriptor, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - it has a descriptor, not a path
        about = os.fstat(descriptor)
        if about.st_uid != os.geteuid():
            raise _not_believed(path, "it belongs to another user")
        if about.st_mode & OTHERS_MAY_WRITE:
            raise _not_believed(path, "others may write it")
        return file.read() if stat.S_ISREG(about.st_mode) else None


def make_private_folder(path: Path) -> None:
    """Make a folder that only its owner can enter, or take the rights of others away if it is there.

    Raises:
        BatchAvatarError: a link or something else lies there, or it is another user's.
    """
    with suppress(FileExistsError):
        path.mkdir(mode=0o700, parents=True)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        raise _not_believed(path, "it is a link" if path.is_symlink() else "it is no folder of ours") from None
    try:
        os.fchmod(descriptor, 0o700)
    except PermissionError:
        raise _not_believed(path, "it belongs to another user") from None
    finally:
        os.close(descriptor)


def make_marked_folder(name: str, owner: str) -> Path:
    """Make a temporary folder that `delete_marked_folder` deletes again for the same owner, and for no other."""
    folder = Path(tempfile.mkdtemp(prefix=f"batch-avatar-{name}-"))
    write_private(folder / MARKER, _mark(folder, owner))
    return folder


def delete_marked_folder(folder: Path, owner: str) -> bool:
    """Delete a folder that was made for this owner; return False, and leave it, if it is anything else.

    A folder whose own user is another by now is still deleted, because the marker in it is ours. So is one for which
    temporary files lie elsewhere by now: its marker names its place, which a copy of it does not have.
    """
    if folder.is_symlink():
        return False
    marks = {_mark(folder, owner)}
    if folder.parent == Path(tempfile.gettempdir()):
        marks.add(owner)  # the mark of earlier versions
    with suppress(BatchAvatarError):
        if read_private(folder / MARKER) in marks:
            rmtree(folder, ignore_errors=True)
            return True
    return False


def _mark(folder: Path, owner: str) -> str:
    return f"{owner}\n{folder}"


def _not_believed(path: Path, reason: str) -> BatchAvatarError:
    return BatchAvatarError(f"{path}: {reason}, so it is not believed; look at it, and delete it")
