"""The ``WWW-Authenticate`` header of a server that wants a token (RFC 6750, RFC 9728 section 5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Challenge"]

_PARAMETER: Final = re.compile(r'(?<![\w-])([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_ESCAPED: Final = re.compile(r"\\(.)")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """What it says.

    Attributes:
        error: ``invalid_token``, ``insufficient_scope`` or empty.
        scope: The scopes the server wants, with spaces between; empty when it does not say.
        resource_metadata: Where the server says how to sign in; empty when it does not.
    """

    error: str = ""
    scope: str = ""
    resource_metadata: str = ""

    @classmethod
    def of(cls, header: str) -> Challenge:
        """Read the header's value; several headers are one with commas between."""
        found: dict[str, str] = {}
        for name, quoted, plain in _PARAMETER.findall(header):
            found.setdefault(name.lower(), plain or _ESCAPED.sub(r"\1", quoted))
        scope = " ".join(_SCOPE.findall(found.get("scope", "")))
        return cls(error=found.get("error", ""), scope=scope, resource_metadata=found.get("resource_metadata", ""))

    @property
    def wants_more(self) -> bool:
        """Whether the token is good, but not for what was asked."""
        return self.error == "insufficient_scope"

    def header(self) -> str:
        """It as a header again, with nothing in it but what was understood."""
        parts = {"error": self.error, "scope": self.scope, "resource_metadata": self.resource_metadata}
        said = ", ".join(f'{name}="{value}"' for name, value in parts.items() if value and '"' not in value)
        return f"Bearer {said}".rstrip()
