"""The person's catalogs: catalog.json and the files of the catalogs, changed together (spec 2.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from desktop.catalog.download import is_url, shown
from desktop.catalog.loading import Catalog, parse_catalog
from desktop.catalog.official import OFFICIAL_NAME, is_managed
from desktop.errors import CatalogError, StateFileError
from desktop.state import yaml_edit, yaml_text
from desktop.state.atomic_file import read_bytes, reason_of, write_bytes, write_text
from desktop.state.catalog_index import CatalogIndex, CatalogRecord, catalog_file_name
from desktop.state.locks import file_lock
from desktop.state.paths import Paths
from desktop.state.yaml_document import YamlDocument, decode
from desktop.state.yaml_edit import Change

__all__ = ["CatalogCollection", "export", "named", "read_source", "refuse_official"]

_ROOT: Final = "registry"
_LONGEST_NAME: Final = 200
_FEW: Final = 20


class CatalogCollection:
    """All catalogs that are known by name. What isn't changed keeps every byte.

    Args:
        paths: Where the files are.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._index = CatalogIndex(paths.catalog_index, paths.lock_for(paths.catalog_index))

    def records(self) -> dict[str, CatalogRecord]:
        """The known catalogs by name."""
        return self._index.records()

    def body(self, name: str) -> Path:
        """The file of a catalog, whether it is there or not."""
        return self._paths.catalogs / catalog_file_name(name)

    def text(self, name: str) -> str:
        """A catalog's text.

        Raises:
            CatalogError: It isn't known.
            StateFileError: It can't be read, or its file is missing.
        """
        body = self.body(name)
        if name not in self.records() and not (name == OFFICIAL_NAME and body.is_file()):
            raise self.unknown(name)
        if not body.is_file():
            raise StateFileError(str(body), "there is no such file", hint="catalog.json names it; import it again")
        return decode(read_bytes(body), body)

    def unknown(self, name: str) -> CatalogError:
        """The error about a catalog that isn't known, with the name that was probably meant."""
        import difflib  # here: only the error needs it

        if name == OFFICIAL_NAME:
            return CatalogError(f'catalog "{name}" not found', "docker-mcp catalog init fetches it")
        meant = difflib.get_close_matches(name, [*self.records(), OFFICIAL_NAME], n=1)
        hint = f"Did you mean {meant[0]}?" if meant else "See docker-mcp catalog ls"
        return CatalogError(f'catalog "{name}" not found', hint)

    def put(self, name: str, text: str, record: CatalogRecord) -> None:
        """Keep a catalog under ``name``. A catalog of the person's own that it replaces is kept beside it (``.bak``)."""
        with self._lock():
            self._keep(_checked(name), text, record)

    def create(self, name: str) -> None:
        """Begin an empty catalog; raises `CatalogError` when the name is taken."""
        name = _checked(name)
        text = yaml_text.dump({"name": name, "displayName": name})
        with self._lock():
            self._refuse_taken(name)
            self._keep(name, text, CatalogRecord(name))

    def fork(self, source: str, name: str) -> None:
        """Make a catalog of the person's own out of another one; raises `CatalogError` when the name is taken."""
        name = _checked(name)
        with self._lock():
            text = self.text(source)
            self._refuse_taken(name)
            title = f"{name} (forked from {source})"
            changes = [Change(("name",), name), Change(("displayName",), title)]
            forked = yaml_edit.edit(text, changes, str(self.body(source)))
            self._keep(name, forked, CatalogRecord(title))

    def remove(self, name: str) -> None:
        """Forget a catalog and delete its file; a file that is gone already is fine."""
        refuse_official(name, "removed")
        with self._lock():
            if name not in self.records():
                raise self.unknown(name)
            self._index.remove(name)
            self._delete(self.body(name))

    def clear(self) -> None:
        """Forget every catalog but a managed official one, and delete their files; files nobody registered stay."""
        with self._lock():
            for name in self.records():
                if name == OFFICIAL_NAME and is_managed(self._paths):
                    continue
                self._index.remove(name)
                self._delete(self.body(name))

    def entry(self, text: str, server: str, where: str) -> dict[str, Any]:
        """One server of a catalog's text, as data with every key it has.

        Raises:
            CatalogError: The catalog has no such server, or what it says of it can't be understood.
        """
        data = yaml_text.parse(text, where)
        registry = data.get(_ROOT) if isinstance(data, dict) else None
        entries = {str(key): entry for key, entry in registry.items()} if isinstance(registry, dict) else {}
        if server not in entries:
            import difflib

            meant = difflib.get_close_matches(server, list(entries), n=1)
            raise CatalogError(f'server "{server}" not found in {where}', f"Did you mean {meant[0]}?" if meant else "")
        entry = entries[server]
        if not isinstance(entry, dict):
            raise CatalogError(f'server "{server}" in {where} should be a map')
        return entry

    def add(self, name: str, server: str, entry: dict[str, Any], *, is_forced: bool) -> None:
        """Put a server into a catalog of the person's own; the rest of its file stays as it is.

        Raises:
            CatalogError: The catalog isn't known, is fetched from elsewhere, or has the server and ``is_forced`` is false.
        """
        refuse_official(name, "added to")
        with self._lock():
            self.text(name)
            if self.records()[name].url:
                raise CatalogError(
                    f'"{name}" is a remote catalog, the next update would undo the change',
                    f"Make one of your own with docker-mcp catalog fork {name} NEW-NAME",
                )

            def decide(data: dict[str, Any], text: str) -> list[Change]:
                entries = data.get(_ROOT) or {}
                if isinstance(entries, dict) and server in entries and not is_forced:
                    raise CatalogError(
                        f'server "{server}" already exists in catalog "{name}" (use --force to overwrite)'
                    )
                return [Change((_ROOT, server), entry)]

            body = self.body(name)
            YamlDocument(body, self._paths.lock_for(body)).change(decide)

    def merge(self, name: str, title: str, entries: Mapping[str, Mapping[str, Any]]) -> None:
        """Put many servers into a catalog of the person's own, which is begun where there is none.

        Args:
            name: The catalog.
            title: What a new one is called.
            entries: The servers; those it has already are replaced.
        """
        name = _checked(name)
        refuse_official(name, "added to")
        with self._lock():
            known = self.records().get(name)
            if known is not None and known.url:
                raise CatalogError(
                    f'"{name}" is a remote catalog, the next update would undo the change', "Choose another name"
                )
            body = self.body(name)
            text = decode(read_bytes(body), body) if known is not None else ""
            if text and len(entries) <= _FEW:
                changes = [Change((_ROOT, server), dict(entry)) for server, entry in entries.items()]
                text = yaml_edit.edit(text, changes, str(body))
            else:
                data = YamlDocument(body, self._paths.lock_for(body)).data_of(text) or {
                    "name": name,
                    "displayName": title,
                }
                text = yaml_text.dump({**data, _ROOT: {**(data.get(_ROOT) or {}), **entries}})
            self._keep(name, text, known or CatalogRecord(title))

    def refreshed(self, name: str, text: str, url: str) -> None:
        """Take a catalog's new text from where it is from; name and display name that the text lacks stay."""
        where = url if not is_url(url) else shown(url)
        text, catalog = named(text, name, where)
        now = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
        before = self.records().get(name)
        title = catalog.display_name or (before.display_name if before is not None else "") or name
        self.put(name, text, CatalogRecord(title, url, now))

    def _keep(self, name: str, text: str, record: CatalogRecord) -> None:
        for other in self._same_file(name):
            raise CatalogError(f'catalog "{name}" would use the same file as catalog "{other}"', "Choose another name")
        body, before = self.body(name), self.records().get(name)
        data, old = text.encode("utf-8"), read_bytes(body)
        if data != old or not body.is_file():
            if old and (before is None or not before.url):
                write_bytes(body.with_name(body.name + ".bak"), old)
            write_bytes(body, data)
        self._index.put(name, record)

    def _refuse_taken(self, name: str) -> None:
        if catalog_file_name(name) == catalog_file_name(OFFICIAL_NAME):
            raise CatalogError(f'the name "{name}" is reserved for the official catalog', "Choose another name")
        taken = next(self._same_file(name), name if name in self.records() or self.body(name).exists() else "")
        if taken:
            raise CatalogError(f'catalog "{taken}" already exists', "Choose another name")

    def _same_file(self, name: str) -> Iterator[str]:
        """Other catalogs whose file would be the same, since names are made safe for files."""
        file = catalog_file_name(name)
        return (other for other in self.records() if other != name and catalog_file_name(other) == file)

    def _lock(self) -> AbstractContextManager[None]:
        return file_lock(self._paths.lock_for(self._paths.catalogs))

    @staticmethod
    def _delete(body: Path) -> None:
        try:
            body.unlink(missing_ok=True)
        except OSError as error:
            raise StateFileError(str(body), f"it can't be deleted ({reason_of(error)})") from error


def export(text: str, target: Path) -> None:
    """Write a catalog's text to a file of the person's; a file that is there is replaced only if it is a catalog too."""
    if target.is_dir():
        raise CatalogError(f"{target} is a folder", "Name a file")
    if target.exists():
        try:
            is_catalog = isinstance(yaml_text.parse(decode(read_bytes(target), target), str(target)), dict)
        except StateFileError:
            is_catalog = False
        if not is_catalog and target.stat().st_size:
            raise CatalogError(f"{target} is there already and is not a catalog", "Choose another file")
    write_text(target, text)


def refuse_official(name: str, done: str) -> None:
    """Raises `CatalogError` for the official catalog, which Docker looks after."""
    if catalog_file_name(name) == catalog_file_name(OFFICIAL_NAME):
        raise CatalogError(
            f'catalog "{name}" is managed by Docker and can\'t be {done}',
            f"Make one of your own with docker-mcp catalog fork {OFFICIAL_NAME} NEW-NAME",
        )


def read_source(path: Path) -> str:
    """The text of a catalog file that a person names; raises `StateFileError` when there is none."""
    if not path.is_file():
        raise StateFileError(str(path), "this is a folder" if path.is_dir() else "there is no such file")
    return decode(read_bytes(path), path)


def named(text: str, name: str, where: str) -> tuple[str, Catalog]:
    """The text with ``name`` written into it where it had none, and what it means.

    Raises:
        StateFileError: It is not a catalog.
    """
    catalog = parse_catalog(text, where=where)
    if not catalog.name and name:
        title = catalog.display_name or name
        text = yaml_edit.edit(text, [Change(("name",), name), Change(("displayName",), title)], where)
        catalog = parse_catalog(text, where=where)
    return text, catalog


def _checked(name: str) -> str:
    name = name.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME or set(name) <= {"."}:
        raise CatalogError(f"{name!r} can't be the name of a catalog", f"Use up to {_LONGEST_NAME} letters or digits")
    return name
