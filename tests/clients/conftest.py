"""A client's file in a folder of its own, and our entry in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desktop.clients.connection import Connection
from desktop.clients.document import Format
from desktop.clients.entry import EntryPath
from desktop.clients.file_edit import ClientFile
from desktop.clients.receipts import Receipts

Connect = Callable[..., Connection]


@pytest.fixture
def connection_to(tmp_path: Path) -> Connect:
    """Makes the connection to a file."""

    def make(
        file: Path,
        format: Format = Format.JSONC,
        path: EntryPath = ("mcpServers", "mcp-gateway"),
        home: Path | None = None,
        shares_lock_folder: bool = False,
    ) -> Connection:
        locks = tmp_path / "state" / "locks"
        client_file = ClientFile(file, locks=locks, home=home, shares_lock_folder=shares_lock_folder)
        return Connection("editor", client_file, format, path, Receipts(tmp_path / "state" / "clients"))

    return make
