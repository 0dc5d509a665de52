"""The places of the window, in their order; adding one is adding it here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from PySide6.QtCore import QCoreApplication

from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.client_list import is_connected
from desktop.tray.page import Page, Place
from desktop.tray.servers_page import ServersPage
from desktop.tray.theme import Theme

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
            page=_late("catalog_page", "CatalogPage"),
        ),
        Place(
            id="clients",
            drawing="clients",
            title=translate("Places", "Clients"),
            page=_late("clients_page", "ClientsPage"),
            count=lambda bridge: sum(map(is_connected, bridge.clients())),
        ),
        Place(
            id="activity",
            drawing="activity",
            title=translate("Places", "Activity"),
            page=_late("activity_page", "ActivityPage"),
            count=lambda bridge: len(bridge.running_calls()),
        ),
        Place(
            id="secrets",
            drawing="secrets",
            title=translate("Places", "Secrets"),
            page=_late("secrets_page", "SecretsPage"),
        ),
        Place(
            id="settings",
            drawing="settings",
            title=translate("Places", "Settings"),
            page=_late("settings_page", "SettingsPage"),
            at_end=True,
        ),
    )


def _servers_on(bridge: Bridge) -> int:
    return sum(status.enabled for status in bridge.servers())


def _late(module: str, name: str) -> Callable[[Bridge, Actions, Theme], Page]:
    """Makes a page whose module is imported at its first visit, so that the window is there sooner."""

    def make(bridge: Bridge, actions: Actions, theme: Theme) -> Page:
        page: Page = getattr(import_module(f"desktop.tray.{module}"), name)(bridge, actions, theme)
        return page

    return make
