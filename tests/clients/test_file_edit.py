"""Clients' files in odd places and states."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from desktop.clients.file_edit import LARGEST, ClientFile
from desktop.errors import ClientFileError
from tests.clients.conftest import Connect
from tests.helpers.processes import wait_until


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    return tmp_path / "locks"


@pytest.mark.parametrize("relative", [True, False])
def test_the_file_behind_links_is_written_and_the_links_stay(
    tmp_path: Path, connection_to: Connect, relative: bool
) -> None:
    real = tmp_path / "dotfiles" / "mcp.json"
    real.parent.mkdir()
    real.write_bytes(b"{}")
    (tmp_path / "folder").symlink_to("dotfiles" if relative else real.parent)
    link = tmp_path / "mcp.json"
    link.symlink_to("folder/mcp.json" if relative else tmp_path / "folder" / "mcp.json")

    connection_to(link).connect({"url": "u"})

    assert link.readlink() == (Path("folder/mcp.json") if relative else tmp_path / "folder" / "mcp.json")
    assert b'"u"' in real.read_bytes()
    connection_to(link).disconnect()
    assert real.read_bytes() == b"{}"


def test_a_link_to_a_missing_file_gets_its_file_and_loses_it_again(tmp_path: Path, connection_to: Connect) -> None:
    link = tmp_path / "mcp.json"
    link.symlink_to("elsewhere/mcp.json")

    connection_to(link).connect({"url": "u"})

    assert (tmp_path / "elsewhere" / "mcp.json").is_file()
    connection_to(link).disconnect()
    assert link.is_symlink()
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_out_of_the_home_folder_is_refused(tmp_path: Path, locks: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes(b"{}")
    home = tmp_path / "home"
    home.mkdir()
    (home / "mcp.json").symlink_to(outside)

    with pytest.raises(ClientFileError, match="outside of your home folder"):
        ClientFile(home / "mcp.json", locks=locks, home=home).rewrite(lambda _: b"[]")

    assert outside.read_bytes() == b"{}"


def test_what_is_no_readable_file_is_refused_by_name(tmp_path: Path, locks: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "loop.json").symlink_to("loop.json")
    os.mkfifo(tmp_path / "pipe.json")
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    (tmp_path / "file").write_bytes(b"")
    said = {}
    for name in ("folder.json", "loop.json", "pipe.json", "large.json", "file/under.json"):
        with pytest.raises(ClientFileError) as caught:
            ClientFile(tmp_path / name, locks=locks).rewrite(lambda _: b"new")
        said[name] = caught.value.reason

    assert said == {
        "folder.json": "there is a folder in the file's place",
        "loop.json": "it is a loop of links",
        "pipe.json": "it is not an ordinary file",
        "large.json": "it is larger than 64 MB",
        "file/under.json": "it can't be read (not a directory)",
    }
    assert (tmp_path / "folder.json").is_dir()


def test_a_write_protected_file_stays_as_it_is(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(b"{}")
    file.chmod(0o444)

    with pytest.raises(ClientFileError, match="write-protected"):
        connection_to(file).connect({"url": "u"})

    assert file.read_bytes() == b"{}"
    assert connection_to(file).receipt() is None


def test_permissions_owner_and_attributes_stay_and_the_file_counts_as_new(tmp_path: Path, locks: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(b"{}")
    file.chmod(0o640)
    os.utime(file, ns=(1, 1))
    attributes: dict[str, bytes] = {}
    with contextlib.suppress(OSError):  # some file systems have none
        os.setxattr(file, "user.note", b"kept")
        attributes = {"user.note": b"kept"}
    if os.geteuid() == 0:
        os.chown(file, 12345, 54321)
    before = file.stat()

    ClientFile(file, locks=locks).rewrite(lambda _: b"new", private=True)

    after = file.stat()
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert {name: os.getxattr(file, name) for name in os.listxattr(file) if name.startswith("user.")} == attributes
    assert after.st_mtime_ns > 1


def test_another_writer_in_between_is_seen_and_the_edit_begins_anew(tmp_path: Path, locks: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(b"1")
    seen: list[bytes | None] = []

    def decide(before: bytes | None) -> bytes | None:
        seen.append(before)
        if len(seen) == 1:
            file.write_bytes(b"2")
        return (before or b"") + b" and ours"

    ClientFile(file, locks=locks).rewrite(decide)

    assert seen == [b"1", b"2"]
    assert file.read_bytes() == b"2 and ours"


@pytest.mark.parametrize("after", [b"ours", None])
def test_a_file_that_never_rests_is_left_to_its_writer(tmp_path: Path, locks: Path, after: bytes | None) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(b"0")

    def decide(before: bytes | None) -> bytes | None:
        file.write_bytes(str(int(before or b"0") + 1).encode())
        return after

    with pytest.raises(ClientFileError, match="another program keeps writing it"):
        ClientFile(file, locks=locks).rewrite(decide)

    assert file.read_bytes() == b"3"
    assert [path.name for path in tmp_path.iterdir()] in (["mcp.json", "locks"], ["locks", "mcp.json"])


def test_the_lock_folder_of_a_client_is_waited_for(tmp_path: Path, locks: Path) -> None:
    file = tmp_path / "mcp.json"
    folder = tmp_path / "mcp.json.lock"
    folder.mkdir()
    released = threading.Event()
    seen: list[tuple[bool, bool]] = []
    writer = threading.Thread(
        target=lambda: ClientFile(file, locks=locks, shares_lock_folder=True).rewrite(
            lambda _: b"new", before_write=lambda _: seen.append((released.is_set(), folder.is_dir()))
        )
    )
    writer.start()
    wait_until(lambda: any(locks.glob("*.lock")), what="the writer's own lock")
    released.set()
    folder.rmdir()
    writer.join(20)

    assert seen == [(True, True)]
    assert not folder.exists()


def test_a_lock_folder_left_behind_is_taken_over(tmp_path: Path, locks: Path) -> None:
    folder = tmp_path / "mcp.json.lock"
    folder.mkdir()
    os.utime(folder, (time.time() - 60, time.time() - 60))

    ClientFile(tmp_path / "mcp.json", locks=locks, shares_lock_folder=True).rewrite(lambda _: b"new")

    assert (tmp_path / "mcp.json").read_bytes() == b"new"
    assert not folder.exists()


def test_a_file_that_can_not_be_replaced_is_written_in_place_after_its_backup(
    tmp_path: Path, connection_to: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(b'{"a": "' + b"x" * 1000 + b'"}')
    before = file.read_bytes()
    number = file.stat().st_ino
    connection = connection_to(file)
    replace = Path.replace

    def as_if_mounted(self: Path, target: Path) -> Path:
        if target == file:
            raise OSError(errno.EBUSY, "Device or resource busy")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", as_if_mounted)

    connection.connect({"url": "u"})

    assert file.stat().st_ino == number
    assert connection.entry() == {"url": "u"}
    connection.disconnect()
    assert (file.read_bytes(), file.stat().st_ino) == (before, number)
    assert not list(tmp_path.glob(".*.mgd-tmp"))


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "mcp.json"
    file.write_bytes(b'{"a": "' + b"x" * 5000 + b'"}')
    before = file.read_bytes()
    program = """
import resource, sys
from pathlib import Path
from desktop.clients.file_edit import ClientFile
from desktop.errors import ClientFileError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    ClientFile(Path(sys.argv[1]), locks=Path(sys.argv[2])).rewrite(lambda content: content + b"more")
except ClientFileError as error:
    print(error)
"""

    done = subprocess.run(
        [sys.executable, "-c", program, str(file), str(tmp_path / "locks")], capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{file}: it can't be written (file too large)\n"
    assert file.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"mcp.json", "locks"}
