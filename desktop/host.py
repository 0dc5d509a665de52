"""What a face (tray window, command line) may see of the running program and ask of it; `desktop.app` implements it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from desktop.activity.record import CallDetails, CallFilter, CallRecord, Span
from desktop.activity.retention import Retention
from desktop.events import EventStream
from desktop.gateway.running_call import RunningCall
from desktop.oauth.status import SignInState, SignInStatus
from desktop.policy.question import Answer, Question
from desktop.server_facets import PermissionsDesk, ServerLogs, ServerResources, ToolsDesk
from desktop.servers.status import OfferedTool, ServerKind, ServerStatus
from desktop.sharing import Sharing
from desktop.state.app_settings import AppSettings

if TYPE_CHECKING:
    from desktop.clients.candidates import Candidate, MovePlan
    from desktop.clients.draft import Draft
    from desktop.clients.moving import Move
    from desktop.clients.pasted import Understanding
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretNeed:
    """A secret that a server declares.

    Attributes:
        name: Its name in the store.
        variable: The environment variable that carries it, or empty.
        about: What the catalog says of where to get it, or an example; may be empty.
        is_required: False for one the server can do without.
        is_set: Whether there is a value; it is never shown.
    """

    name: str
    variable: str = ""
    about: str = ""
    is_required: bool = True
    is_set: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsStatus:
    """How the secrets are kept: ``keychain``, ``passphrase`` or ``this session only``; why they can't be read now, or empty, and
    what to do about it."""

    protection: str
    reason: str = ""
    hint: str = ""


class SecretPlace(enum.Enum):
    """Where a secret is kept."""

    NOWHERE = "not set"
    STORE = "sealed file"
    SESSION = "this session only"
    ENV_FILE = ".env file"
    SIGN_IN = "sign-in"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """A server that declares a secret; see `SecretNeed`."""

    server: str
    title: str
    enabled: bool = False
    variable: str = ""
    about: str = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecret:
    """A secret by name; its value is never shown.

    Attributes:
        name: Its name in the store.
        uses: The servers that declare it, those that are on first.
        place: Where it is kept.
        set_at: Wall-clock seconds at which it was set last; None when that is not known.
        app: Whose sign-in supplies it; empty otherwise.
    """

    name: str
    uses: tuple[SecretUse, ...] = ()
    place: SecretPlace = SecretPlace.NOWHERE
    set_at: float | None = None
    app: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether a server that is on can't do without it, and it is not set."""
        return self.place is SecretPlace.NOWHERE and any(use.enabled and use.is_required for use in self.uses)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvLine:
    """What a line of a `.env` file would set.

    Attributes:
        variable: The name in the file.
        name: The name in the store.
        servers: Titles of the servers that use it.
        alternatives: Secrets it may stand for, where there are several, so that it is none of them.
        replaces: Whether there is a value already.
        refused: Why it can't be stored; empty otherwise.
    """

    variable: str
    name: str
    servers: tuple[str, ...] = ()
    alternatives: tuple[str, ...] = ()
    replaces: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServersChanged:
    """The status of the named servers is new (a set of catalog names; empty means: read them all again)."""

    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """Engine, endpoint or pause state is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemsChanged:
    """The list of configuration problems is new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionsChanged:
    """A question to the person has come or gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientsChanged:
    """How AI clients stand is new: connected, come, gone, or their entry taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInsChanged:
    """The status of the named sign-ins is new."""

    apps: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsChanged:
    """A secret was set or taken away, or they can be read now and could not before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsEnded:
    """Tool calls have ended and were kept: oldest first, in batches."""

    calls: tuple[CallRecord, ...]


HostEvent = (
    CallsEnded
    | ServersChanged
    | StatusChanged
    | ProblemsChanged
    | QuestionsChanged
    | ClientsChanged
    | SignInsChanged
    | SecretsChanged
)


class HostPart:
    """Base of what the host offers on one subject; like the host's own, its coroutines may be awaited on any loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What a server can be told.

    Attributes:
        name, title: The server.
        schemas: JSON schemas of its settings, as its catalog entry has them (spec 1.7.3).
        values: What is set, by the schemas' properties.
        secrets: Its secrets, without values.
    """

    name: str
    title: str
    schemas: tuple[Mapping[str, Any], ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[SecretNeed, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything the server can't do without is set."""
        missing = any(
            name not in self.values and "default" not in ((schema.get("properties") or {}).get(name) or {})
            for schema in self.schemas
            for name in schema.get("required") or ()
        )
        return not missing and all(need.is_set or not need.is_required for need in self.secrets)


class SettingsDesk(Protocol):
    """Where the settings of servers are read and written."""

    async def read(self, name: str) -> ServerSettings:
        """The settings of a server; raises `ServerNotFoundError`."""

    async def write(self, name: str, values: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Keep settings (all of the server's) and new secrets by name; the server follows them at once.

        Raises:
            UsageError: The values don't fit the schema, in a sentence that says which.
            StateFileError: config.yaml can't be written.
            SecretStoreError: The secrets can't be kept.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """A server of the catalogs on one card.

    Attributes:
        name, title, description: The server, and what it does on one line.
        kind: How it is reached.
        category: The catalog's word for its subject, or empty.
        source: Image, package or URL.
        enabled: Whether it is on.
        needs_key: It wants a secret.
        needs_settings: It wants settings that have no default.
        needs_sign_in: It wants a sign-in.
        pinned: Its image is named by its digest, so that it can't be exchanged.
        tools: How many tools the catalog knows of.
    """

    name: str
    title: str
    description: str = ""
    kind: ServerKind = ServerKind.CONTAINER
    category: str = ""
    source: str = ""
    enabled: bool = False
    needs_key: bool = False
    needs_settings: bool = False
    needs_sign_in: bool = False
    pinned: bool = False
    tools: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogTool:
    """A tool as the catalog describes it."""

    name: str
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogDetails:
    """More of one server: its tools, what turning it on gives it (a phrase each), who made it, and where to read on."""

    name: str
    tools: tuple[CatalogTool, ...] = ()
    permissions: tuple[str, ...] = ()
    owner: str = ""
    license: str = ""
    source: str = ""
    readme: str = ""


class SecretDesk(Protocol):
    """The secrets of this person by name."""

    async def overview(self) -> tuple[KeptSecret, ...]:
        """What is stored, and what enabled servers want, by name; nothing has to be unlocked for it.

        Raises `SecretStoreError` when the file isn't one.
        """

    async def read_env(self, path: Path) -> tuple[EnvLine, ...]:
        """What a `.env` file would set; raises `StateFileError`."""

    async def import_env(self, path: Path, names: Collection[str]) -> int:
        """Set these secrets of a `.env` file, all or none; returns how many.

        Raises `StateFileError`, and `SecretStoreError` when they can't be kept.
        """


class Catalogs(Protocol):
    """The servers of the catalogs."""

    def entries(self) -> tuple[CatalogEntry, ...]:
        """Every server, by title; the same objects as long as nothing has changed."""

    def details(self, name: str) -> CatalogDetails | None:
        """All that is known of one; None for one no catalog knows."""

    async def suggested(self, count: int) -> tuple[str, ...]:
        """Names of servers to begin with, most fetched first: they can run here, and want nothing from the person."""


class Preferences(Protocol):
    """The person's choices for the program itself."""

    @property
    def current(self) -> AppSettings:
        """The choices in force."""

    async def change(self, **changes: Any) -> AppSettings:
        """Choose anew, by the names of `AppSettings`; it is applied at once. Returns all choices.

        Raises:
            UsageError: A value isn't right, or the port can't be had.
            StateFileError: The choices can't be kept.
        """


class Adding(Protocol):
    """Where servers are added by hand."""

    async def understand(self, text: str) -> Understanding:
        """What a pasted text means; a name is looked up in the catalogs."""

    async def look_at(self, drafts: Sequence[Draft]) -> tuple[Draft, ...]:
        """What follows from what the person has changed in them."""

    async def add(self, drafts: Sequence[Draft]) -> None:
        """Write servers into the person's own catalog, their keys into the secret store, and turn them on.

        Raises:
            UsageError: A name can't be one, or is taken.
            GatewayError: One can't be run, or can't be written.
        """

    async def added(self) -> frozenset[str]:
        """Names of the servers that were added by hand."""

    async def forget(self, name: str) -> None:
        """Take a server out again that was added by hand; its secrets stay. Raises `UsageError` for another one."""


class Importing(Protocol):
    """Where servers that clients have are moved into our configuration, and back."""

    async def candidates(self) -> tuple[Candidate, ...]:
        """What clients have, by name; `plan` and `move` are about what this has shown."""

    async def plan(self, names: Sequence[str]) -> MovePlan:
        """What moving servers would do; raises `GatewayError` when a client's file can't be changed."""

    async def move(self, names: Sequence[str]) -> Move:
        """Move servers: their keys into the secret store, our one entry in their place; all or none.

        Raises:
            GatewayError: One can't be moved, has changed meanwhile, or a file or the secret store can't be written.
        """

    async def last(self) -> Move | None:
        """The last import that was not undone."""

    async def undo(self) -> Move:
        """Take the last import back; raises `GatewayError` for a part that can't be, which can be tried again."""


class Activity(Protocol):
    """The calls that were made."""

    @property
    def retention(self) -> Retention:
        """How much is kept."""

    @property
    def not_kept(self) -> int:
        """Calls since the start that came too fast to be kept one by one."""

    async def calls(self, wanted: CallFilter, *, limit: int = 500, before: int | None = None) -> tuple[CallRecord, ...]:
        """Calls, newest first; ``before`` is the smallest id of the page before."""

    async def details(self, id: int) -> CallDetails | None:
        """What one call was made with and what came back; None when it is not kept any more."""

    async def spans(self, *, seconds: float, count: int) -> tuple[Span, ...]:
        """The last ``seconds`` in ``count`` equal pieces, oldest first."""

    async def clear(self) -> None:
        """Forget every call."""

    async def export(self, path: Path, wanted: CallFilter) -> int:
        """Write calls with their details to a file of JSON lines; returns how many."""

    async def set_retention(self, retention: Retention) -> None:
        """Keep more or less from now on (written to our settings)."""


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
