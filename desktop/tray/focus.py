"""Keeps what has the focus in view: Qt scrolls only when the focus moves within a scrolled area, not when it comes in."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

__all__ = ["keep_focus_in_view"]


def keep_focus_in_view(application: QApplication) -> None:
    """From here on, every scrolled area shows the widget in it that gets the focus."""
    application.focusChanged.connect(_reveal)


def _reveal(_before: QWidget | None, now: QWidget | None) -> None:
    parent = now.parentWidget() if now is not None else None
    while now is not None and parent is not None:
        if isinstance(parent, QScrollArea) and parent.widget() is not now:
            parent.ensureWidgetVisible(now, 8, 8)
        parent = parent.parentWidget()
