"""The passphrase for machines without a keychain, as the environment gives it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import MutableMapping
from typing import Final

from desktop.errors import PassphraseError
from desktop.secrets.master_key import PassphraseAsker

__all__ = ["DESCRIPTOR", "VARIABLE", "GivenPassphrase", "LatePassphrase"]

VARIABLE: Final = "MCP_GATEWAY_PASSPHRASE"
DESCRIPTOR: Final = "MCP_GATEWAY_PASSPHRASE_FD"
_LONGEST: Final = 4096


class GivenPassphrase:
    """The first line of an open file descriptor, the value of a variable, or whatever somebody else answers.

    Args:
        environ: Where the two variables stand; both are taken out at once, so that no child process gets them.
        asker: Who is asked when there is neither.

    Raises:
        PassphraseError: The descriptor isn't a number.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ, asker: PassphraseAsker | None = None) -> None:
        self._given = environ.pop(VARIABLE, "") or None
        descriptor = environ.pop(DESCRIPTOR, "")
        if descriptor and not descriptor.isdecimal():
            raise PassphraseError(f"{DESCRIPTOR} should be the number of an open file descriptor", "Write it like 3")
        self._descriptor = int(descriptor) if descriptor else None
        self._asker = asker

    async def passphrase(self, *, is_new: bool) -> str | None:
        """The passphrase; raises `PassphraseError` when the descriptor can't be read."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            try:
                self._given = await asyncio.to_thread(_first_line, descriptor) or None
            except OSError as error:
                raise PassphraseError(f"The passphrase can't be read from {DESCRIPTOR}", "Keep it open") from error
        if self._given is None and self._asker is not None:
            return await self._asker.passphrase(is_new=is_new)
        return self._given


class LatePassphrase:
    """A passphrase that the person may give at any time while the program runs.

    Attributes:
        given: What they have given; None before.
    """

    def __init__(self) -> None:
        self.given: str | None = None

    async def passphrase(self, *, is_new: bool) -> str | None:
        """What was given."""
        return self.given


def _first_line(descriptor: int) -> str:
    with open(descriptor, "rb") as file:
        return file.readline(_LONGEST).rstrip(b"\r\n").decode("utf-8", "replace")
