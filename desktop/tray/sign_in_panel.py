"""Being signed in to what a server uses: in which state, sign in, cancel, sign out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from desktop.host import SignInState, SignInStatus
from desktop.servers.status import ServerState, ServerStatus
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.parts import muted

__all__ = ["SignInPanel"]

SCOPES_SHOWN = 8


class SignInPanel(QWidget):
    """Part of the detail of a server; hidden where there is nothing to sign in to."""

    def __init__(self, bridge: Bridge, actions: Actions) -> None:
        super().__init__()
        self._bridge = bridge
        self._actions = actions
        self._server = ""
        self._status: SignInStatus | None = None
        self._about = QLabel()
        self._scopes = muted("")
        for label in (self._about, self._scopes):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._sign_in = QPushButton(self.tr("Sign in…"))
        self._sign_in.setProperty("primary", True)
        self._sign_in.clicked.connect(lambda: self._actions.sign_in(self._app))
        self._copy = QPushButton(self.tr("Copy link"))
        self._copy.setToolTip(self.tr("For a browser other than the one that was opened"))
        self._copy.clicked.connect(lambda: self._actions.copy(self._status.link if self._status else ""))
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.clicked.connect(lambda: self._actions.cancel_sign_in(self._app))
        self._sign_out = QPushButton(self.tr("Sign out"))
        self._sign_out.setToolTip(self.tr("Take the access back, at the provider as well"))
        self._sign_out.clicked.connect(lambda: self._actions.sign_out(self._app))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._sign_in, self._copy, self._cancel, self._sign_out):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._about)
        column.addWidget(self._scopes)
        column.addSpacing(4)
        column.addLayout(buttons)
        bridge.sign_ins_changed.connect(self._refresh)
        self.hide()

    def show_server(self, server: ServerStatus | None) -> None:
        """Show the sign-in that a server uses."""
        self._server = server.name if server is not None else ""
        wanted = server is not None and server.enabled and server.state is ServerState.NEEDS_SIGN_IN
        status = self._bridge.sign_in_of(self._server) if self._server else None
        known = status is not None and status.state is not SignInState.SIGNED_OUT
        self._status = status if wanted or known else None
        self.setVisible(self._status is not None)
        if self._status is not None:
            self._show(self._status)

    @property
    def _app(self) -> str:
        return self._status.app if self._status is not None else ""

    def _refresh(self) -> None:
        if self._server:
            self.show_server(self._bridge.server(self._server))

    def _show(self, status: SignInStatus) -> None:
        under_way = status.state is SignInState.SIGNING_IN
        signed_in = status.state is SignInState.SIGNED_IN
        self._about.setText(self._sentence(status))
        scopes = status.wanted or status.scopes
        more = "" if len(scopes) <= SCOPES_SHOWN else " …"
        listed = words.elided(", ".join(scopes[:SCOPES_SHOWN]), 200) + more
        asks = self.tr("It asks for: {scopes}") if status.wanted or not signed_in else self.tr("It may: {scopes}")
        self._scopes.setText(asks.format(scopes=listed))
        self._scopes.setVisible(bool(scopes) and not under_way)
        self._sign_in.setText(self.tr("Allow more…") if signed_in else self.tr("Sign in…"))
        self._sign_in.setVisible(not under_way and (not signed_in or bool(status.wanted)))
        self._copy.setVisible(under_way and bool(status.link))
        self._cancel.setVisible(under_way)
        self._sign_out.setVisible(signed_in)

    def _sentence(self, status: SignInStatus) -> str:
        title = words.elided(status.title or status.app, 60)
        match status.state:
            case SignInState.SIGNING_IN if status.user_code:
                return self.tr("Type the code {code} on the page that opens.").format(code=status.user_code)
            case SignInState.SIGNING_IN if status.link:
                return self.tr("Finish signing in to {title} in your browser.").format(title=title)
            case SignInState.SIGNING_IN:
                return self.tr("Asking {title} how to sign in…").format(title=title)
            case SignInState.SIGNED_IN if status.wanted:
                return self.tr("{title} wants you to allow more.").format(title=title)
            case SignInState.SIGNED_IN:
                return self.tr("You are signed in to {title}.").format(title=title)
            case _ if status.reason:
                return " ".join(filter(None, (words.sentence(status.reason), words.sentence(status.hint))))
            case _:
                return self.tr("Your browser opens, and you come back here by yourself.")
