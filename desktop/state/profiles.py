"""Profiles: one YAML document each in a folder of our own, and those the reference keeps in its database (spec 1.10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from desktop.errors import ProfileError, StateFileError
from desktop.state import yaml_text
from desktop.state.atomic_file import read_bytes, reason_of
from desktop.state.catalog_index import catalog_file_name
from desktop.state.locks import file_lock
from desktop.state.paths import Paths
from desktop.state.toolkit_database import profiles_in
from desktop.state.yaml_document import YamlDocument, decode
from desktop.state.yaml_edit import Change

__all__ = ["VERSION", "Profiles", "StoredProfile", "profiles_of"]

VERSION: Final = 1
_SUFFIX: Final = ".yaml"

Decide = Callable[[dict[str, Any]], Sequence[Change]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProfile:
    """A profile where it is kept.

    Attributes:
        id: Its id.
        document: What it says (spec 1.10).
        place: Its file, or the reference's database.
        is_own: Whether it is a file of ours; one in the database is taken over when it is changed.
    """

    id: str
    document: dict[str, Any]
    place: Path
    is_own: bool


class Profiles:
    """All profiles of a person. Comments and unknown keys survive every change.

    Args:
        folder: The folder of our documents.
        database: The reference's database.
        lock_path: The lock file that guards changes of any of them.

    Attributes:
        database: As given.
    """

    def __init__(self, folder: Path, database: Path, lock_path: Path) -> None:
        self._folder = folder
        self.database = database
        self._lock_path = lock_path

    def file_of(self, id: str) -> Path:
        """Where our document of this id is, or would be."""
        return self._folder / catalog_file_name(id)

    def all(self, problems: list[str] | None = None) -> dict[str, StoredProfile]:
        """Every profile by id, sorted; a broken file goes to ``problems`` where they are wanted, else it is an error."""
        found: dict[str, StoredProfile] = {}
        for place in (self.database, *self.files()):
            try:
                found |= self.kept_in(place)
            except StateFileError as error:
                if problems is None:
                    raise
                problems.append(error.message)
        return dict(sorted(found.items()))

    def find(self, id: str) -> StoredProfile | None:
        """One profile; ours before the database's."""
        own = self.kept_in(self.file_of(id))
        return next(iter(own.values())) if own else self.kept_in(self.database).get(id)

    def create(self, id: str, document: dict[str, Any]) -> None:
        """Keep a new profile; raises `ProfileError` where there is one of this id."""
        self.write(id, yaml_text.dump(document), is_new=True)

    def write(self, id: str, text: str, *, is_new: bool = False) -> bool:
        """Make ``text`` the profile's document; returns whether one was there, which is kept beside it as ``.bak``."""
        document = self._document(id)
        with file_lock(self._lock_path):
            before = self.find(id)
            if before is not None and is_new:
                raise ProfileError(f"There is a profile {before.id} already", "Choose another id with --id")
            document.replace(text, backup=document.path.with_name(f"{document.path.name}.bak"))
        return before is not None

    def change(self, id: str, decide: Decide) -> bool:
        """Change a profile; one of the database is first taken over into a file of ours.

        Args:
            id: Its id.
            decide: Gets the document, returns the changes; what it raises leaves everything as it was.

        Raises:
            ProfileError: There is no such profile.
        """
        document = self._document(id)
        with file_lock(self._lock_path):
            known = self.find(id)
            if known is None:
                raise ProfileError(f"profile {id} not found", "See docker-mcp profile ls")
            if not known.is_own:
                changes = decide(known.document)
                if changes:
                    document.replace(yaml_text.dump(known.document))
                    document.change(lambda data, text: changes)
                return bool(changes)
            return document.change(lambda data, text: decide(data))

    def remove(self, id: str) -> None:
        """Remove a profile; raises `ProfileError` where it isn't ours, or there is none."""
        with file_lock(self._lock_path):
            known = self.find(id)
            if known is None:
                raise ProfileError(f"profile {id} not found", "See docker-mcp profile ls")
            if not known.is_own:
                raise ProfileError(
                    f"The profile {id} is kept in {known.place}, which another program writes",
                    "Remove it with the program that made it",
                )
            try:
                known.place.unlink(missing_ok=True)
            except OSError as error:
                raise StateFileError(str(known.place), f"it can't be removed ({reason_of(error)})") from error

    def _document(self, id: str) -> YamlDocument:
        # Its own lock lies beside the common one, which the callers hold already.
        return YamlDocument(self.file_of(id), self._lock_path.with_name(f"{self.file_of(id).name}.profile.lock"))

    def files(self) -> list[Path]:
        """The documents of ours."""
        try:
            return sorted(path for path in self._folder.iterdir() if _is_document(path))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StateFileError(str(self._folder), f"it can't be read ({reason_of(error)})") from error

    def kept_in(self, place: Path) -> dict[str, StoredProfile]:
        """The profiles in the database, or the one in a file of ours, by id; none where it isn't there."""
        if place == self.database:
            return {
                id: StoredProfile(id=id, document=document, place=place, is_own=False)
                for id, document in profiles_in(place).items()
            }
        if not place.is_file():
            return {}
        data = YamlDocument(place, self._lock_path).data_of(decode(read_bytes(place), place))
        id = str(data.get("id") or "")
        if catalog_file_name(id) != place.name:  # it was renamed by hand: found it is by the file's name
            id = place.stem
        return {id: StoredProfile(id=id, document=data, place=place, is_own=True)}


def profiles_of(paths: Paths) -> Profiles:
    """The profiles in a person's folders."""
    return Profiles(paths.profiles, paths.toolkit_database, paths.lock_for(paths.profiles))


def _is_document(path: Path) -> bool:
    return path.suffix == _SUFFIX
