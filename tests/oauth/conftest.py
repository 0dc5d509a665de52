"""Sign-ins without keychain and browser: a store in memory, and a person who fills in forms."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from desktop.oauth.access_tokens import AccessTokens
from desktop.oauth.apps import App
from desktop.oauth.records import Records
from desktop.oauth.settings import OAuthSettingsFile
from desktop.oauth.sign_ins import SignIns
from tests.helpers.authorization_server import Person

__all__ = ["MemoryVault", "Rig"]


class MemoryVault:
    """Secrets in memory (`Vault`)."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.broken: Exception | None = None

    async def get(self, name: str) -> str | None:
        if self.broken is not None:
            raise self.broken
        return self.values.get(name)

    async def set_many(self, values: Mapping[str, str | None]) -> None:
        if self.broken is not None:
            raise self.broken
        for name, value in values.items():
            if value is None:
                self.values.pop(name, None)
            else:
                self.values[name] = value

    async def names(self) -> tuple[str, ...]:
        return tuple(sorted(self.values))


class Rig:
    """The sign-ins of one process; several may share a vault and a folder."""

    def __init__(self, folder: Path, vault: MemoryVault | None = None, *, time_limit: float = 60.0) -> None:
        self.vault = vault or MemoryVault()
        self.records = Records(self.vault)
        self.apps: dict[str, App] = {}
        self.person = Person()
        self.told: list[str] = []
        self.settings = OAuthSettingsFile(folder / "settings" / "oauth.yaml", folder / "locks" / "oauth.yaml.lock")
        self.tokens = AccessTokens(self.records, folder / "locks", title=str.title, tell=self.told.append)
        self.sign_ins = SignIns(
            lambda: self.apps,
            self.records,
            self.settings,
            self.tokens,
            browser=self.person,
            time_limit=time_limit,
        )

    def app(self, name: str, url: str = "", **more: object) -> App:
        app = App(name=name, title=name.title(), url=url, servers=(name,), **more)  # type: ignore[arg-type]
        self.apps[name] = app
        return app


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    from tests.helpers.ports import free_port

    monkeypatch.setenv("MCP_GATEWAY_OAUTH_PORT", str(free_port()))
    return Rig(tmp_path)
