"""Where a container engine may be: `DOCKER_HOST`, the Docker CLI's current context, then the well-known sockets."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = ["KNOWN_SOCKET", "EngineCandidate", "TlsFiles", "find_candidates", "own_container"]

KNOWN_SOCKET: Final = "well-known socket"
DEFAULT_CONTEXT: Final = "default"
WINDOWS_PIPES: Final = ("docker_engine", "dockerDesktopLinuxEngine", "podman-machine-default")


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Certificates for a ``tcp://`` engine: paths of PEM files, empty when not used; whether its name is checked."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCandidate:
    """One place to look for an engine.

    Attributes:
        address: As the Docker CLI writes it: ``unix:///path``, ``npipe:////./pipe/name``, ``tcp://host:port``, ``ssh://…``.
        source: Who says so, in words for a person ("DOCKER_HOST", "context colima", "well-known socket").
        tls: Certificates, or None for a plain connection.
    """

    address: str
    source: str
    tls: TlsFiles | None = None


def find_candidates(environ: Mapping[str, str], home: Path, platform: str) -> tuple[EngineCandidate, ...]:
    """List the places to try, the best first, without touching any of them.

    An engine the person named with `DOCKER_HOST` or `DOCKER_CONTEXT` is the only candidate, as with the Docker CLI: to
    run containers on another machine than the one that was asked for would be worse than not to run them.

    Args:
        environ: The environment.
        home: The person's home directory (holds ``.docker`` unless `DOCKER_CONFIG` says otherwise).
        platform: A `sys.platform` value.
    """
    if host := environ.get("DOCKER_HOST", "").strip():
        return (EngineCandidate(address=host, source="DOCKER_HOST", tls=_environment_tls(environ, home)),)
    config = Path(environ.get("DOCKER_CONFIG") or home / ".docker")
    if (name := environ.get("DOCKER_CONTEXT", "").strip()) and name != DEFAULT_CONTEXT:
        named = _context(config, name)
        return (named,) if named else ()
    found: dict[str, EngineCandidate] = {}
    current = str(_json_object(config / "config.json").get("currentContext") or DEFAULT_CONTEXT)
    if current != DEFAULT_CONTEXT and (context := _context(config, current)):
        found[context.address] = context
    for address in _known_addresses(environ, home, platform):
        found.setdefault(address, EngineCandidate(address=address, source=KNOWN_SOCKET))
    return tuple(found.values())


def own_container(root: Path = Path("/")) -> str:
    """Return the id of the container this program runs in, as the engine can look it up, or an empty string on a host.

    Args:
        root: The root directory (another one in tests).
    """
    inside = (root / ".dockerenv").exists() or (root / "run/.containerenv").exists()
    return socket.gethostname() if inside else ""


def _environment_tls(environ: Mapping[str, str], home: Path) -> TlsFiles | None:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    directory = Path(environ.get("DOCKER_CERT_PATH") or environ.get("DOCKER_CONFIG") or home / ".docker")
    return _tls_files(directory, verify=verify)


def _tls_files(directory: Path, *, verify: bool) -> TlsFiles:
    present = {name: str(path) for name in ("ca", "cert", "key") if (path := directory / f"{name}.pem").is_file()}
    return TlsFiles(
        ca=present.get("ca", ""), certificate=present.get("cert", ""), key=present.get("key", ""), verify=verify
    )


def _context(config: Path, name: str) -> EngineCandidate | None:
    """Read one context of the Docker CLI: a directory named after the SHA-256 of the context's name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = _json_object(config / "contexts" / "meta" / digest / "meta.json")
    endpoints = meta.get("Endpoints")
    endpoint = endpoints.get("docker") if isinstance(endpoints, dict) else None
    host = endpoint.get("Host") if isinstance(endpoint, dict) else None
    if not isinstance(endpoint, dict) or not isinstance(host, str) or not host:
        return None
    directory = config / "contexts" / "tls" / digest / "docker"
    tls = _tls_files(directory, verify=not endpoint.get("SkipTLSVerify")) if directory.is_dir() else None
    return EngineCandidate(address=host, source=f"context {name}", tls=tls)


def _json_object(path: Path) -> dict[str, Any]:
    """Read a JSON object; a file that is missing or broken counts as empty (it's the Docker CLI's to judge)."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _known_addresses(environ: Mapping[str, str], home: Path, platform: str) -> Iterator[str]:
    if platform == "win32":
        yield from (f"npipe:////./pipe/{pipe}" for pipe in WINDOWS_PIPES)
        return
    base = home.as_posix()
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    colima = (
        environ.get("COLIMA_HOME", ""),
        f"{base}/.colima",
        f"{environ.get('XDG_CONFIG_HOME') or f'{base}/.config'}/colima",
    )
    paths = ["/var/run/docker.sock", f"{base}/.docker/run/docker.sock", f"{base}/.docker/desktop/docker.sock"]
    if runtime:
        paths.append(f"{runtime}/docker.sock")
    paths += [f"{directory}/default/docker.sock" for directory in colima if directory]
    paths += [f"{base}/.orbstack/run/docker.sock", f"{base}/.rd/docker.sock"]
    if platform == "darwin":
        paths.append(f"{base}/.local/share/containers/podman/machine/podman.sock")
        if temporary := environ.get("TMPDIR", ""):
            paths.append(f"{temporary.rstrip('/')}/podman/podman-machine-default-api.sock")
    else:
        if runtime:
            paths.append(f"{runtime}/podman/podman.sock")
        paths.append("/run/podman/podman.sock")
    yield from (f"unix://{path}" for path in paths)
