"""A server that is about to be added: what was understood of it, as a form to look through, and the entry it becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from desktop.catalog.kinds import kind_of
from desktop.catalog.loading import read_entry
from desktop.catalog.registry_conversion import catalog_entry
from desktop.catalog.registry_document import ServerDocument
from desktop.clients.configured import ConfiguredServer, Transport
from desktop.clients.docker_run import container_of, with_variables, without_variables
from desktop.clients.import_entry import ImportEntry, import_entry
from desktop.clients.secret_signs import KeyFinder
from desktop.errors import CatalogError, GatewayError

__all__ = ["Draft", "DraftValue", "document_draft", "entry_of", "look_at", "make_draft", "unique"]

_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9-]+")
_LONGEST_NAME: Final = 60
_VERSION: Final = re.compile(r"(?<=.)@[^/@]*$|[=~<>!]=.*$")
_USUAL: Final = re.compile(r"^(?:mcp[-_]server[-_]|server[-_]|mcp[-_])|(?:[-_]mcp[-_]server|[-_]server|[-_]mcp)$")
_EMPTY_HOSTS: Final = frozenset({"mcp", "api", "www", "app", "server", "remote", "gateway"})
_PLACEHOLDER: Final = re.compile(
    r"""(?ix)
    <[^<>]*> | \$\{[^{}]*\} | \$[A-Z_]\w* | %\w+% | \{\{.*\}\} | \[[^\[\]]*\] | \{[^{}]*\}
    | your[-_ ][\w\- ]* | [\w\-]*[-_]here | x{3,}[\w\-]* | \.{3} | … | \*{3,}
    | (?:replace|insert|add|enter|put)[-_ ][\w\- ]*
    """
)
_CACHES: Final = ("docker-mcp-npm-cache-", "docker-mcp-uv-cache-")
_RUNNERS_ALONE: Final = frozenset({"-y", "--yes"})
_SCHEMES: Final = frozenset({"bearer", "basic", "token"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftValue:
    """A variable of the environment or a header.

    Attributes:
        name: Its name.
        value: Its value; empty where the person is still to give one.
        is_secret: Whether the value goes into the secret store.
    """

    name: str
    value: str = field(default="", repr=False)
    is_secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A server that is about to be added.

    Attributes:
        name: What it is to be called, as no other server is.
        title: Its name for people.
        server: How it is started or reached, without variables and headers; of one that a registry describes only its name.
        document: How a registry describes it, and that registry's address; else None and empty.
        values: Its variables or headers.
        kind: How it is reached: ``container``, ``package`` or ``remote``; empty when it can't be added.
        source: Image, package or address.
        arguments: What its program is told besides.
        mounts: What of this computer it sees.
        problem: Why it can't be added as it is, half a sentence; else empty.
    """

    name: str
    title: str
    server: ConfiguredServer = field(repr=False)
    document: ServerDocument | None = field(default=None, repr=False)
    registry: str = ""
    values: tuple[DraftValue, ...] = ()
    kind: str = ""
    source: str = ""
    arguments: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    problem: str = ""


class _Chosen:
    """A key finder that takes the person's word for what is a secret."""

    def __init__(self, secrets: frozenset[str], keys: KeyFinder) -> None:
        self._secrets = secrets
        self._keys = keys

    def in_values(self, values: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(name for name in values if name in self._secrets)

    def in_arguments(self, server: ConfiguredServer) -> bool:
        return self._keys.in_arguments(server)

    def in_address(self, url: str) -> bool:
        return self._keys.in_address(url)


def make_draft(server: ConfiguredServer, taken: Iterable[str], keys: KeyFinder) -> Draft:
    """The form of a server.

    Args:
        server: As it was understood; an empty name gets one from what is started or reached.
        taken: Names that other servers have.
        keys: Finds keys.
    """
    args, env = server.args, server.env
    if _runs_docker(server):
        rest, env = without_variables(server.args[1:], server.env)
        args = ("run", *rest)
    given = server.headers if server.url else env
    # A value that is left to the person is judged by what it would be.
    judged = {
        name: "something" if _blank(name, value) != value or not value else value for name, value in given.items()
    }
    secrets = frozenset(keys.in_values(judged))
    values = tuple(
        DraftValue(name=name, value=_blank(name, value), is_secret=name in secrets) for name, value in given.items()
    )
    said = server.name or _suggested(server)
    draft = Draft(
        name=unique(said, taken),
        title=server.name if re.search(r"[A-Z ]", server.name) else _title(said),
        server=replace(server, args=args, env={}, headers={}),
        values=values,
    )
    return look_at(draft, keys)


def document_draft(document: ServerDocument, registry: str, taken: Iterable[str], keys: KeyFinder) -> Draft:
    """The form of a server that a registry describes; its secrets are left to the person.

    Args:
        document: The description.
        registry: The registry's address, or empty.
        taken: Names that other servers have.
        keys: Finds keys.
    """
    said = _short(document.name.rpartition("/")[2]) or document.name
    draft = Draft(
        name=unique(said, taken),
        title=document.title or _title(said),
        server=ConfiguredServer(name=document.name, transport=Transport.STDIO),
        document=document,
        registry=registry,
    )
    try:
        declared = _described(draft).get("secrets") or ()
    except CatalogError:
        declared = ()
    values = tuple(DraftValue(name=secret.get("env") or secret["name"], is_secret=True) for secret in declared)
    return look_at(replace(draft, values=values), keys)


def look_at(draft: Draft, keys: KeyFinder) -> Draft:
    """The draft with what follows from the rest of it: kind, source, arguments, mounts, or why it can't be added."""
    try:
        entry = entry_of(draft, keys).entry
        server = read_entry(draft.name, entry)
    except (GatewayError, ValueError) as error:
        problem = error.message if isinstance(error, GatewayError) else "its entry would not be understood"
        source = _bare_address(draft.server.url) or draft.server.command or draft.server.name
        return replace(draft, kind="", source=source, arguments=(), mounts=(), problem=problem)
    kind = kind_of(server)
    command = tuple(map(str, server.command))
    if kind == "remote":
        source, command = (server.remote.url if server.remote is not None else draft.server.url), ()
    elif kind == "package":
        source, command = _package(command)
    else:
        source = server.image
    mounts = tuple(str(volume) for volume in server.volumes if not str(volume).startswith(_CACHES))
    return replace(draft, kind=kind, source=source, arguments=command, mounts=mounts, problem="")


def entry_of(draft: Draft, keys: KeyFinder) -> ImportEntry:
    """The catalog entry a draft becomes, and the values of its secrets that are known.

    Raises:
        GatewayError: It can't be run as it is; half a sentence that says why.
    """
    made = _converted(draft, keys)
    try:
        json.dumps([made.entry, *made.secrets.items()], ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise GatewayError("it holds halves of characters, which no file can hold") from error
    return made


def _converted(draft: Draft, keys: KeyFinder) -> ImportEntry:
    if draft.document is not None:
        entry, values = _described(draft), {value.name: value.value for value in draft.values}
        named = {secret["name"]: secret.get("env") or secret["name"] for secret in entry.get("secrets") or ()}
        return ImportEntry(
            entry=entry,
            secrets={name: value for name, said in named.items() if (value := values.get(said, "").strip())},
        )
    given = {value.name: value.value for value in draft.values if value.is_secret or value.value}
    secrets = frozenset(value.name for value in draft.values if value.is_secret)
    server = replace(draft.server, name=draft.title or draft.name)
    if server.url:
        server = replace(server, headers=given)
    elif _runs_docker(server):
        server = replace(server, args=("run", *with_variables(server.args[1:], given)), env=given)
    else:
        server = replace(server, env=given)
    made = import_entry(server, draft.name, _Chosen(secrets, keys))
    return ImportEntry(entry=made.entry, secrets={name: value for name, value in made.secrets.items() if value.strip()})


def unique(said: str, taken: Iterable[str]) -> str:
    """A name for a server made of what it is called, as no other has it."""
    name = _NOT_IN_NAMES.sub("-", said.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "server"
    used = set(taken)
    free, number = name, 2
    while free in used:
        free, number = f"{name}-{number}", number + 1
    return free


def _described(draft: Draft) -> dict[str, Any]:
    """The entry of a server that a registry describes, under the name it is to have here."""
    assert draft.document is not None
    entry = catalog_entry(replace(draft.document, name=draft.name, title=draft.title), base=draft.registry)
    entry["metadata"] = catalog_entry(draft.document, base=draft.registry)["metadata"]
    return entry


def _blank(name: str, value: str) -> str:
    """The value, without a part that only stands for one."""
    text = value.strip()
    scheme, blank, rest = text.partition(" ")
    if blank and scheme.lower() in _SCHEMES and _stands_for_one(rest, name):
        return f"{scheme} "
    return "" if _stands_for_one(text, name) else value


def _stands_for_one(text: str, name: str) -> bool:
    return _PLACEHOLDER.fullmatch(text.strip()) is not None or text.strip().lower() == name.lower()


def _runs_docker(server: ConfiguredServer) -> bool:
    return not server.url and _program(server.command) in ("docker", "podman") and server.args[:1] == ("run",)


def _program(command: str) -> str:
    return PurePosixPath(command.replace("\\", "/")).name.lower().removesuffix(".exe").removesuffix(".cmd")


def _package(command: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The package that is run, with its runner, and what it is told."""
    runner, rest = command[:1], [part for part in command[1:] if part not in _RUNNERS_ALONE]
    place = 0
    while place < len(rest) and rest[place].startswith("-"):
        place += 1 if "=" in rest[place] else 2
    return " ".join((*runner, *rest[: place + 1])), tuple(rest[place + 1 :])


def _suggested(server: ConfiguredServer) -> str:
    """A name for a server nobody gave one."""
    if server.transport is not Transport.STDIO:
        return _of_address(server.url)
    if _runs_docker(server):
        rest = without_variables(server.args[1:], {})[0]
        image = next((text for text in reversed(_until_image(rest))), "")
        return _short(image.partition("@")[0].rpartition("/")[2].partition(":")[0])
    if server.args:
        package = _package((server.command, *server.args))[0].rpartition(" ")[2]
        scope, _, last = _VERSION.sub("", package).rpartition("/")
        return _short(last) or _short(scope.lstrip("@")) or _program(server.command)
    return _program(server.command)


def _until_image(args: tuple[str, ...]) -> list[str]:
    """The arguments of ``docker run`` up to the image."""
    try:
        return [str(container_of(args, {})[0]["image"])]
    except GatewayError:
        return [part for part in args if not part.startswith("-")][:1]


def _short(name: str) -> str:
    """The part of a name that tells this server from others."""
    short = _USUAL.sub("", _USUAL.sub("", name.lower()))
    return "" if short in ("mcp", "server") else short


def _of_address(url: str) -> str:
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    labels = host.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or ":" in host:
        return host
    known = [label for label in labels[:-1] if label not in _EMPTY_HOSTS]
    # A label of two or three letters before the last is part of an ending such as "co.uk".
    if len(known) > 1 and len(known[-1]) <= 3 and len(labels[-1]) == 2:
        known = known[:-1]
    return known[-1] if known else labels[0]


def _bare_address(url: str) -> str:
    """The address without what may be a key."""
    return re.sub(r"//[^/@]*@", "//", url.partition("?")[0])


def _title(name: str) -> str:
    return " ".join(part.capitalize() for part in re.split(r"[-_.\s]+", name) if part) or name
