"""Our entry in a client's file: written, changed, and taken away without a trace."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from desktop.clients.connection import Disconnected
from desktop.clients.document import Format, put
from desktop.clients.receipts import Receipts
from desktop.errors import ClientFileError, StateFileError
from tests.clients.conftest import Connect

ENTRY = {"type": "http", "url": "http://127.0.0.1:8811/mcp", "headers": {"Authorization": "Bearer s3cret"}}
SETTINGS = b'\xef\xbb\xbf{\r\n\t// mine\r\n\t"mcpServers": {\r\n\t\t"a": {"n": 1.0}, \r\n\t},\r\n}'


def test_a_file_as_we_left_it_gets_its_bytes_back(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(SETTINGS)
    connection = connection_to(file)

    connection.connect(ENTRY)

    assert connection.entry() == ENTRY
    assert connection.disconnect() is Disconnected.RESTORED
    assert file.read_bytes() == SETTINGS
    assert connection.receipt() is None


def test_connecting_again_writes_nothing(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    connection_to(file).connect(ENTRY)
    os.utime(file, ns=(1, 1))
    before = file.stat()

    change = connection_to(file).connect(ENTRY)

    assert not change.is_needed
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_file_and_folders_made_for_the_entry_go_with_it(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "home" / ".editor" / "deep" / "mcp.json"
    (tmp_path / "home").mkdir()
    connection = connection_to(file)

    connection.connect(ENTRY)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert connection.disconnect() is Disconnected.RESTORED
    assert list((tmp_path / "home").iterdir()) == []


def test_what_changed_since_is_kept_when_the_entry_goes(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(SETTINGS)
    connection = connection_to(file)
    connection.connect(ENTRY)
    file.write_bytes(file.read_bytes().replace(b"// mine", b"// changed"))

    assert connection.disconnect() is Disconnected.REMOVED
    assert file.read_bytes() == SETTINGS.replace(b"// mine", b"// changed")


def test_a_file_made_for_the_entry_and_written_anew_by_its_client_goes_when_nothing_else_is_in_it(
    tmp_path: Path, connection_to: Connect
) -> None:
    file = tmp_path / "mcp.json"
    connection = connection_to(file)
    connection.connect(ENTRY)
    file.write_text(json.dumps(json.loads(file.read_bytes()), indent="\t"), encoding="utf-8")

    assert connection.disconnect() is Disconnected.REMOVED
    assert not file.exists()


def test_a_new_token_is_changed_inside_of_the_entry_and_the_first_bytes_still_come_back(
    tmp_path: Path, connection_to: Connect
) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(SETTINGS)
    connection = connection_to(file)
    connection.connect(ENTRY)
    first = file.read_bytes()

    connection.connect({**ENTRY, "headers": {"Authorization": "Bearer other"}})

    assert file.read_bytes() == first.replace(b"s3cret", b"other")
    assert connection.disconnect() is Disconnected.RESTORED
    assert file.read_bytes() == SETTINGS


def test_a_new_token_after_an_edit_by_hand_keeps_the_edit(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(SETTINGS)
    connection = connection_to(file)
    connection.connect(ENTRY)
    file.write_bytes(file.read_bytes().replace(b"1.0", b"2.0"))

    connection.connect({**ENTRY, "headers": {"Authorization": "Bearer other"}})

    assert connection.disconnect() is Disconnected.RESTORED
    assert file.read_bytes() == SETTINGS.replace(b"1.0", b"2.0")


@pytest.mark.parametrize("state", ["entry taken out", "file deleted"])
def test_an_entry_that_is_gone_already_is_left_alone(tmp_path: Path, connection_to: Connect, state: str) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(SETTINGS)
    connection = connection_to(file)
    connection.connect(ENTRY)
    if state == "file deleted":
        file.unlink()
    else:
        file.write_bytes(b'{"other": 1}')

    assert connection.disconnect() is Disconnected.GONE
    assert file.exists() == (state != "file deleted")
    assert connection.receipt() is None


def test_a_file_that_became_unreadable_is_not_touched_and_its_receipt_stays(
    tmp_path: Path, connection_to: Connect
) -> None:
    file = tmp_path / "settings.json"
    connection = connection_to(file)
    connection.connect(ENTRY)
    file.write_bytes(b'{"broken": \n}')

    with pytest.raises(ClientFileError, match=r"settings\.json, line 2, column 1"):
        connection.disconnect()

    assert file.read_bytes() == b'{"broken": \n}'
    assert connection.receipt() is not None


def test_an_entry_without_a_receipt_can_still_be_taken_out(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(put(SETTINGS, Format.JSONC, ("mcpServers", "mcp-gateway"), ENTRY))

    assert connection_to(file).disconnect() is Disconnected.REMOVED
    assert file.read_bytes() == SETTINGS


def test_a_lost_backup_still_lets_the_entry_go(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(SETTINGS)
    connection = connection_to(file)
    connection.connect(ENTRY)
    for backup in (tmp_path / "state" / "clients" / "backups").iterdir():
        backup.unlink()

    assert connection.disconnect() is Disconnected.REMOVED
    assert file.read_bytes() == SETTINGS


def test_receipts_and_backups_are_for_the_person_alone_and_hold_no_token(
    tmp_path: Path, connection_to: Connect
) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(SETTINGS)
    connection_to(file).connect(ENTRY)
    folder = tmp_path / "state" / "clients"

    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}

    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all("s3cret" not in path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file())
    (receipt,) = Receipts(folder).all()
    assert receipt.client == "editor"
    assert receipt.is_of(dict(reversed(ENTRY.items())))


def test_a_receipt_of_a_newer_program_stops_the_write(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    connection = connection_to(file)
    connection.connect(ENTRY)
    before = file.read_bytes()
    (receipt,) = (tmp_path / "state" / "clients").glob("*.json")
    receipt.write_text(receipt.read_text(encoding="utf-8").replace('_version": 1', '_version": 2'), encoding="utf-8")

    with pytest.raises(StateFileError, match="newer program"):
        connection.connect({"url": "other"})

    assert file.read_bytes() == before


def test_a_broken_receipt_hides_no_other(tmp_path: Path, connection_to: Connect) -> None:
    for name in ("a.json", "b.json"):
        connection_to(tmp_path / name).connect(ENTRY)
    receipts = Receipts(tmp_path / "state" / "clients")
    broken = next(receipt.target for receipt in receipts.all() if receipt.file.endswith("a.json"))
    for file in receipts.folder.glob("*.json"):
        if broken in file.read_text(encoding="utf-8"):
            file.write_bytes(b"x")

    assert [Path(receipt.file).name for receipt in receipts.all()] == ["b.json"]
    with pytest.raises(StateFileError, match="not a receipt of ours"):
        connection_to(tmp_path / "a.json").receipt()


def test_only_the_last_backups_are_kept(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    connection = connection_to(file)
    for number in range(9):
        file.write_text(json.dumps({"number": number}), encoding="utf-8")
        connection.connect(ENTRY)

    receipts = Receipts(tmp_path / "state" / "clients")
    kept = receipts.backups(connection.file.target(), connection.path)

    assert [json.loads(backup.read_bytes())["number"] for backup in kept] == [8, 7, 6, 5, 4]


def test_what_would_be_done_is_shown_without_doing_it(tmp_path: Path, connection_to: Connect) -> None:
    file = tmp_path / "settings.json"
    connection = connection_to(file)

    assert '+      "type": "http",' in connection.plan_connect(ENTRY).diff("settings.json")
    assert not file.exists()

    connection.connect(ENTRY)
    assert connection.plan_disconnect().after == b""
    assert connection.entry() == ENTRY
