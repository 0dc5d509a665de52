"""Where an entry stands in a client's file, and what the file's data is with it and without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = [
    "EntryPath",
    "Item",
    "Origin",
    "Step",
    "WrongKindError",
    "entry_at",
    "is_empty",
    "nested",
    "position",
    "same",
    "with_entry",
    "without_entry",
]


@dataclass(frozen=True, slots=True)
class Item:
    """The member of a list whose ``key`` has this value, such as the server called ``name`` in Continue's list."""

    value: str
    key: str = "name"


Step: TypeAlias = str | Item
EntryPath: TypeAlias = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What stood where an entry was put, so that taking it away can bring that back.

    Attributes:
        created: How many of the entry's parents were made for it.
        source: The text of the container it went into, when that was empty; None when it had other entries.
    """

    created: int = 0
    source: str | None = None


class WrongKindError(Exception):
    """A step of the path meets a value that is neither the map nor the list it needs.

    Args:
        depth: Index of the step.
    """

    def __init__(self, depth: int) -> None:
        super().__init__(depth)
        self.depth = depth


def is_empty(value: Any) -> bool:
    """Whether a value is an empty map or list, or nothing at all."""
    return value is None or value == {} or value == []


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1, 1.0 and true apart; the order of keys doesn't count."""
    if isinstance(one, dict) and isinstance(other, dict):
        return len(one) == len(other) and all(key in other and same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is not type(other):
        return False
    return bool(one == other) or (one != one and other != other)  # the latter: not a number


def position(container: Any, step: Step) -> Any:
    """The key or index of what ``step`` names in ``container``, or None; the last one where there are several."""
    if isinstance(step, str):
        return step if step in container else None
    found = [n for n, member in enumerate(container) if isinstance(member, dict) and member.get(step.key) == step.value]
    return found[-1] if found else None


def entry_at(data: Any, path: EntryPath) -> Any:
    """What `read` data has at ``path``, or None."""
    for step in path:
        if not isinstance(data, dict if isinstance(step, str) else list):
            return None
        where = position(data, step)
        if where is None:
            return None
        data = data[where]
    return data


def with_entry(data: Any, path: EntryPath, value: Any) -> Any:
    """``data`` with ``value`` at ``path``; what is missing or null on the way is made. ``data`` itself stays as it is.

    Raises:
        WrongKindError: A map or a list is needed where the data has something else.
    """
    return _with(data, path, value, 0)


def without_entry(data: Any, path: EntryPath) -> Any:
    """``data`` without what is at ``path``, also where a key was written several times; ``data`` stays as it is.

    Raises:
        WrongKindError: A map or a list is needed where the data has something else.
    """
    return _without(data, path, 0)


def _with(here: Any, path: EntryPath, value: Any, depth: int) -> Any:
    if depth == len(path):
        return value
    step = path[depth]
    if here is None:
        return nested(path[depth:], value)
    _expect(here, step, depth)
    where = position(here, step)
    below = _with(None if where is None else here[where], path, value, depth + 1)
    if isinstance(here, list):
        return [*here, below] if where is None else [below if n == where else old for n, old in enumerate(here)]
    return {**here, step: below}


def _without(here: Any, path: EntryPath, depth: int) -> Any:
    if here is None:
        return None
    step = path[depth]
    _expect(here, step, depth)
    where = position(here, step)
    if where is None:
        return here
    last = depth == len(path) - 1
    if isinstance(here, list):
        kept = [] if last else [_without(here[where], path, depth + 1)]
        return [*here[:where], *kept, *here[where + 1 :]]
    if last:
        return {
            key: old for key, old in here.items() if key != step and not (isinstance(key, tuple) and key[0] == step)
        }
    return {**here, where: _without(here[where], path, depth + 1)}


def nested(steps: Sequence[Step], value: Any) -> Any:
    """``value`` below all of ``steps``."""
    for step in reversed(steps):
        value = {step: value} if isinstance(step, str) else [value]
    return value


def _expect(container: Any, step: Step, depth: int) -> None:
    if not isinstance(container, dict if isinstance(step, str) else list):
        raise WrongKindError(depth)
