"""Keys that stand in clients' files as plain text: told by what they are called and by what they look like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from desktop.clients.configured import ConfiguredServer
from desktop.secrets.redaction import Redactor
from desktop.secrets.scanner import SecretScanner

__all__ = ["KeyFinder", "PlainKeys", "is_reference"]

_NAMES: Final = re.compile(
    r"(?i)(?:^|[_\-.])(?:api[_-]?key|key|token|pat|secret|password|passwd|pass|pwd|auth|authorization|credentials?|cookie)s?"
    r"(?:$|[_\-.])|api_?key|token$|secret$|password$"
)
_REFERENCE: Final = re.compile(r"\$\{[^}]*\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|\{\{.*?\}\}")
_ARGUMENT: Final = re.compile(r"(?i)--?[\w-]*(?:key|token|secret|password|passwd)[\w-]*=(\S{6,})")
_SWITCH: Final = re.compile(r"(?i)--?[\w-]*(?:key|token|secret|password|passwd)")
_HARMLESS: Final = frozenset({"", "true", "false", "0", "1", "none", "null"})


def is_reference(value: str) -> bool:
    """Whether a value refers to something only the client can look up: a variable, an input it asks for."""
    return _REFERENCE.search(value) is not None


class KeyFinder(Protocol):
    """Says where keys stand."""

    def in_values(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Names of variables or headers whose values are keys."""

    def in_arguments(self, server: ConfiguredServer) -> bool:
        """Whether a key stands among a program's arguments."""

    def in_address(self, url: str) -> bool:
        """Whether a key is a part of an address."""


class PlainKeys:
    """Finds keys. One for many servers, since making it takes a moment."""

    def __init__(self) -> None:
        self._scanner = SecretScanner(Redactor())

    def in_values(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Names of variables or headers whose values are keys."""
        return tuple(name for name, value in values.items() if self._is_key(name, value))

    def in_arguments(self, server: ConfiguredServer) -> bool:
        """Whether a key stands among a program's arguments."""
        previous = ""
        for argument in server.args:
            named = _ARGUMENT.fullmatch(argument)
            after_switch = (
                _SWITCH.fullmatch(previous) is not None and len(argument) >= 6 and not argument.startswith("-")
            )
            if (named or after_switch) and not is_reference(argument):
                return True
            if self._scanner.family(_bytes(argument)):
                return True
            previous = argument
        return False

    def in_address(self, url: str) -> bool:
        """Whether a key is a part of an address: a password, or one of what follows the question mark."""
        try:
            parts = urlsplit(url)
            asked = dict(parse_qsl(parts.query))
        except ValueError:
            return False
        return bool(parts.password) or bool(self.in_values(asked)) or bool(self._scanner.family(_bytes(url)))

    def _is_key(self, name: str, value: str) -> bool:
        if value.strip().lower() in _HARMLESS or is_reference(value):
            return False
        if _NAMES.search(name):
            return True
        return bool(self._scanner.family(_bytes(f"{name}={value}")))


def _bytes(text: str) -> bytes:
    """The text as the scanner reads it; JSON may hold halves of characters, which UTF-8 has no place for."""
    return text.encode("utf-8", "surrogatepass")
