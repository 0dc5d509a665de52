"""A community registry on this machine that speaks the documented API, for tests."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Registry", "registry"]

OFFICIAL = "io.modelcontextprotocol.registry/official"


@dataclass
class Registry:
    """What it holds and what it was asked.

    Attributes:
        base: Its address.
        servers: The documents, in order of publication.
        version: The version in its paths.
        page: The most servers in a page.
        answers: Paths answered with a body of its own: status and bytes.
        asked: The targets of all requests.
        busy: How many requests are yet refused for now; each is told to come again at once.
    """

    base: str = ""
    servers: list[dict[str, Any]] = field(default_factory=list)
    version: str = "v0"
    page: int = 100
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    busy: int = 0

    def url_of(self, name: str) -> str:
        """The address of a server's document."""
        return f"{self.base}/{self.version}/servers/{name.replace('/', '%2F')}/versions/latest"

    def answer(self, target: str) -> tuple[int, bytes]:
        """Status and body."""
        self.asked.append(target)
        if self.busy:
            self.busy -= 1
            return 429, b"{}"
        parts = urlsplit(target)
        if parts.path in self.answers:
            return self.answers[parts.path]
        words = parts.path.strip("/").split("/")
        if words[:2] != [self.version, "servers"]:
            return 404, b'{"title":"Not Found","status":404}'
        if len(words) == 2:
            return 200, json.dumps(self._list(parse_qs(parts.query))).encode()
        wanted = unquote(words[2])
        for document in reversed(self.servers):
            if document["name"] == wanted and words[4:] in ([], ["latest"], [document.get("version", "")]):
                return 200, json.dumps(wrapped(document)).encode()
        return 404, b'{"title":"Not Found","status":404,"detail":"Server not found"}'

    def _list(self, query: dict[str, list[str]]) -> dict[str, Any]:
        begin = int(query.get("cursor", ["0"])[0])
        end = begin + min(int(query.get("limit", ["30"])[0]), self.page)
        shown = self.servers[begin:end]
        metadata: dict[str, Any] = {"count": len(shown)}
        if end < len(self.servers):
            metadata["nextCursor"] = str(end)
        return {"servers": [wrapped(document) for document in shown], "metadata": metadata}


def wrapped(document: dict[str, Any]) -> dict[str, Any]:
    """A document as the registry gives it."""
    status = document.get("status", "active")
    return {"server": document, "_meta": {OFFICIAL: {"status": status, "isLatest": True}}}


@contextlib.contextmanager
def registry() -> Iterator[Registry]:
    """A running registry."""
    state = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = state.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # a client that has enough hangs up
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.base = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
