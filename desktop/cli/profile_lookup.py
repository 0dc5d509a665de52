"""What the commands of ``docker-mcp profile`` share: finding a profile, and finding the servers that references name."""

from __future__ import annotations

from typing import Any

from desktop.catalog.profile import Profile, read_profile
from desktop.errors import ProfileError
from desktop.state.paths import Paths
from desktop.state.profiles import StoredProfile, profiles_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.cli.parser import Parser

__all__ = ["id_argument", "records_of", "stored_profile", "understood"]


def id_argument(parser: Parser) -> None:
    """One profile."""
    parser.add_argument("id", metavar="ID", help="the profile")


def stored_profile(id: str, paths: Paths) -> StoredProfile:
    """A profile; one that isn't there is an error that names the one probably meant."""
    from desktop.cli.parser import closest

    profiles = profiles_of(paths)
    found = profiles.find(id)
    if found is None:
        meant = closest(id, profiles.all([]))
        raise ProfileError(
            f"profile {id} not found", f"Did you mean {meant}?" if meant else "See docker-mcp profile ls"
        )
    return found


def understood(stored: StoredProfile) -> Profile:
    """What a profile means; servers that can't be understood are remarked."""
    from desktop.cli import output

    profile = read_profile(stored.document, stored.id)
    for problem in profile.problems:
        output.remark(f"docker-mcp: {problem}.")
    return profile


def records_of(references: Sequence[str], paths: Paths) -> list[dict[str, Any]]:
    """What a profile records of the servers that references name, with the settings and tools chosen for them now."""
    import asyncio

    from desktop.catalog.server_references import References, with_choices
    from desktop.catalog.source import ConfigurationSource
    from desktop.servers.described_image import image_describer

    configuration = ConfigurationSource(paths).load()

    async def resolve() -> list[dict[str, Any]]:
        async with image_describer() as describe:
            finder = References(servers=configuration.servers, paths=paths, describe=describe)
            return [record for reference in references for record in await finder.resolve(reference)]

    records = asyncio.run(resolve()) if references else []
    return with_choices(records, configuration.values, configuration.tools)
