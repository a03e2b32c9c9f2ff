"""Writing files: whole or not at all, inside the folder that is named, over regular files only."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath, PureWindowsPath

from goldlabel.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "check_replaceable",
    "in_use",
    "is_replaceable",
    "list_files",
    "name_inside",
    "new_folder",
    "no_wider_than",
    "path_inside",
    "remove_abandoned",
    "replacing",
    "sha256",
]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; move it to `path` when the block ends well.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written to, or `path` is no regular file.
    """
    path = Path(path)
    check_replaceable(path)
    prefix = _prefix(path)
    try:
        remove_abandoned(path.parent, prefix)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
        os.close(handle)
    except (OSError, ValueError) as error:
        raise _not_written(path, error, "Name a folder you may write to") from error
    temporary = Path(name)
    try:
        with in_use(temporary):
            yield temporary
        try:
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        except OSError as error:
            raise _not_written(path, error, "Name another file") from error
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise _not_written(path, error, "Make room, or name another place") from error
        raise


def _prefix(path: Path) -> str:
    # Names may have 255 bytes; the temporary one needs some for itself.
    return f".goldlabel-{path.name[:50]}."


@contextmanager
def in_use(path: Path) -> Iterator[bool]:
    """Mark a temporary file or folder as in use until the block ends, or the process does.

    What is given says whether it is marked: not if another process has it in use, nor where that
    can't be known (Windows, some network disks).
    """
    if fcntl is None:
        yield False
        return
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            marked = True
        except OSError:
            marked = False
        yield marked
    finally:
        os.close(handle)


def remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove the temporary files and folders that a killed process has left."""
    with suppress(OSError), os.scandir(folder) as entries:
        left = [Path(entry.path) for entry in entries if entry.name.startswith(prefix)]
        for path in left:
            with in_use(path) as abandoned, suppress(OSError):
                if abandoned and path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                elif abandoned:
                    path.unlink()


def is_replaceable(path: Path) -> bool:
    """Return whether nothing is there, or a regular file, or a link to one (which is replaced).

    A link into /proc, as /dev/stdout is, stands for whatever a process has opened.
    """
    if os.path.islink(path) and os.readlink(path).startswith("/proc/"):
        return False
    return os.path.isfile(path) or not os.path.lexists(path)


def check_replaceable(path: Path) -> None:
    """Refuse to replace a device, a pipe, a folder, a link to one or to nothing."""
    if not is_replaceable(path):
        raise InputError(
            str(path), "is no regular file, and nothing else is replaced", "Name a new file"
        )


def path_inside(folder: Path, name: str | Path) -> Path:
    """Return the path of a file to write into a folder, whose own folder is made if missing.

    Raises
    ------
    InputError
        The name leads out of the folder, also through a link.
    """
    path = folder / name
    try:
        root, place = folder.resolve(), path.resolve()
        leads_out = place == root or not place.is_relative_to(root)
        if not leads_out:
            path.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _not_written(path, error, "Use another name, or make room for it") from error
    if leads_out:
        raise InputError(str(folder), f"is left by the file name {str(name)!r}", "Use another name")
    return path


def name_inside(name: str, where: str) -> PurePosixPath:
    r"""Return a file name that a file of others gives as a path that stays in its folder.

    A backslash separates folders, too, as in names from Windows.

    Parameters
    ----------
    name : str
    where : str
        What gives the name, for the message.

    Raises
    ------
    InputError
        The name is absolute, has a drive letter or "..", control characters, or is empty.

    Examples
    --------
    >>> name_inside("train\\cat.jpg", "boxes.csv").parts
    ('train', 'cat.jpg')
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or PureWindowsPath(name).drive or ".." in path.parts:
        raise InputError(
            where,
            f"names {name!r}, which leads out of its folder",
            "Name it relative to the folder",
        )
    if not path.name or any(ord(char) < 32 or 127 <= ord(char) < 160 for char in name):
        raise InputError(where, f"names {name!r}, which is no name of a file", "Rename it")
    return path


def _not_written(path: Path, error: OSError | ValueError, fix: str) -> InputError:
    why = getattr(error, "strerror", None) or error
    return InputError(str(path), f"cannot be written ({why})", fix)


@contextmanager
def no_wider_than(paths: Sequence[Path]) -> Iterator[None]:
    """Let files that are written be read and changed by no more people than all of some can be.

    Labels, texts and thumbnails of a file that only its owner may read are nobody else's, either.
    The limit is the process's (its umask), and holds until the block ends.
    """
    allowed = 0o777
    for path in paths:
        with suppress(OSError, ValueError):
            allowed &= path.stat().st_mode
    readers, writers = allowed & 0o044, allowed & 0o022
    kept = 0o700 | readers | readers >> 2 | writers  # who may read a folder may enter it
    before = _umask()
    os.umask(before | (0o777 & ~kept))
    try:
        yield
    finally:
        os.umask(before)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, as hex digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def new_folder(path: str | Path, *, inputs: Sequence[Path] = ()) -> Iterator[Path]:
    """Give a temporary folder beside `path`; move it to `path` when the block ends well.

    Parameters
    ----------
    path : str or Path
        A folder that does not exist yet, or is empty.
    inputs : sequence of Path
        Folders that are being read: `path` may be none of them, nor inside or around one.

    Raises
    ------
    InputError
        The folder holds something, lies in an input, or cannot be written.
    """
    path = Path(path)
    try:
        taken = path.is_symlink() or path.is_file() or (path.is_dir() and any(path.iterdir()))
        if taken or (path.exists() and not path.is_dir()):
            raise InputError(str(path), "exists already", "Name a folder that does not exist yet")
        place = path.resolve()
        for source in (folder.resolve() for folder in inputs):
            if place.is_relative_to(source) or source.is_relative_to(place):
                raise InputError(
                    str(path), f"overlaps the input {source}", "Name a folder outside of it"
                )
        remove_abandoned(path.parent, _prefix(path))
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=_prefix(path)))
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            str(path), f"cannot be written ({reason})", "Name a folder you may write to"
        ) from error
    try:
        with in_use(temporary):
            yield temporary
        os.chmod(temporary, 0o777 & ~_umask())
        if path.exists():
            path.rmdir()
        os.rename(temporary, path)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise InputError(
            str(path), f"cannot be written ({error})", "Make room, or name another folder"
        ) from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def list_files(folder: str | Path) -> list[Path]:
    """Return every file below a folder, as paths relative to it, folder after folder, sorted.

    Raises
    ------
    InputError
        A folder that can't be read; a link to a folder; a link to a file outside; anything that is
        not a regular file, such as a pipe.
    """
    folder = Path(folder)
    root = folder.resolve()
    found = []
    walk = sorted(os.walk(folder, onerror=_refuse), key=lambda entry: entry[0])
    for directory, folders, names in walk:
        here = Path(directory)
        for name in sorted(folders + names):
            path = here / name
            if path.is_symlink() and not (path.is_file() and path.resolve().is_relative_to(root)):
                raise InputError(
                    str(path),
                    "is a link to a folder or out of this one",
                    "Put the files themselves",
                )
            if not path.is_dir():
                if not path.is_file():
                    raise InputError(str(path), "is no regular file", "Remove it")
                found.append(path.relative_to(folder))
    return found


def _refuse(error: OSError) -> None:
    raise InputError(
        str(error.filename), f"cannot be read ({error.strerror})", "Check its permissions"
    ) from error
