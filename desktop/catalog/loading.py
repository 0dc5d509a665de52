"""Catalog files: parsed entry by entry, with a parsed copy kept so that the next start takes milliseconds."""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop import __version__
from desktop.catalog import tolerance
from desktop.catalog.model import CatalogServer
from desktop.errors import StateFileError
from desktop.state import atomic_file, yaml_text
from desktop.state.yaml_document import decode, fault_at

__all__ = ["Catalog", "load_catalog", "parse_catalog", "read_entry"]

FORMAT: Final = f"2 {__version__}"


@dataclass(frozen=True, slots=True)
class Catalog:
    """One catalog.

    Attributes:
        name: Its own name, or empty.
        display_name: Its name for people, or empty.
        servers: Its entries by server name, in the file's order.
        problems: One sentence for each entry that can't be understood; the others serve.
    """

    name: str = ""
    display_name: str = ""
    servers: Mapping[str, CatalogServer] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class _Kept(msgspec.Struct, array_like=True):
    """A parsed catalog on disk, with what it was parsed from."""

    format: str
    path: str
    mtime_ns: int
    size: int
    name: str
    display_name: str
    servers: list[CatalogServer]
    problems: tuple[str, ...]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Kept)
_header_decoder = msgspec.msgpack.Decoder(tuple[str, str, int, int, msgspec.Raw, msgspec.Raw, msgspec.Raw, msgspec.Raw])


def parse_catalog(text: str, *, where: str) -> Catalog:
    """Understand a catalog's YAML.

    Args:
        text: The document.
        where: The file or URL as shown to the person.

    Raises:
        StateFileError: It isn't YAML, or not a catalog at all; with line and column.
    """
    data = yaml_text.parse(text, where)
    if data is None:
        return Catalog()
    if not isinstance(data, dict):
        raise fault_at(text, where, (), "a catalog is expected, a map with the key 'registry'")
    registry = data.get("registry")
    if registry is not None and not isinstance(registry, dict):
        raise fault_at(text, where, ("registry",), "'registry' should be a map of server names")
    name = tolerance.text_of(data.get("name"))
    servers: dict[str, CatalogServer] = {}
    problems: list[str] = []
    for key, entry in (registry or {}).items():
        try:
            server = read_entry(tolerance.text_of(key), entry)
        except (msgspec.ValidationError, ValueError) as error:
            problems.append(f"{where}: the entry '{key}' of the catalog '{name}' can't be understood ({error})")
            continue
        if server.name in servers:
            problems.append(f"{where}: the catalog '{name}' has two entries '{server.name}'; the later one serves")
        servers[server.name] = server
    return Catalog(name, tolerance.text_of(data.get("displayName")), servers, tuple(problems))


def load_catalog(path: Path, cache_dir: Path | None) -> Catalog:
    """Read a catalog file; a missing one is an empty catalog.

    Args:
        path: The file.
        cache_dir: Where parsed copies are kept; None keeps none.

    Raises:
        StateFileError: It can't be read or understood.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return Catalog()
    except OSError as error:
        raise StateFileError(str(path), f"it can't be read ({atomic_file.reason_of(error)})") from error
    place = os.fspath(path.absolute())
    # The copy says itself of which file it is, so the name need only differ for most files; hashlib takes long to load.
    copy = cache_dir and cache_dir / f"catalog-{zlib.crc32(os.fsencode(place)):08x}.msgpack"
    stamp = (FORMAT, place, status.st_mtime_ns, status.st_size)
    if copy and (kept := _kept(copy, stamp)):
        return kept
    catalog = parse_catalog(decode(atomic_file.read_bytes(path), path), where=str(path))
    if copy:
        content = _Kept(*stamp, catalog.name, catalog.display_name, list(catalog.servers.values()), catalog.problems)
        # A copy that can't be kept costs time at the next start, nothing else.
        with contextlib.suppress(StateFileError, TypeError, OverflowError):
            atomic_file.write_bytes(copy, _encoder.encode(content))
    return catalog


def _kept(copy: Path, stamp: tuple[str, str, int, int]) -> Catalog | None:
    try:
        data = copy.read_bytes()
        if _header_decoder.decode(data)[:4] != stamp:
            return None
        kept = _decoder.decode(data)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return Catalog(kept.name, kept.display_name, {server.name: server for server in kept.servers}, kept.problems)


def read_entry(key: str, entry: Any) -> CatalogServer:
    """Understand one server's entry.

    Args:
        key: Its name where the entry itself has none.
        entry: The data.

    Raises:
        ValueError: It can't be understood (`msgspec.ValidationError` among others).
    """
    if not isinstance(entry, dict):
        raise ValueError("a map is expected")
    if not entry.get("name"):
        entry = {**entry, "name": key}
    try:
        server = msgspec.convert(entry, CatalogServer, strict=False)
    except msgspec.ValidationError:
        server = msgspec.convert(tolerance.softened(entry, CatalogServer), CatalogServer, strict=False)
    if not server.name.strip() or not server.name.isprintable():
        raise ValueError("its name is empty or has control characters")
    return server
