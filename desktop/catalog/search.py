"""Search over catalog servers: as a person types, and as a model describes what it needs; one index for both."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from desktop.catalog.model import CatalogServer
from desktop.catalog.ranking import Ranking, nearest

__all__ = ["CatalogSearch", "SearchIndex", "search"]

_SEPARATORS: Final = re.compile(r"[\W_]+")

# Points for a field that holds the word: as its whole text, as the beginning of a word, anywhere inside.
_NAME: Final = (100, 60, 30)
_TITLE: Final = (100, 60, 30)
_TAGS: Final = (24, 20, 8)
_CATEGORY: Final = (22, 18, 6)
_TOOLS: Final = (20, 14, 5)
_DESCRIPTION: Final = (10, 8, 2)


class _Document:
    """One server's text, lower-case, each field with a space before every word and one at the end."""

    __slots__ = ("everything", "fields", "names", "order", "server")

    def __init__(self, server: CatalogServer) -> None:
        self.server = server
        self.order = (server.title or server.name).casefold()
        self.names = (_folded(server.name), _folded(server.title))
        tools = " ".join(tool.name for tool in server.tools)
        tool_texts = " ".join(tool.description for tool in server.tools)
        metadata = server.metadata
        self.fields = tuple(
            (_folded(text), points)
            for text, points in (
                (server.name, _NAME),
                (server.title, _TITLE),
                (tools, _TOOLS),
                (f"{server.description} {tool_texts}", _DESCRIPTION),
                (metadata.category, _CATEGORY),
                (" ".join(metadata.tags), _TAGS),
            )
            if text
        )
        self.everything = "\n".join(text for text, _ in self.fields)

    def score(self, words: list[tuple[str, str, str]]) -> int:
        """Points for words, each given as it is, with a space before it, and with one at either side."""
        total = 0
        for text, (whole, beginning, inside) in self.fields:
            for word, begun, complete in words:
                if begun in text:
                    if text == complete:
                        total += whole
                    elif complete in text:
                        total += beginning + 5
                    else:
                        total += beginning
                    if text.startswith(begun):
                        total += 5
                elif word in text:
                    total += inside
        return total


class SearchIndex:
    """Servers made ready for many searches; a search takes about a millisecond over some hundred servers.

    Args:
        servers: The servers; the index doesn't see later changes.
    """

    def __init__(self, servers: Iterable[CatalogServer]) -> None:
        documents = map(_Document, servers)
        self._documents = sorted(documents, key=lambda document: (document.order, document.server.name))

    @cached_property
    def _ranking(self) -> Ranking:
        return Ranking([document.server for document in self._documents])

    def find(self, query: str) -> list[CatalogServer]:
        """The servers that fit a description, best first: any of its words counts, rare ones more (BM25, spec 3.7)."""
        return self._ranking.best(query)

    def suggest(self, name: str) -> list[str]:
        """Names of servers that a name no server has may mean, nearest first."""
        return nearest(name, (document.server.name for document in self._documents))

    def search(self, query: str) -> list[CatalogServer]:
        """The servers in which every word of the query occurs, best first; without a word, all of them by title.

        A word that occurs in none stands for those it is misspelt from.
        """
        words: list[str] = []
        found = self._documents
        for word in _folded(query).split():
            having = [document for document in found if word in document.everything]
            meant = [word]
            if not having and not any(word in document.everything for document in self._documents):
                meant = self._ranking.meant(word)
                having = [document for document in found if any(item in document.everything for item in meant)]
            found = having
            words += meant
        if words and len(found) > 1:
            phrase = f" {' '.join(words)} "
            forms = [(word, f" {word}", f" {word} ") for word in dict.fromkeys(words)]
            ranked = [
                (-document.score(forms) - 1000 * (phrase in document.names), place)
                for place, document in enumerate(found)
            ]
            found = [found[place] for _, place in sorted(ranked)]
        return [document.server for document in found]


class CatalogSearch:
    """The index over the catalogs in force: made when first asked, in a worker thread, and again when they are others."""

    def __init__(self) -> None:
        self._servers: Mapping[str, CatalogServer] | None = None
        self._index = SearchIndex(())
        self._making = asyncio.Lock()

    async def index(self, servers: Mapping[str, CatalogServer]) -> SearchIndex:
        """The index over these servers.

        Args:
            servers: The catalog servers by name; the same object gives the same index.
        """
        async with self._making:
            if servers is not self._servers:
                self._servers, self._index = None, await asyncio.to_thread(_made, servers)
                self._servers = servers
            return self._index

    def ready(self, servers: Mapping[str, CatalogServer]) -> SearchIndex | None:
        """The index over these servers if it is made already; may be asked from any thread."""
        known, index = self._servers, self._index
        return index if servers is known else None


def _made(servers: Mapping[str, CatalogServer]) -> SearchIndex:
    index = SearchIndex(servers.values())
    index.find("")
    return index


def search(servers: Iterable[CatalogServer], query: str) -> list[CatalogServer]:
    """One search; for several over the same servers keep a `SearchIndex`."""
    return SearchIndex(servers).search(query)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return f" {_SEPARATORS.sub(' ', plain).strip()} "
