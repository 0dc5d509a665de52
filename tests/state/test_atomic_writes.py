"""A file of ours is whole at every moment."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from desktop.errors import StateFileError
from desktop.state.atomic_file import TEMPORARY_SUFFIX, read_bytes, write_bytes, write_text

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links as POSIX has them")


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(TEMPORARY_SUFFIX)]


def test_text_is_written_as_utf8_with_its_own_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "file"
    write_text(path, "é\r\n—\n")
    assert path.read_bytes() == "é\r\n—\n".encode()
    assert leftovers(path.parent) == []


@posix
def test_an_existing_file_keeps_its_permissions_and_a_new_one_gets_the_mode_asked_for(tmp_path: Path) -> None:
    old, secret = tmp_path / "old", tmp_path / "secret"
    old.write_text("1", encoding="utf-8")
    old.chmod(0o640)
    write_text(old, "2")
    write_text(secret, "3", mode=0o600)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (old, secret)] == [0o640, 0o600]


@posix
def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "dotfiles" / "config.yaml", tmp_path / "config.yaml"
    link.symlink_to(target)
    write_text(link, "first")
    write_text(link, "second")
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "second"


@posix
def test_a_loop_of_links_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.symlink_to(two)
    two.symlink_to(one)
    with pytest.raises(StateFileError, match=r"one: it can't be written \(it is a loop of links\)"):
        write_text(one, "x")


def test_a_failed_write_leaves_the_old_content_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_text(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateFileError, match="no space left on device"):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert leftovers(tmp_path) == []


def test_a_folder_in_the_files_place_is_an_error_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(StateFileError, match="can't be written"):
        write_text(tmp_path / "file", "x")
    assert leftovers(tmp_path) == []


def test_a_dead_process_s_temporary_files_go_after_an_hour(tmp_path: Path) -> None:
    stale, fresh = tmp_path / f".a.1-0{TEMPORARY_SUFFIX}", tmp_path / f".b.2-0{TEMPORARY_SUFFIX}"
    stale.touch()
    fresh.touch()
    os.utime(stale, (time.time() - 3700,) * 2)
    write_text(tmp_path / "file", "x")
    assert leftovers(tmp_path) == [fresh.name]


def test_a_missing_file_reads_as_empty_and_a_folder_does_not(tmp_path: Path) -> None:
    assert read_bytes(tmp_path / "none") == b""
    with pytest.raises(StateFileError, match="can't be read"):
        read_bytes(tmp_path)


WRITER = """
import sys
from pathlib import Path
from desktop.state.atomic_file import write_bytes
path = Path(sys.argv[1])
print("up", flush=True)
for number in range(10**9):
    write_bytes(path, bytes([97 + number % 26]) * 400_000)
"""


@posix
def test_a_kill_in_the_middle_of_writing_leaves_the_old_or_the_new_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"a" * 400_000)
    for attempt in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            before = path.stat().st_ino
            while path.stat().st_ino == before:
                pass
            time.sleep(attempt * 0.0007)  # the moment of the kill differs; nothing is waited for
            process.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == 400_000
        assert len(set(content)) == 1
