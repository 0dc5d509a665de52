"""Which folders of this machine a container may be given.

A path that reaches this point stands in the person's own config.yaml or in a catalog entry they have enabled. Some
places are refused all the same: the system's own, and those where other programs keep their keys.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import Final

from desktop.errors import ServerStartError

__all__ = ["check_bind", "is_engine_socket"]

_SYSTEM: Final = tuple(
    PurePosixPath(text)
    for text in (
        "/dev",
        "/etc",
        "/proc",
        "/root",
        "/run",
        "/sys",
        "/system",
        "/library",
        "/private/etc",
        "/private/var/run",
        "/private/var/root",
        "/var/run",
        "/var/root",
        "/var/lib/docker",
        "/var/lib/containerd",
        "c:/windows",
    )
)
_KEYS: Final = frozenset(
    {
        ".aws",
        ".azure",
        ".config",
        ".docker",
        ".gnupg",
        ".kube",
        ".ssh",
        ".netrc",
        ".npmrc",
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
    }
)
_ENGINE_SOCKETS: Final = frozenset({"/var/run/docker.sock", "/run/docker.sock"})
_VOLUME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")


def check_bind(spec: str, *, home: Path, cwd: Path, engine_socket: bool = False) -> str:
    """Check one ``source:target[:mode]`` and resolve its host path.

    Args:
        spec: An evaluated volume of a catalog entry; named and anonymous volumes pass unchanged.
        home: The person's home folder, for ``~/``; below it the rule about system folders doesn't hold.
        cwd: What a relative path is relative to.
        engine_socket: Let the engine's own socket pass, since whoever mounts it asks the person first.

    Returns:
        The spec with the host path absolute and without links; target and mode as they were.

    Raises:
        ServerStartError: The spec can't be understood, or its host path is refused.
    """
    source, rest = _split(spec)
    if not rest or _VOLUME.fullmatch(source) or (engine_socket and is_engine_socket(spec)):
        return spec
    given = _absolute(source, home, cwd)
    resolved = PurePosixPath(given) if _DRIVE.match(given) and not Path(given).is_absolute() else _resolved(given)
    for path in (PurePosixPath(given.replace("\\", "/")), PurePosixPath(str(resolved).replace("\\", "/"))):
        _refuse_keys(path, source)
        _refuse_system(path, source, home)
    return ":".join((str(resolved), *rest))


def is_engine_socket(spec: str) -> bool:
    """Whether a mount is the container engine's socket; who has it can do whatever the engine can."""
    return _split(spec)[0] in _ENGINE_SOCKETS


def _split(spec: str) -> tuple[str, list[str]]:
    """The source, and target and mode; the colon of a drive's letter doesn't separate."""
    drive = spec[:2] if _DRIVE.match(spec) else ""
    parts = spec[len(drive) :].split(":")
    if len(parts) > 1 and re.fullmatch(r"[A-Za-z]", parts[1]) and len(parts) > 2 and parts[2].startswith("\\"):
        parts[1:3] = [f"{parts[1]}:{parts[2]}"]  # a Windows container's target
    if len(parts) > 3 or not parts[0]:
        raise ServerStartError(
            f"The mount '{spec}' can't be understood", "Write it as source:target or source:target:ro."
        )
    return drive + parts[0], parts[1:]


def _absolute(source: str, home: Path, cwd: Path) -> str:
    if _DRIVE.match(source):
        return source.replace("\\", "/")
    text = source.replace("\\", "/")
    if text == "~" or text.startswith("~/"):
        return str(home / text[2:])
    return str(cwd / text)


def _resolved(path: str) -> Path:
    try:
        return Path(path).resolve()
    except (OSError, RuntimeError) as error:
        raise ServerStartError(f"The folder '{path}' can't be mounted: it is a loop of links") from error


def _refuse_keys(path: PurePosixPath, source: str) -> None:
    for segment in path.parts:
        if segment.lower() in _KEYS:
            raise ServerStartError(
                f"The folder '{source}' can't be mounted: '{segment}' holds keys or settings of other programs",
                "Choose another folder.",
            )


def _refuse_system(path: PurePosixPath, source: str, home: Path) -> None:
    plain = posixpath.normpath(str(path))
    lower = PurePosixPath(plain.lower().replace("//", "/"))
    homes = [place for place in (home, home.resolve()) if place != Path(place.anchor)]
    if any(Path(plain).is_relative_to(place) for place in homes):
        return
    for system in _SYSTEM:
        inside = lower.is_relative_to(system)
        if inside or system.is_relative_to(lower):
            why = "it belongs to the system" if inside else "it holds folders of the system"
            raise ServerStartError(f"The folder '{source}' can't be mounted: {why}", "Choose another folder.")
