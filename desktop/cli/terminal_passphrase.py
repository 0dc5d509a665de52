"""Asks for the passphrase of the secrets on the terminal, where there is no keychain."""

from __future__ import annotations

import os
import sys

from desktop.errors import PassphraseError

__all__ = ["TerminalPassphrase"]


class TerminalPassphrase:
    """Implements `PassphraseAsker` over the terminal this process belongs to, whatever its standard streams are."""

    async def passphrase(self, *, is_new: bool) -> str | None:
        """What is typed, or None without a terminal; it blocks, since a command has nothing else to do meanwhile.

        Raises:
            PassphraseError: What was typed the second time differs.
        """
        if not _has_terminal():
            return None
        import getpass  # here: hardly any command asks

        if not is_new:
            return getpass.getpass("Passphrase of your secrets: ")
        print("There is no keychain here; a passphrase will protect your secrets instead.", file=sys.stderr)
        chosen = getpass.getpass("New passphrase: ")
        if chosen and getpass.getpass("Once more: ") != chosen:
            raise PassphraseError("The two passphrases differ", "Try again")
        return chosen or None


def _has_terminal() -> bool:
    if os.name == "nt":
        return sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
