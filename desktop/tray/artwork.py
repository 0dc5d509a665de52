"""Our SVG drawings, found on disk and rendered sharply in a colour of the palette.

Drawings are made in `currentColor`; a drawing may use the words "accent" and "warn" as colours for its badge. They are
replaced before rendering, so one file serves light, dark and high-contrast looks.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop.servers.status import ServerState

__all__ = ["ICON_SIZES", "app_icon", "drawing", "icon", "icons_directory", "paint", "pixmap", "state_drawing"]

ICON_SIZES = (16, 18, 20, 22, 24, 32, 36, 40, 44, 48, 64)
"""Edge lengths in pixels that an icon carries; they cover 16 to 32 px at 100 to 200 %."""

SMALL_APP_ICON = 24


@functools.cache
def icons_directory() -> Path:
    """The directory of the SVG files: inside a frozen bundle, inside an installed package or in the source tree.

    Raises:
        FileNotFoundError: The installation lacks its resources.
    """
    bundle = getattr(sys, "_MEIPASS", None)
    package = Path(__file__).resolve().parents[1]
    candidates = [Path(bundle) / "resources" / "icons"] if bundle else []
    candidates += [
        package / "resources" / "icons",
        package.parent / "resources" / "icons",
        Path(sys.prefix) / "share" / "mcp-gateway-desktop" / "resources" / "icons",
    ]
    for candidate in candidates:
        if (candidate / "app.svg").is_file():
            return candidate
    raise FileNotFoundError(f"the icons are missing from this installation (looked in {candidates})")


@functools.cache
def drawing(name: str) -> str:
    """The text of the drawing ``name`` (a file name without ".svg")."""
    return (icons_directory() / f"{name}.svg").read_text(encoding="utf-8")


def state_drawing(state: ServerState) -> str:
    """Name of the drawing for a server's state; each has a shape of its own."""
    return "state-" + state.value.replace(" ", "-")


@functools.lru_cache(maxsize=256)
def _renderer(name: str, colour: str, accent: str, warn: str) -> QSvgRenderer:
    text = drawing(name).replace("currentColor", colour)
    text = text.replace('"accent"', f'"{accent or colour}"').replace('"warn"', f'"{warn or colour}"')
    return QSvgRenderer(QByteArray(text.encode("utf-8")))


def paint(painter: QPainter, name: str, rectangle: QRectF, colour: QColor) -> None:
    """Draw ``name`` into ``rectangle`` of a painter whose device pixel ratio is respected by Qt."""
    _renderer(name, colour.name(), "", "").render(painter, rectangle)


@functools.lru_cache(maxsize=512)
def _pixels(name: str, edge: int, colour: str, accent: str, warn: str) -> QPixmap:
    pixels = QPixmap(edge, edge)
    pixels.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixels)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _renderer(name, colour, accent, warn).render(painter, QRectF(0, 0, edge, edge))
    painter.end()
    return pixels


def pixmap(name: str, edge: int, colour: QColor, ratio: float = 1.0) -> QPixmap:
    """The drawing as a pixmap of ``edge`` logical pixels for a screen of that device pixel ratio."""
    pixels = QPixmap(_pixels(name, max(1, round(edge * ratio)), colour.name(), "", ""))
    pixels.setDevicePixelRatio(ratio)
    return pixels


def icon(name: str, colour: QColor, disabled: QColor | None = None, accent: str = "", warn: str = "") -> QIcon:
    """The drawing as an icon that is sharp at each size in `ICON_SIZES`."""
    result = QIcon()
    for edge in ICON_SIZES:
        result.addPixmap(_pixels(name, edge, colour.name(), accent, warn))
        if disabled is not None:
            result.addPixmap(_pixels(name, edge, disabled.name(), accent, warn), QIcon.Mode.Disabled)
    return result


def app_icon() -> QIcon:
    """The program's own icon, simplified where it is small."""
    result = QIcon()
    for edge in (*ICON_SIZES, 128, 256):
        name = "app-small" if edge <= SMALL_APP_ICON else "app"
        pixels = QPixmap(QSize(edge, edge))
        pixels.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixels)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _renderer(name, "#ffffff", "", "").render(painter, QRectF(0, 0, edge, edge))
        painter.end()
        result.addPixmap(pixels)
    return result
