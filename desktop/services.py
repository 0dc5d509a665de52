"""Every service of one run, each built once and in order; nothing runs yet. `desktop.app` starts them and takes them down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path

from desktop.activity.log import ActivityLog
from desktop.catalog.search import CatalogSearch
from desktop.catalog.source import ConfigurationSource
from desktop.engine.docker_engine import DockerEngine
from desktop.engine.monitor import EngineMonitor
from desktop.engine.ports import PullProgress
from desktop.engine.sweep import InstanceLock
from desktop.engine.watchdog_process import Watchdog
from desktop.errors import SecretStoreError
from desktop.events import EventStream
from desktop.gateway.call_guard import CallGuard, SecretScreen
from desktop.gateway.call_recorder import CallRecorder
from desktop.gateway.gateway import Gateway
from desktop.gateway.interceptors import InterceptorRunner
from desktop.gateway.session import CallLog, Session
from desktop.gateway_options import GatewayOptions
from desktop.host import CallsEnded, HostEvent, QuestionsChanged, ServersChanged, SignInsChanged, StatusChanged
from desktop.oauth.access_tokens import AccessTokens
from desktop.oauth.apps import App
from desktop.oauth.browser import SystemBrowser
from desktop.oauth.records import Records
from desktop.oauth.settings import OAuthSettingsFile
from desktop.oauth.sign_ins import SignIns
from desktop.policy.call_consent import CallConsent
from desktop.policy.consent import ConsentStore
from desktop.policy.policy_file import PolicyFile
from desktop.policy.questions import Questions
from desktop.secrets.docker_desktop import DockerDesktopSource, is_docker_desktop, socket_of
from desktop.secrets.keychain import SERVICE, KeychainStore
from desktop.secrets.lookup import EnvFileSource, SecretLookup, SecretSource, parse_secrets_option
from desktop.secrets.opening import store_over
from desktop.secrets.passphrase import LatePassphrase
from desktop.secrets.redaction import Redactor
from desktop.secrets.scanner import SecretScanner
from desktop.secrets.sources import SignInSource, StoreSource
from desktop.servers.fleet import Fleet
from desktop.servers.image_signatures import ImageSignatures
from desktop.servers.launch import ContainerLimits
from desktop.servers.launcher import Launcher
from desktop.servers.listing import ListingCache
from desktop.servers.managed_server import Timing
from desktop.servers.network_fence import NetworkFence
from desktop.servers.server_secrets import ServerSecrets
from desktop.state.features import feature
from desktop.state.paths import Paths
from desktop.state.registry_file import RegistryFile
from desktop.state.server_choices import ServerChoicesFile

__all__ = ["Services"]

log = logging.getLogger(__name__)


class Services:
    """The services of one run.

    Args:
        options: How the gateway is to be.
        paths: Where files are.
        lock: Held while the run lasts; its id is on everything the run starts.

    Attributes:
        events: What faces hear of.
        source: Reads catalogs and files.
        registry: Which servers are on.
        choices: What was chosen for servers.
        consent: What the person has agreed to.
        policy: Their rules for secrets and tools.
        questions: Where they are asked for more.
        search: Searches the catalogs.
        keychain: The system's keychain.
        passphrase: What opens them where there is no keychain, once the person has given it.
        secrets: The person's secrets.
        redactor: Knows secrets, so that no text shows one.
        apps: What one can sign in to, by name; of the configuration in force.
        tokens: The access tokens of sign-ins.
        sign_ins: Signs in and out.
        monitor: Finds the container engine.
        watchdog: Clears away what a run that dies leaves behind.
        activity: The calls that were made.
        fence: Keeps servers from the network.
        launcher: Makes the way to a server.
        fleet: The servers.
        gateway: The routing.
    """

    def __init__(self, options: GatewayOptions, paths: Paths, lock: InstanceLock) -> None:
        self.options = options
        self.paths = paths
        self.lock = lock
        self.events: EventStream[HostEvent] = EventStream()
        self.source = ConfigurationSource(paths, options.selection)
        self.registry = RegistryFile(paths.registry, paths.lock_for(paths.registry))
        self.choices = ServerChoicesFile(paths.server_choices, paths.lock_for(paths.server_choices))
        self.consent = ConsentStore(paths.consents)
        self.policy = PolicyFile(paths.policy, paths.lock_for(paths.policy))
        self.questions = Questions(self.consent)
        self.search = CatalogSearch()
        self.keychain = KeychainStore(SERVICE)
        self.passphrase = LatePassphrase()
        self.secrets = store_over(self.keychain, paths, self.passphrase)
        self.redactor = Redactor()
        self.apps: Mapping[str, App] = {}
        records = Records(self.secrets)
        self.tokens = AccessTokens(records, paths.locks, title=self._title_of, tell=self.redactor.add)
        self.sign_ins = SignIns(
            lambda: self.apps,
            records,
            OAuthSettingsFile(paths.oauth_settings, paths.lock_for(paths.oauth_settings)),
            self.tokens,
            browser=SystemBrowser(),
        )
        self._bearers: dict[str, str] = {}
        self.monitor = EngineMonitor(DockerEngine(lock.instance))
        self.watchdog = Watchdog(lock.instance)
        self._watchdog_started: asyncio.Task[None] | None = None
        self.activity = ActivityLog(paths.activity, self.redactor.clean_beginning)
        self.activity.added.subscribe(lambda calls: self.events.publish(CallsEnded(calls=calls)))
        self.fence = NetworkFence(options.block_network, lock.instance, options.on_egress)
        self.launcher = Launcher(
            engine=self.monitor,
            secrets=ServerSecrets(
                SecretLookup(self._secret_sources(options.secrets)),
                self.redactor,
                policy=lambda: self.policy.current,
                tokens=self.tokens.of,
            ),
            consent=self.consent,
            questions=self.questions,
            instance=lock.instance,
            limits=ContainerLimits(cpus=options.cpus, memory=options.memory),
            guard=self.watchdog,
            before_start=self._guarded,
            on_pull=self._pulled,
            fence=self.fence,
            signatures=ImageSignatures(paths.verified_images) if options.verify_signatures else None,
            tokens=self.tokens.of,
            static=options.static,
        )
        self.fleet = Fleet(
            launcher=self.launcher,
            cache=ListingCache(paths.listings),
            timing=Timing(start=options.start_timeout),
            clean=self.redactor.clean,
            long_lived=options.long_lived,
            most_running=options.most_running,
            echo=options.on_stderr,
        )
        self._guard = self._call_guard()
        self.gateway = Gateway(
            self.fleet,
            patterns=options.tools,
            call_log=self._call_log(),
            guard=self._guard,
            policy=lambda: self.policy.current,
            with_server_names=feature(paths.docker_config, "tool-name-prefix", default=False),
        )
        self.fleet.changed.subscribe(lambda name: self.events.publish(ServersChanged(names=frozenset({name}))))
        self.tokens.changed.subscribe(self._token_changed)
        self.sign_ins.changed.subscribe(lambda name: self.events.publish(SignInsChanged(apps=frozenset({name}))))
        self.questions.changed.subscribe(lambda _: self.events.publish(QuestionsChanged()))
        self.gateway.changed.subscribe(lambda _: self.events.publish(StatusChanged()))
        self.monitor.changed.subscribe(lambda _: self.events.publish(StatusChanged()))

    async def look_at_sign_ins(self) -> None:
        """Read anew who is signed in; what can't be read is told to those who need it."""
        with contextlib.suppress(SecretStoreError):
            await self.sign_ins.look()
        await self.tokens.reload()

    def _title_of(self, app: str) -> str:
        known = self.apps.get(app)
        return known.title if known is not None else app

    def _token_changed(self, app: str) -> None:
        """Servers follow a sign-in, a sign-out, and a renewal."""
        access = self.tokens.of(app)
        before, now = self._bearers.get(app, ""), access.current
        self._bearers[app] = now
        known = self.apps.get(app)
        names = known.servers if known is not None else (app,)
        if now and now != before:
            self.fleet.signed_in(names)
        elif before and not now:
            self.fleet.signed_out(names, access.sign_in_needed())

    async def close_watchdog(self) -> None:
        """End the watchdog if it runs; what is left by then, it takes away."""
        if self._watchdog_started is not None:
            await self._watchdog_started
            await self.watchdog.close()

    def _secret_sources(self, text: str) -> list[SecretSource]:
        """The chosen sources; after them a file in the folder all others are in, where a person may write secrets too."""
        chosen: list[SecretSource] = []
        for choice in parse_secrets_option(text):
            if choice.file is not None:
                chosen.append(EnvFileSource(choice.file))
            else:
                chosen += [
                    StoreSource(self.secrets),
                    SignInSource(self.secrets, lambda app: self.tokens.of(app).bearer()),
                    DockerDesktopSource(socket_of(Path.home()), self._uses_docker_desktop),
                ]
        return [*chosen, EnvFileSource(self.paths.env_file, may_be_missing=True)]

    def _call_log(self) -> CallLog | None:
        if not self.options.records_calls:
            return self.options.call_log
        return CallRecorder(self.activity, self._server_of, self.options.call_log)

    def _server_of(self, session: Session, tool: str) -> str:
        route = self.gateway.offer_to(session).tool_routes.get(tool)
        return route.server if route is not None else ""

    def _uses_docker_desktop(self) -> bool:
        return self.monitor.info is not None and is_docker_desktop(self.monitor.info.address)

    def screen_calls(self, how: str) -> None:
        """From now on search calls for secrets: ``block`` or ``redact``; empty does not."""
        self._guard.set_screen(self._screen(how))

    def _screen(self, how: str) -> SecretScreen | None:
        if not how:
            return None
        return SecretScreen(SecretScanner(self.redactor), redact=how == "redact", tell=self.options.on_scan)

    def _call_guard(self) -> CallGuard:
        """What stands around calls."""
        options, screen = self.options, self._screen(self.options.block_secrets)
        runner = InterceptorRunner(self.launcher, self._interceptor_says, time_limit=options.interceptor_timeout)
        consent = CallConsent(self.questions, self.consent, self.redactor.clean)
        return CallGuard(interceptors=options.interceptors, runner=runner, screen=screen, consent=consent)

    def _interceptor_says(self, name: str, line: str) -> None:
        tell = self.options.on_interceptor or (lambda name, line: log.info("%s: %s", name, line))
        tell(name, self.redactor.clean(line))

    async def _guarded(self) -> None:
        """Before anything is started, the watchdog runs, so that nothing can be left behind."""
        if self._watchdog_started is None:
            self._watchdog_started = asyncio.get_running_loop().create_task(self.watchdog.start())
        await asyncio.shield(self._watchdog_started)
        if self.monitor.info is not None:
            self.watchdog.engine_found(self.monitor.info.address)

    def _pulled(self, server: str, progress: PullProgress) -> None:
        self.fleet.pulled(server, progress)
        if self.options.on_pull is not None:
            self.options.on_pull(server, progress)
