"""The edge between the core and Qt: the only object that subscribes to the host's events."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.activity.record import CallRecord
from desktop.clients.view import ClientView
from desktop.host import (
    CallsEnded,
    CatalogDetails,
    CatalogEntry,
    ClientsChanged,
    EndpointStatus,
    EngineStatus,
    Host,
    HostEvent,
    ProblemsChanged,
    QuestionsChanged,
    RunningCall,
    SecretsChanged,
    ServersChanged,
    SignInsChanged,
    SignInStatus,
    StatusChanged,
)
from desktop.policy.question import Question
from desktop.servers.status import ServerStatus
from desktop.state.app_settings import AppSettings

__all__ = ["Bridge", "Phase"]

INTERVAL = 0.05
"""Shortest time in seconds between two rounds of signals (20 a second)."""


class Phase(enum.Enum):
    """Where the host is in its life, as the interface sees it."""

    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"
    CLOSING = "closing"


class Bridge(QObject):
    """Re-emits the host's events as signals, several of one kind within 50 ms as one.

    Reading through the bridge is safe before the host is there and after it went: it answers with empty values.

    Signals:
        servers_changed: Names of the servers whose status is new; an empty set means all of them.
        status_changed: Engine, endpoint or pause state is new.
        problems_changed: The configuration problems are new.
        questions_changed: A question to the person has come or gone.
        clients_changed: How AI clients stand is new.
        sign_ins_changed: A sign-in has begun, ended, or its status is new.
        secrets_changed: A secret was set or taken away, or they can be read now.
        calls_ended: Calls that have ended, oldest first (a tuple of `CallRecord`).
        phase_changed: The host came, failed or is going.
    """

    servers_changed = Signal(frozenset)
    status_changed = Signal()
    problems_changed = Signal()
    questions_changed = Signal()
    clients_changed = Signal()
    sign_ins_changed = Signal()
    secrets_changed = Signal()
    calls_ended = Signal(tuple)
    phase_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._host: Host | None = None
        self._phase = Phase.STARTING
        self._failure: tuple[str, str] = ("", "")
        self._unsubscribe: Callable[[], None] | None = None
        self._names: set[str] | None = set()
        self._servers_due = False
        self._status_due = False
        self._problems_due = False
        self._questions_due = False
        self._clients_due = False
        self._sign_ins_due = False
        self._secrets_due = False
        self._calls: tuple[CallRecord, ...] = ()
        self._last_round = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._publish)

    @property
    def host(self) -> Host | None:
        """The host while it is there."""
        return self._host

    @property
    def phase(self) -> Phase:
        """Where the host is in its life."""
        return self._phase

    @property
    def failure(self) -> tuple[str, str]:
        """Why the host could not start, and what to do, when `phase` is `FAILED`."""
        return self._failure

    def attach(self, host: Host) -> None:
        """Start to listen to ``host`` and tell everyone to read everything."""
        self._host = host
        self._unsubscribe = host.events.subscribe(self._on_event)
        self._enter(Phase.RUNNING)

    def detach(self) -> None:
        """Stop listening; the host is about to close."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._timer.stop()
        self._host = None
        self._enter(Phase.CLOSING)

    def fail(self, message: str, hint: str = "") -> None:
        """The host could not start, for this reason."""
        self._failure = (message, hint)
        self._enter(Phase.FAILED)

    def servers(self) -> tuple[ServerStatus, ...]:
        """All servers, by title."""
        return self._host.servers() if self._host else ()

    def server(self, name: str) -> ServerStatus | None:
        """One server."""
        return self._host.server(name) if self._host else None

    def engine(self) -> EngineStatus:
        """The container engine."""
        return self._host.engine() if self._host else EngineStatus()

    def endpoint(self) -> EndpointStatus:
        """Our endpoint."""
        return self._host.endpoint() if self._host else EndpointStatus()

    def catalog(self) -> tuple[CatalogEntry, ...]:
        """Every server of the catalogs."""
        return self._host.catalogs.entries() if self._host else ()

    def catalog_details(self, name: str) -> CatalogDetails | None:
        """All that is known of one of them."""
        return self._host.catalogs.details(name) if self._host else None

    def chosen(self) -> AppSettings:
        """The person's choices for the program itself; the usual ones before there is a host."""
        return self._host.preferences.current if self._host else AppSettings()

    def clients(self) -> tuple[ClientView, ...]:
        """Every AI client we know; none before they were looked at."""
        return self._host.clients() if self._host else ()

    def running_calls(self) -> tuple[RunningCall, ...]:
        """The tool calls under way, oldest first."""
        return self._host.running_calls() if self._host else ()

    def problems(self) -> tuple[str, ...]:
        """Sentences about broken files."""
        return self._host.problems() if self._host else ()

    def search(self, text: str) -> tuple[str, ...]:
        """Names of the catalogs' servers that fit what the person has typed."""
        return self._host.search(text) if self._host else ()

    def questions(self) -> tuple[Question, ...]:
        """What waits for the person's answer."""
        return self._host.questions() if self._host else ()

    def sign_ins(self) -> tuple[SignInStatus, ...]:
        """What one can be signed in to, as far as it is known."""
        return self._host.sign_ins() if self._host else ()

    def sign_in_of(self, server: str) -> SignInStatus | None:
        """The sign-in a server uses."""
        return self._host.sign_in_of(server) if self._host else None

    def server_log(self, name: str, since: int) -> tuple[tuple[str, ...], int]:
        """What the server wrote to standard error after a place in its log, and the place after that."""
        return self._host.server_logs.lines(name, since) if self._host else ((), since)

    @property
    def paused(self) -> bool:
        """Whether everything is paused."""
        return self._host.paused if self._host else False

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self.phase_changed.emit()
        self._servers_due = self._status_due = self._problems_due = self._questions_due = True
        self._sign_ins_due = True
        self._names = None
        self._publish()

    def _on_event(self, event: HostEvent) -> None:
        match event:
            case ServersChanged(names=names):
                self._servers_due = True
                if not names:
                    self._names = None
                elif self._names is not None:
                    self._names |= names
            case StatusChanged():
                self._status_due = True
            case ProblemsChanged():
                self._problems_due = True
            case QuestionsChanged():
                self._questions_due = True
            case ClientsChanged():
                self._clients_due = True
            case SignInsChanged():
                self._sign_ins_due = True
            case SecretsChanged():
                self._secrets_due = True
            case CallsEnded(calls=calls):
                self._calls += calls
        if not self._timer.isActive():
            wait = self._last_round + INTERVAL - time.monotonic()
            self._timer.start(max(0, round(wait * 1000)))

    def _publish(self) -> None:
        self._last_round = time.monotonic()
        if self._servers_due:
            names = frozenset() if self._names is None else frozenset(self._names)
            self._names, self._servers_due = set(), False
            self.servers_changed.emit(names)
        if self._status_due:
            self._status_due = False
            self.status_changed.emit()
        if self._problems_due:
            self._problems_due = False
            self.problems_changed.emit()
        if self._questions_due:
            self._questions_due = False
            self.questions_changed.emit()
        if self._clients_due:
            self._clients_due = False
            self.clients_changed.emit()
        if self._sign_ins_due:
            self._sign_ins_due = False
            self.sign_ins_changed.emit()
        if self._secrets_due:
            self._secrets_due = False
            self.secrets_changed.emit()
        if self._calls:
            calls, self._calls = self._calls, ()
            self.calls_ended.emit(calls)
