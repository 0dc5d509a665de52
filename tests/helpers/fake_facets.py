"""Tools, permissions, resources and logs of a fake host's servers, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.errors import GatewayError
from desktop.facets.server import (
    GivenConsent,
    OfferedEntry,
    ServerImage,
    ServerOffer,
    ServerPermissions,
    ServerUse,
)
from desktop.servers.status import OfferedTool

if TYPE_CHECKING:
    from tests.helpers.fake_host import FakeHost

__all__ = ["FakeLogs", "FakePermissions", "FakeResources", "FakeTools", "some_permissions", "some_tools"]


class FakeTools:
    """Does what `desktop.facets.server.ToolsDesk` promises.

    Attributes:
        offers: What each server offers.
        chosen: What was asked for.
        refusal: An error the next choice raises.
    """

    def __init__(self) -> None:
        self.offers: dict[str, ServerOffer] = {}
        self.chosen: list[tuple[str, tuple[str, ...], bool]] = []
        self.refusal: GatewayError | None = None

    async def read(self, name: str) -> ServerOffer:
        return self.offers.get(name, ServerOffer())

    async def choose(self, name: str, tools: Sequence[str], *, on: bool) -> None:
        self.chosen.append((name, tuple(tools), on))
        if self.refusal is not None:
            error, self.refusal = self.refusal, None
            raise error
        offer = self.offers[name]
        self.offers[name] = replace(offer, on=offer.on | set(tools) if on else offer.on - set(tools))


class FakePermissions:
    """Does what `desktop.facets.server.PermissionsDesk` promises."""

    def __init__(self) -> None:
        self.found: dict[str, ServerPermissions] = {}
        self.asked: list[tuple[object, ...]] = []

    async def read(self, name: str) -> ServerPermissions:
        return self.found.get(name, ServerPermissions(may=("reach the network",)))

    async def take_back(self, name: str, kind: str, subject: str) -> None:
        self.asked.append(("take_back", name, kind, subject))
        found = await self.read(name)
        kept = tuple(each for each in found.consents if (each.kind, each.subject) != (kind, subject))
        self.found[name] = replace(found, consents=kept)

    async def limit_calls(self, name: str, seconds: float | None) -> None:
        self.asked.append(("limit_calls", name, seconds))
        self.found[name] = replace(await self.read(name), call_timeout=seconds)


class FakeResources:
    """Does what `desktop.facets.server.ServerResources` promises.

    Attributes:
        uses: What each server uses.
        images: The image of each.
        looks: How often what is used was asked for.
    """

    def __init__(self) -> None:
        self.uses: dict[str, ServerUse] = {}
        self.images: dict[str, ServerImage] = {}
        self.looks = 0

    async def use(self, name: str) -> ServerUse | None:
        self.looks += 1
        return self.uses.get(name)

    async def image(self, name: str) -> ServerImage | None:
        return self.images.get(name)


class FakeLogs:
    """Does what `desktop.facets.server.ServerLogs` promises, over what the fake host's servers wrote."""

    def __init__(self, host: FakeHost) -> None:
        self._host = host

    def lines(self, name: str, since: int = 0) -> tuple[tuple[str, ...], int]:
        lines = self._host.stderr(name)
        return lines[since:], len(lines)

    async def export(self, name: str, path: Path) -> int:
        lines = self._host.stderr(name)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return len(lines)


def some_tools(count: int = 38) -> ServerOffer:
    """Tools as a large server has them: some read, some destroy, some were turned off, one the policy denies."""
    verbs = ("search", "get", "list", "create", "update", "delete")
    things = ("issues", "pull_requests", "repositories", "releases", "branches", "comments", "workflow_runs")
    tools = tuple(
        OfferedTool(
            name=(name := f"{verbs[number % 6]}_{things[number // 6 % 7]}" + (f"_{number}" if number >= 42 else "")),
            exposed=name,
            description=f"{verbs[number % 6].title()} {things[number // 6 % 7].replace('_', ' ')} of a repository "
            "that you may see, page by page, newest first.",
            read_only=number % 6 < 3,
            destructive=number % 6 == 5,
            tokens=90 + number * 37 % 400,
        )
        for number in range(count)
    )
    return ServerOffer(
        tools=tools,
        on=frozenset(tool.name for number, tool in enumerate(tools) if number % 9 != 5),
        denied=frozenset(tool.name for tool in tools if tool.name.startswith("delete_rep")),
        prompts=(OfferedEntry(name="review", description="Review a pull request"),),
        resources=(OfferedEntry(name="repo://{owner}/{repo}", description="Files of a repository"),),
        listed=True,
    )


def some_permissions() -> ServerPermissions:
    """Phrases, two consents, and rules."""
    return ServerPermissions(
        may=("use the secret GITHUB_PERSONAL_ACCESS_TOKEN", "reach api.github.com and more"),
        consents=(
            GivenConsent(
                kind="mount",
                subject="github-official: read the folder /home/ada/Documents/projects",
                what="read the folder /home/ada/Documents/projects",
                granted_at="2026-03-02T10:41:00+01:00",
            ),
            GivenConsent(
                kind="call-tool",
                subject="github-official: call its tool create_issues",
                what="call its tool create_issues",
                granted_at="2026-03-03T09:12:00+01:00",
            ),
        ),
        rules=("github.personal_access_token allows github-official", "deny tool *:delete_rep*", "ask tool *:create_*"),
    )
