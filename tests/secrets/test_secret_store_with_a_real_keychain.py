"""The secret store over gnome-keyring: long values, several processes, processes killed while they write."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import desktop
from tests.helpers.keychain import Keychain

pytestmark = pytest.mark.keychain

HEAD = """
import asyncio, sys
from desktop.secrets.opening import opened
from desktop.state.paths import Paths
paths = Paths.of_user()
"""
ROUND = """
async def main():
    with opened(paths) as store:
        print(await store.protection())
        long = "k\\u00e9y " * 2500
        await store.set_many({"long": long, "short": "hush"})
    with opened(paths) as store:
        assert await store.get("long") == long and len(long) == 10_000
        await store.rotate()
    with opened(paths) as store:
        assert await store.get("short") == "hush"
        assert await store.delete("long")
        print(*await store.names())
asyncio.run(main())
"""
WRITER = """
async def main():
    with opened(paths) as store:
        for number in range(30):
            await store.set(f"{sys.argv[1]}.{number}", "v" * 2000)
asyncio.run(main())
"""
ENDLESS = """
async def main():
    with opened(paths) as store:
        for number in range(10_000):
            await store.set_many({"one": f"{number}" + "x" * 50_000, "other": f"{number}" + "x" * 50_000})
            print(number, flush=True)
asyncio.run(main())
"""
CHECK = """
async def main():
    with opened(paths) as store:
        one, other = await store.get("one"), await store.get("other")
        assert one == other and one is not None
        print(one.rstrip("x"))
asyncio.run(main())
"""
ROTATING = """
async def main():
    with opened(paths) as store:
        for number in range(10_000):
            print(number, flush=True)
            await store.rotate()
asyncio.run(main())
"""
READ_SHORT = """
with opened(paths) as store:
    print(asyncio.run(store.get("short")))
"""
TROUBLE = """
from desktop.errors import SecretStoreError
async def main():
    with opened(paths) as store:
        try:
            await store.set("a", "hush")
            print(await store.protection(), await store.get("a"))
        except SecretStoreError as error:
            print(type(error).__name__, error)
asyncio.run(main())
"""


@contextlib.contextmanager
def process(environment: dict[str, str], code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    environment = {**environment, "PYTHONPATH": str(Path(desktop.__file__).parents[1])}
    command = [sys.executable, "-c", HEAD + code, *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    running: subprocess.Popen[str] = subprocess.Popen(command, env=environment, text=True, **pipes)  # type: ignore[call-overload]
    try:
        yield running
    finally:
        running.kill()
        running.communicate(timeout=30)


def output(environment: dict[str, str], code: str, *arguments: str) -> str:
    with process(environment, code, *arguments) as running:
        out, err = running.communicate(timeout=60)
        assert (running.returncode, err) == (0, "")
        return out


def test_long_values_are_kept_and_outlive_a_rotation(keychain: Keychain) -> None:
    assert output(keychain.environment, ROUND) == "keychain\nshort\n"


def test_processes_that_write_at_once_lose_nothing(keychain: Keychain) -> None:
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(process(keychain.environment, WRITER, name)) for name in ("a", "b")]
        for writer in writers:
            assert writer.wait(timeout=100) == 0
    names = output(keychain.environment, "with opened(paths) as store: print(*asyncio.run(store.names()))")
    assert set(names.split()) == {f"{name}.{number}" for name in "ab" for number in range(30)}


def test_a_process_killed_while_it_writes_leaves_the_former_or_the_new_values_whole(keychain: Keychain) -> None:
    reached = -1
    for kill in range(8):
        with process(keychain.environment, ENDLESS) as writer:
            assert writer.stdout is not None
            for _ in range(1 + kill):
                reached = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait(timeout=30)
        assert int(output(keychain.environment, CHECK)) >= reached
    place = Path(output(keychain.environment, "print(paths.secrets)").strip())
    assert not [file for file in place.parent.iterdir() if "unreadable" in file.name]


def test_a_process_killed_while_it_changes_the_key_leaves_every_value_readable(keychain: Keychain) -> None:
    assert output(keychain.environment, ROUND).endswith("short\n")
    for kill in range(6):
        with process(keychain.environment, ROTATING) as writer:
            assert writer.stdout is not None
            for _ in range(1 + kill):
                writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
            writer.wait(timeout=30)
        assert output(keychain.environment, READ_SHORT) == "hush\n"


def test_a_locked_keychain_is_told(locked_keychain: Keychain) -> None:
    assert output(locked_keychain.environment, TROUBLE).startswith("KeychainLockedError ")


def test_a_server_whose_secret_is_locked_away_says_so(locked_keychain: Keychain) -> None:
    folder = Path(output(locked_keychain.environment, "print(paths.catalogs)").strip())
    folder.mkdir(parents=True)
    entry = "registry: {boxed: {image: example/boxed, secrets: [{name: boxed.key, env: KEY}]}}\n"
    (folder / "docker-mcp.yaml").write_text(entry, encoding="utf-8")
    environment = {**locked_keychain.environment, "PYTHONPATH": str(Path(desktop.__file__).parents[1])}
    command = [sys.executable, "-m", "desktop", "gateway", "run", "--dry-run", "--servers", "boxed"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "Can't start boxed: boxed needs boxed.key, which can't be read: The keychain" in done.stderr
    assert "Unlock it and try again" in done.stderr


def test_a_session_without_a_keychain_keeps_secrets_for_itself(tmp_path: Path) -> None:
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/none"}
    assert output(environment, TROUBLE) == "this session only hush\n"
    environment["MCP_GATEWAY_PASSPHRASE"] = "correct horse"
    assert output(environment, TROUBLE) == "passphrase hush\n"
    del environment["MCP_GATEWAY_PASSPHRASE"]
    assert output(environment, TROUBLE).startswith("PassphraseError The secrets are protected by a passphrase")
