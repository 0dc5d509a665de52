"""The look: colour tokens, palette and style sheet, light or dark as the system says, with a high-contrast set."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

from desktop.servers.status import ServerState
from desktop.tray import artwork

__all__ = [
    "DARK",
    "DARK_CONTRAST",
    "LIGHT",
    "LIGHT_CONTRAST",
    "Look",
    "Theme",
    "Tokens",
    "contrast",
    "state_colour",
    "style_sheet",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """One set of colours; the names are those of docs/ui.md."""

    dark: bool
    background: str
    surface: str
    raised: str
    border: str
    strong_border: str
    hover: str
    text: str
    muted: str
    accent: str
    on_accent: str
    selection: str
    ok: str
    warn: str
    bad: str


LIGHT = Tokens(
    dark=False,
    background="#F6F8FA",
    surface="#FFFFFF",
    raised="#FFFFFF",
    border="#D8DEE4",
    strong_border="#818B98",
    hover="#F1F4F7",
    text="#1B1F24",
    muted="#57606A",
    accent="#0B62D6",
    on_accent="#FFFFFF",
    selection="#EAF2FD",
    ok="#1A7F37",
    warn="#8A5A00",
    bad="#C21F2B",
)
DARK = Tokens(
    dark=True,
    background="#14171C",
    surface="#1C2128",
    raised="#232A33",
    border="#333B45",
    strong_border="#768290",
    hover="#262D36",
    text="#E6EAF0",
    muted="#9DA7B3",
    accent="#5AA9FF",
    on_accent="#0B1A2B",
    selection="#1F3450",
    ok="#46C161",
    warn="#E0A93B",
    bad="#FF6B61",
)
LIGHT_CONTRAST = Tokens(
    dark=False,
    background="#FFFFFF",
    surface="#FFFFFF",
    raised="#FFFFFF",
    border="#3A3F45",
    strong_border="#000000",
    hover="#E6E6E6",
    text="#000000",
    muted="#24292F",
    accent="#0040A0",
    on_accent="#FFFFFF",
    selection="#CFE3FF",
    ok="#055D20",
    warn="#6B4500",
    bad="#A0111F",
)
DARK_CONTRAST = Tokens(
    dark=True,
    background="#000000",
    surface="#000000",
    raised="#0A0C10",
    border="#B7BDC8",
    strong_border="#FFFFFF",
    hover="#22272E",
    text="#FFFFFF",
    muted="#E2E6EB",
    accent="#8CC7FF",
    on_accent="#000000",
    selection="#0B3C73",
    ok="#6FE08A",
    warn="#FFC95C",
    bad="#FF9A93",
)


def _luminance(colour: QColor) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)

    return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF())


def contrast(first: str | QColor, second: str | QColor) -> float:
    """Contrast ratio of two colours by WCAG 2, from 1.0 (equal) to 21.0 (black on white)."""
    lighter, darker = sorted((_luminance(QColor(first)), _luminance(QColor(second))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def state_colour(tokens: Tokens, state: ServerState) -> str:
    """The colour that goes with a state's shape and word."""
    match state:
        case ServerState.READY | ServerState.IDLE:
            return tokens.ok
        case ServerState.STARTING:
            return tokens.accent
        case ServerState.NEEDS_SIGN_IN | ServerState.NEEDS_SETTING:
            return tokens.warn
        case ServerState.FAILING:
            return tokens.bad
        case ServerState.OFF:
            return tokens.muted


def _palette(tokens: Tokens) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    colours = {
        role.Window: tokens.background,
        role.WindowText: tokens.text,
        role.Base: tokens.surface,
        role.AlternateBase: tokens.background,
        role.Text: tokens.text,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.bad,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.PlaceholderText: tokens.muted,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Accent: tokens.accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.accent,
        role.Light: tokens.raised,
        role.Midlight: tokens.hover,
        role.Mid: tokens.border,
        role.Dark: tokens.strong_border,
        role.Shadow: "#000000",
    }
    for which, colour in colours.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(tokens.muted))
    return palette


def style_sheet(t: Tokens) -> str:
    ground = "dark" if t.dark else "light"
    arrow, check = ((artwork.icons_directory() / f"{name}-on-{ground}.svg").as_posix() for name in ("chevron", "check"))
    return f"""
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
    #palette {{ background: {t.raised}; border: 1px solid {t.strong_border}; }}
    #rule {{ background: {t.border}; border: none; }}
    #muted, #statusText {{ color: {t.muted}; }}
    #card {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: 8px; }}
    #places {{ background: transparent; border: none; outline: none; }}
    QListView#servers {{ background: transparent; border: none; outline: none; }}
    QTableView {{
        background: transparent; border: none; outline: none; selection-background-color: {t.selection};
        selection-color: {t.text};
    }}
    QTableView::item {{ padding: 0 8px; border: none; }}
    QTableView::item:selected {{ background: {t.selection}; }}
    QTableView:focus {{ border: 1px solid {t.accent}; border-radius: 6px; }}
    QTableView#log {{ background: {t.background}; border: 1px solid {t.border}; border-radius: 6px; }}
    QTableView#log:focus {{ border: 2px solid {t.accent}; }}
    QAbstractScrollArea::corner {{ background: transparent; border: none; }}
    QTableView#log::item {{ padding: 0 4px; }}
    QHeaderView {{ background: transparent; border: none; }}
    QHeaderView::section {{
        background: transparent; color: {t.muted}; border: none; border-bottom: 1px solid {t.border}; padding: 4px 11px;
    }}
    QScrollArea#card:focus {{ border: 2px solid {t.accent}; }}
    QPushButton, QToolButton#boxed {{
        background: {t.raised}; color: {t.text}; border: 1px solid {t.strong_border}; border-radius: 6px;
        padding: 5px 12px; outline: none;
    }}
    QToolButton#boxed {{ padding: 5px 26px 5px 12px; }}
    QPushButton:hover, QToolButton#boxed:hover {{ background: {t.hover}; }}
    QPushButton:pressed, QToolButton#boxed:pressed {{ background: {t.selection}; }}
    QToolButton#boxed:disabled {{ color: {t.muted}; border-color: {t.border}; background: transparent; }}
    QPushButton:disabled {{ color: {t.muted}; border-color: {t.border}; background: transparent; }}
    QPushButton:focus, QToolButton#boxed:focus {{ border: 2px solid {t.accent}; padding: 4px 11px; }}
    QToolButton#boxed:focus {{ padding: 4px 25px 4px 11px; }}
    QPushButton[primary="true"] {{
        background: {t.accent}; color: {t.on_accent}; border-color: {t.accent}; font-weight: 600;
    }}
    QPushButton[primary="true"]:focus {{
        background: {t.accent}; border: 3px double {t.on_accent}; padding: 3px 10px;
    }}
    QPushButton[primary="true"]:disabled {{
        background: transparent; color: {t.muted}; border-color: {t.border};
    }}
    QPushButton[segment="true"] {{ border-color: transparent; background: transparent; color: {t.muted}; }}
    QPushButton[small="true"] {{ padding: 4px 8px; }}
    QPushButton[small="true"]:focus {{ padding: 3px 7px; }}
    QPushButton[segment="true"]:hover {{ background: {t.hover}; color: {t.text}; }}
    QPushButton[segment="true"]:checked {{
        background: {t.selection}; color: {t.accent if not t.dark else t.text};
    }}
    QPushButton[segment="true"]:focus {{ border-color: {t.accent}; }}
    QToolButton {{ background: transparent; border: 2px solid transparent; border-radius: 6px; padding: 4px; }}
    QToolButton:hover {{ background: {t.hover}; }}
    QToolButton:focus {{ border-color: {t.accent}; }}
    QToolButton::menu-indicator {{ image: none; width: 0; }}
    QLineEdit {{
        background: {t.surface}; color: {t.text}; border: 1px solid {t.strong_border}; border-radius: 6px;
        padding: 5px 6px; selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QLineEdit:focus {{ border: 2px solid {t.accent}; padding: 4px 5px; }}
    QPlainTextEdit {{
        background: {t.background}; color: {t.text}; border: 1px solid {t.border}; border-radius: 6px; padding: 4px;
        selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QPlainTextEdit#entry {{ background: {t.surface}; border-color: {t.strong_border}; }}
    QPlainTextEdit#entry:focus {{ border-color: {t.accent}; }}
    QComboBox {{
        background: {t.surface}; color: {t.text}; border: 1px solid {t.strong_border}; border-radius: 6px; padding: 5px 6px;
    }}
    QComboBox::drop-down {{ border: none; width: 24px; }}
    QComboBox::down-arrow {{ image: url("{arrow}"); width: 12px; height: 12px; }}
    QComboBox:focus {{ border: 2px solid {t.accent}; padding: 4px 5px; }}
    QComboBox QAbstractItemView {{
        background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; selection-background-color: {t.accent};
        selection-color: {t.on_accent};
    }}
    QGroupBox {{ border: 1px solid {t.border}; border-radius: 8px; margin-top: 8px; padding-top: 8px; }}
    QGroupBox::title {{ subcontrol-origin: margin; left: 10px; padding: 0 4px; color: {t.muted}; }}
    QPlainTextEdit:focus {{ border: 2px solid {t.accent}; padding: 3px; }}
    QSpinBox {{
        background: {t.surface}; color: {t.text}; border: 1px solid {t.strong_border}; border-radius: 6px;
        padding: 5px 6px; selection-background-color: {t.accent}; selection-color: {t.on_accent};
    }}
    QSpinBox::up-button, QSpinBox::down-button {{ width: 0; border: none; }}
    QSpinBox:focus {{ border: 2px solid {t.accent}; padding: 4px 5px; }}
    QCheckBox {{ spacing: 8px; padding: 1px 4px; border: 2px solid transparent; border-radius: 6px; margin-left: -6px; }}
    QCheckBox:focus {{ border-color: {t.accent}; }}
    QCheckBox::indicator, QTableView::indicator {{
        width: 14px; height: 14px; border: 1px solid {t.strong_border}; border-radius: 4px; background: {t.surface};
    }}
    QCheckBox::indicator:hover, QTableView::indicator:hover {{ border-color: {t.accent}; }}
    QCheckBox::indicator:checked, QTableView::indicator:checked {{
        background: {t.accent}; border-color: {t.accent}; image: url("{check}");
    }}
    QCheckBox::indicator:disabled, QTableView::indicator:disabled {{ border-color: {t.border}; background: {t.hover}; }}
    QProgressBar {{ background: {t.hover}; border: none; border-radius: 3px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QProgressBar[over="true"]::chunk {{ background: {t.warn}; }}
    QScrollArea, QScrollArea > QWidget > QWidget {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
    QScrollBar::handle:vertical {{
        background: {t.strong_border}; border-radius: 3px; min-height: 32px; margin: 3px;
    }}
    QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
    QScrollBar::handle:horizontal {{
        background: {t.strong_border}; border-radius: 3px; min-width: 32px; margin: 3px;
    }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QSplitter::handle {{ background: transparent; }}
    QMenu {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 24px 5px 10px; border-radius: 4px; }}
    QMenu::indicator {{ margin-left: 6px; }}
    QMenu::item:selected {{ background: {t.accent}; color: {t.on_accent}; }}
    QMenu::item:disabled {{ color: {t.muted}; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
    QMessageBox #qt_msgbox_informativelabel {{ min-width: 340px; }}
    QFrame[banner="true"] {{
        background: {t.raised}; border: 1px solid {t.border}; border-radius: 8px;
    }}
    QFrame[banner="true"][kind="bad"] {{ border-color: {t.bad}; }}
    QFrame[banner="true"][kind="warn"] {{ border-color: {t.warn}; }}
    """


class Look(enum.Enum):
    """Which look the person wants."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """Applies the tokens to the application and follows the system's changes.

    Signals:
        changed: The tokens are others now; tinted drawings have to be made again.
    """

    changed = Signal()

    def __init__(self, application: QApplication, look: Look = Look.SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._look = look
        self._tokens = self._choose()
        application.setStyle("Fusion")
        self._apply()
        hints = application.styleHints()
        hints.colorSchemeChanged.connect(self._follow)
        hints.accessibility().contrastPreferenceChanged.connect(self._follow)

    @property
    def tokens(self) -> Tokens:
        """The colours in use."""
        return self._tokens

    def set_look(self, look: Look) -> None:
        """Choose light, dark or what the system says."""
        self._look = look
        self._follow()

    def _choose(self) -> Tokens:
        hints = self._application.styleHints()
        dark = self._look is Look.DARK or (self._look is Look.SYSTEM and hints.colorScheme() is Qt.ColorScheme.Dark)
        if hints.accessibility().contrastPreference() is Qt.ContrastPreference.HighContrast:
            return DARK_CONTRAST if dark else LIGHT_CONTRAST
        return DARK if dark else LIGHT

    def _follow(self) -> None:
        tokens = self._choose()
        if tokens is not self._tokens:
            self._tokens = tokens
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        self._application.setPalette(_palette(self._tokens))
        self._application.setStyleSheet(style_sheet(self._tokens))
