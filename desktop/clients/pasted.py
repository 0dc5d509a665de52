"""What a person has pasted to add a server: an address, a command, a configuration in any client's words, or a name."""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from desktop.catalog.registry_document import ServerDocument, read_document
from desktop.clients.command_lines import command_server, of_address
from desktop.clients.configured import ConfiguredServer, configured_servers, is_of_reference
from desktop.clients.document import Format, read
from desktop.clients.draft import Draft, document_draft, make_draft
from desktop.clients.json_syntax import JsonText
from desktop.clients.secret_signs import KeyFinder
from desktop.errors import ClientFileError, GatewayError

__all__ = ["Understanding", "understand"]

Found = ConfiguredServer | ServerDocument

_LONGEST: Final = 200_000
_MOST_SERVERS: Final = 50
_DEPTH: Final = 4
_FENCE: Final = re.compile(r"^\s*```[^\n]*\n(.*?)(?:\n\s*```\s*)?$", re.DOTALL)
_TABLE: Final = re.compile(r"""^\s*\[[A-Za-z_][\w.\-"' ]*\]\s*(?:#.*)?$""", re.MULTILINE)
_YAML: Final = re.compile(r"^\s*(?:-\s+)?[\w\-]+:(?:\s|$)", re.MULTILINE)
_NAME: Final = re.compile(r"[A-Za-z0-9][\w.\-]*(?:/[\w.\-]+)?")
_IMAGE: Final = re.compile(
    r"mcp/[\w.\-]+(?::[\w.\-]+)?|(?:[\w.\-]+(?::\d+)?/)+[\w.\-]+(?::[\w.\-]+|@sha256:[0-9a-f]{64})"
    r"|[\w.\-]+(?::\d+)?(?:/[\w.\-]+){2,}"
)
_NPM: Final = re.compile(r"@[\w.\-]+/[\w.\-]+(?:@[\w.\-]+)?")
_PAGES: Final = frozenset({"github.com", "gitlab.com", "glama.ai", "smithery.ai"})
_PACKAGE_PAGE: Final = re.compile(
    r"/(?:package/(?:@[\w.\-]+/)?|project/)[\w.\-]+/?"
)  # as indexes of packages have them
_HUB: Final = re.compile(r"https?://hub\.docker\.com/mcp/server/([\w.\-]+)(?:/.*)?")
_IN_REGISTRY: Final = re.compile(r"https?://\S+/v0(?:\.1)?/servers/\S+", re.IGNORECASE)
_LINK: Final = re.compile(r"[a-z][a-z0-9+.\-]*:(?://)?[^\s]*install", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Understanding:
    """What a text means.

    Attributes:
        drafts: The servers in it.
        wanted: The name of a server that is to be looked up in the catalogs, where the text is no more than that.
        registry: The address of a server in a registry, which is to be asked for it.
        problem: Why there is nothing, or not all; one sentence without a full stop.
    """

    drafts: tuple[Draft, ...] = ()
    wanted: str = ""
    registry: str = ""
    problem: str = ""


def understand(text: str, taken: Iterable[str], keys: KeyFinder) -> Understanding:
    """Understand what was pasted; whatever it is, nothing is raised.

    Args:
        text: What was pasted.
        taken: Names of servers there are already.
        keys: Finds keys.
    """
    fenced = _FENCE.match(text)
    text = (fenced[1] if fenced else text).strip().strip("\ufeff\u200b").strip()
    if not text:
        return Understanding()
    if len(text) > _LONGEST:
        return Understanding(problem="This is too much text for the description of a server")
    if "\0" in text:
        return Understanding(problem="This is not text")
    try:
        if wanted := _wanted(text):
            return Understanding(wanted=wanted)
        if _IN_REGISTRY.fullmatch(text):
            return Understanding(registry=text)
        servers = _servers(text)
    except GatewayError as error:
        return Understanding(problem=error.message)
    return _drafts(servers, taken, keys)


def _drafts(servers: Sequence[Found], taken: Iterable[str], keys: KeyFinder) -> Understanding:
    used = set(taken)
    drafts = []
    for server in servers[:_MOST_SERVERS]:
        if isinstance(server, ServerDocument):
            draft = document_draft(server, "", used, keys)
        elif is_of_reference(server):
            continue
        else:
            draft = make_draft(server, used, keys)
        used.add(draft.name)
        drafts.append(draft)
    if not drafts:
        return Understanding(problem="This starts Docker's own gateway, and would lead in a circle")
    left = len(servers) - _MOST_SERVERS
    problem = f"Only the first {_MOST_SERVERS} servers are shown, {left} are left out" if left > 0 else ""
    return Understanding(drafts=tuple(drafts), problem=problem)


def _wanted(text: str) -> str:
    """The name to look up; empty when the text is something else."""
    if hub := _HUB.fullmatch(text):
        return hub[1]
    if _NAME.fullmatch(text) and not _IMAGE.fullmatch(text):
        return text
    return ""


def _servers(text: str) -> Sequence[Found]:
    if text.startswith(("{", '"', "//", "/*")) or (text[0] == "[" and not _TABLE.search(text)):
        return _described(text) or _of_json(text)
    if _TABLE.search(text):
        return _of_toml(text)
    if not re.search(r"\s", text):
        return [_of_word(text)]
    if _YAML.match(text) and "\n" in text and (found := _of_yaml(text)):
        return found
    inner = re.search(r"\{.*\}", text, re.DOTALL)
    if inner and re.search(r"--add-mcp|\bmcp\s+add-json\b", text):
        named = re.search(r"add-json\s+(?:-\S+\s+\S+\s+)*([\w.\-]+)\s+['\"]?\{", text)
        found = _of_json(inner[0].replace('\\"', '"') if '{\\"' in inner[0] else inner[0])
        return [replace(server, name=named[1]) for server in found] if named else found
    return [command_server(text)]


def _of_word(word: str) -> ConfiguredServer:
    """One word: an address, a link that a client would open, an image or a package."""
    if word.lower().startswith(("http://", "https://")) and "/mcp/install" not in word:
        return _of_url(word)
    if _LINK.match(word):
        return _of_link(word)
    if _NPM.fullmatch(word):
        return command_server(f"npx -y {word}")
    if _IMAGE.fullmatch(word):
        return command_server(f"docker run -i --rm {word}")
    if word.startswith((".", "/", "~")):
        return command_server(word)
    raise GatewayError(
        "This is neither an address, nor a command such as docker run, npx or uvx, nor a client's configuration"
    )


def _of_url(url: str) -> ConfiguredServer:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError as error:
        raise GatewayError("This is no address of the web") from error
    if not host:
        raise GatewayError("The address has no host yet")
    if host in _PAGES or _PACKAGE_PAGE.fullmatch(parts.path):
        raise GatewayError(f"This is a page of {host} about a server; paste the command or the configuration it shows")
    return of_address(url)


def _of_link(link: str) -> ConfiguredServer:
    """The button "Install in …" of a README, as the link it is."""
    try:
        query = urlsplit(link).query
    except ValueError as error:
        raise GatewayError("The link can't be read") from error
    given = {key: values[0] for key, values in parse_qs(query).items()}
    name, config = given.get("name", ""), given.get("config", "")
    text = config or unquote(query)
    if not text.lstrip().startswith("{"):
        try:
            text = base64.b64decode(text.replace(" ", "+") + "=" * (-len(text) % 4), validate=True).decode("utf-8")
        except (binascii.Error, ValueError) as error:
            raise GatewayError("The link says nothing of a server that can be read") from error
    (server, *_) = _of_json(text)
    return replace(server, name=name) if name else server


def _of_json(text: str) -> Sequence[ConfiguredServer]:
    """A configuration in JSON, whole or a part of one, perhaps with comments."""
    first: ClientFileError | None = None
    for candidate in (text, f"{{{text.rstrip().rstrip(',')}}}"):
        try:
            data = JsonText(candidate, "The text", lenient=True).plain()
        except ClientFileError as error:
            first = first or error
            continue
        except (ValueError, RecursionError):
            continue
        found = _found(data)
        if found:
            return found
        if candidate is text:
            raise GatewayError("There is no server in this JSON: neither a command nor an address")
    whole = text[:1] == "{" or first is None
    raise first if whole and first is not None else GatewayError("This is not JSON yet")


def _described(text: str) -> Sequence[ServerDocument]:
    """The server that a registry's ``server.json`` describes; empty when the text is none."""
    try:
        data = JsonText(text, "The text", lenient=True).plain()
        inner = data.get("server", data) if isinstance(data, dict) else None
        if not isinstance(inner, dict) or not any(isinstance(inner.get(key), list) for key in ("packages", "remotes")):
            return ()
        return (read_document(data),)
    except (GatewayError, ValueError, RecursionError):
        return ()


def _of_toml(text: str) -> Sequence[ConfiguredServer]:
    try:
        found = _found(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        raise GatewayError(f"This is not TOML yet: {_place_of(error)}") from error
    if not found:
        raise GatewayError("There is no server in this TOML: neither a command nor an address")
    return found


def _of_yaml(text: str) -> Sequence[ConfiguredServer]:
    try:
        return _found(read(text.encode("utf-8", "surrogatepass"), Format.YAML, "The text"))
    except (GatewayError, ValueError, RecursionError):
        return ()


def _place_of(error: Exception) -> str:
    """Where a parser gave up; its words may hold a part of the text, so they are not repeated."""
    place = re.search(r"line (\d+), column (\d+)", str(error))
    return f"look at line {place[1]}, column {place[2]}" if place else "its end is missing"


def _found(data: Any) -> Sequence[ConfiguredServer]:
    """The servers in a configuration, however deep its map of them lies."""
    level = [data]
    for _ in range(_DEPTH):
        for item in level:
            alone = configured_servers({"": item}) if isinstance(item, dict) else ()
            if alone:
                name = item.get("name")
                return [replace(alone[0], name=name if isinstance(name, str) else "")]
            if several := configured_servers(item):
                return several
        level = [
            inner
            for item in level
            for inner in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            if isinstance(inner, (dict, list))
        ]
    return ()
