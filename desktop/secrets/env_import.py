"""Which secrets a `.env` file brings: it names variables, the store names secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

__all__ = ["EnvSecret", "env_secrets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvSecret:
    """One line of the file.

    Attributes:
        variable: The name in the file.
        name: The name in the store: that of the secret the variable carries, where just one is carried by it.
        alternatives: The secrets it may stand for, where there are several; it then keeps its name, which no server asks for.
        value: Its value.
    """

    variable: str
    name: str
    alternatives: tuple[str, ...] = ()
    value: str = field(repr=False)


def env_secrets(values: Mapping[str, str], declared: Iterable[tuple[str, str]]) -> tuple[EnvSecret, ...]:
    """What a file would set, in its order; empty values are left out, the last of several for one secret holds.

    Args:
        values: Names and values, see `read_env_file`.
        declared: Name and variable of the secrets that servers declare.
    """
    carried: dict[str, set[str]] = {}
    for name, variable in declared:
        carried.setdefault(variable, set()).add(name)
    found: dict[str, EnvSecret] = {}
    for variable, value in values.items():
        meant = carried.get(variable, set())
        name = next(iter(meant)) if len(meant) == 1 else variable
        if value:
            several = tuple(sorted(meant)) if len(meant) > 1 else ()
            found[name] = EnvSecret(variable=variable, name=name, alternatives=several, value=value)
    return tuple(found.values())
