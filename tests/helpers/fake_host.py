"""An in-memory `Host` whose servers a test writes itself; used by the tests of the tray and by its demo."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from desktop.clients.view import ClientState, ClientView
from desktop.errors import GatewayError, ServerNotFoundError
from desktop.events import EventStream
from desktop.host import (
    CallsEnded,
    CatalogDetails,
    CatalogEntry,
    CatalogTool,
    ClientsChanged,
    EndpointStatus,
    EngineState,
    EngineStatus,
    HostEvent,
    ProblemsChanged,
    QuestionsChanged,
    RunningCall,
    SecretNeed,
    SecretsChanged,
    SecretsStatus,
    ServersChanged,
    ServerSettings,
    SignInsChanged,
    SignInStatus,
    StatusChanged,
)
from desktop.policy.question import Answer, Question
from desktop.servers.status import OfferedTool, ServerKind, ServerState, ServerStatus
from desktop.sharing import Sharing
from desktop.state.app_settings import AppSettings
from tests.helpers.fake_activity import FakeActivity
from tests.helpers.fake_adding import FakeAdding
from tests.helpers.fake_facets import FakeLogs, FakePermissions, FakeResources, FakeTools
from tests.helpers.fake_importing import FakeImporting
from tests.helpers.fake_secrets import FakeSecretDesk

__all__ = [
    "DOCKER",
    "NO_DOCKER",
    "FakeHost",
    "call_question",
    "failing_host",
    "few_servers",
    "long_names",
    "many_servers",
    "question",
]

DOCKER = EngineStatus(state=EngineState.CONNECTED, name="Docker 28.2")
NO_DOCKER = EngineStatus(
    state=EngineState.NOT_RUNNING,
    reason="Nothing answers at /var/run/docker.sock",
    hint="Start Docker; servers from packages and remote servers work without it",
)


class FakeHost:
    """Does what `Host` promises, at once and in memory.

    Attributes:
        found: What a search for a text finds.
        secrets: What each server declares.
        secrets_kept: How secrets are kept.
        calls: What was asked, in order, as (method, arguments…).
        fail_next: An error the next request raises.
        delay: Seconds each request takes.
        start_state: State that a server takes when it is turned on.
    """

    def __init__(self, servers: Iterable[ServerStatus] = (), engine: EngineStatus = DOCKER) -> None:
        self._servers = {status.name: status for status in servers}
        self._engine = engine
        self._events: EventStream[HostEvent] = EventStream()
        self._problems: tuple[str, ...] = ()
        self._stderr: dict[str, tuple[str, ...]] = {}
        self._paused = False
        self._questions: tuple[Question, ...] = ()
        self._clients = 2
        self._endpoint: EndpointStatus | None = None
        self._running: tuple[RunningCall, ...] = ()
        self._sign_ins: dict[str, SignInStatus] = {}
        self.found: dict[str, tuple[str, ...]] = {}
        self.secrets: dict[str, tuple[SecretNeed, ...]] = {}
        self.secrets_kept = SecretsStatus(protection="keychain")
        self.calls: list[tuple[object, ...]] = []
        self.fail_next: GatewayError | None = None
        self.delay = 0.0
        self.close_delay = 0.0
        self.closed = False
        self.start_state = ServerState.READY
        self.activity = FakeActivity()
        self._client_views = some_clients()
        self.settings_desk = FakeSettingsDesk(self)
        self.secret_desk = FakeSecretDesk(self)
        self.catalogs = FakeCatalogs(self)
        self.adding = FakeAdding(lambda: tuple(self._servers), self._added, self._forgotten)
        self.importing = FakeImporting(lambda *call: self.calls.append(call))
        self.server_tools = FakeTools()
        self.server_permissions = FakePermissions()
        self.server_resources = FakeResources()
        self.server_logs = FakeLogs(self)
        self.preferences = FakePreferences(self)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[FakeHost]:
        """The host's life, as the factory of the tray wants it."""
        await asyncio.sleep(self.delay)
        try:
            yield self
        finally:
            await asyncio.sleep(self.close_delay)
            self.closed = True

    @property
    def events(self) -> EventStream[HostEvent]:
        return self._events

    @property
    def paused(self) -> bool:
        return self._paused

    def servers(self) -> tuple[ServerStatus, ...]:
        shown = (self._shown(status) for status in self._servers.values())
        return tuple(sorted(shown, key=lambda status: (status.title or status.name).casefold()))

    def server(self, name: str) -> ServerStatus | None:
        status = self._servers.get(name)
        return None if status is None else self._shown(status)

    def engine(self) -> EngineStatus:
        return self._engine

    def endpoint(self) -> EndpointStatus:
        if self._endpoint is not None:
            return self._endpoint
        on = [status for status in self.servers() if status.state in (ServerState.READY, ServerState.IDLE)]
        tools = sum(status.tool_count or 0 for status in on)
        return EndpointStatus(url="http://127.0.0.1:8811/mcp", clients=self._clients, tools=tools)

    def search(self, text: str) -> tuple[str, ...]:
        return self.found.get(text, ())

    def tools(self, name: str) -> tuple[OfferedTool, ...]:
        return ()

    def clients(self) -> tuple[ClientView, ...]:
        return self._client_views

    async def refresh_clients(self) -> None:
        self.calls.append(("refresh_clients",))

    async def plan_client(self, id: str) -> Any:
        await self._noted("plan_client", id)
        return SimpleNamespace(diff=f'--- {id}\n+++ {id}\n+  "mcp-gateway": {{}}')

    async def connect_client(self, id: str) -> Any:
        await self._noted("connect_client", id)
        self.change_client(id, state=ClientState.WAITING, way="http", line="written, waiting for it")
        return SimpleNamespace(remarks=())

    async def disconnect_client(self, id: str) -> Any:
        await self._noted("disconnect_client", id)
        self.change_client(id, state=ClientState.NOT_CONNECTED, way="", line="not connected", sessions=0, tools=0)
        return ()

    def set_clients(self, *views: ClientView) -> None:
        """Replace the clients."""
        self._client_views = views
        self._events.publish(ClientsChanged())

    def change_client(self, id: str, **values: Any) -> None:
        """Replace values of one client."""
        self.set_clients(*(replace(view, **values) if view.id == id else view for view in self._client_views))

    def call_ended(self, **values: Any) -> None:
        """A call has ended and is told of."""
        self._events.publish(CallsEnded(calls=(self.activity.add(**values),)))

    def questions(self) -> tuple[Question, ...]:
        return self._questions

    async def answer(self, question: int, answer: Answer) -> None:
        self.calls.append(("answer", question, answer))
        self.set_questions(*(item for item in self._questions if item.id != question))

    def set_questions(self, *questions: Question) -> None:
        """Replace what waits for the person's answer and tell it."""
        self._questions = questions
        self._events.publish(QuestionsChanged())

    def problems(self) -> tuple[str, ...]:
        return self._problems

    def stderr(self, name: str) -> tuple[str, ...]:
        return self._stderr.get(name, ())

    async def set_enabled(self, name: str, enabled: bool) -> None:
        await self._asked("set_enabled", name, enabled)
        state = self.start_state if enabled else ServerState.OFF
        self.change(name, enabled=enabled, state=state, reason="", hint="")

    async def set_paused(self, paused: bool) -> None:
        await self._asked("set_paused", paused)
        self._paused = paused
        self._events.publish(ServersChanged())
        self._events.publish(StatusChanged())

    async def retry_engine(self) -> None:
        await self._asked("retry_engine")
        self.set_engine(DOCKER)

    async def restart(self, name: str) -> None:
        await self._asked("restart", name)
        self.change(name, state=ServerState.READY, reason="", hint="")

    async def set_sharing(self, name: str, sharing: Sharing | None) -> None:
        await self._asked("set_sharing", name, sharing)
        self.change(name, sharing=sharing or Sharing.SHARED)

    def running_calls(self) -> tuple[RunningCall, ...]:
        return self._running

    async def cancel_call(self, number: int) -> None:
        await self._asked("cancel_call", number)
        self.set_running_calls(*(call for call in self._running if call.id != number))

    def set_running_calls(self, *calls: RunningCall) -> None:
        """The calls under way."""
        self._running = calls
        self._events.publish(StatusChanged())

    async def allow_without_container(self, name: str) -> None:
        await self._asked("allow_without_container", name)
        self.change(name, state=ServerState.READY, reason="", hint="", needs_consent=False)

    def sign_ins(self) -> tuple[SignInStatus, ...]:
        return tuple(self._sign_ins.values())

    def sign_in_of(self, server: str) -> SignInStatus | None:
        return next((status for status in self._sign_ins.values() if server in status.servers), None)

    async def sign_in(self, name: str, scopes: Sequence[str] = ()) -> None:
        await self._noted("sign_in", name, *scopes)

    async def finish_sign_in(self, name: str, address: str) -> None:
        await self._noted("finish_sign_in", name, address)

    async def cancel_sign_in(self, name: str) -> None:
        await self._noted("cancel_sign_in", name)

    async def sign_out(self, name: str) -> str:
        await self._noted("sign_out", name)
        return ""

    def set_sign_ins(self, *statuses: SignInStatus) -> None:
        """Show these sign-ins."""
        self._sign_ins = {status.app: status for status in statuses}
        self._events.publish(SignInsChanged(apps=frozenset(self._sign_ins)))

    async def duplicate(self, name: str, new_name: str) -> None:
        await self._asked("duplicate", name, new_name)
        self._servers[new_name] = replace(self._servers[name], name=new_name)
        self._events.publish(ServersChanged())

    async def drop_duplicate(self, name: str) -> None:
        await self._asked("drop_duplicate", name)
        self._servers.pop(name, None)
        self._events.publish(ServersChanged())

    async def secrets_of(self, name: str) -> tuple[SecretNeed, ...]:
        await self._asked("secrets_of", name)
        return self.secrets.get(name, ())

    async def set_secret(self, name: str, value: str) -> None:
        await self._noted("set_secret", name, value)
        self._mark_secret(name, is_set=True)
        self.secret_desk.mark(name, is_set=True)

    async def remove_secret(self, name: str) -> None:
        await self._noted("remove_secret", name)
        self._mark_secret(name, is_set=False)
        self.secret_desk.mark(name, is_set=False)

    async def secrets_status(self) -> SecretsStatus:
        await self._asked("secrets_status")
        return self.secrets_kept

    async def unlock_secrets(self, passphrase: str) -> None:
        await self._noted("unlock_secrets", passphrase)
        self.secrets_kept = SecretsStatus(protection="passphrase")
        self._events.publish(SecretsChanged())

    def _mark_secret(self, name: str, *, is_set: bool) -> None:
        for server, needs in self.secrets.items():
            self.secrets[server] = tuple(replace(each, is_set=is_set) if each.name == name else each for each in needs)

    async def token(self) -> str:
        await self._asked("token")
        return "token-of-the-fake-host"

    def _forgotten(self, name: str) -> None:
        """A server that was added by hand was removed."""
        self.calls.append(("forget", name))
        self._servers.pop(name)
        self._events.publish(ServersChanged())

    def _added(self, draft: Any) -> None:
        """A server was added by hand."""
        self.calls.append(("add", draft.name, draft))
        self._servers[draft.name] = ServerStatus(
            name=draft.name, title=draft.title, source=draft.source, enabled=True, state=self.start_state
        )
        self._events.publish(ServersChanged())

    def change(self, name: str, **values: object) -> None:
        """Replace values of a server's status and tell it."""
        self._servers[name] = replace(self._servers[name], **values)
        self._events.publish(ServersChanged(names=frozenset({name})))
        self._events.publish(StatusChanged())

    def set_servers(self, servers: Iterable[ServerStatus]) -> None:
        """Other servers altogether."""
        self._servers = {status.name: status for status in servers}
        self._events.publish(ServersChanged())

    def set_engine(self, engine: EngineStatus) -> None:
        """The engine came or went."""
        self._engine = engine
        self._events.publish(StatusChanged())

    def set_endpoint(self, endpoint: EndpointStatus | None) -> None:
        """The endpoint as given instead of the one that follows from the servers."""
        self._endpoint = endpoint
        self._events.publish(StatusChanged())

    def set_problems(self, *problems: str) -> None:
        """Broken files."""
        self._problems = problems
        self._events.publish(ProblemsChanged())

    def write(self, name: str, *lines: str) -> None:
        """The server writes to standard error."""
        self._stderr[name] = (*self._stderr.get(name, ()), *lines)

    def _shown(self, status: ServerStatus) -> ServerStatus:
        return replace(status, state=ServerState.OFF, reason="", hint="") if self._paused else status

    async def _noted(self, *call: object) -> None:
        self.calls.append(call)
        await asyncio.sleep(self.delay)
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error

    async def _asked(self, *call: object) -> None:
        self.calls.append(call)
        await asyncio.sleep(self.delay)
        if self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error
        if len(call) > 1 and isinstance(call[1], str) and call[1] not in self._servers:
            raise ServerNotFoundError(f"No catalog has a server named {call[1]}")


class FakePreferences:
    """Choices in memory."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self.current = AppSettings(welcomed=True)
        self.refusal: GatewayError | None = None

    async def change(self, **changes: Any) -> AppSettings:
        self._host.calls.append(("change", changes))
        if self.refusal is not None:
            error, self.refusal = self.refusal, None
            raise error
        self.current = replace(self.current, **changes)
        return self.current


class FakeCatalogs:
    """The fake host's servers as cards.

    Attributes:
        more: Entries beside those.
    """

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self._seen: tuple[object, tuple[CatalogEntry, ...]] = (None, ())
        self.more: tuple[CatalogEntry, ...] = ()

    def entries(self) -> tuple[CatalogEntry, ...]:
        servers = self._host.servers()
        key = (servers, self.more, tuple(self._host.secrets), tuple(self._host.settings_desk.schemas))
        if self._seen[0] != key:
            mine = (
                CatalogEntry(
                    name=status.name,
                    title=status.title,
                    description=status.description,
                    kind=status.kind,
                    category="productivity" if number % 2 else "devops",
                    source=status.source,
                    enabled=status.enabled,
                    needs_key=status.name in self._host.secrets,
                    needs_settings=status.name in self._host.settings_desk.schemas,
                    needs_sign_in=status.name == "notion",
                    pinned=number % 3 == 0,
                    tools=status.tool_count or 0,
                )
                for number, status in enumerate(servers)
            )
            self._seen = (key, (*mine, *self.more))
        return self._seen[1]

    async def suggested(self, count: int) -> tuple[str, ...]:
        self._host.calls.append(("suggested", count))
        await asyncio.sleep(self._host.delay)
        able = self._host.engine().state is EngineState.CONNECTED
        fitting = (
            entry
            for entry in self.entries()
            if not (entry.needs_key or entry.needs_settings or entry.needs_sign_in)
            and (able or entry.kind is ServerKind.REMOTE)
        )
        return tuple(entry.name for entry in fitting)[:count]

    def details(self, name: str) -> CatalogDetails | None:
        return CatalogDetails(
            name=name,
            tools=tuple(
                CatalogTool(name=f"{name}_{verb}", about=f"Can {verb} things") for verb in ("list", "get", "find")
            ),
            permissions=("use the secret TOKEN", "reach the network"),
            owner="Ada",
            license="MIT",
            source="https://example.org/source",
        )


class FakeSettingsDesk:
    """Settings of servers, in memory.

    Attributes:
        schemas: Server -> its schema.
        values: Server -> its values.
        refusal: What the next write is refused with.
    """

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self.schemas: dict[str, dict[str, Any]] = {}
        self.values: dict[str, dict[str, Any]] = {}
        self.refusal: GatewayError | None = None

    async def read(self, name: str) -> ServerSettings:
        status = self._host.server(name)
        return ServerSettings(
            name=name,
            title=status.title if status is not None else name,
            schemas=(self.schemas[name],) if name in self.schemas else (),
            values=self.values.get(name, {}),
            secrets=self._host.secrets.get(name, ()),
        )

    async def write(self, name: str, values: Any, secrets: Any) -> None:
        self._host.calls.append(("write_settings", name, dict(values), tuple(secrets)))
        if self.refusal is not None:
            error, self.refusal = self.refusal, None
            raise error
        self.values[name] = dict(values)
        for secret, value in secrets.items():
            await self._host.set_secret(secret, value)


@contextlib.asynccontextmanager
async def failing_host(error: Exception) -> AsyncIterator[FakeHost]:
    """A host that can't start."""
    raise error
    yield FakeHost()


def some_clients() -> tuple[ClientView, ...]:
    """Clients in every state, by name."""
    home = "/home/ada/.config"
    return (
        ClientView(
            id="claude-code",
            name="Claude Code",
            state=ClientState.CONNECTED,
            line="connected, Claude Code 2.4.1, 40 tools",
            installed=True,
            running=True,
            file="/home/ada/.claude.json",
            way="http",
            version="2.4.1",
            sessions=1,
            tools=40,
            servers=("sentry",),
        ),
        ClientView(
            id="cursor",
            name="Cursor",
            state=ClientState.AWAY,
            line="Cursor 2.3.0 was connected, not here now",
            installed=True,
            file="/home/ada/.cursor/mcp.json",
            way="http",
            version="2.3.0",
            tools=52,
            most_tools=40,
            hint="Cursor takes 40 tools at most: turn some off",
        ),
        ClientView(
            id="goose",
            name="Goose",
            state=ClientState.ABSENT,
            line="not on this computer",
            file=f"{home}/goose/config.yaml",
        ),
        ClientView(
            id="vscode",
            name="VS Code",
            state=ClientState.DROPPED,
            line="VS Code dropped the entry",
            hint="Connect it again",
            installed=True,
            running=True,
            file=f"{home}/Code/User/mcp.json",
            reference="MCP_DOCKER",
        ),
        ClientView(
            id="windsurf",
            name="Windsurf",
            state=ClientState.NOT_CONNECTED,
            line="not connected",
            installed=True,
            file="/home/ada/.codeium/windsurf/mcp_config.json",
            most_tools=100,
        ),
        ClientView(
            id="zed",
            name="Zed",
            state=ClientState.BROKEN,
            line="settings.json, line 12, column 3: a comma or a brace is expected",
            installed=True,
            file=f"{home}/zed/settings.json",
        ),
    )


def question(id: int = 1, **values: Any) -> Question:
    """A question as a client's wish to add a server brings it."""
    usual: dict[str, Any] = {
        "kind": "add-server",
        "server": "github-official",
        "title": "GitHub",
        "asker": "claude-code 2.4.1",
        "matters": (
            "run the image ghcr.io/github/github-mcp-server@sha256:94c1b0ad27f1",
            "use the secret GITHUB_PERSONAL_ACCESS_TOKEN",
            "read and change the folder /home/ada/Documents/projects",
        ),
        "seconds": 120.0,
        "asked_at": time.monotonic(),
    }
    return Question(id=id, **{**usual, **values})


def call_question(id: int = 1, **values: Any) -> Question:
    """A question as a call brings it that the policy says to ask about."""
    arguments = {"owner": "ada", "repo": "mcp-gateway", "title": "Tools are listed twice", "labels": ["bug"]}
    usual: dict[str, Any] = {
        "kind": "call-tool",
        "matters": ("call its tool create_issue",),
        "details": json.dumps(arguments, indent=2),
        "repeats": True,
    }
    return question(id, **{**usual, **values})


def few_servers() -> list[ServerStatus]:
    """Seven servers, one in each state."""
    now = time.time()
    return [
        ServerStatus(
            name="github-official",
            title="GitHub",
            description="Read and write issues, pull requests, code and releases on GitHub, as you.",
            source="ghcr.io/github/github-mcp-server:v0.19.1",
            enabled=True,
            state=ServerState.READY,
            tool_count=38,
            prompt_count=2,
            resource_count=4,
            last_used=now - 120,
        ),
        ServerStatus(
            name="slack",
            title="Slack",
            description="Search and post messages, list channels and people in a Slack workspace.",
            source="mcp/slack",
            enabled=True,
            state=ServerState.NEEDS_SETTING,
            reason="SLACK_BOT_TOKEN is not set",
            hint="Create a bot token in Slack, then set it",
        ),
        ServerStatus(
            name="notion-remote",
            title="Notion",
            description="Search, read and write pages of a Notion workspace.",
            kind=ServerKind.REMOTE,
            source="https://mcp.notion.com/mcp",
            enabled=True,
            state=ServerState.NEEDS_SIGN_IN,
            reason="Notion wants you to sign in",
            hint="Sign in with your browser",
        ),
        ServerStatus(
            name="time",
            title="Time",
            description="Time and time zone conversion.",
            kind=ServerKind.PACKAGE,
            source="uvx mcp-server-time",
            enabled=True,
            state=ServerState.IDLE,
            tool_count=2,
            last_used=now - 7200,
        ),
        ServerStatus(
            name="postgres",
            title="PostgreSQL",
            description="Read-only queries and schema of a PostgreSQL database.",
            source="mcp/postgres",
            enabled=True,
            state=ServerState.FAILING,
            reason="It ended with exit code 1: connection refused at localhost:5432",
            hint="Check that the database is running, then restart the server",
            tool_count=1,
            last_used=now - 600,
        ),
        ServerStatus(
            name="playwright",
            title="Playwright",
            description="Drive a browser: open pages, click, type, take screenshots.",
            source="mcp/playwright",
            enabled=True,
            state=ServerState.STARTING,
            tool_count=21,
            last_used=now - 5,
        ),
        ServerStatus(
            name="fetch",
            title="Fetch",
            description="Fetch a web page and turn it into Markdown.",
            source="mcp/fetch",
            tool_count=1,
            last_used=now - 90_000,
        ),
    ]


def many_servers(count: int) -> list[ServerStatus]:
    """The seven and as many others as make ``count``."""
    kinds = list(ServerKind)
    servers = few_servers()[:count]
    for number in range(len(servers), count):
        kind = kinds[number % len(kinds)]
        on = number % 23 == 0
        servers.append(
            ServerStatus(
                name=f"server-{number}",
                title=f"Server {number:03d}",
                description=f"Server number {number} of a long catalog.",
                kind=kind,
                source=f"registry.example.com/mcp/server-{number}:1.{number % 10}",
                enabled=on,
                state=ServerState.IDLE if on else ServerState.OFF,
                tool_count=number % 40 if on else None,
                last_used=float(number) if on or number % 17 == 0 else 0.0,
            )
        )
    return servers


def long_names() -> list[ServerStatus]:
    """Names, sources and reasons of 200 characters and more, some without a blank, one right-to-left."""
    return [
        ServerStatus(
            name="x" * 200,
            title="Wordy " * 33 + "end",
            description="A description that does not know when to stop. " * 12,
            source="registry.example.com/" + "deep/" * 40 + "image:latest",
            enabled=True,
            state=ServerState.FAILING,
            reason="It ended with exit code 127 since " + "something went very wrong and " * 10 + "stopped",
            hint="Read the last messages below, " * 6 + "then restart it",
            tool_count=12_345,
        ),
        ServerStatus(name="y" * 200, source="z" * 300, enabled=True, state=ServerState.READY, tool_count=1),
        ServerStatus(name="under_score_&_more", source="mcp/under_score", enabled=True, state=ServerState.READY),
        ServerStatus(
            name="arabic", title="خادم الملفات المحلي", description="قراءة الملفات وكتابتها", source="mcp/files"
        ),
    ]
