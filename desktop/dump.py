"""Everything a person has set as one document, and back again (spec 2.3): ``config dump`` and ``config restore``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from desktop.catalog.loading import parse_catalog
from desktop.errors import StateFileError
from desktop.policy.policy_file import PolicyFile
from desktop.policy.rules import PolicySyntaxError, parse_policy
from desktop.secrets.store import is_internal
from desktop.state.atomic_file import read_bytes, reason_of, write_bytes
from desktop.state.catalog_index import CatalogIndex, catalog_file_name
from desktop.state.config_file import ConfigFile
from desktop.state.paths import Paths
from desktop.state.registry_file import RegistryFile
from desktop.state.tools_file import ToolsFile
from desktop.state.yaml_document import decode

if TYPE_CHECKING:
    from desktop.secrets.store import SecretStore

__all__ = [
    "Dump",
    "DumpedSecret",
    "Restored",
    "decoded",
    "dumped",
    "encoded",
    "restored",
    "restored_secrets",
    "with_secrets",
]

_NO_CATALOGS: Final = '{\n  "catalogs": {}\n}\n'  # an empty file is no JSON to the reference


class DumpedSecret(msgspec.Struct, frozen=True, kw_only=True):
    """One secret with its value."""

    name: str
    provider: str = ""
    value: str = ""


class Dump(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The texts of all files. What a dump doesn't hold is left alone when it is restored."""

    config: str | None = None
    registry: str | None = None
    catalog: str | None = None
    catalog_files: dict[str, str] | None = None
    tools: str | None = None
    secrets: list[DumpedSecret] | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restoration leaves: a dump of what was there before."""

    former: Path


def encoded(dump: Dump) -> bytes:
    """The dump as compact JSON."""
    return msgspec.json.encode(dump)


def decoded(data: bytes, where: str) -> Dump:
    """The dump in ``data``; raises `StateFileError` about ``where`` when there is none."""
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=Dump)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error).rstrip(".")
        raise StateFileError(
            where, f"this is not what config dump prints ({reason[:1].lower()}{reason[1:]})"
        ) from error


def dumped(paths: Paths) -> Dump:
    """All files as they are, without the secrets; raises `StateFileError` for one that is no text."""
    bodies = {name: paths.catalogs / catalog_file_name(name) for name in _index(paths).records()}
    return Dump(
        config=_text(paths.config),
        registry=_text(paths.registry),
        catalog=_text(paths.catalog_index) or _NO_CATALOGS,
        catalog_files={name: _text(body) for name, body in bodies.items() if body.is_file()},
        tools=_text(paths.tools),
        policy=_text(paths.policy),
    )


async def with_secrets(dump: Dump, store: SecretStore) -> Dump:
    """The dump with the secrets; those of sign-ins are not the person's to keep, and stay out."""
    secrets = [
        DumpedSecret(name=entry.name, provider=entry.provider, value=await store.get(entry.name) or "")
        for entry in await store.entries()
        if not is_internal(entry.name)
    ]
    return msgspec.structs.replace(dump, secrets=secrets)


def restored(dump: Dump, paths: Paths, where: str) -> Restored:
    """Make the files what the dump says; catalogs that aren't in it go. Secrets are left alone.

    Everything is looked at first: of a dump in which one part is broken, nothing is restored.

    Args:
        dump: The dump.
        paths: Where the files are.
        where: What an error calls the dump.

    Raises:
        StateFileError: A part of it can't be what it should be, or a file can't be written.
    """
    _check(dump, paths, where)
    former = paths.own / "before-restore.json"
    write_bytes(former, encoded(dumped(paths)), mode=0o600)
    for text, write in (
        (dump.config, _config(paths).replace_text),
        (dump.registry, _registry(paths).replace_text),
        (dump.tools, _tools(paths).replace_text),
        (dump.policy, PolicyFile(paths.policy, paths.lock_for(paths.policy)).replace),
    ):
        if isinstance(text, str):
            write(text)
    _restore_catalogs(dump, paths)
    return Restored(former)


async def restored_secrets(dump: Dump, store: SecretStore) -> None:
    """Make the secrets what the dump says: those it holds are set, other ones of the person's removed.

    Raises:
        SecretStoreError: The store can't be opened, or would lose them when this process ends; then none is changed.
    """
    groups: dict[str, dict[str, str | None]] = {}
    kept = {secret.name for secret in dump.secrets or ()}
    for secret in dump.secrets or ():
        groups.setdefault(secret.provider, {})[secret.name] = secret.value
    gone = {name: None for name in await store.names() if name not in kept and not is_internal(name)}
    for provider, values in groups.items():
        await store.set_many(values, provider=provider)
    if gone:
        await store.set_many(gone)


def _check(dump: Dump, paths: Paths, where: str) -> None:
    for part, text, check in (
        ("config", dump.config, _config(paths).check),
        ("registry", dump.registry, _registry(paths).check),
        ("tools", dump.tools, _tools(paths).check),
        ("catalog", dump.catalog, _index(paths).check),
        ("policy", dump.policy, _check_policy),
    ):
        if isinstance(text, str):
            check(text, f"{where}, {part}")
    for name, text in _files(dump).items():
        parse_catalog(text, where=f"{where}, catalogFiles, {name}")


def _check_policy(text: str, where: str) -> None:
    try:
        parse_policy(text)
    except PolicySyntaxError as error:
        raise StateFileError(where, error.reason, line=error.line) from error


def _restore_catalogs(dump: Dump, paths: Paths) -> None:
    before = set(_index(paths).records())
    for name, text in _files(dump).items():
        write_bytes(paths.catalogs / catalog_file_name(name), text.encode("utf-8"))
    if not isinstance(dump.catalog, str):
        return
    _index(paths).replace_text(dump.catalog or _NO_CATALOGS)
    now = set(_index(paths).records())
    kept = {catalog_file_name(name) for name in now}
    for name in before - now:
        body = paths.catalogs / catalog_file_name(name)
        if body.name not in kept:
            try:
                body.unlink(missing_ok=True)
            except OSError as error:
                raise StateFileError(str(body), f"it can't be deleted ({reason_of(error)})") from error


def _files(dump: Dump) -> Mapping[str, str]:
    return dump.catalog_files if isinstance(dump.catalog_files, dict) else {}


def _text(path: Path) -> str:
    return decode(read_bytes(path), path)


def _config(paths: Paths) -> ConfigFile:
    return ConfigFile(paths.config, paths.lock_for(paths.config))


def _registry(paths: Paths) -> RegistryFile:
    return RegistryFile(paths.registry, paths.lock_for(paths.registry))


def _tools(paths: Paths) -> ToolsFile:
    return ToolsFile(paths.tools, paths.lock_for(paths.tools))


def _index(paths: Paths) -> CatalogIndex:
    return CatalogIndex(paths.catalog_index, paths.lock_for(paths.catalog_index))
