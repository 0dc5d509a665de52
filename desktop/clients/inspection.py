"""A client's files read: what is in them, which entry is ours, and whether that would still work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from desktop.clients.config_file import ConfigFile, other_file, project_file, user_file
from desktop.clients.configured import ConfiguredServer, bearer_token, is_of_reference
from desktop.clients.connection import Connection
from desktop.clients.description import Client
from desktop.clients.detection import detect
from desktop.clients.document import EntryPath, read
from desktop.clients.file_edit import ClientFile
from desktop.clients.gateway_entry import NAME, Way
from desktop.clients.known import CLIENTS
from desktop.clients.machine import Machine, is_there
from desktop.clients.processes import Running, running_programs
from desktop.clients.receipts import Receipts
from desktop.clients.status import ClientStatus, base_of, is_ours, program_gone, way_of
from desktop.errors import GatewayError, StateFileError
from desktop.secrets.client_tokens import ClientTokens
from desktop.state.paths import Paths

__all__ = ["Inspection", "Sight"]

_SHARES_LOCK_FOLDER: Final = frozenset({"cline"})
_SHORTEST_SECRET: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A file as it was read.

    Attributes:
        file: The file.
        data: Its data.
        servers: The servers in it.
        ours: Our entry, when it is there.
        reference: The reference's entry, when it is there.
    """

    file: ConfigFile
    data: Any
    servers: tuple[ConfiguredServer, ...]
    ours: ConfiguredServer | None
    reference: ConfiguredServer | None

    def confidential(self) -> tuple[str, ...]:
        """What must not be shown: the values of variables and headers, longest first."""
        values = [value for server in self.servers for value in (*server.env.values(), *server.headers.values())]
        tokens = [token for server in self.servers if (token := bearer_token(server))]
        return tuple(sorted({v for v in (*values, *tokens) if len(v) >= _SHORTEST_SECRET}, key=len, reverse=True))


class Inspection:
    """Reads the files of clients. Its methods read the disk, so they belong on a worker thread.

    Args:
        paths: Where our own state is.
        url: Where our gateway listens, or will.
        machine: The computer.
        runs: Whether it listens there now; else entries may lead to where another one will.

    Attributes:
        tokens: The tokens that clients have.
    """

    def __init__(self, paths: Paths, url: str, machine: Machine, *, runs: bool = True) -> None:
        self.url = url
        self._runs = runs
        self.machine = machine
        self.tokens = ClientTokens(paths)
        self._paths = paths
        self._receipts = Receipts(paths.client_receipts)

    def statuses(self, project: Path | None = None) -> tuple[ClientStatus, ...]:
        """Every client, or every client that has a file for a project, with that file."""
        running = running_programs(self.machine.platform)
        asked = CLIENTS if project is None else tuple(client for client in CLIENTS if client.project is not None)
        return tuple(self.status(client, project, running) for client in asked)

    def status(self, client: Client, project: Path | None = None, running: Running | None = None) -> ClientStatus:
        """One client; a file that can't be read is told in the status."""
        programs = running if running is not None else running_programs(self.machine.platform)
        presence = detect(client, self.machine, programs)
        files = self.files(client, project)
        if not files:
            return ClientStatus(client=client, presence=presence)
        status = ClientStatus(client=client, file=files[0], exists=is_there(files[0].path), presence=presence)
        try:
            sights = [self.look(file) for file in files]
            known = self._was_connected(client, files)
        except StateFileError as error:
            denied = isinstance(error.__cause__, PermissionError)
            return replace(status, error=str(error), no_permission=denied)
        with_ours = next((sight for sight in sights if sight.ours is not None), None)
        outdated = self._outdated(with_ours) if with_ours is not None else ""
        return replace(
            status,
            file=with_ours.file if with_ours is not None else files[0],
            servers=tuple(server for sight in sights for server in sight.servers),
            ours=with_ours.ours if with_ours is not None else None,
            reference=next((sight.reference for sight in sights if sight.reference is not None), None),
            outdated=outdated,
            dropped=with_ours is None and known,
        )

    def files(self, client: Client, project: Path | None) -> list[ConfigFile]:
        """The files of a client: the one for a project, or the user's, of which the first is the usual one."""
        if project is not None:
            file = project_file(client, project)
            return [file] if file is not None else []
        files = (user_file(client, self.machine), other_file(client, self.machine))
        return [file for file in files if file is not None]

    def require_files(self, client: Client, project: Path | None) -> list[ConfigFile]:
        """The same, at least one.

        Raises:
            GatewayError: There is none.
        """
        files = self.files(client, project)
        if not files and project is not None:
            raise GatewayError(f"{client.name} has no file for a single project", "Use --global")
        if not files:
            raise GatewayError(f"{client.name} does not exist for this system")
        return files

    def look(self, file: ConfigFile) -> Sight:
        """Read a file.

        Raises:
            ClientFileError: It can't be read or understood.
        """
        content = self._client_file(file).read() or b""
        # An empty file says nothing in any format, and most clients have none: that spares loading the parsers.
        data = read(content, file.format, str(file.path)) if content.strip() else {}
        servers = file.servers_in(data)
        ours = [server for server in servers if is_ours(server, self.url) or self._has_receipt(file, server, data)]
        return Sight(
            file=file,
            data=data,
            servers=servers,
            ours=ours[0] if ours else None,
            reference=next((server for server in servers if is_of_reference(server)), None),
        )

    def connection(self, file: ConfigFile, path: EntryPath) -> Connection:
        """The connection for an entry in a file."""
        return Connection(file.client.id, self._client_file(file), file.format, path, self._receipts)

    def _was_connected(self, client: Client, files: Sequence[ConfigFile]) -> bool:
        """Whether we have put an entry into one of these files and not taken it out."""
        places = {str(self._client_file(file).target()) for file in files}
        return any(receipt.client == client.id and receipt.target in places for receipt in self._receipts.all())

    def _has_receipt(self, file: ConfigFile, server: ConfiguredServer, data: Any) -> bool:
        if not server.name.startswith(NAME):
            return False
        return self.connection(file, file.entry_path(server.name, data)).receipt() is not None

    def _outdated(self, sight: Sight) -> str:
        server = sight.ours
        assert server is not None
        if not server.enabled:
            return f"it is turned off in {sight.file.client.name}"
        if reason := _shut_out(sight):
            return reason
        if program_gone(server):
            return f"its program {server.command} is not there any more"
        if way_of(server) is Way.STDIO:
            return ""
        if base_of(server) != self.url and self._runs:
            return f"it leads to {server.url}, but the gateway is at {self.url}"
        token = bearer_token(server)
        connection = self.connection(sight.file, sight.file.entry_path(server.name, sight.data))
        if token.startswith("mcpgw_") and not self.tokens.holds(token, sight.file.client.id, connection.file.target()):
            return "its token is not valid any more"
        return ""

    def _client_file(self, file: ConfigFile) -> ClientFile:
        shares = file.client.id in _SHARES_LOCK_FOLDER
        return ClientFile(file.path, locks=self._paths.locks, home=file.home, shares_lock_folder=shares)


def _shut_out(sight: Sight) -> str:
    """Whether lists in the client's own file keep it from using our entry (Gemini CLI's ``mcp.allowed``, ``mcp.excluded``)."""
    rules = sight.data.get("mcp") if isinstance(sight.data, dict) else None
    if sight.ours is None or sight.file.client.id != "gemini" or not isinstance(rules, dict):
        return ""
    allowed, excluded = rules.get("allowed"), rules.get("excluded")
    if isinstance(excluded, list) and sight.ours.name in excluded:
        return "the list mcp.excluded in its file shuts it out"
    if isinstance(allowed, list) and allowed and sight.ours.name not in allowed:
        return "the list mcp.allowed in its file does not name it"
    return ""
