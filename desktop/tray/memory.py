"""What the window remembers between two starts: its place and what it has already explained."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings

__all__ = ["Memory"]


class Memory:
    """A few values in an INI file of our own (never in the registry, so that it can be deleted and copied)."""

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings or QSettings(
            QSettings.Format.IniFormat, QSettings.Scope.UserScope, "mcp-gateway-desktop", "window"
        )

    @property
    def told_about_tray(self) -> bool:
        """Whether the person has been told once that closing the window does not quit."""
        return self._flag("told-about-tray")

    @told_about_tray.setter
    def told_about_tray(self, told: bool) -> None:
        self._settings.setValue("told-about-tray", told)
        self._settings.sync()

    @property
    def geometry(self) -> QByteArray:
        """Place and size of the window; empty at first."""
        return self._bytes("geometry")

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._settings.setValue("geometry", geometry)

    @property
    def splitter(self) -> QByteArray:
        """Sizes of list and detail; empty at first."""
        return self._bytes("splitter")

    @splitter.setter
    def splitter(self, splitter: QByteArray) -> None:
        self._settings.setValue("splitter", splitter)

    def _flag(self, key: str) -> bool:
        return str(self._settings.value(key, "false")).lower() == "true"

    def _bytes(self, key: str) -> QByteArray:
        value = self._settings.value(key)
        return value if isinstance(value, QByteArray) else QByteArray()
