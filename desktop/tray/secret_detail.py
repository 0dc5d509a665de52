"""What is to say about one secret: who uses it, where one gets it, where it is kept; and set, replace, remove."""

from __future__ import annotations

import html
import re

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop.host import KeptSecret, SecretPlace, SecretUse
from desktop.tray import artwork, words
from desktop.tray.parts import ElidedLabel, caption, enlarge, muted, tool_button
from desktop.tray.secret_words import place_words
from desktop.tray.theme import Theme

__all__ = ["SecretDetail"]

SERVERS_SHOWN = 12
_LINK = re.compile(r"https://[^\s<>\"']+[^\s<>\"'.,;:)]")


class SecretDetail(QFrame):
    """The drawer at the side of the table.

    Signals:
        left: The person wants back to the table.
        set_wanted: Set or replace this secret.
        remove_wanted: Take this secret away.
        sign_in_wanted: Show the sign-ins, since one supplies this secret.
    """

    left = Signal()
    set_wanted = Signal()
    remove_wanted = Signal()
    sign_in_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self._theme = theme
        self._secret: KeptSecret | None = None
        self._protection = ""
        self._back = tool_button(self.tr("Back to the secrets"))
        self._back.clicked.connect(self.left)
        self._name = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        enlarge(self._name, 3)
        self._lines = {name: ElidedLabel() for name in ("set", "kept")}
        facts = QFormLayout()
        facts.setHorizontalSpacing(16)
        facts.setVerticalSpacing(4)
        for name, title in (("set", self.tr("Set")), ("kept", self.tr("Kept in"))):
            facts.addRow(muted(title), self._lines[name])
        self.set = QPushButton()
        self.set.clicked.connect(self.set_wanted)
        self.remove = QPushButton(self.tr("Remove…"))
        self.remove.clicked.connect(self.remove_wanted)
        self.sign_in = QPushButton(self.tr("Show sign-in"))
        self.sign_in.clicked.connect(self.sign_in_wanted)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.set, self.sign_in, self.remove):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._heading = caption("")
        self._heading.setWordWrap(True)
        self._uses = QLabel()
        self._uses.setWordWrap(True)
        self._uses.setTextFormat(Qt.TextFormat.RichText)
        self._uses.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self._uses.setOpenExternalLinks(True)
        self._uses.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        held = QWidget()
        inner = QVBoxLayout(held)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.addWidget(self._uses)
        inner.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(held)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._back)
        head.addWidget(self._name, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addLayout(head)
        column.addLayout(facts)
        column.addSpacing(4)
        column.addLayout(buttons)
        column.addSpacing(4)
        column.addWidget(self._heading)
        column.addWidget(scroll, 1)
        theme.changed.connect(self._tint)
        self._tint()

    @property
    def secret(self) -> KeptSecret | None:
        """The secret shown."""
        return self._secret

    def set_page(self, alone: bool) -> None:
        """Alone in the window, with a way back, or beside the table."""
        self._back.setVisible(alone)

    def show_secret(self, secret: KeptSecret | None, protection: str) -> None:
        """Show this one; None shows nothing."""
        self._secret, self._protection = secret, protection
        if secret is None:
            self._name.say("")
            return
        is_set = secret.place is not SecretPlace.NOWHERE
        here = secret.place in (SecretPlace.STORE, SecretPlace.SESSION)
        self._name.say(secret.name)
        if secret.set_at is not None:
            self._lines["set"].say(words.moment(secret.set_at))
        else:
            self._lines["set"].say(self.tr("not known since when") if is_set else self.tr("not set"))
        self._lines["kept"].say(place_words(secret, protection) or "–")
        self.set.setText(self.tr("Replace…") if here else self.tr("Set…"))
        self.set.setProperty("primary", secret.is_missing)
        self.set.style().unpolish(self.set)
        self.set.style().polish(self.set)
        self.set.setVisible(secret.place is not SecretPlace.SIGN_IN)
        self.sign_in.setVisible(secret.place is SecretPlace.SIGN_IN)
        self.remove.setVisible(here)
        self._show_uses(secret)

    def _show_uses(self, secret: KeptSecret) -> None:
        if not secret.uses:
            self._heading.setText(self.tr("No server asks for it"))
            self._uses.setText("")
            return
        has_about = any(use.about for use in secret.uses)
        self._heading.setText(self.tr("Used by, and where to get it") if has_about else self.tr("Used by"))
        shown = [self._use(use) for use in secret.uses[:SERVERS_SHOWN]]
        more = len(secret.uses) - SERVERS_SHOWN
        if more > 0:
            shown.append(_paragraph(self.tr("And {count} more.").format(count=more)))
        self._uses.setText("".join(shown))

    def _use(self, use: SecretUse) -> str:
        muted_colour = self._theme.tokens.muted
        marks = [] if use.enabled else [self.tr("off")]
        marks += [] if use.is_required else [self.tr("can do without")]
        marks += [use.variable] if use.variable else []
        said = f"<b>{html.escape(words.elided(use.title, 80))}</b>"
        if marks:
            said += f' <span style="color:{muted_colour}">{html.escape(words.elided(" · ".join(marks), 120))}</span>'
        if use.about:
            said += f"<br>{_with_links(words.elided(use.about, 600))}"
        return _paragraph(said)

    def _tint(self) -> None:
        self._back.setIcon(artwork.icon("back", QColor(self._theme.tokens.text)))
        if self._secret is not None:
            self.show_secret(self._secret, self._protection)


def _paragraph(said: str) -> str:
    return f'<p style="margin:0 0 8px 0">{said}</p>'


def _with_links(text: str) -> str:
    """The text as HTML in which addresses can be opened."""
    return _LINK.sub(lambda found: f'<a href="{found[0]}">{found[0]}</a>', html.escape(text, quote=False))
