"""The secret store: one sealed file for all values, shared by processes, never half written, never silently lost."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.errors import (
    KeychainLockedError,
    KeychainUnavailableError,
    PassphraseError,
    SecretStoreError,
    StateFileError,
    UsageError,
)
from desktop.secrets.encrypted_store import EncryptedStore
from desktop.secrets.master_key import MasterKeyLostError, MasterKeys
from desktop.secrets.passphrase import GivenPassphrase
from desktop.secrets.sealed_file import UnsealError
from desktop.secrets.store import Protection, SecretStore, is_internal
from tests.helpers.secret_store import MemoryKeychain, MemoryStore, Passphrase

NONE = KeychainUnavailableError("There is no keychain in this session")
LOCKED = KeychainLockedError("The keychain is locked")


def encrypted(folder: Path, keychain: MemoryKeychain, person: Passphrase | None = None) -> EncryptedStore:
    keys = MasterKeys(keychain, person, cost=2**10)
    return EncryptedStore(folder / "secrets.json", folder / "secrets.lock", keys, former=keychain)


def _memory(folder: Path) -> SecretStore:
    return MemoryStore()


def _keychain(folder: Path) -> SecretStore:
    return encrypted(folder, MemoryKeychain())


def _passphrase(folder: Path) -> SecretStore:
    return encrypted(folder, MemoryKeychain(error=NONE), Passphrase("correct horse"))


def _session(folder: Path) -> SecretStore:
    return encrypted(folder, MemoryKeychain(error=NONE))


@pytest.mark.parametrize("made", [_memory, _keychain, _passphrase, _session])
async def test_every_store_keeps_lists_and_forgets(made: Callable[[Path], SecretStore], tmp_path: Path) -> None:
    store = made(tmp_path)
    assert await store.get("a") is None
    assert await store.names() == ()
    await store.set("b.key", "é=1\n", provider="credstore")
    await store.set_many({"a": "x" * 10_000, "oauth/github": '{"token": "t"}'})
    assert [await store.get(name) for name in ("b.key", "a", "oauth/github")] == [
        "é=1\n",
        "x" * 10_000,
        '{"token": "t"}',
    ]
    assert await store.names() == ("a", "b.key", "oauth/github")
    entries = {entry.name: entry for entry in await store.entries()}
    assert (entries["a"].provider, entries["b.key"].provider) == ("", "credstore")
    assert all(entry.set_at for entry in entries.values())
    await store.set_many({"a": None, "oauth/github": "new", "nobody": None})
    assert await store.names() == ("b.key", "oauth/github")
    assert await store.get("oauth/github") == "new"
    assert (await store.delete("b.key"), await store.delete("b.key")) == (True, False)
    assert await store.get("b.key") is None


@pytest.mark.parametrize("made", [_memory, _keychain])
async def test_a_name_that_can_not_be_one_changes_nothing_and_is_not_repeated(
    made: Callable[[Path], SecretStore], tmp_path: Path
) -> None:
    store = made(tmp_path)
    for name in ("", "a b", "a//b", "/a", "a/", "ä", "x" * 256, "ghp_hush\n"):
        with pytest.raises(UsageError) as caught:
            await store.set_many({"good": "1", name: "hush"})
        assert "hush" not in str(caught.value)
    assert await store.names() == ()


def test_names_of_sign_ins_are_told_from_those_a_person_sets() -> None:
    assert [is_internal(name) for name in ("oauth/x", "oauth.x", "x")] == [True, False, False]


async def test_the_file_shows_names_and_no_value_to_this_person_alone(tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    store = encrypted(tmp_path, keychain)
    await store.set("github.token", "hush-hush")
    file = tmp_path / "secrets.json"
    text = file.read_text(encoding="utf-8")
    assert "github.token" in text
    assert "hush" not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await store.protection() is Protection.KEYCHAIN
    (key,) = keychain.kept.values()
    assert len(key) < 100  # fits into what Windows keeps in one entry
    assert key not in text


async def test_names_can_be_listed_while_the_keychain_is_locked_and_values_can_not_be_read(tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    await encrypted(tmp_path, keychain).set("a", "1")
    keychain.error = LOCKED
    locked = encrypted(tmp_path, keychain)
    assert await locked.names() == ("a",)
    for call in (locked.get("a"), locked.set("a", "2"), locked.set_many({"a": None})):
        with pytest.raises(KeychainLockedError):
            await call
    keychain.error = None
    assert await locked.get("a") == "1"


async def test_the_keychain_is_asked_once_for_the_key(tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    await encrypted(tmp_path, keychain).set_many({"a": "1", "b": "2"})
    store = encrypted(tmp_path, keychain)
    keychain.asked.clear()
    for name in ("a", "b", "a"):
        await store.get(name)
    assert len(keychain.asked) == 1


async def test_what_another_process_writes_is_seen_at_once_and_kept(tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    one, other = encrypted(tmp_path, keychain), encrypted(tmp_path, keychain)
    await asyncio.gather(
        *(store.set(f"{number}.{index}", "x") for index, store in enumerate((one, other)) for number in range(10))
    )
    assert len(await one.names()) == len(await other.names()) == 20
    assert len(keychain.kept) == 1  # both began with a key of their own; one was given up
    await one.rotate()
    assert await other.get("3.1") == "x"
    await other.set("late", "1")
    assert await one.get("late") == "1"


async def test_rotation_seals_everything_with_a_new_key_and_forgets_the_former(tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    store = encrypted(tmp_path, keychain)
    await store.set_many({"a": "1", "b": "2"}, provider="p")
    before = dict(keychain.kept)
    await store.rotate()
    assert len(keychain.kept) == 1
    assert not set(keychain.kept) & set(before)
    fresh = encrypted(tmp_path, keychain)
    assert (await fresh.get("a"), await fresh.get("b")) == ("1", "2")
    assert {entry.provider for entry in await fresh.entries()} == {"p"}


async def test_a_key_a_crash_left_behind_after_a_rotation_is_forgotten_at_the_next_change(tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    store = encrypted(tmp_path, keychain)
    await store.set("a", "1")
    former = dict(keychain.kept)
    await store.rotate()
    keychain.kept |= former  # as if the process had been killed before it was removed
    await encrypted(tmp_path, keychain).set("b", "2")
    assert not set(keychain.kept) & set(former)
    assert json.loads((tmp_path / "secrets.json").read_bytes())["retired"] == []


async def test_a_lost_key_is_an_error_for_readers_and_the_file_is_kept_aside_by_who_writes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keychain = MemoryKeychain()
    await encrypted(tmp_path, keychain).set("a", "hush")
    sealed = (tmp_path / "secrets.json").read_bytes()
    keychain.kept.clear()
    store = encrypted(tmp_path, keychain)
    with pytest.raises(MasterKeyLostError, match="no longer in the keychain"):
        await store.get("a")
    assert (tmp_path / "secrets.json").read_bytes() == sealed
    await store.set("b", "2")
    assert store.set_aside is not None
    assert store.set_aside.read_bytes() == sealed
    assert await store.names() == ("b",)
    (warning,) = caplog.records
    assert str(store.set_aside) in warning.getMessage()
    assert "hush" not in caplog.text


def _flipped(document: dict[str, str]) -> None:
    values = document["values"]
    document["values"] = ("A" if values[0] != "A" else "B") + values[1:]


def _renamed(document: dict[str, list[dict[str, str]]]) -> None:
    document["secrets"][0]["name"] = "b"


def _emptied(document: dict[str, str]) -> None:
    document.clear()


@pytest.mark.parametrize("tamper", [_flipped, _renamed, _emptied])
async def test_a_file_somebody_changed_is_not_believed_and_kept_aside(
    tamper: Callable[[dict[str, object]], None], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keychain = MemoryKeychain()
    store = encrypted(tmp_path, keychain)
    await store.set("a", "1")
    file = tmp_path / "secrets.json"
    document = json.loads(file.read_bytes())
    tamper(document)
    file.write_text(json.dumps(document), encoding="utf-8")
    damaged = file.read_bytes()
    with pytest.raises(UnsealError, match=r"secrets\.json was damaged") as caught:
        await store.get("b" if tamper is _renamed else "a")
    assert caught.value.hint
    await store.set("c", "3")
    assert store.set_aside is not None
    assert store.set_aside.read_bytes() == damaged
    assert await store.names() == ("c",)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("content", [b"\0\xff\xfe", b"[]", b"{", b'{"schema_version": 1}'])
async def test_rubbish_in_place_of_the_file_is_kept_aside(
    content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "secrets.json").write_bytes(content)
    store = encrypted(tmp_path, MemoryKeychain())
    with pytest.raises(UnsealError):
        await store.names()
    await store.set("a", "1")
    assert store.set_aside is not None
    assert store.set_aside.read_bytes() == content
    assert await store.get("a") == "1"
    assert len(caplog.records) == 1


async def test_a_file_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text('{"schema_version": 2, "new": true}', encoding="utf-8")
    store = encrypted(tmp_path, MemoryKeychain())
    for call in (store.get("a"), store.set("a", "1"), store.names()):
        with pytest.raises(StateFileError, match="version 2 is of a newer program"):
            await call
    assert file.read_text(encoding="utf-8") == '{"schema_version": 2, "new": true}'


async def test_a_disk_that_takes_nothing_is_trouble_of_the_store_and_nothing_is_lost(tmp_path: Path) -> None:
    store = encrypted(tmp_path, MemoryKeychain())
    await store.set("a", "1")
    folder = tmp_path / "secrets.lock"
    folder.unlink()
    folder.mkdir()
    with pytest.raises(SecretStoreError, match=r"secrets\.lock: the lock can't be had"):
        await store.set("a", "2")
    assert await store.get("a") == "1"


async def test_a_file_that_can_not_be_read_is_trouble_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").mkdir()
    store = encrypted(tmp_path, MemoryKeychain())
    for call in (
        store.get("a"),
        store.names(),
        store.protection(),
        store.unlock(),
        store.rotate(),
        store.set("a", "1"),
    ):
        with pytest.raises(SecretStoreError, match=r"secrets\.json: "):
            await call


async def test_a_passphrase_is_asked_once_and_a_wrong_one_opens_nothing(tmp_path: Path) -> None:
    keychain = MemoryKeychain(error=NONE)
    person = Passphrase("correct horse")
    store = encrypted(tmp_path, keychain, person)
    assert await store.protection() is Protection.PASSPHRASE
    await store.set("a", "1")
    assert await store.get("a") == "1"
    assert person.asked == 1
    again = Passphrase("correct horse")
    assert await encrypted(tmp_path, keychain, again).get("a") == "1"
    assert again.asked == 1
    before = (tmp_path / "secrets.json").read_bytes()
    for answer, words in (("wrong", "not the passphrase"), (None, "nobody gave it")):
        stranger = encrypted(tmp_path, keychain, Passphrase(answer))
        for call in (stranger.get("a"), stranger.set("a", "2"), stranger.rotate()):
            with pytest.raises(PassphraseError, match=words):
                await call
    assert (tmp_path / "secrets.json").read_bytes() == before


async def test_a_rotation_asks_for_a_new_passphrase(tmp_path: Path) -> None:
    keychain = MemoryKeychain(error=NONE)
    person = Passphrase("correct horse")
    store = encrypted(tmp_path, keychain, person)
    await store.set("a", "1")
    person.answer = "battery staple"
    await store.rotate()
    assert await encrypted(tmp_path, keychain, Passphrase("battery staple")).get("a") == "1"
    with pytest.raises(PassphraseError):
        await encrypted(tmp_path, keychain, Passphrase("correct horse")).get("a")


async def test_without_keychain_and_passphrase_secrets_live_in_this_process_only_and_that_is_said(
    tmp_path: Path,
) -> None:
    store = encrypted(tmp_path, MemoryKeychain(error=NONE))
    assert await store.protection() is Protection.SESSION
    assert Protection.SESSION.value == "this session only"
    await store.set("a", "1")
    assert await store.get("a") == "1"
    assert list(tmp_path.glob("*.json")) == []


async def test_a_file_whose_keychain_is_not_there_today_is_an_error_and_stays(tmp_path: Path) -> None:
    keychain = MemoryKeychain()
    await encrypted(tmp_path, keychain).set("a", "1")
    keychain.error = NONE
    store = encrypted(tmp_path, keychain, Passphrase("any"))
    for call in (store.get("a"), store.set("a", "2"), store.delete("a")):
        with pytest.raises(KeychainUnavailableError):
            await call
    keychain.error = None
    assert await store.get("a") == "1"


async def test_a_value_kept_by_an_earlier_version_is_taken_over_when_it_is_asked_for(tmp_path: Path) -> None:
    keychain = MemoryKeychain({"github.token": "old"})
    store = encrypted(tmp_path, keychain)
    assert await store.get("github.token") == "old"
    assert await store.names() == ("github.token",)
    assert "github.token" not in keychain.kept
    assert await encrypted(tmp_path, keychain).get("github.token") == "old"


async def test_a_former_value_does_not_come_back_once_it_was_replaced_or_taken_away(tmp_path: Path) -> None:
    keychain = MemoryKeychain({"a": "old", "b": "old"})
    store = encrypted(tmp_path, keychain)
    await store.set("a", "new")
    assert await store.delete("a")
    assert await store.delete("b")
    assert await encrypted(tmp_path, keychain).get("a") is None
    assert await encrypted(tmp_path, keychain).get("b") is None


async def test_a_locked_keychain_is_told_rather_than_taken_for_one_without_the_secret(tmp_path: Path) -> None:
    store = encrypted(tmp_path, MemoryKeychain(error=LOCKED))
    with pytest.raises(KeychainLockedError):
        await store.get("a")
    with pytest.raises(SecretStoreError):
        await store.protection()


async def test_a_passphrase_comes_from_the_environment_and_leaves_it(tmp_path: Path) -> None:
    environ = {"MCP_GATEWAY_PASSPHRASE": "correct horse", "HOME": "/"}
    given = GivenPassphrase(environ)
    assert environ == {"HOME": "/"}
    assert await given.passphrase(is_new=False) == "correct horse"
    other = Passphrase("asked")
    assert await GivenPassphrase({}, other).passphrase(is_new=False) == "asked"
    assert await GivenPassphrase({}).passphrase(is_new=False) is None


async def test_a_passphrase_is_read_once_from_a_file_descriptor(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text("correct horse\nmore\n", encoding="utf-8")
    import os

    descriptor = os.open(file, os.O_RDONLY)
    given = GivenPassphrase({"MCP_GATEWAY_PASSPHRASE_FD": str(descriptor)})
    assert [await given.passphrase(is_new=False) for _ in range(2)] == ["correct horse"] * 2
    with pytest.raises(PassphraseError, match="can't be read"):
        await GivenPassphrase({"MCP_GATEWAY_PASSPHRASE_FD": str(descriptor)}).passphrase(is_new=False)
    with pytest.raises(PassphraseError, match="number"):
        GivenPassphrase({"MCP_GATEWAY_PASSPHRASE_FD": "three"})
