"""What the faces see of the running services and ask of them: `desktop.host.Host` as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from desktop.catalog.duplicating import Duplicates
from desktop.configuration_in_force import ConfigurationInForce
from desktop.connected_clients import ConnectedClients
from desktop.errors import (
    EnginePermissionError,
    PassphraseError,
    SecretStoreError,
    ServerNotFoundError,
    UsageError,
)
from desktop.events import EventStream
from desktop.gateway.local_endpoint import LocalEndpoint
from desktop.gateway.offered_tools import offered_tools
from desktop.host import (
    EndpointStatus,
    EngineState,
    EngineStatus,
    HostEvent,
    RunningCall,
    SecretNeed,
    SecretsStatus,
    ServersChanged,
    SignInStatus,
    StatusChanged,
)
from desktop.hosting.activity import ActivityView
from desktop.hosting.adding import AddingDesk
from desktop.hosting.catalog import CatalogView
from desktop.hosting.importing import ImportDesk
from desktop.hosting.preferences import PreferencesDesk
from desktop.hosting.secret_overview import SecretOverview
from desktop.hosting.server_logs import ServerLogsView
from desktop.hosting.server_permissions import ServerPermissionsDesk
from desktop.hosting.server_resources import ServerResourcesView
from desktop.hosting.server_settings import ServerSettingsDesk
from desktop.hosting.server_tools import ServerToolsDesk
from desktop.policy.question import Answer, Question
from desktop.secrets.env_file import read_env_file
from desktop.secrets.store import Protection
from desktop.secrets.token import gateway_token
from desktop.servers.launch import server_kind
from desktop.servers.launcher import RUN_WITHOUT_CONTAINER
from desktop.servers.server_secrets import about
from desktop.servers.stakes import uncontained
from desktop.servers.status import OfferedTool, ServerKind, ServerStatus
from desktop.services import Services
from desktop.sharing import Sharing

if TYPE_CHECKING:
    from desktop.clients.roster import Connected, Plan, Removed
    from desktop.clients.view import ClientView

__all__ = ["RunningHost"]


class RunningHost:
    """The faces' view of one run.

    Args:
        services: The services it is a view of.

    Attributes:
        services: The same.
        configuration: Which configuration is in force.
        activity: The calls that were made.
        preferences: The person's choices for the program itself.
        catalogs: The servers of the catalogs.
        adding: Where servers are added by hand.
        importing: Where servers of clients are moved into our configuration.
        settings_desk: Where the settings of servers are read and written.
        server_tools: Which tools of a server may be used.
        server_permissions: What a server may.
        server_resources: What servers take of this machine.
        server_logs: What servers wrote to standard error.
        secret_desk: The secrets of this person by name.
        local_endpoint: Where clients reach the gateway.
        connected_clients: How AI clients stand.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self.configuration = ConfigurationInForce(services)
        self.local_endpoint = LocalEndpoint(services.gateway, services.paths, ready=lambda: self.configuration.loaded)
        self.preferences = PreferencesDesk(services, self.local_endpoint)
        self.activity = ActivityView(services.activity, self.preferences)
        self.catalogs = CatalogView(self.configuration, lambda: services.monitor.info is not None)
        self.adding = AddingDesk(services, self.configuration)
        self.settings_desk = ServerSettingsDesk(self.configuration, services.paths, self.secrets_of, self.set_secret)
        self.server_tools = ServerToolsDesk(services, self.configuration)
        self.server_permissions = ServerPermissionsDesk(services, self.configuration)
        self.server_resources = ServerResourcesView(services, self.configuration)
        self.server_logs = ServerLogsView(services.fleet)
        self.secret_desk = SecretOverview(services, self.configuration)
        self.connected_clients = ConnectedClients(services, self.local_endpoint)
        self.importing = ImportDesk(services, self.configuration, self.connected_clients)

    @property
    def events(self) -> EventStream[HostEvent]:
        """Changes."""
        return self.services.events

    @property
    def paused(self) -> bool:
        """Whether everything is paused."""
        return self.services.fleet.paused

    def servers(self) -> tuple[ServerStatus, ...]:
        """Every known server."""
        names = {*self.configuration.current.servers, *self.configuration.current.enabled}
        found = [status for name in names if (status := self.services.fleet.status(name)) is not None]
        return tuple(sorted(found, key=lambda status: (status.title.casefold(), status.name)))

    def server(self, name: str) -> ServerStatus | None:
        """One server."""
        return self.services.fleet.status(name)

    def search(self, text: str) -> tuple[str, ...]:
        """Catalog servers that fit, best first."""
        index = self.services.search.ready(self.configuration.current.servers)
        return tuple(server.name for server in index.search(text)) if index is not None else ()

    def tools(self, name: str) -> tuple[OfferedTool, ...]:
        """A server's tools with the names clients see."""
        server = self.services.fleet.servers.get(name)
        return (
            offered_tools(server.listing, name, self.services.gateway.offer)
            if server is not None and server.listing
            else ()
        )

    def engine(self) -> EngineStatus:
        """The container engine."""
        monitor = self.services.monitor
        if monitor.info is not None:
            return EngineStatus(state=EngineState.CONNECTED, name=monitor.info.name)
        if monitor.error is None:
            return EngineStatus()
        denied = isinstance(monitor.error, EnginePermissionError)
        state = EngineState.NO_PERMISSION if denied else EngineState.NOT_RUNNING
        return EngineStatus(state=state, reason=monitor.error.message, hint=monitor.error.hint)

    def endpoint(self) -> EndpointStatus:
        """Our endpoint."""
        sessions = tuple(self.services.gateway.sessions.values())
        return EndpointStatus(
            url=self.local_endpoint.url,
            reason=self.local_endpoint.reason,
            clients=sum(1 for session in sessions if session.protocol_version),
            tools=len(self.services.gateway.offer.tool_routes),
            calls=sum(len(session.calls) for session in sessions),
        )

    def running_calls(self) -> tuple[RunningCall, ...]:
        """The tool calls under way."""
        return self.services.gateway.open_calls.running()

    def problems(self) -> tuple[str, ...]:
        """Sentences about broken files."""
        return self.configuration.problems

    def stderr(self, name: str) -> tuple[str, ...]:
        """The last lines of a server's standard error."""
        return self.services.fleet.log_of(name).lines()

    def questions(self) -> tuple[Question, ...]:
        """What waits for the person's answer."""
        return self.services.questions.open()

    async def answer(self, question: int, answer: Answer) -> None:
        """Take the person's answer."""
        self.services.questions.answer(question, answer)

    async def set_enabled(self, name: str, enabled: bool) -> None:
        """Turn a server on or off."""
        if enabled and name not in self.configuration.current.servers:
            raise ServerNotFoundError(f"No catalog has a server called {name}")
        change = self.services.registry.add if enabled else self.services.registry.remove
        await asyncio.to_thread(change, [name])
        await self.configuration.reload()

    async def set_paused(self, paused: bool) -> None:
        """Pause or resume everything."""
        await self.services.fleet.pause(paused)
        self.services.gateway.configuration_changed()
        self.services.events.publish(ServersChanged())
        self.services.events.publish(StatusChanged())

    async def retry_engine(self) -> None:
        """Look for the engine again."""
        await self.services.monitor.look()
        self.services.fleet.retry_missing()

    async def restart(self, name: str) -> None:
        """Start a server anew."""
        await self.services.fleet.restart(name)

    async def set_sharing(self, name: str, sharing: Sharing | None) -> None:
        """Choose who shares a server."""
        server = self.configuration.current.servers.get(name)
        if server is None:
            raise ServerNotFoundError(f"No catalog has a server called {name}")
        if server_kind(server) is ServerKind.TOOLS and sharing not in (None, Sharing.PER_CALL):
            raise UsageError(f"{name} can't be shared: each of its tools runs in a container of its own, once a call")
        await asyncio.to_thread(self.services.choices.set_sharing, name, sharing)
        await self.configuration.reload()

    async def allow_without_container(self, name: str) -> None:
        """Record the consent to run a package without a container, and try it."""
        server = self.configuration.current.servers.get(name)
        if server is None:
            raise ServerNotFoundError(f"No catalog has a server called {name}")
        await asyncio.to_thread(self.services.consent.grant, RUN_WITHOUT_CONTAINER, uncontained(server))
        self.services.fleet.retry_missing()

    async def cancel_call(self, number: int) -> None:
        """End a call the person does not want to wait for."""
        self.services.gateway.open_calls.cancel(number)

    def clients(self) -> tuple[ClientView, ...]:
        """Every AI client we know."""
        return self.connected_clients.views()

    async def refresh_clients(self) -> None:
        """Look at the clients' files again."""
        await self.connected_clients.refresh()

    async def plan_client(self, id: str) -> Plan:
        """What connecting a client would write."""
        return await self.connected_clients.plan_connect(id)

    async def connect_client(self, id: str) -> Connected:
        """Put our entry into a client's file."""
        return await self.connected_clients.connect(id)

    async def disconnect_client(self, id: str) -> tuple[Removed, ...]:
        """Take our entry out of a client's files."""
        return await self.connected_clients.disconnect(id)

    def sign_ins(self) -> tuple[SignInStatus, ...]:
        """What one can be signed in to."""
        return self.services.sign_ins.statuses()

    def sign_in_of(self, server: str) -> SignInStatus | None:
        """The sign-in a server uses."""
        apps = tuple(self.services.apps.values())
        name = next((app.name for app in apps if server in app.servers), "")
        return self.services.sign_ins.status(name) if name else None

    async def sign_in(self, name: str, scopes: Sequence[str] = ()) -> None:
        """Sign in, and wait until that has ended."""
        await self.services.sign_ins.sign_in(name, scopes)

    async def finish_sign_in(self, name: str, address: str) -> None:
        """Take the address a browser elsewhere has ended at."""
        self.services.sign_ins.take_address(name, address)

    async def cancel_sign_in(self, name: str) -> None:
        """Call a sign-in off."""
        await self.services.sign_ins.cancel(name)

    async def sign_out(self, name: str) -> str:
        """Sign out, at the provider as well."""
        return await self.services.sign_ins.sign_out(name)

    async def duplicate(self, name: str, new_name: str) -> None:
        """Have a server a second time."""
        add = Duplicates(self.services.paths).add
        await asyncio.to_thread(add, self.configuration.current, name, new_name, {})
        await self.configuration.reload()

    async def drop_duplicate(self, name: str) -> None:
        """Forget a duplicate."""
        await asyncio.to_thread(Duplicates(self.services.paths).drop, name)
        await self.configuration.reload()

    async def secrets_of(self, name: str) -> tuple[SecretNeed, ...]:
        """The secrets a server declares."""
        server = self.configuration.current.servers.get(name)
        if server is None or not server.secrets:
            return ()
        paths = self.services.paths
        names = set(await self.services.secrets.names())
        if await asyncio.to_thread(paths.env_file.is_file):
            names |= (await asyncio.to_thread(read_env_file, paths.env_file)).keys()
        return tuple(
            SecretNeed(
                name=item.name,
                variable=item.env,
                about=about(item),
                is_required=item.required is not False,
                is_set=item.name in names or item.env in names,
            )
            for item in server.secrets
        )

    async def set_secret(self, name: str, value: str) -> None:
        """Store a secret, and try the servers that wait for one."""
        if not value or "\0" in value:
            raise UsageError(f"the value of {name} {'holds a zero byte' if value else 'is empty'}")
        await self.services.secrets.set(name, value)
        await self.configuration.secrets_changed()

    async def remove_secret(self, name: str) -> None:
        """Take a secret away."""
        await self.services.secrets.delete(name)
        await self.configuration.secrets_changed()

    async def secrets_status(self) -> SecretsStatus:
        """How secrets are kept."""
        secrets = self.services.secrets
        try:
            protection = (await secrets.protection()).value
        except SecretStoreError as error:  # only a keychain that is there can fail
            return SecretsStatus(protection=Protection.KEYCHAIN.value, reason=error.message, hint=error.hint)
        try:
            await secrets.unlock()
        except SecretStoreError as error:
            return SecretsStatus(protection=protection, reason=error.message, hint=error.hint)
        self.services.fleet.retry_missing()
        return SecretsStatus(protection=protection)

    async def unlock_secrets(self, passphrase: str) -> None:
        """Open the secrets with the passphrase."""
        self.services.passphrase.given = passphrase
        try:
            await self.services.secrets.unlock()
            if not await asyncio.to_thread(self.services.paths.secrets.exists):
                await self.services.secrets.set_many(
                    {}
                )  # begins the file, so that the passphrase is the one from now on
        except PassphraseError:
            self.services.passphrase.given = None
            raise
        await self.configuration.secrets_changed()

    async def token(self) -> str:
        """The bearer token of the endpoint."""
        return await asyncio.to_thread(gateway_token, self.services.paths)
