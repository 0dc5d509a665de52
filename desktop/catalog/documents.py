"""What a catalog entry says about a server elsewhere on the web: its readme, and the tools it has (spec 1.7.6)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from desktop.catalog.download import fetch, is_url, shown
from desktop.catalog.model import CatalogServer
from desktop.errors import CatalogError

__all__ = ["Documents", "documents_of"]

TIME_LIMIT: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What was found.

    Attributes:
        readme: Markdown; empty when there is none.
        tools: The tools as they are described there; empty when there are none.
        problems: One sentence for each document that can't be had.
    """

    readme: str = ""
    tools: tuple[dict[str, Any], ...] = ()
    problems: tuple[str, ...] = ()


async def documents_of(server: CatalogServer, *, with_tools: bool) -> Documents:
    """Fetch the documents at the same time.

    Args:
        server: The entry.
        with_tools: Whether the tools are wanted, too.
    """
    found = await asyncio.gather(
        _text(server.readme), _text(server.toolsUrl if with_tools else ""), return_exceptions=True
    )
    problems = [error.message.removeprefix("The catalog ") for error in found if isinstance(error, CatalogError)]
    for other in found:
        if isinstance(other, BaseException) and not isinstance(other, CatalogError):
            raise other
    readme, tools = ("" if isinstance(text, BaseException) else text for text in found)
    described: list[dict[str, Any]] = []
    if tools:
        try:
            described = msgspec.json.decode(tools, type=list[dict[str, Any]])
        except msgspec.MsgspecError:
            problems.append(f"The tools at {shown(server.toolsUrl)} can't be understood")
    return Documents(readme=readme, tools=tuple(described), problems=tuple(problems))


async def _text(url: str) -> str:
    if not is_url(url):
        return ""
    try:
        async with asyncio.timeout(TIME_LIMIT):
            return ((await fetch(url)).body or b"").decode("utf-8-sig", "replace")
    except TimeoutError as error:
        raise CatalogError(f"{shown(url)} can't be fetched (no answer within {TIME_LIMIT:g} seconds)") from error
