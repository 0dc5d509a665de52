"""Files that are whole at every moment: written beside their place, then moved into it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Callable
from pathlib import Path

from desktop.errors import StateFileError

__all__ = ["TEMPORARY_SUFFIX", "make_directory", "read_bytes", "reason_of", "write_bytes", "write_text"]

TEMPORARY_SUFFIX = ".mgd-tmp"
_STALE_AFTER = 3600.0
_REPLACE_TRIES = 6


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """Replace the file's content by ``text`` (UTF-8, newlines as they are); see `write_bytes`."""
    write_bytes(path, text.encode("utf-8"), mode=mode)


def write_bytes(
    path: Path, data: bytes, *, mode: int | None = None, before_move: Callable[[Path], None] | None = None
) -> None:
    """Replace the file's content so that a reader, a crash or a full disk sees the old or the new content, never a mix.

    A symbolic link is followed: its target is replaced, the link stays. Missing folders are created.

    Args:
        path: The file.
        data: Its new content.
        mode: Its permissions; without it an existing file keeps its own and a new one gets the user's default.
        before_move: Called with the finished temporary file at the last moment; what it raises leaves the old content.
    """
    try:
        target = _target_of(path)
        make_directory(target.parent)
        _remove_stale(target.parent)
        _replace(target, data, mode, before_move)
    except OSError as error:
        raise StateFileError(str(path), f"it can't be written ({reason_of(error)})") from error


def read_bytes(path: Path) -> bytes:
    """The file's content; a file that isn't there is empty."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise StateFileError(str(path), f"it can't be read ({reason_of(error)})") from error


def make_directory(path: Path) -> None:
    """Create a folder and its parents, each with mode 0755 (narrowed by the user's mask); raises OSError."""
    if path.is_dir():
        return
    if path.parent != path:
        make_directory(path.parent)
    path.mkdir(mode=0o755, exist_ok=True)


def reason_of(error: OSError) -> str:
    """The system's own words for what went wrong."""
    return (error.strerror or str(error)).rstrip(".").lower()


def _target_of(path: Path) -> Path:
    if not path.is_symlink():
        return path
    try:
        target = path.resolve()
    except RuntimeError as error:  # Python before 3.13 reports a loop this way
        raise OSError(errno.ELOOP, "it is a loop of links") from error
    if target.is_symlink():
        raise OSError(errno.ELOOP, "it is a loop of links")
    return target


def _replace(target: Path, data: bytes, mode: int | None, before_move: Callable[[Path], None] | None) -> None:
    wanted = mode if mode is not None else _mode_of(target)
    temporary = target.with_name(f".{target.name[:80]}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(temporary, flags, 0o666 if wanted is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if wanted is not None:
            temporary.chmod(wanted)
        if before_move is not None:
            before_move(temporary)
        _move(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_directory(target.parent)


def _mode_of(target: Path) -> int | None:
    try:
        return stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return None


def _move(temporary: Path, target: Path) -> None:
    """On Windows a virus scanner or an indexer that holds the file open makes this fail; that passes within moments."""
    for attempt in range(_REPLACE_TRIES):
        try:
            temporary.replace(target)
            return
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(0.02 * 2**attempt)


def _sync_directory(directory: Path) -> None:
    # The content is safe already; where a folder can't be opened or synced (Windows), nothing more can be done.
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_stale(directory: Path) -> None:
    """Take away what a killed process of ours has left here."""
    oldest = time.time() - _STALE_AFTER
    with contextlib.suppress(OSError):  # tidying must never stop a write
        with os.scandir(directory) as entries:
            found = [e for e in entries if e.name.startswith(".") and e.name.endswith(TEMPORARY_SUFFIX)]
        for entry in found:
            if entry.stat(follow_symlinks=False).st_mtime < oldest:
                Path(entry.path).unlink()
