"""One computer as descriptions of clients see it: its folders, its programs, what is installed; nothing else is asked."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from desktop.state.locations import home_dir

__all__ = ["Machine", "Places", "is_there"]

_LAUNCHD_PATH: Final = ("/opt/homebrew/bin", "/usr/local/bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where something may be, a list for each system, best first; see `Machine.expand` for how a place is written.

    Attributes:
        everywhere: On every system, after the system's own.
    """

    linux: tuple[str, ...] = ()
    macos: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    everywhere: tuple[str, ...] = ()

    def on(self, platform: str) -> tuple[str, ...]:
        """The places on a system, named as in `sys.platform`."""
        own = {"win32": self.windows, "darwin": self.macos}.get(platform, self.linux)
        return own + self.everywhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A computer and its user.

    Attributes:
        environ: The user's environment variables.
        platform: The system, as in `sys.platform`.
    """

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    platform: str = sys.platform

    @property
    def home(self) -> Path:
        """The user's home folder."""
        return Path(home_dir(self.environ, self.platform))

    def expand(self, place: str) -> Path | None:
        """A place as a path; None where it does not apply.

        A place begins with ``~`` (home), ``{config}`` (XDG's folder of settings), ``{data}`` (XDG's of data), ``{support}``
        (macOS's Application Support), ``{roaming}`` or ``{local}`` (Windows' AppData), ``$NAME`` (a variable that has to be
        set to an absolute path), or is absolute. A ``*`` stands for any name; the first match in the alphabet counts.
        """
        first, _, rest = place.partition("/")
        root = self._root(first)
        if root is None:
            return None
        if "*" not in rest:
            return root / rest if rest else root
        folder, pattern, inside = _around_star(rest)
        found = sorted((root / folder).glob(pattern)) if is_there(root / folder) else []
        return found[0] / inside if found else None

    def expand_all(self, places: Iterable[str]) -> tuple[Path, ...]:
        """All of them that apply."""
        return tuple(path for place in places if (path := self.expand(place)) is not None)

    def choose(self, places: Places) -> Path | None:
        """The file that counts among several places where it may be; None when none applies to this system.

        A place that was chosen on purpose (by a variable) or that only a certain installation has (``*``) counts, there or
        not. Otherwise the first file that is there, else the first whose folder is there, else the first.
        """
        listed = places.on(self.platform)
        for place in listed:
            if (place.startswith("$") or "*" in place) and (path := self.expand(place)) is not None:
                return path
        paths = self.expand_all(listed)
        for path in paths:
            if is_there(path) or path.is_symlink():
                return path
        return next((path for path in paths if is_there(path.parent)), paths[0] if paths else None)

    def find_program(self, names: Iterable[str]) -> Path | None:
        """The first of these programs on the search path, or where installers put programs without telling it."""
        folders = [self.environ.get("PATH", "")]
        if self.platform != "win32":
            folders += [str(self.home / ".local" / "bin"), *_LAUNCHD_PATH, "/snap/bin"]
        path = os.pathsep.join(folder for folder in folders if folder)
        for name in names:
            if found := shutil.which(name, path=path):
                return Path(found)
        return None

    def _root(self, first: str) -> Path | None:
        if first == "":
            return Path("/")
        if first == "~":
            return self.home
        if first.startswith("$"):
            value = self.environ.get(first[1:], "")
            return Path(value) if value and (Path(value).is_absolute() or self.platform == "win32") else None
        match first:
            case "{config}":
                return self._xdg("XDG_CONFIG_HOME", ".config")
            case "{data}":
                return self._xdg("XDG_DATA_HOME", ".local/share")
            case "{support}":
                return self.home / "Library" / "Application Support"
            case "{roaming}":
                return self._windows("APPDATA", "Roaming")
            case "{local}":
                return self._windows("LOCALAPPDATA", "Local")
        raise ValueError(f"{first} begins no place")

    def _xdg(self, variable: str, usual: str) -> Path:
        value = self.environ.get(variable, "")
        return Path(value) if value and Path(value).is_absolute() else self.home / usual

    def _windows(self, variable: str, usual: str) -> Path:
        value = self.environ.get(variable, "")
        return Path(value) if value else self.home / "AppData" / usual


def is_there(path: Path) -> bool:
    """Whether there is a file or folder; False too where that can't be found out, such as in a folder of somebody else's."""
    try:
        return path.exists()
    except OSError:
        return False


def _around_star(rest: str) -> tuple[str, str, str]:
    parts = rest.split("/")
    at = next(index for index, part in enumerate(parts) if "*" in part)
    return "/".join(parts[:at]), parts[at], "/".join(parts[at + 1 :])
