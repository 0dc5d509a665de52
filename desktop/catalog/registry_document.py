"""``server.json``, the document of the community registry: read tolerantly, its older spelling too (spec 1.11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from desktop.catalog.tolerance import text_of
from desktop.errors import CatalogError

__all__ = ["Input", "Package", "Remote", "ServerDocument", "read_document"]

_PUBLISHER: Final = "io.modelcontextprotocol.registry/publisher-provided"
_OFFICIAL: Final = "io.modelcontextprotocol.registry/official"
_OLD_TYPES: Final = {"docker": "oci", "dockerhub": "oci"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Something a person may have to give: an environment variable, an argument, a header, or a variable within one.

    Attributes:
        name: Its name; of an argument without one what its value is called, or empty.
        kind: Of an argument ``named`` or ``positional``, else empty.
        value: What it is, with ``{variable}`` where ``variables`` go; None leaves it to the person.
        default: What it is unless the person gives something else; None when there is none.
        description, placeholder: For people.
        format: ``string``, ``number``, ``boolean`` or ``filepath``.
        choices: The values it can have; empty means any.
        is_required, is_secret: As the document says.
        variables: What ``value`` is made of, by name.
    """

    name: str
    kind: str = ""
    value: str | None = None
    default: str | None = None
    description: str = ""
    placeholder: str = ""
    format: str = ""
    choices: tuple[str, ...] = ()
    is_required: bool = False
    is_secret: bool = False
    variables: Mapping[str, Input]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One way to run the server: its package, the arguments of the package and of its runner, and its environment."""

    type: str
    base_url: str
    identifier: str
    version: str
    transport: str
    arguments: tuple[Input, ...]
    runtime_arguments: tuple[Input, ...]
    environment: tuple[Input, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """One address at which the server runs already."""

    transport: str
    url: str
    headers: tuple[Input, ...]
    variables: Mapping[str, Input]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDocument:
    """One server of the registry.

    Attributes:
        name: Such as ``io.github.somebody/weather``.
        title, description, version, icon, repository: For people; each may be empty.
        packages: Ways to run it.
        remotes: Addresses at which it runs.
        oauth: What its publisher says of signing in, as it is; empty when nothing.
        status: ``active``, ``deprecated`` or ``deleted``; empty when the registry doesn't say.
        is_old: Whether it is written in the older spelling, in which a named argument has its value in the next one.
    """

    name: str
    title: str
    description: str
    version: str
    icon: str
    repository: str
    packages: tuple[Package, ...]
    remotes: tuple[Remote, ...]
    oauth: Mapping[str, Any]
    status: str
    is_old: bool


def read_document(data: Any) -> ServerDocument:
    """Understand a ``server.json``, bare or as the registry wraps it.

    Raises:
        CatalogError: It isn't one.
    """
    around = _map(_map(data).get("_meta"))
    wrapped = _map(data).get("server")
    document = _map(wrapped if isinstance(wrapped, dict) else data)
    name = text_of(document.get("name")).strip() if not isinstance(document.get("name"), (dict, list)) else ""
    if not name:
        raise CatalogError(
            "This is no server.json of a registry, it names no server", "Give the address of a server's document"
        )
    if not all(name.partition("/")):
        # Without its namespace it would pass for a server of our own catalogs, and get that one's secrets.
        raise CatalogError(f"The server {name!r} is incompatible: its name has no namespace in front")
    inside = _map(document.get("_meta"))
    official = _map(around.get(_OFFICIAL) or inside.get(_OFFICIAL))
    publisher = _map(inside.get(_PUBLISHER) or around.get(_PUBLISHER))
    icons = _maps(document.get("icons"))
    packages = _maps(document.get("packages"))
    return ServerDocument(
        name=name,
        title=_text(document, "title"),
        description=_text(document, "description"),
        version=_text(document, "version") or _text(_map(document.get("version_detail")), "version"),
        icon=_text(icons[0], "src") if icons else "",
        repository=_text(_map(document.get("repository")), "url"),
        packages=tuple(map(_package, packages)),
        remotes=tuple(map(_remote, _maps(document.get("remotes")))),
        oauth=_map(publisher.get("oauth")),
        status=_text(official, "status") or _text(document, "status"),
        is_old=any("registry_type" in package or "registry_name" in package for package in packages),
    )


def _package(data: Mapping[str, Any]) -> Package:
    kind = _text(data, "registryType", "registry_type", "registry_name").lower()
    transport = data.get("transport")
    return Package(
        type=_OLD_TYPES.get(kind, kind),
        base_url=_text(data, "registryBaseUrl", "registry_base_url"),
        identifier=_text(data, "identifier", "name").strip(),
        version=_text(data, "version").strip(),
        transport=_text(_map(transport), "type") or "stdio",
        arguments=_inputs(_first(data, "packageArguments", "package_arguments")),
        runtime_arguments=_inputs(_first(data, "runtimeArguments", "runtime_arguments")),
        environment=_inputs(_first(data, "environmentVariables", "environment_variables")),
    )


def _remote(data: Mapping[str, Any]) -> Remote:
    return Remote(
        transport=_text(data, "type", "transportType", "transport_type"),
        url=_text(data, "url").strip(),
        headers=_inputs(data.get("headers")),
        variables=_variables(data.get("variables")),
    )


def _inputs(items: Any) -> tuple[Input, ...]:
    return tuple(_input(_text(item, "name") or _text(item, "valueHint", "value_hint"), item) for item in _maps(items))


def _variables(items: Any) -> dict[str, Input]:
    return {str(name): _input(str(name), item) for name, item in _map(items).items() if isinstance(item, dict)}


def _input(name: str, data: Mapping[str, Any]) -> Input:
    choices = data.get("choices")
    return Input(
        name=name,
        kind=_text(data, "type").lower(),
        value=_scalar(data.get("value")),
        default=_scalar(data.get("default")),
        description=_text(data, "description"),
        placeholder=_text(data, "placeholder"),
        format=_text(data, "format").lower(),
        choices=tuple(text_of(item) for item in choices if _is_scalar(item)) if isinstance(choices, list) else (),
        is_required=_first(data, "isRequired", "is_required") is True,
        is_secret=_first(data, "isSecret", "is_secret") is True,
        variables=_variables(data.get("variables")),
    )


def _first(data: Mapping[str, Any], *keys: str) -> Any:
    return next((data[key] for key in keys if data.get(key) is not None), None)


def _text(data: Mapping[str, Any], *keys: str) -> str:
    return _scalar(_first(data, *keys)) or ""


def _scalar(value: Any) -> str | None:
    return text_of(value) if value is not None and _is_scalar(value) else None


def _is_scalar(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in _iterable(value) if isinstance(item, dict)]


def _iterable(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
