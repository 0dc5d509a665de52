"""What a face (tray window, command line) may see of the running program and ask of it; `desktop.app` implements it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from desktop.events import EventStream
from desktop.facets.activity import Activity
from desktop.facets.adding import Adding, Importing
from desktop.facets.catalog import CatalogDetails, CatalogEntry, Catalogs, CatalogTool
from desktop.facets.events import (
    CallsEnded,
    ClientsChanged,
    HostEvent,
    ProblemsChanged,
    QuestionsChanged,
    SecretsChanged,
    ServersChanged,
    SignInsChanged,
    StatusChanged,
)
from desktop.facets.secrets import EnvLine, KeptSecret, SecretDesk, SecretNeed, SecretPlace, SecretsStatus, SecretUse
from desktop.facets.server import PermissionsDesk, ServerLogs, ServerResources, ToolsDesk
from desktop.facets.settings import Preferences, ServerSettings, SettingsDesk
from desktop.gateway.running_call import RunningCall
from desktop.oauth.status import SignInState, SignInStatus
from desktop.policy.question import Answer, Question
from desktop.servers.status import OfferedTool, ServerStatus
from desktop.sharing import Sharing

if TYPE_CHECKING:
    from desktop.clients.roster import Connected, Plan, Removed
    from desktop.clients.view import ClientView

__all__ = [
    "Activity",
    "Adding",
    "CallsEnded",
    "CatalogDetails",
    "CatalogEntry",
    "CatalogTool",
    "Catalogs",
    "ClientsChanged",
    "EndpointStatus",
    "EngineState",
    "EngineStatus",
    "EnvLine",
    "Host",
    "HostEvent",
    "HostPart",
    "Importing",
    "KeptSecret",
    "Preferences",
    "ProblemsChanged",
    "QuestionsChanged",
    "RunningCall",
    "SecretDesk",
    "SecretNeed",
    "SecretPlace",
    "SecretUse",
    "SecretsChanged",
    "SecretsStatus",
    "ServerSettings",
    "ServersChanged",
    "SettingsDesk",
    "SignInState",
    "SignInStatus",
    "SignInsChanged",
    "StatusChanged",
]


class EngineState(enum.Enum):
    """Where the container engine is; the value is the phrase shown to people."""

    LOOKING = "looking for a container engine"
    CONNECTED = "connected"
    NOT_RUNNING = "Docker is not running"
    NO_PERMISSION = "no permission to use Docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineStatus:
    """The engine as shown: name such as "Docker 28.2" (empty unless connected), the reason and what to do otherwise."""

    state: EngineState = EngineState.LOOKING
    name: str = ""
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStatus:
    """Our own endpoint: URL of streamable HTTP (empty when not listening), connected clients, tools offered, calls under way."""

    url: str = ""
    clients: int = 0
    tools: int = 0
    calls: int = 0
    reason: str = ""


class HostPart:
    """Base of what the host offers on one subject; like the host's own, its coroutines may be awaited on any loop."""


class Host(Protocol):
    """The running program. Reading is instant and allowed from any thread; `async` methods do work.

    Whoever implements a reading method copies a container in one step (``tuple(some_dict.values())``) before going through it,
    since another thread may change it meanwhile. `async` methods raise `GatewayError` with a sentence for the person.
    """

    @property
    def events(self) -> EventStream[HostEvent]:
        """Changes, published on the event loop."""

    @property
    def activity(self) -> Activity:
        """The calls that were made."""

    @property
    def preferences(self) -> Preferences:
        """The person's choices for the program itself."""

    @property
    def catalogs(self) -> Catalogs:
        """The servers of the catalogs."""

    @property
    def adding(self) -> Adding:
        """Where servers are added by hand."""

    @property
    def secret_desk(self) -> SecretDesk:
        """The secrets of this person by name."""

    @property
    def importing(self) -> Importing:
        """Where servers of clients are moved into our configuration."""

    @property
    def settings_desk(self) -> SettingsDesk:
        """Where the settings of servers are read and written."""

    @property
    def server_tools(self) -> ToolsDesk:
        """Where it is chosen which tools of a server may be used."""

    @property
    def server_permissions(self) -> PermissionsDesk:
        """Where a server's permissions are read and taken back."""

    @property
    def server_resources(self) -> ServerResources:
        """What servers take of this machine."""

    @property
    def server_logs(self) -> ServerLogs:
        """What servers wrote to standard error."""

    @property
    def paused(self) -> bool:
        """Whether everything is paused: all servers stopped, nothing offered to clients, the enabled set kept."""

    def servers(self) -> tuple[ServerStatus, ...]:
        """Every server of the catalogs, and enabled ones no catalog knows; sorted by title, case-insensitively."""

    def server(self, name: str) -> ServerStatus | None:
        """One of them."""

    def search(self, text: str) -> tuple[str, ...]:
        """Names of the catalogs' servers that fit what a person has typed, best first, typing errors forgiven.

        Empty for the first seconds, until the catalogs are indexed.
        """

    def tools(self, name: str) -> tuple[OfferedTool, ...]:
        """The tools of a server that is on and was listed, in its order."""

    def engine(self) -> EngineStatus:
        """The container engine."""

    def endpoint(self) -> EndpointStatus:
        """Our endpoint."""

    def running_calls(self) -> tuple[RunningCall, ...]:
        """The tool calls under way, oldest first."""

    def problems(self) -> tuple[str, ...]:
        """Sentences about broken files; empty when all is well."""

    def stderr(self, name: str) -> tuple[str, ...]:
        """The last lines the server wrote to standard error, redacted."""

    def questions(self) -> tuple[Question, ...]:
        """What waits for the person's answer, oldest first."""

    async def answer(self, question: int, answer: Answer) -> None:
        """Take the person's answer to a question; one that has gone is fine."""

    async def set_enabled(self, name: str, enabled: bool) -> None:
        """Turn a server on or off (written to registry.yaml)."""

    async def set_paused(self, paused: bool) -> None:
        """Pause or resume everything."""

    async def retry_engine(self) -> None:
        """Look for the engine again now."""

    async def restart(self, name: str) -> None:
        """Stop the server's running instances and start anew, forgetting any back-off."""

    async def set_sharing(self, name: str, sharing: Sharing | None) -> None:
        """Choose who shares a running server (written to our servers.yaml); None goes back to what its entry says."""

    async def allow_without_container(self, name: str) -> None:
        """Record the consent to run the server's package as a child process while no engine is there."""

    async def cancel_call(self, number: int) -> None:
        """End one of `running_calls`: the client gets an error, the server is told; one that has ended is fine."""

    def sign_ins(self) -> tuple[SignInStatus, ...]:
        """What one can be signed in to, as far as it is known; sorted by title."""

    def sign_in_of(self, server: str) -> SignInStatus | None:
        """The sign-in a server uses, also where it is not known yet whether it wants one; None where it can't use any."""

    async def sign_in(self, name: str, scopes: Sequence[str] = ()) -> None:
        """Open the browser to sign in to an app, or the app a server uses, and wait until that has ended.

        `sign_ins` has the link meanwhile, for a browser elsewhere. Raises `SignInError`, whose message says at which step it
        failed, `SignInCancelledError` after `cancel_sign_in`.
        """

    async def finish_sign_in(self, name: str, address: str) -> None:
        """Take the address at which a browser on another machine has ended; raises `UsageError` for one that isn't that."""

    async def cancel_sign_in(self, name: str) -> None:
        """Call a sign-in off; one that has ended is fine."""

    async def sign_out(self, name: str) -> str:
        """Revoke the token at the provider and forget it; returns why the provider could not be told, or empty."""

    async def duplicate(self, name: str, new_name: str) -> None:
        """Have a server a second time, turned on, for another account: `secrets_of` the new name tells what it wants.

        Raises `UsageError` for a name that can't be one or is taken.
        """

    async def drop_duplicate(self, name: str) -> None:
        """Forget a duplicate; raises `UsageError` when it isn't one. Its secrets stay."""

    async def secrets_of(self, name: str) -> tuple[SecretNeed, ...]:
        """The secrets a server of the catalogs declares; empty for one no catalog knows."""

    async def set_secret(self, name: str, value: str) -> None:
        """Store a secret; servers that wait for it start, those that run with a former value start anew."""

    async def remove_secret(self, name: str) -> None:
        """Take a secret away; one that isn't there is fine."""

    async def secrets_status(self) -> SecretsStatus:
        """How secrets are kept. May let the system ask the person to unlock the keychain.

        Where they can be read, servers that wait for one are tried again: the keychain may have been locked before.
        """

    async def unlock_secrets(self, passphrase: str) -> None:
        """Open the secrets with the passphrase, or choose it where there is neither one nor a keychain yet.

        Raises `PassphraseError` when it is a wrong one.
        """

    async def token(self) -> str:
        """The bearer token clients need for the endpoint."""

    def clients(self) -> tuple[ClientView, ...]:
        """Every AI client we know, by name; empty until they were looked at for the first time."""

    async def refresh_clients(self) -> None:
        """Look at the clients' files again."""

    async def plan_client(self, id: str) -> Plan:
        """What `connect_client` would write, as a difference to show."""

    async def connect_client(self, id: str) -> Connected:
        """Put our entry into a client's file, or bring it up to date; also what brings back one that was dropped."""

    async def disconnect_client(self, id: str) -> tuple[Removed, ...]:
        """Take our entry out of a client's files; its token is revoked and its sessions end."""
