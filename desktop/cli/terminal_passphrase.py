"""Asks for the passphrase of the secrets on the terminal, where there is no keychain."""

from __future__ import annotations

import os
import sys

from desktop.errors import PassphraseError
from desktop.secrets.passphrase import DESCRIPTOR, VARIABLE
from desktop.secrets.sealed_file import is_sealed_with_passphrase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from desktop.state.paths import Paths

__all__ = ["TerminalPassphrase", "ask_ahead"]

_QUESTION = "Passphrase of your secrets: "


def ask_ahead(paths: Paths, environ: MutableMapping[str, str] = os.environ) -> None:
    """Ask for the passphrase now if the stored secrets have one, and put it where the gateway looks for it.

    Nothing is asked where no person looks at this program's own terminal, or the environment gives it already. What is typed
    is not checked here: the servers that need a secret will say that it is wrong.
    """
    if VARIABLE in environ or DESCRIPTOR in environ or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if is_sealed_with_passphrase(paths.secrets):
        import getpass  # here: hardly any command asks

        if given := getpass.getpass(_QUESTION):
            environ[VARIABLE] = given


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
            return getpass.getpass(_QUESTION)
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
