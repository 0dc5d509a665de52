"""One sign-in as a person works with it: its state, sign in, what to do while it runs, cancel, sign out."""

from __future__ import annotations

import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.errors import GatewayError
from desktop.host import SignInState, SignInStatus
from desktop.servers.status import ServerState, ServerStatus
from desktop.tray import words
from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.parts import enlarge, muted
from desktop.tray.scope_words import scopes_words

__all__ = ["SignInPanel"]


class SignInPanel(QWidget):
    """Part of the detail of a server, or of an app; hidden where there is nothing to sign in to."""

    def __init__(self, bridge: Bridge, actions: Actions) -> None:
        super().__init__()
        self._bridge = bridge
        self._actions = actions
        self._server = ""
        self._named = ""
        self._status: SignInStatus | None = None
        self._about = QLabel()
        self._scopes = muted("")
        self._problem = QLabel()
        for label in (self._about, self._scopes, self._problem):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._code = QLabel()
        enlarge(self._code, 10)
        self._code.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._sign_in = QPushButton(self.tr("Sign in…"))
        self._sign_in.setProperty("primary", True)
        self._sign_in.clicked.connect(lambda: self._actions.sign_in(self._app))
        self._copy_code = QPushButton(self.tr("Copy code"))
        self._copy_code.clicked.connect(lambda: self._actions.copy(self._status.user_code if self._status else ""))
        self._copy = QPushButton(self.tr("Copy link"))
        self._copy.setToolTip(self.tr("For a browser other than the one that was opened"))
        self._copy.clicked.connect(lambda: self._actions.copy(self._status.link if self._status else ""))
        self._paste = QPushButton(self.tr("Paste the address…"))
        self._paste.setToolTip(self.tr("For a browser on another machine, which ends at a page it can't open"))
        self._paste.clicked.connect(self._begin_paste)
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.clicked.connect(lambda: self._actions.cancel_sign_in(self._app))
        self._sign_out = QPushButton(self.tr("Sign out"))
        self._sign_out.setToolTip(self.tr("Take the access back, at the provider as well"))
        self._sign_out.clicked.connect(lambda: self._actions.sign_out(self._app))
        self._build()
        bridge.sign_ins_changed.connect(self._refresh)
        self.hide()

    def show_server(self, server: ServerStatus | None) -> None:
        """Show the sign-in that a server uses, unless it has never asked for one."""
        self._server, self._named = (server.name if server is not None else ""), ""
        wanted = server is not None and server.enabled and server.state is ServerState.NEEDS_SIGN_IN
        status = self._bridge.sign_in_of(self._server) if self._server else None
        known = status is not None and status.state is not SignInState.SIGNED_OUT
        self._take(status if wanted or known else None)

    def show_app(self, app: str) -> None:
        """Show the sign-in of this name in every state; empty shows none."""
        self._server, self._named = "", app
        self._take(next((status for status in self._bridge.sign_ins() if status.app == app), None))

    @property
    def _app(self) -> str:
        return self._status.app if self._status is not None else ""

    def _build(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._sign_in, self._copy, self._cancel, self._sign_out):
            buttons.addWidget(button)
        buttons.addStretch(1)
        other = QHBoxLayout()
        other.setSpacing(8)
        other.addWidget(self._copy_code)
        other.addWidget(self._paste)
        other.addStretch(1)
        self._use = QPushButton(self.tr("Finish"))
        self._use.setEnabled(False)
        self._use.clicked.connect(self._finish)
        self._address = QLineEdit()
        self._address.setAccessibleName(self.tr("Address the browser ended at"))
        self._address.setPlaceholderText(self.tr("Address the browser ended at"))
        self._address.textChanged.connect(lambda text: self._use.setEnabled(bool(text.strip())))
        self._address.returnPressed.connect(self._finish)
        pasting = QHBoxLayout()
        pasting.setContentsMargins(0, 4, 0, 0)
        pasting.setSpacing(8)
        pasting.addWidget(self._address, 1)
        pasting.addWidget(self._use)
        self._pasting = QWidget()
        self._pasting.setLayout(pasting)
        self._pasting.hide()
        self._problem.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self._about)
        column.addWidget(self._code)
        column.addWidget(self._scopes)
        column.addSpacing(4)
        column.addLayout(buttons)
        column.addLayout(other)
        column.addWidget(self._pasting)
        column.addWidget(self._problem)

    def _take(self, status: SignInStatus | None) -> None:
        self._status = status
        self.setVisible(status is not None)
        if status is not None:
            self._show(status)

    def _refresh(self) -> None:
        if self._server:
            self.show_server(self._bridge.server(self._server))
        elif self._named:
            self.show_app(self._named)

    def _show(self, status: SignInStatus) -> None:
        under_way = status.state is SignInState.SIGNING_IN
        signed_in = status.state is SignInState.SIGNED_IN
        in_browser = under_way and bool(status.link) and not status.user_code
        self._about.setText(self._sentence(status))
        self._code.setText(status.user_code)
        self._code.setAccessibleName(self.tr("Code {code}").format(code=status.user_code))
        self._code.setVisible(under_way and bool(status.user_code))
        scopes = status.wanted or status.scopes
        asks = self.tr("It asks to: {scopes}") if status.wanted or not signed_in else self.tr("It may: {scopes}")
        self._scopes.setText(asks.format(scopes=scopes_words(scopes)))
        self._scopes.setToolTip(words.elided(" ".join(scopes), 400))
        self._scopes.setVisible(bool(scopes) and not under_way)
        self._sign_in.setText(self.tr("Allow more…") if signed_in else self.tr("Sign in…"))
        self._sign_in.setVisible(not under_way and (not signed_in or bool(status.wanted)))
        self._copy_code.setVisible(under_way and bool(status.user_code))
        self._copy.setVisible(under_way and bool(status.link))
        self._cancel.setVisible(under_way)
        self._sign_out.setVisible(signed_in)
        if not in_browser:
            self._end_paste()
        self._paste.setVisible(in_browser and self._pasting.isHidden())

    def _sentence(self, status: SignInStatus) -> str:
        title = words.elided(status.title or status.app, 60)
        match status.state:
            case SignInState.SIGNING_IN if status.user_code:
                return self.tr("Type this code on the page of {title} that opens:").format(title=title)
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

    # A browser on another machine can't reach us: the person brings the address it ended at.

    def _begin_paste(self) -> None:
        self._paste.hide()
        self._pasting.show()
        self._address.setFocus(Qt.FocusReason.OtherFocusReason)

    def _end_paste(self) -> None:
        self._pasting.hide()
        self._address.clear()
        self._problem.hide()

    def _finish(self) -> None:
        app, address = self._app, self._address.text().strip()
        if app and address:
            self._problem.hide()
            self._actions.attempt(lambda host: host.finish_sign_in(app, address), self._finished)

    def _finished(self, error: GatewayError | None) -> None:
        if shiboken6.isValid(self) and error is not None:
            self._problem.setText(" ".join(words.sentence(part) for part in (error.message, error.hint) if part))
            self._problem.setVisible(not self._pasting.isHidden())
