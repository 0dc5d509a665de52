"""From a ``server.json`` of the community registry to a catalog entry (spec 1.11, docs/decisions/0018)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec

from desktop.catalog.download import is_url
from desktop.catalog.model import CatalogServer, OAuthSettings
from desktop.catalog.registry_document import Input, Package, Remote, ServerDocument
from desktop.catalog.registry_inputs import Inputs
from desktop.errors import CatalogError

__all__ = ["NODE_IMAGE", "PYTHON_IMAGE", "cache_volume", "catalog_entry", "converted_server", "server_name"]

_RUNNABLE: Final = ("oci", "pypi", "npm")
PYTHON_IMAGE: Final = "ghcr.io/astral-sh/uv:python3.14-bookworm-slim"
NODE_IMAGE: Final = "node:24-bookworm-slim"
_COMMUNITY: Final = "community"
_MOUNT_KEYS: Final = {
    "source": "src",
    "src": "src",
    "destination": "dst",
    "target": "dst",
    "dst": "dst",
    "type": "type",
}
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def server_name(name: str) -> str:
    """The catalog's name for a server of the registry: ``io.github.foo/bar`` is ``io-github-foo-bar``."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", name).lstrip("-_") or "server"


def converted_server(document: ServerDocument, *, base: str = "") -> CatalogServer:
    """As `catalog_entry`, for the program itself."""
    return msgspec.convert(catalog_entry(document, base=base), CatalogServer, strict=False)


def catalog_entry(document: ServerDocument, *, base: str = "") -> dict[str, Any]:
    """A catalog entry, as a catalog file holds it.

    Args:
        document: What the registry says.
        base: The registry's address, without the path of its API; empty when unknown.

    Raises:
        CatalogError: The server can't be run from here: no package of a kind that can be, no usable address.
    """
    name = server_name(document.name)
    entry: dict[str, Any] = {"name": name}
    entry |= _presentation(document)
    remote = next((remote for remote in document.remotes[:1] if _address(remote)), None)
    package = _package(document)
    if remote is not None:
        entry |= _remote_parts(remote, name)
    elif package is not None:
        entry |= _package_parts(document, package, name)
    else:
        raise _incompatible(document)
    oauth = _oauth(document.oauth, name)
    if oauth:
        entry["oauth"] = oauth
    entry["metadata"] = {"tags": [_COMMUNITY]}
    if base:
        version = f"/versions/{quote(document.version, safe='')}" if document.version else ""
        entry["metadata"]["registryUrl"] = f"{base}/v0/servers/{quote(document.name, safe='')}{version}"
    return entry


def _presentation(document: ServerDocument) -> dict[str, str]:
    texts = {
        "title": document.title or document.name,
        "description": document.description,
        "icon": document.icon if is_url(document.icon) else "",
        "source": document.repository if is_url(document.repository) else "",
    }
    return {key: text for key, text in texts.items() if text}


def _package(document: ServerDocument) -> Package | None:
    """The first package of the best kind that speaks MCP on its standard streams."""
    usable = [package for package in document.packages if package.transport == "stdio" and package.identifier]
    found = (package for kind in _RUNNABLE for package in usable if package.type == kind)
    return next(found, None)


def _incompatible(document: ServerDocument) -> CatalogError:
    kinds = sorted({f"{package.type or 'unknown'} with {package.transport}" for package in document.packages})
    has = f"it has {', '.join(kinds)}" if kinds else "it has neither a package nor an address without settings"
    return CatalogError(
        f"The server {document.name} is incompatible: {has}",
        "Servers run from an image (oci), pypi or npm package over stdio, or from an address",
    )


# Packages.


def _package_parts(document: ServerDocument, package: Package, name: str) -> dict[str, Any]:
    if re.search(r"[\s\x00-\x1f]", package.identifier + package.version) or package.identifier.startswith("-"):
        raise CatalogError(f"The server {document.name} is incompatible: its package's name can't be one")
    variables = [item for item in package.environment if item.name]
    _check_names(document, variables)
    secrets = {_environment_name(item, document): item for item in variables if item.is_secret}
    plain = {key: item for item in variables if (key := _environment_name(item, document)) not in secrets}
    inputs = Inputs(name, secrets, plain)
    parts = {"type": "server", **_runner(package)}
    command = [*parts.get("command", ()), *_arguments(package.arguments, inputs, split=document.is_old)]
    user, volumes = _run_options(document, package.runtime_arguments, inputs)
    if package.type != "oci" and not user:
        volumes = [cache_volume(package.type, name), *volumes]
    env = [{"name": key, "value": text} for key, item in plain.items() if (text := inputs.environment_text(item))]
    found = {
        "command": command,
        "volumes": volumes,
        "user": user,
        "secrets": inputs.secrets(),
        "env": [*inputs.helpers(), *env],
        "config": inputs.config(),
    }
    return {**parts, **{key: value for key, value in found.items() if value}}


def _runner(package: Package) -> dict[str, Any]:
    match package.type:
        case "pypi":
            return {"image": PYTHON_IMAGE, "command": _uvx(package), "longLived": True}
        case "npm":
            return {"image": NODE_IMAGE, "command": _npx(package), "longLived": True}
        case _:
            return {"image": _image(package)}


def _check_names(document: ServerDocument, variables: Iterable[Input]) -> None:
    for item in variables:
        if not _VARIABLE.fullmatch(item.name):
            raise CatalogError(
                f"The server {document.name} is incompatible: {item.name!r} is no name of a variable of the environment"
            )


def _environment_name(item: Input, document: ServerDocument) -> str:
    return item.name.replace("-", "_") if document.is_old else item.name


def _image(package: Package) -> str:
    image, version = package.identifier, package.version
    host = _host(package.base_url)
    first = image.split("/")[0]
    if host and host != "docker.io" and not ("." in first or ":" in first or first == "localhost"):
        image = f"{host}/{image}"
    if "@" in image:
        return image
    if re.fullmatch(r"[a-z0-9]+:[0-9a-fA-F]{32,}", version):
        return f"{image}@{version}"
    tagged = ":" in image.rpartition("/")[2]
    return image if tagged or not version else f"{image}:{version}"


def _uvx(package: Package) -> list[str]:
    index = _own_index(package, "pypi")
    source = ["--from", f"{package.identifier}=={package.version}"] if _is_version(package) else []
    return ["uvx", *(["--index-url", index] if index else []), *source, package.identifier]


def _npx(package: Package) -> list[str]:
    registry = _own_index(package, "npmjs")
    version = f"@{package.version}" if _is_version(package) else ""
    return ["npx", "--yes", *(["--registry", registry] if registry else []), package.identifier + version]


def _is_version(package: Package) -> bool:
    return package.version not in ("", "latest")


def _own_index(package: Package, usual: str) -> str:
    """The index a document names besides the usual one; that one is left to the runner, so that a person's own holds."""
    host = _host(package.base_url)
    return package.base_url if host and usual not in host.partition(":")[0].split(".") else ""


def _host(url: str) -> str:
    """Host and port of an address of the web; empty where it isn't one."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower() if is_url(url) else ""
    except ValueError:
        return ""


def cache_volume(kind: str, name: str) -> str:
    """Where the runner keeps what it has fetched: nobody else's, so that no server can change another's."""
    return {
        "pypi": f"docker-mcp-uv-cache-{name}:/root/.cache/uv",
        "npm": f"docker-mcp-npm-cache-{name}:/root/.npm",
    }[kind]


def _arguments(items: Iterable[Input], inputs: Inputs, *, split: bool) -> list[str]:
    """The arguments of the package.

    Args:
        items: As the document has them.
        inputs: Takes what the person has to give.
        split: A named argument is two, ``--name`` and its value, as in the older spelling.
    """
    arguments: list[str] = []
    for item in items:
        if item.kind != "named":
            # What may be left out and has no value is left out: as an empty argument it would mean something.
            if item.value is not None or item.default is not None or item.is_required or item.is_secret:
                arguments.append(inputs.text(item))
        elif split:
            arguments += [item.name if item.name.startswith("-") else f"--{item.name}", inputs.text(item)]
        else:
            arguments.append(f"{item.name}={inputs.text(item)}")
    return arguments


def _run_options(document: ServerDocument, items: Iterable[Input], inputs: Inputs) -> tuple[str, list[str]]:
    """User and mounts among the arguments meant for ``docker run``; nothing else of them is taken."""
    user, volumes = "", []
    for item in items:
        name = item.name.split("=", 1)[0]
        if item.kind != "named" or name not in ("-u", "--user", "-v", "--volume", "--mount"):
            continue
        if item.is_secret or any(variable.is_secret for variable in item.variables.values()):
            raise CatalogError(f"The server {document.name} is incompatible: it wants a secret as user or mount")
        if name == "--mount":
            volumes.append(_mount(item, inputs))
            continue
        given = item.value if item.value is not None else item.default
        text = inputs.filled(_cut(given, name), item.variables, item) if given is not None else inputs.text(item)
        if name in ("-u", "--user"):
            user = text
        else:
            volumes.append(text)
    return user, [volume for volume in volumes if volume]


def _cut(text: str, name: str) -> str:
    """The part after ``name=`` where the value repeats the name."""
    return text.removeprefix(f"{name}=")


def _mount(item: Input, inputs: Inputs) -> str:
    """``type=bind,src=a,dst=b`` as ``a:b``; other text as it is."""
    given = _cut(item.value if item.value is not None else item.default or "", "--mount")
    parts = {}
    is_read_only = False
    for piece in given.split(","):
        key, equals, value = piece.partition("=")
        if key.strip() in ("readonly", "ro"):
            is_read_only = value.strip().lower() != "false"
        elif equals and key.strip() in _MOUNT_KEYS:
            parts[_MOUNT_KEYS[key.strip()]] = inputs.filled(value.strip(), item.variables, item)
    if not parts.get("src") or not parts.get("dst"):
        return inputs.filled(given, item.variables, item) if given else inputs.text(item)
    return f"{parts['src']}:{parts['dst']}{':ro' if is_read_only else ''}"


# Addresses.


def _address(remote: Remote) -> str:
    """The address, its variables filled in; empty when the person would have to give one, for which entries have no place."""
    url = remote.url
    for name, variable in remote.variables.items():
        text = variable.value if variable.value is not None else variable.default
        if f"{{{name}}}" in url and text is not None and not variable.is_secret:
            url = url.replace(f"{{{name}}}", text)
    return url if _host(url) and not re.search(r"[{}\s]", url) else ""


def _remote_parts(remote: Remote, name: str) -> dict[str, Any]:
    inputs = Inputs(name)
    headers = {item.name: inputs.text(item, only_secrets=True) for item in remote.headers if item.name.strip()}
    place: dict[str, Any] = {"url": _address(remote)}
    transport = {"http": "streamable-http", "streamable": "streamable-http", "streaming": "streamable-http"}
    place["transport_type"] = transport.get(remote.transport, remote.transport) or "streamable-http"
    if headers:
        place["headers"] = headers
    secrets = inputs.secrets()
    return {"type": "remote", "remote": place, **({"secrets": secrets} if secrets else {})}


def _oauth(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the publisher says of signing in; an app that would hand out another server's secret is not taken."""
    try:
        settings = msgspec.convert(data, OAuthSettings, strict=False)
    except msgspec.ValidationError:
        return {}
    own = [item for item in settings.providers if not item.secret or item.secret.startswith(f"{name}.")]
    found = {"providers": [msgspec.to_builtins(item) for item in own], "scopes": settings.scopes}
    return {key: value for key, value in found.items() if value} if own else {}
