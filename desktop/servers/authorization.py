"""How a remote server is shown that the person has signed in (MCP 2026-07-28 and before, basic/authorization)."""

from __future__ import annotations

from typing import Protocol

from desktop.errors import ScopeMissingError

__all__ = ["Authorization"]


class Authorization(Protocol):
    """The access token for one server; `desktop.oauth.access.Access` is one."""

    @property
    def current(self) -> str:
        """The token in force, which may have ended; empty when there is none."""

    async def bearer(self) -> str:
        """A token that is good now; empty when nobody is signed in. Raises `GatewayError` when it can't be had."""

    async def instead_of(self, refused: str) -> str:
        """Another token than the one the server has refused; raises `GatewayError` when there is none."""

    async def more_wanted(self, scope: str) -> ScopeMissingError:
        """Remember that the server wants more to be allowed; returns the error that says what to do."""
