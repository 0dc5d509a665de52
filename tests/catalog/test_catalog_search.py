"""Search over the catalog, as a person types."""

from __future__ import annotations

import time
from itertools import chain

import pytest

from desktop.catalog.loading import Catalog, parse_catalog
from desktop.catalog.model import CatalogServer, ServerMetadata, ToolEntry
from desktop.catalog.search import SearchIndex, search

SERVERS = [
    CatalogServer(name="github-official", title="GitHub", description="Repositories and issues."),
    CatalogServer(name="gitmcp", title="GitMCP", description="Docs of any GitHub repository."),
    CatalogServer(name="git", title="Git", description="Local repositories.", tools=[ToolEntry(name="git_log")]),
    CatalogServer(name="time", title="Time", tools=[ToolEntry(name="convert_time")]),
    CatalogServer(name="slack", title="Slack", metadata=ServerMetadata(category="chat", tags=["messages"])),
    CatalogServer(name="cafe", title="Café Straße"),
]


def names(query: str) -> list[str]:
    return [server.name for server in search(SERVERS, query)]


def test_without_a_word_all_servers_come_by_title() -> None:
    assert names("  - ") == ["cafe", "git", "github-official", "gitmcp", "slack", "time"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("git", ["git", "gitmcp", "github-official"]),
        ("GITHUB", ["github-official", "gitmcp"]),
        ("github-official", ["github-official"]),
        ("hub repo", ["github-official", "gitmcp"]),
        ("convert", ["time"]),
        ("chat mess", ["slack"]),
        ("straße", ["cafe"]),
        ("STRASSE", ["cafe"]),
        ("git nothing", []),
    ],
)
def test_all_words_have_to_be_found_and_the_best_comes_first(query: str, expected: list[str]) -> None:
    assert names(query) == expected


def test_a_search_over_hundreds_of_servers_takes_less_than_two_milliseconds() -> None:
    filler = "".join(
        f"  s{number}:\n    image: x\n    title: Server {number}\n    description: {'words of every kind ' * 8}\n"
        f"    tools: [{', '.join(f'{{name: tool_{number}_{tool}}}' for tool in range(12))}]\n"
        for number in range(300)
    )
    catalog: Catalog = parse_catalog(f"registry:\n{filler}", where="filler")
    index = SearchIndex(chain(SERVERS, catalog.servers.values()))
    best = {}
    for query in ("", "e", "tool 12", "every kind server", "git"):
        tries = []
        for _ in range(7):
            started = time.perf_counter()
            index.search(query)
            tries.append(time.perf_counter() - started)
        best[query] = min(tries) * 1000
    print({query: f"{milliseconds:.2f} ms" for query, milliseconds in best.items()})
    assert max(best.values()) < 2
