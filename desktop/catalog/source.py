"""Reads all files the configuration is made of; what is broken keeps its last good state and becomes a sentence."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from desktop.catalog.configuration import Configuration
from desktop.catalog.duplicates import with_duplicates
from desktop.catalog.fetched import FetchedCatalogs
from desktop.catalog.loading import Catalog, load_catalog
from desktop.catalog.model import CatalogServer
from desktop.catalog.official import OFFICIAL_NAME
from desktop.catalog.profile_source import ProfileSource
from desktop.catalog.readings import Readings
from desktop.catalog.selection import Selection, catalog_place, file_place
from desktop.catalog.starter import load_starter
from desktop.errors import GatewayError
from desktop.state.catalog_index import CatalogIndex, catalog_file_name
from desktop.state.config_file import ConfigFile
from desktop.state.paths import Paths
from desktop.state.profiles import profiles_of
from desktop.state.registry_file import RegistryFile
from desktop.state.server_choices import ServerChoice, ServerChoicesFile
from desktop.state.tools_file import ToolsFile

__all__ = ["ConfigurationSource", "Selection"]

T = TypeVar("T")
Stamp = tuple[int, int, int, int]
log = logging.getLogger(__name__)


class ConfigurationSource:
    """The one place that knows which files make the configuration.

    `load` is called in a worker thread, as often as one likes: what has not changed since is not read again.

    Args:
        paths: Where the files are.
        selection: What the command line has chosen instead.
        cwd: What ``./`` in the selection is relative to; by default the current folder.
    """

    def __init__(self, paths: Paths, selection: Selection = Selection(), *, cwd: Path | None = None) -> None:  # noqa: B008
        self._paths = paths
        self._selection = selection
        self._cwd = cwd or Path.cwd()
        self._lock = threading.Lock()
        self._last = Configuration()
        lock_for = paths.lock_for
        self._catalogs = Readings[Catalog](lambda path: load_catalog(path, paths.cache), Catalog())
        self._indexes = Readings[tuple[str, ...]](lambda path: tuple(CatalogIndex(path, lock_for(path)).records()), ())
        self._registries = Readings[tuple[str, ...]](lambda path: RegistryFile(path, lock_for(path)).names(), ())
        self._configs = Readings[Mapping[str, Any]](lambda path: ConfigFile(path, lock_for(path)).values(), {})
        self._tools = Readings[Mapping[str, Any]](lambda path: ToolsFile(path, lock_for(path)).allowed(), {})
        self._choices = Readings[Mapping[str, ServerChoice]](
            lambda path: ServerChoicesFile(path, lock_for(path)).choices(), {}
        )
        self._profiles = ProfileSource(profiles_of(paths))
        self._fetched = FetchedCatalogs(paths.cache, self._catalogs.get)
        self._starter: Catalog | None = None

    def load(self) -> Configuration:
        """The configuration as the files say now; the same object as before when nothing has changed."""
        with self._lock:
            problems: list[str] = []
            choices = self._choices.get(self._paths.server_choices, problems)
            servers = with_duplicates(self._merged_servers(problems), choices, problems)
            profile = self._profiles.one(self._selection.profile, problems) if self._selection.profile else None
            if profile is not None:
                servers |= {name: item.server for name, item in profile.servers.items()}
            values = self._later_wins(self._configs, self._selection.configs, self._paths.config, problems)
            tools = self._later_wins(self._tools, self._selection.tools_configs, self._paths.tools, problems)
            loaded = Configuration(
                enabled=self._enabled(servers, problems) if profile is None else tuple(sorted(profile.servers)),
                servers=servers,
                values=values if profile is None else profile.values_over(values),
                tools=tools if profile is None else profile.tools_over(tools),
                profiles=self._profiles.all(problems) if self._selection.all_profiles else {},
                choices=choices,
                problems=tuple(dict.fromkeys(problems)),
            )
            if loaded != self._last:
                self._last = loaded
            return self._last

    def watched_directories(self) -> tuple[Path, ...]:
        """The folders in which a change may change the configuration; the targets' folders of links among them."""
        choice = self._selection
        chosen = [self._place(text) for text in (*choice.registries, *choice.configs, *choice.tools_configs)]
        with self._lock:
            chosen += [place for place in self._catalog_places() if isinstance(place, Path)]
        paths = self._paths
        if choice.profile or choice.all_profiles:
            chosen += [paths.profiles / "any", paths.toolkit_database]
        usual = [paths.registry, paths.config, paths.tools, paths.catalog_index, paths.server_choices]
        folders = {self._paths.catalogs}
        for file in (*chosen, *usual):
            folders.add(file.parent)
            if file.is_symlink():
                folders.add(file.resolve(strict=False).parent)
        return tuple(sorted(folders))

    def _place(self, text: str) -> Path:
        return file_place(text, self._paths, self._cwd)

    def _is_usual(self) -> bool:
        """Whether the official catalog is the primary one, so that the configured ones and the starter come along."""
        primary = [catalog_place(text, self._paths, self._cwd) for text in self._selection.catalogs]
        return not primary or primary == [self._paths.catalogs / catalog_file_name(OFFICIAL_NAME)]

    def _catalog_places(self, problems: list[str] | None = None) -> list[Path | str]:
        """Catalogs in the order of precedence, lowest first."""
        choice = self._selection
        if self._is_usual():
            known = self._indexes.get(self._paths.catalog_index, problems)
            names = [OFFICIAL_NAME, *sorted(name for name in known if name != OFFICIAL_NAME)]
            places: list[Path | str] = [self._paths.catalogs / catalog_file_name(name) for name in names]
        else:
            places = [catalog_place(text, self._paths, self._cwd) for text in choice.catalogs]
        places += [catalog_place(text, self._paths, self._cwd) for text in choice.additional_catalogs]
        return list(dict.fromkeys(places))

    def _merged_servers(self, problems: list[str]) -> dict[str, CatalogServer]:
        merged: dict[str, CatalogServer] = {}
        if self._is_usual():
            merged.update(self._starter_catalog(problems).servers)
        explicit = {
            catalog_place(text, self._paths, self._cwd)
            for text in (*self._selection.catalogs, *self._selection.additional_catalogs)
        }
        for place in self._catalog_places(problems):
            if isinstance(place, str):
                catalog = self._fetched.catalog(place, problems)
            else:
                catalog = self._catalogs.get(place, problems, expected=place in explicit and not self._is_usual())
            problems += catalog.problems
            merged.update(catalog.servers)
        merged.update(self._further_servers(problems))
        return merged

    def _further_servers(self, problems: list[str]) -> dict[str, CatalogServer]:
        """Servers the command line names by themselves, outside every catalog."""
        servers = {server.name: server for server in self._selection.further}
        for url in self._selection.registry_documents:
            servers.update(self._fetched.registry_server(url, problems).servers)
        return servers

    def _starter_catalog(self, problems: list[str]) -> Catalog:
        if self._starter is None:
            try:
                self._starter = load_starter(self._paths.cache)
            except GatewayError as error:
                problems.append(error.message)
                return Catalog()
        return self._starter

    def _enabled(self, servers: Mapping[str, CatalogServer], problems: list[str]) -> tuple[str, ...]:
        choice = self._selection
        if choice.enable_all:
            return tuple(sorted(servers))
        names: set[str] = set(self._further_servers(problems))
        if choice.servers is not None:
            return tuple(sorted({*names, *choice.servers}))
        for text in choice.registries:
            names.update(self._registries.get(self._place(text), problems, expected=True))
        if not choice.registries:
            names.update(self._registries.get(self._paths.registry, problems))
        return tuple(sorted(names))

    def _later_wins(
        self, files: Readings[Mapping[str, Any]], chosen: Iterable[str], usual: Path, problems: list[str]
    ) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        places = [self._place(text) for text in chosen]
        for place in places or [usual]:
            merged.update(files.get(place, problems, expected=bool(places) and place != usual))
        return merged
