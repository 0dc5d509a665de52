"""A client's own file, changed so that a crash, another writer or an odd place never damages it.

The rules are those of spec/clients.md, section 4: links are followed and stay, permissions and owner stay, the content is
compared once more right before it is replaced, and nothing is written when nothing changes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.clients.lock_folder import lock_folder
from desktop.errors import ClientFileError, StateFileError
from desktop.state.atomic_file import reason_of, write_bytes
from desktop.state.locks import file_lock

__all__ = ["LARGEST", "ClientFile", "Rewrite", "read_content"]

LARGEST: Final = 64 * 1024 * 1024
_TRIES: Final = 3
_NO_MOVE_INTO_PLACE: Final = {errno.EBUSY, errno.EXDEV}


class _ChangedMeanwhileError(Exception):
    """Somebody else wrote the file since it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """What becomes of a file: None stands for no file.

    Attributes:
        before: What it held.
        after: What it is to hold.
        folders: Folders that have to be made for it, outermost first.
    """

    before: bytes | None
    after: bytes | None
    folders: tuple[Path, ...] = ()

    @property
    def is_needed(self) -> bool:
        """Whether anything changes on the disk."""
        return self.before != self.after


class ClientFile:
    """The file of an AI client.

    Args:
        path: Where the client looks for it; it may be missing, and it may be a link.
        locks: The folder of our lock files.
        home: Where given, a link that leads out of this folder is refused.
        shares_lock_folder: Whether the client guards the file with a folder ``<file>.lock``, as Cline does.
    """

    def __init__(self, path: Path, *, locks: Path, home: Path | None = None, shares_lock_folder: bool = False) -> None:
        self.path = path
        self._locks = locks
        self._home = home
        self._shares_lock_folder = shares_lock_folder

    @property
    def where(self) -> str:
        """The path as text, for errors."""
        return os.fspath(self.path)

    def target(self) -> Path:
        """The real file behind all links.

        Raises:
            ClientFileError: The links form a loop, or lead out of the person's home.
        """
        try:
            target = self.path.resolve()
            is_link = target.is_symlink()
        except RuntimeError as error:  # Python before 3.13 reports a loop this way
            raise ClientFileError(self.where, "it is a loop of links") from error
        except OSError as error:
            reason = "it is a loop of links" if error.errno == errno.ELOOP else f"it can't be read ({reason_of(error)})"
            raise ClientFileError(self.where, reason) from error
        if is_link:
            raise ClientFileError(self.where, "it is a loop of links")
        if self._home is not None and self._leaves_home(target, self._home):
            raise ClientFileError(
                self.where,
                f"it is a link to '{target}', outside of your home folder",
                hint="Connect that file yourself, or put the file itself in the link's place.",
            )
        return target

    def read(self) -> bytes | None:
        """The content, or None when there is no file.

        Raises:
            ClientFileError: There is something else in its place, it is too large, or it can't be read.
        """
        return read_content(self.target(), self.where)

    def rewrite(
        self,
        decide: Callable[[bytes | None], bytes | None],
        *,
        private: bool = False,
        before_write: Callable[[Rewrite], None] | None = None,
        after_write: Callable[[Rewrite], None] | None = None,
    ) -> Rewrite:
        """Replace the content by what ``decide`` makes of it; None takes the file away.

        Args:
            decide: Gets the content, or None when there is no file. It is asked again when somebody else has written the
                file meanwhile, and may raise; then nothing is written.
            private: Whether a new file, and the folders made for it, are for the person's eyes only.
            before_write: Called when the change is certain to be tried, for the record.
            after_write: Called once it is done, also where nothing was to do, while other processes of ours still wait.

        Raises:
            ClientFileError: The file is protected or keeps changing, or can't be written; it holds what it held before.
        """
        target = self.target()
        with self._locked(target):
            for _ in range(_TRIES):
                before = read_content(target, self.where)
                after = decide(before)
                folders = () if after is None else tuple(_missing(target.parent))
                rewrite = Rewrite(before=before, after=after, folders=folders)
                try:
                    if rewrite.is_needed:
                        self._require_writable(target)
                        if before_write is not None:
                            before_write(rewrite)
                        self._write(target, rewrite, private)
                except _ChangedMeanwhileError:
                    continue
                if after_write is not None:
                    after_write(rewrite)
                return rewrite
        raise ClientFileError(
            self.where, "another program keeps writing it", hint="Close the client and try again; nothing was written."
        )

    def _leaves_home(self, target: Path, home: Path) -> bool:
        literal = Path(os.path.abspath(self.path))  # noqa: PTH100 - links have to stay here
        real_home = home.resolve()
        inside = literal.is_relative_to(home) or literal.is_relative_to(real_home)
        return inside and not target.is_relative_to(real_home)

    @contextlib.contextmanager
    def _locked(self, target: Path) -> Iterator[None]:
        digest = hashlib.sha256(os.fsencode(target)).hexdigest()[:16]
        with contextlib.ExitStack() as stack:
            stack.enter_context(file_lock(self._locks / f"client-{digest}.lock"))
            if self._shares_lock_folder and target.parent.is_dir():
                stack.enter_context(lock_folder(target.with_name(f"{target.name}.lock"), self.where))
            yield

    def _require_writable(self, target: Path) -> None:
        """A file that its owner has protected stays as it is, although its folder would let us replace it."""
        try:
            mode = target.stat().st_mode
        except FileNotFoundError:
            return
        if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
            raise ClientFileError(
                self.where, "it is write-protected", hint="Take the protection off, or make the change yourself."
            )

    def _write(self, target: Path, rewrite: Rewrite, private: bool) -> None:
        try:
            for folder in rewrite.folders:
                folder.mkdir(mode=0o700 if private else 0o755, exist_ok=True)
            if rewrite.after is None:
                self._require_same(target, rewrite.before)
                target.unlink()
                return
            self._replace(target, rewrite.before, rewrite.after, private)
        except OSError as error:
            raise ClientFileError(self.where, f"it can't be written ({reason_of(error)})") from error

    def _replace(self, target: Path, before: bytes | None, after: bytes, private: bool) -> None:
        def finish(temporary: Path) -> None:
            if before is not None:
                _take_over(target, temporary)
            self._require_same(target, before)

        try:
            write_bytes(target, after, mode=0o600 if private and before is None else None, before_move=finish)
        except StateFileError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError):
                raise
            if before is None or cause.errno not in _NO_MOVE_INTO_PLACE:
                raise cause from None
            self._require_same(target, before)
            _overwrite(target, after)

    def _require_same(self, target: Path, before: bytes | None) -> None:
        if read_content(target, self.where) != before:
            raise _ChangedMeanwhileError


def read_content(target: Path, where: str) -> bytes | None:
    """What a real file holds, or None when there is none.

    Args:
        target: The file, with links followed.
        where: The file, for errors.

    Raises:
        ClientFileError: There is something else in its place, it is too large, or it can't be read.
    """
    try:
        status = target.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ClientFileError(where, "there is a folder in the file's place", hint="Take it away first.")
        if not stat.S_ISREG(status.st_mode):
            raise ClientFileError(where, "it is not an ordinary file")
        if status.st_size > LARGEST:
            raise ClientFileError(where, f"it is larger than {LARGEST // 1024**2} MB")
        return target.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClientFileError(where, f"it can't be read ({reason_of(error)})") from error


def _take_over(target: Path, temporary: Path) -> None:
    """Owner, permissions and extended attributes, as far as this person may set them."""
    status = target.stat()
    made = temporary.stat()
    if os.name == "posix" and (status.st_uid, status.st_gid) != (made.st_uid, made.st_gid):
        with contextlib.suppress(PermissionError):
            os.chown(temporary, status.st_uid, status.st_gid)
    with contextlib.suppress(PermissionError):
        shutil.copystat(target, temporary)
        os.utime(temporary)


def _overwrite(target: Path, data: bytes) -> None:
    """For a file that can't be replaced, such as one that is mounted on its own: not atomic, so a backup goes before."""
    with target.open("r+b") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def _missing(folder: Path) -> list[Path]:
    missing: list[Path] = []
    while not folder.exists():
        missing.insert(0, folder)
        folder = folder.parent
    return missing
