"""Reaching an engine: first contact, the API version both sides know, foreign exceptions put into our sentences.

All of it blocks and belongs into a worker thread.
"""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from desktop.engine.discovery import KNOWN_SOCKET, EngineCandidate
from desktop.engine.ports import EngineInfo
from desktop.engine.wire import tcp_address, unix_path
from desktop.errors import EngineError, EnginePermissionError, EngineUnavailableError

# `docker` (with requests and urllib3) takes some 150 ms to import and is not needed before an engine has been found, so
# it is imported inside the functions that use it.
if TYPE_CHECKING:
    from docker import APIClient

__all__ = ["SOCKET_LIMIT", "Connection", "find_engine", "new_client", "start_hint", "translated"]

CONNECT_LIMIT: Final = 5.0
SOCKET_LIMIT: Final = 60
OLDEST_API: Final = (1, 40)
NEWEST_API: Final = (1, 45)
REASON_LENGTH: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An engine that answered."""

    candidate: EngineCandidate
    client: APIClient
    info: EngineInfo


def find_engine(
    candidates: Sequence[EngineCandidate], known: Connection | None, platform: str = sys.platform
) -> Connection:
    """Try one candidate after the other; the first that answers is taken, whatever was wrong with those before it.

    Args:
        candidates: Where to look, the best first.
        known: The connection in use; kept when its candidate is the one that answers.
        platform: A `sys.platform` value, for the hint.

    Raises:
        EnginePermissionError: None answers, and at least one is there but closed to this user.
        EngineUnavailableError: None answers.
    """
    if not candidates:
        raise EngineUnavailableError(
            "There is no place to look for Docker: DOCKER_CONTEXT names a context that does not exist",
            "Choose one of those that docker context ls shows.",
        )
    refused: list[tuple[bool, bool, EngineError]] = []
    for candidate in candidates:
        try:
            return _open(candidate, known)
        except EngineError as error:
            closed = isinstance(error, EnginePermissionError)
            refused.append((not closed, candidate.source == KNOWN_SOCKET, error))
    # A closed door says more than a missing one, and a place the person chose more than one of the usual ones.
    missing, usual, worst = min(refused, key=lambda entry: entry[:2])
    if missing and usual:
        raise EngineUnavailableError("Docker is not running", start_hint(platform))
    raise worst


def new_client(candidate: EngineCandidate, version: str, *, timeout: int = SOCKET_LIMIT) -> APIClient:
    """Make a docker-py client; nothing is sent. It reads the person's registry credentials as they are now.

    Args:
        candidate: Where the engine is.
        version: API version to speak.
        timeout: Seconds without a byte before a request fails.
    """
    from docker import APIClient
    from docker.tls import TLSConfig

    tls: TLSConfig | bool = False
    if files := candidate.tls:
        pair = (files.certificate, files.key) if files.certificate and files.key else None
        tls = TLSConfig(client_cert=pair, ca_cert=files.ca or None, verify=files.verify)
    client = APIClient(base_url=candidate.address, version=version, timeout=timeout, tls=tls, max_pool_size=16)
    # Proxy variables are for the registry side of the engine, never for our way to it.
    client.trust_env = False
    return client


def start_hint(platform: str = sys.platform) -> str:
    """What to do when no engine runs."""
    if platform.startswith("linux"):
        return "Start it (sudo systemctl start docker, or Docker Desktop) and try again."
    return "Start Docker Desktop, or another engine such as Podman, and try again."


def translated(error: Exception, what: str, info: EngineInfo) -> EngineError:
    """Put an exception of docker-py or the network into our words.

    Args:
        error: The exception.
        what: What was being done, as in "Docker could not <what>".
        info: The engine it happened with.

    Returns:
        `EngineUnavailableError` when the engine is gone, `EngineError` when it refused or took too long.
    """
    from docker.errors import APIError
    from requests.exceptions import ConnectTimeout, RequestException, Timeout
    from urllib3.exceptions import HTTPError

    if isinstance(error, EngineError):
        return error
    name = info.name.split(" ", 1)[0]
    if isinstance(error, APIError):
        return EngineError(f"{name} could not {what}: {reason(error)}")
    if isinstance(error, Timeout) and not isinstance(error, ConnectTimeout):
        return EngineError(
            f"{name} did not {what} within {SOCKET_LIMIT} s", f"Look whether {name} is overloaded or hangs."
        )
    if isinstance(error, (RequestException, HTTPError, OSError)):
        return EngineUnavailableError(f"{name} is not running", start_hint())
    return EngineError(f"{name} could not {what}: {type(error).__name__}", f"See whether {name} works: docker info")


def reason(error: Any) -> str:
    """First line of the engine's own explanation, shortened."""
    lines = str(error.explanation or error.status_code or "no reason given").strip().splitlines()
    return lines[0][:REASON_LENGTH] if lines else "no reason given"


def _open(candidate: EngineCandidate, known: Connection | None) -> Connection:
    from_where = f"{candidate.address} ({candidate.source})"
    if candidate.address.startswith("ssh:"):
        raise EngineUnavailableError(
            f"The engine at {from_where} can't be reached: ssh addresses are not supported",
            "Forward its socket with ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock HOST and set "
            "DOCKER_HOST=unix:///tmp/docker.sock.",
        )
    try:
        knock(candidate)
    except OSError as error:
        if isinstance(error, PermissionError) or error.errno in (errno.EACCES, errno.EPERM):
            raise EnginePermissionError(
                f"You have no permission to use Docker at {from_where}",
                "Add yourself to the docker group with: sudo usermod -aG docker $USER - then sign out and in again.",
            ) from error
        raise EngineUnavailableError(f"Docker is not running: nothing answers at {from_where}", start_hint()) from error
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        if known is not None and known.candidate == candidate:
            known.client.version(api_version=False)
            return known
        asking = new_client(candidate, _text(NEWEST_API), timeout=int(CONNECT_LIMIT))
        try:
            answer: dict[str, Any] = asking.version(api_version=False)
        finally:
            asking.close()
        api = _negotiated(answer, from_where)
        return Connection(candidate=candidate, client=new_client(candidate, api), info=_info(answer, api, candidate))
    except (DockerException, RequestException, OSError, ValueError) as error:
        raise EngineUnavailableError(
            f"Docker is not running properly: {from_where} gives no answer that makes sense", start_hint()
        ) from error


def knock(candidate: EngineCandidate) -> None:
    """See whether anything listens; far cheaper than importing a client, and the reason for a refusal comes out clean.

    Raises:
        OSError: Nothing does, or not for us.
    """
    if path := unix_path(candidate.address):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(CONNECT_LIMIT)
            probe.connect(path)
    elif candidate.address.startswith("npipe:"):
        # Never run: opening a pipe to look would take a server instance, so its name alone is looked up.
        if not Path(candidate.address.removeprefix("npipe:").replace("/", "\\")).exists():
            raise FileNotFoundError(errno.ENOENT, "no such pipe", candidate.address)
    else:
        socket.create_connection(tcp_address(candidate.address), timeout=CONNECT_LIMIT).close()


def _negotiated(answer: dict[str, Any], from_where: str) -> str:
    """The newest API version both sides know, as the Docker CLI does it."""
    newest = _version(answer.get("ApiVersion"))
    oldest = _version(answer.get("MinAPIVersion")) or OLDEST_API
    if newest is None or newest < OLDEST_API:
        raise EngineUnavailableError(
            f"The engine at {from_where} is too old (API {answer.get('ApiVersion')})",
            "Update it to Docker 19.03 or newer.",
        )
    return _text(max(oldest, min(newest, NEWEST_API)))


def _info(answer: dict[str, Any], api: str, candidate: EngineCandidate) -> EngineInfo:
    names = [str(part.get("Name", "")) for part in answer.get("Components") or () if isinstance(part, dict)]
    product = "Podman" if any(name.startswith("Podman") for name in names) else "Docker"
    version = str(answer.get("Version") or "")
    short = ".".join(version.split("+")[0].split(".")[:2])
    return EngineInfo(name=f"{product} {short}".strip(), version=version, api_version=api, address=candidate.address)


def _version(text: object) -> tuple[int, int] | None:
    try:
        major, minor = str(text).split(".")[:2]
        return int(major), int(minor)
    except ValueError:
        return None


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
