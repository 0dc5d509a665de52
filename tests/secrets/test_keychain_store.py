"""The keychain: an entry for each secret, never in the way of the event loop, never without a time limit."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

import desktop
from desktop.errors import KeychainLockedError, KeychainUnavailableError, SecretStoreError
from desktop.secrets.keychain import KeychainStore
from tests.helpers.keychain import Keychain


class Backend(keyring.backend.KeyringBackend):
    """A keychain in memory that can be told to fail or to wait."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def _pass(self) -> None:
        assert self.gate.wait(30)
        if self.error:
            raise self.error

    def get_password(self, service: str, username: str) -> str | None:
        self._pass()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._pass()
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._pass()
        if (service, username) not in self.entries:
            raise keyring.errors.PasswordDeleteError
        del self.entries[service, username]


@pytest.fixture
def backend() -> Iterator[Backend]:
    before = keyring.get_keyring()
    backend = Backend()
    keyring.set_keyring(backend)
    yield backend
    backend.gate.set()
    keyring.set_keyring(before)


@pytest.fixture
def store(backend: Backend) -> Iterator[KeychainStore]:
    store = KeychainStore("test", time_limit=5.0, part_length=10)
    yield store
    store.close()


async def test_a_secret_is_kept_read_and_taken_away(store: KeychainStore, backend: Backend) -> None:
    assert await store.get("a") is None
    await store.set("a", "é 1")
    await store.set("b", "2")
    assert (await store.get("a"), await store.get("b")) == ("é 1", "2")
    assert len({service for service, _ in backend.entries}) == 2
    assert (await store.delete("a"), await store.delete("a")) == (True, False)
    assert (await store.get("a"), await store.get("b")) == (None, "2")


async def test_a_long_value_is_kept_in_parts_and_leaves_none_behind(store: KeychainStore, backend: Backend) -> None:
    for length in (35, 11, 10, 100):
        value = "".join(chr(65 + number % 26) for number in range(length))
        await store.set("key", value)
        assert await store.get("key") == value
    assert max(map(len, backend.entries.values())) < 40
    await store.set("key", "short")
    assert list(backend.entries.values()) == ["short"]
    await store.set("key", "x" * 35)
    assert await store.delete("key")
    assert backend.entries == {}


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (keyring.errors.NoKeyringError("none"), KeychainUnavailableError),
        (keyring.errors.KeyringLocked("locked"), KeychainLockedError),
        (keyring.errors.InitError("Prompt dismissed"), KeychainLockedError),
        (keyring.errors.PasswordSetError("hush"), SecretStoreError),
        (ValueError("hush"), SecretStoreError),
    ],
)
async def test_whatever_a_backend_raises_is_one_of_our_errors(
    store: KeychainStore, backend: Backend, raised: Exception, expected: type[SecretStoreError]
) -> None:
    backend.error = raised
    for call in (store.get("a"), store.set("a", "hush"), store.delete("a")):
        with pytest.raises(expected) as caught:
            await call
        assert type(caught.value) is expected
        assert "hush" not in str(caught.value)


async def test_a_keychain_that_waits_for_its_owner_is_an_error_in_time_and_further_calls_fail_at_once(
    backend: Backend,
) -> None:
    store = KeychainStore("test", time_limit=0.1)
    backend.gate.clear()
    with pytest.raises(KeychainLockedError, match=r"hasn't answered for 0\.1 seconds"):
        await store.set("a", "1")
    started = time.perf_counter()
    with pytest.raises(KeychainLockedError, match="still waits"):
        await store.get("a")
    assert time.perf_counter() - started < 0.1
    answered = asyncio.Event()
    store.answered.subscribe(lambda _: answered.set())
    assert not answered.is_set()
    backend.gate.set()
    async with asyncio.timeout(5):
        await answered.wait()  # what was given up has got its answer
    async with asyncio.timeout(5):
        while True:
            try:
                assert await store.get("a") == "1"
                break
            except KeychainLockedError:
                await asyncio.sleep(0)
    store.close()


async def test_a_waiting_call_that_is_cancelled_disturbs_nobody(store: KeychainStore, backend: Backend) -> None:
    backend.gate.clear()
    waiting = asyncio.create_task(store.set("a", "1"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    backend.gate.set()
    assert await store.get("a") in (None, "1")


STUCK = """
import asyncio, threading, keyring, keyring.backend
from desktop.errors import KeychainLockedError
from desktop.secrets.keychain import KeychainStore
class Stuck(keyring.backend.KeyringBackend):
    priority = 1
    def get_password(self, service, username):
        threading.Event().wait()
    set_password = delete_password = None
keyring.set_keyring(Stuck())
try:
    asyncio.run(KeychainStore("test", time_limit=0.05).get("a"))
except KeychainLockedError:
    print("locked")
"""


def test_a_call_that_never_returns_does_not_keep_the_program_from_ending() -> None:
    done = subprocess.run([sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=30, check=True)
    assert (done.stdout, done.stderr) == ("locked\n", "")


ROUND = """
import asyncio
from desktop.secrets.keychain import KeychainStore
async def main():
    store = KeychainStore("mcp-gateway-desktop test")
    assert await store.get("a") is None
    await store.set("a", "hush " + "x" * 5000)
    assert await store.get("a") == "hush " + "x" * 5000
    assert await store.delete("a") and not await store.delete("a")
asyncio.run(main())
print("done")
"""


LOCKED = """
import asyncio
from desktop.errors import KeychainLockedError
from desktop.secrets.keychain import KeychainStore
try:
    asyncio.run(KeychainStore("mcp-gateway-desktop test").get("a"))
except KeychainLockedError as error:
    print(error)
"""

NONE = """
import asyncio
from desktop.errors import KeychainUnavailableError
from desktop.secrets.keychain import KeychainStore
try:
    asyncio.run(KeychainStore("mcp-gateway-desktop test").set("a", "hush"))
except KeychainUnavailableError as error:
    print(error)
"""


def run_beside(environment: dict[str, str], code: str) -> str:
    environment = {**environment, "PYTHONPATH": str(Path(desktop.__file__).parents[1])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.keychain
def test_a_real_keychain_keeps_secrets(keychain: Keychain) -> None:
    assert run_beside(keychain.environment, ROUND) == "done\n"


@pytest.mark.keychain
def test_a_real_keychain_that_is_locked_is_told(locked_keychain: Keychain) -> None:
    assert "keychain" in run_beside(locked_keychain.environment, LOCKED)


@pytest.mark.keychain
def test_a_session_without_a_keychain_is_told(tmp_path: Path) -> None:
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/none"}
    assert run_beside(environment, NONE).startswith("There is no keychain in this session")
