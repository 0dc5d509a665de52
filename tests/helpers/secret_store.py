"""A secret store and a keychain in memory, in place of those of this person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from desktop.errors import SecretStoreError
from desktop.secrets.store import SecretEntry, check_name

__all__ = ["MemoryKeychain", "MemoryStore", "Passphrase"]


class MemoryStore:
    """Implements `SecretStore`."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})
        self._entries = {name: SecretEntry(name=name, set_at="2026-01-01T00:00:00+00:00") for name in self._values}

    async def get(self, name: str) -> str | None:
        return self._values.get(name)

    async def set(self, name: str, value: str, *, provider: str = "") -> None:
        await self.set_many({name: value}, provider=provider)

    async def set_many(self, values: Mapping[str, str | None], *, provider: str = "") -> None:
        for name, value in values.items():
            if value is not None:
                check_name(name)
        for name, value in values.items():
            if value is None:
                self._values.pop(name, None)
                self._entries.pop(name, None)
            else:
                self._values[name] = value
                self._entries[name] = SecretEntry(name=name, provider=provider, set_at="2026-01-01T00:00:00+00:00")

    async def delete(self, name: str) -> bool:
        had = name in self._values
        await self.set_many({name: None})
        return had

    async def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._values))

    async def entries(self) -> tuple[SecretEntry, ...]:
        return tuple(self._entries[name] for name in sorted(self._entries))


@dataclass
class MemoryKeychain:
    """A keychain that can be told to fail."""

    kept: dict[str, str] = field(default_factory=dict)
    error: SecretStoreError | None = None
    asked: list[str] = field(default_factory=list)

    def _pass(self, name: str) -> None:
        self.asked.append(name)
        if self.error is not None:
            raise self.error

    async def get(self, name: str) -> str | None:
        self._pass(name)
        return self.kept.get(name)

    async def set(self, name: str, value: str) -> None:
        self._pass(name)
        self.kept[name] = value

    async def delete(self, name: str) -> bool:
        self._pass(name)
        return self.kept.pop(name, None) is not None


@dataclass
class Passphrase:
    """A person who answers with this passphrase, and counts how often they were asked."""

    answer: str | None
    asked: int = 0

    async def passphrase(self, *, is_new: bool) -> str | None:
        self.asked += 1
        return self.answer
