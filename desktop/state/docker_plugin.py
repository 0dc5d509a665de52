"""Our place among the plugins of Docker's command line, where ``docker mcp`` finds this program."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from desktop.errors import StateFileError
from desktop.state import locations
from desktop.state.atomic_file import TEMPORARY_SUFFIX, make_directory, read_bytes, reason_of, write_text
from desktop.state.locks import file_lock
from desktop.state.paths import Paths

__all__ = ["DockerPlugin", "PluginStatus", "plugin_folder"]

_SCHEMA: Final = 1
_LINKS_ON_WINDOWS: Final = "Windows lets administrators make links, and everybody in its developer mode"
# Docker looks at every file that begins with docker-; this one it passes over.
_KEPT: Final = ".docker-mcp.before-mcp-gateway-desktop"


def plugin_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where Docker's command line looks for a person's plugins; DOCKER_CONFIG moves it."""
    configured = environ.get("DOCKER_CONFIG") or Path(locations.home_dir(environ, platform), ".docker")
    return Path(configured, "cli-plugins")


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus:
    """What ``docker mcp`` finds in the folder.

    Attributes:
        path: Where the plugin lies, or would lie.
        installed: It is this program, and the program is there.
        program: What it starts, as far as that is known; empty when there is none.
        other: It belongs to another program.
        kept: Another program's plugin that is put back on `DockerPlugin.uninstall`, or empty.
    """

    path: str
    installed: bool
    program: str = ""
    other: bool = False
    kept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Receipt:
    """What was installed: the program, the digest of its copy (none for a link), and another program's plugin put aside."""

    program: str = ""
    digest: str = ""
    kept: str = ""


class DockerPlugin:
    """Installs this program as Docker's plugin ``mcp``, and takes it away again.

    A link leads to the program, so that it stays what it is when the program is brought up to date. On Windows, where
    most people may make no links, a copy lies there; a bundle's program finds its other files only through a link.

    Args:
        paths: Where our own state is: the receipt of what was installed.
        folder: The plugins folder, see `plugin_folder`.
        platform: As in `sys.platform`.
        is_bundle: The program is part of a bundle, and of no use by itself.
    """

    def __init__(self, paths: Paths, folder: Path, platform: str = sys.platform, *, is_bundle: bool = False) -> None:
        self.place = folder / ("docker-mcp.exe" if platform == "win32" else "docker-mcp")
        self._receipt_file = paths.own / "docker-plugin.json"
        self._lock = paths.lock_for(self._receipt_file)
        self._copies = platform == "win32" and not is_bundle
        self._hint = _LINKS_ON_WINDOWS if platform == "win32" and is_bundle else ""

    def status(self) -> PluginStatus:
        """What is there now; raises `StateFileError` where it can't be looked at."""
        receipt = self._receipt()
        kept = receipt.kept if receipt.kept and os.path.lexists(receipt.kept) else ""
        path = str(self.place)
        if not os.path.lexists(self.place):
            return PluginStatus(path=path, installed=False, kept=kept)
        if not self._is_ours(receipt):
            target = str(self.place.readlink()) if self.place.is_symlink() else path
            return PluginStatus(path=path, installed=False, program=target, other=True, kept=kept)
        return PluginStatus(path=path, installed=Path(receipt.program).exists(), program=receipt.program, kept=kept)

    def install(self, program: Path, *, force: bool = False) -> PluginStatus:
        """Put the program there; doing it again brings it up to date.

        Args:
            program: The file that starts this program, with an absolute path.
            force: Put another program's plugin aside; `uninstall` puts it back.

        Raises:
            StateFileError: Another program's plugin is there, or the folder can't be written.
        """
        with file_lock(self._lock):
            receipt = self._receipt()
            is_others = os.path.lexists(self.place) and not self._is_ours(receipt)
            if is_others and self.place.is_dir():
                raise StateFileError(str(self.place), "this is a folder", hint="Move it away.")
            if is_others and not force:
                raise StateFileError(
                    str(self.place),
                    "another program's plugin is there",
                    hint="docker-mcp plugin install --force puts it aside, and plugin uninstall puts it back",
                )
            try:
                self._place(program, receipt, put_aside=is_others)
            except OSError as error:
                reason = f"it can't be written ({reason_of(error)})"
                raise StateFileError(str(self.place), reason, hint=self._hint) from error
        return self.status()

    def uninstall(self) -> bool:
        """Take our plugin away, and put back what was there before; returns whether ours was there.

        A plugin that another program has put in our place in the meantime stays.
        """
        with file_lock(self._lock):
            receipt = self._receipt()
            is_there = os.path.lexists(self.place)
            is_ours = is_there and self._is_ours(receipt)
            kept = Path(receipt.kept) if receipt.kept and os.path.lexists(receipt.kept) else None
            try:
                if kept is not None and (is_ours or not is_there):
                    kept.replace(self.place)
                elif is_ours:
                    self.place.unlink()
                elif kept is not None:
                    kept.unlink()  # a newer one has taken its place
                self._receipt_file.unlink(missing_ok=True)
            except OSError as error:
                raise StateFileError(str(self.place), f"it can't be taken away ({reason_of(error)})") from error
            return is_ours

    def _place(self, program: Path, receipt: _Receipt, *, put_aside: bool) -> None:
        folder = self.place.parent
        make_directory(folder)
        kept = folder / _KEPT if put_aside else None
        new = folder / f".docker-mcp.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"
        try:
            digest = ""
            if self._copies:
                shutil.copy2(program, new)
                digest = _digest(new)
            else:
                new.symlink_to(program)
            # The receipt comes first: whatever happens from here on, uninstalling puts everything back.
            self._keep(_Receipt(program=str(program), digest=digest, kept=str(kept or receipt.kept)))
            if kept is not None:
                self.place.replace(kept)
            new.replace(self.place)
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink(missing_ok=True)
            if kept is not None and os.path.lexists(kept) and not os.path.lexists(self.place):
                kept.replace(self.place)
            raise

    def _is_ours(self, receipt: _Receipt) -> bool:
        if not receipt.program:
            return False
        if receipt.digest:
            return not self.place.is_symlink() and self.place.is_file() and _digest(self.place) == receipt.digest
        return self.place.is_symlink() and str(self.place.readlink()) == receipt.program

    def _receipt(self) -> _Receipt:
        text = read_bytes(self._receipt_file)
        if not text:
            return _Receipt()
        try:
            data = json.loads(text)
            version = data.pop("schema_version")
            if version == _SCHEMA:
                return _Receipt(**{name: str(value) for name, value in data.items()})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise StateFileError(
                str(self._receipt_file), "this is no receipt of a plugin", hint="Delete it."
            ) from error
        raise StateFileError(str(self._receipt_file), "a newer version of this program has written it")

    def _keep(self, receipt: _Receipt) -> None:
        write_text(self._receipt_file, json.dumps({"schema_version": _SCHEMA, **asdict(receipt)}, indent=2) + "\n")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
