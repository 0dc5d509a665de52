"""The places of the window, in their order; adding one is adding it here."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from desktop.tray.activity_page import ActivityPage
from desktop.tray.bridge import Bridge
from desktop.tray.catalog_page import CatalogPage
from desktop.tray.client_list import is_connected
from desktop.tray.clients_page import ClientsPage
from desktop.tray.page import Place
from desktop.tray.servers_page import ServersPage
from desktop.tray.settings_page import SettingsPage

__all__ = ["places"]


def places() -> tuple[Place, ...]:
    """All places; Ctrl+1 leads to the first, and so on."""
    translate = QCoreApplication.translate
    return (
        Place(
            id="servers",
            drawing="servers",
            title=translate("Places", "Servers"),
            page=ServersPage,
            count=_servers_on,
        ),
        Place(
            id="catalog",
            drawing="catalog",
            title=translate("Places", "Catalog"),
            page=CatalogPage,
        ),
        Place(
            id="clients",
            drawing="clients",
            title=translate("Places", "Clients"),
            page=ClientsPage,
            count=lambda bridge: sum(map(is_connected, bridge.clients())),
        ),
        Place(
            id="activity",
            drawing="activity",
            title=translate("Places", "Activity"),
            page=ActivityPage,
            count=lambda bridge: len(bridge.running_calls()),
        ),
        Place(
            id="settings",
            drawing="settings",
            title=translate("Places", "Settings"),
            page=SettingsPage,
            at_end=True,
        ),
    )


def _servers_on(bridge: Bridge) -> int:
    return sum(status.enabled for status in bridge.servers())
