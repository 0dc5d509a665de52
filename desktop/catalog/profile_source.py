"""The profiles as the files say now: read again when they have changed, the last good state of a broken one kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from desktop.catalog.profile import Profile, read_profile
from desktop.catalog.readings import Readings
from desktop.errors import ProfileError, StateFileError
from desktop.state.profiles import Profiles

__all__ = ["ProfileSource"]


class ProfileSource:
    """Profiles for the configuration. Used from worker threads, one at a time.

    Args:
        profiles: Where they are kept.
    """

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._readings = Readings[Mapping[str, Profile]](self._read, {})

    def one(self, id: str, problems: list[str]) -> Profile:
        """A profile; an empty one where there is none, so that nothing else is in force instead."""
        profile = self._in_file(self._profiles.file_of(id), problems).get(id)
        if profile is None:
            profile = self._in_file(self._profiles.database, problems).get(id)
        if profile is None:
            problems.append(f"profile {id} not found")
            return Profile(id=id, name=id, servers={})
        problems += profile.problems
        return profile

    def all(self, problems: list[str]) -> dict[str, Profile]:
        """Every profile by id; ours stand before those of the reference's database."""
        found: dict[str, Profile] = {}
        for place in (self._profiles.database, *self._profiles.files()):
            found |= self._in_file(place, problems)
        problems += [problem for profile in found.values() for problem in profile.problems]
        return found

    def _in_file(self, place: Path, problems: list[str]) -> Mapping[str, Profile]:
        return self._readings.get(place, problems)

    def _read(self, place: Path) -> dict[str, Profile]:
        try:
            stored = self._profiles.kept_in(place)
            return {id: read_profile(found.document, id) for id, found in stored.items()}
        except ProfileError as error:
            raise StateFileError(str(place), error.message[:1].lower() + error.message[1:]) from error
