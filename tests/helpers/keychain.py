"""A real gnome-keyring in a private session bus, unlocked or locked, for tests of the keychain."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.processes import need, private_home, session_bus, started, wait_until

__all__ = ["Keychain", "keychain", "locked_keychain", "private_keychain"]

_DAEMON = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]


@dataclass(frozen=True)
class Keychain:
    """A running keychain. Programs started with ``environment`` (and only those) use it."""

    environment: dict[str, str]
    folder: Path

    def dbus(self, destination: str, path: str, method: str, argument: str) -> str:
        """Call a D-Bus method with one string and return the reply as text, empty on an error."""
        command = [need("dbus-send"), "--session", "--print-reply=literal", f"--dest={destination}", path, method]
        done = subprocess.run(
            [*command, f"string:{argument}"],
            env=self.environment,
            text=True,
            capture_output=True,
            timeout=30,
            check=False,
        )
        return done.stdout

    def is_there(self) -> bool:
        """Whether the secrets service owns its name (asked of the bus, so that nothing is activated)."""
        method = "org.freedesktop.DBus.NameHasOwner"
        return "true" in self.dbus("org.freedesktop.DBus", "/", method, "org.freedesktop.secrets")

    def has_default_collection(self) -> bool:
        """Whether the login collection, which unlocking creates, is the default one."""
        method = "org.freedesktop.Secret.Service.ReadAlias"
        return "collection/login" in self.dbus("org.freedesktop.secrets", "/org/freedesktop/secrets", method, "default")


@contextlib.contextmanager
def private_keychain(*, locked: bool = False, password: str = "correct horse", bus: str = "") -> Iterator[Keychain]:
    """gnome-keyring with an unlocked login collection; with ``locked``, one that exists but was not unlocked.

    It serves the session ``bus`` with this address, or one of its own.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keychain-", ignore_cleanup_errors=True)))
        environment = private_home(folder)
        environment["DBUS_SESSION_BUS_ADDRESS"] = bus or stack.enter_context(
            session_bus(environment, log=folder / "bus.log")
        )
        result = Keychain(environment, folder)
        log = folder / "keyring.log"
        unlock = started([*_DAEMON, "--unlock"], environment, log=log, stdin=f"{password}\n".encode())
        if locked:
            with unlock:
                _wait_until_usable(result)
            wait_until(lambda: not result.is_there(), what="the end of the first gnome-keyring")
            stack.enter_context(started([*_DAEMON, "--start"], environment, log=log))
            wait_until(result.is_there, what="the start of a locked gnome-keyring")
        else:
            stack.enter_context(unlock)
            _wait_until_usable(result)
        yield result


def _wait_until_usable(keychain: Keychain) -> None:
    wait_until(keychain.is_there, what="the start of gnome-keyring")
    wait_until(keychain.has_default_collection, what="the unlocking of gnome-keyring")


@pytest.fixture
def keychain() -> Iterator[Keychain]:
    """An unlocked keychain of the test's own."""
    with private_keychain() as running:
        yield running


@pytest.fixture
def locked_keychain() -> Iterator[Keychain]:
    """A keychain that is there but locked."""
    with private_keychain(locked=True) as running:
        yield running
