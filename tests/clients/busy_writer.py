"""One of several processes that write the same client's file.

Run as ``python -m tests.clients.busy_writer FOLDER NAME ROUNDS``. ``foreign`` as the name is a client that knows nothing of
our locks: it replaces the file with a counter in it, and takes nothing out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from desktop.clients.connection import Connection
from desktop.clients.document import Format
from desktop.clients.file_edit import ClientFile
from desktop.clients.receipts import Receipts
from desktop.errors import ClientFileError


def main(folder: Path, name: str, rounds: int) -> int:
    file = folder / "mcp.json"
    if name == "foreign":
        for number in range(rounds):
            data = json.loads(file.read_bytes())
            data["counter"] = number
            other = folder / "mcp.json.foreign"
            other.write_text(json.dumps(data, indent=2), encoding="utf-8")
            other.replace(file)
        return 0
    client_file = ClientFile(file, locks=folder / "locks")
    receipts = Receipts(folder / "clients")
    connection = Connection(name, client_file, Format.JSON, ("mcpServers", name), receipts)
    refused = 0
    for number in range(rounds):
        try:
            if number % 3 == 2:
                connection.disconnect()
            connection.connect({"number": number})
        except ClientFileError as error:
            refused += 1
            if "keeps writing it" not in error.message:
                raise
    print(refused)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
