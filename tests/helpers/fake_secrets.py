"""Secrets in memory, for the tests of the tray and its demo."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.host import (
    EnvLine,
    KeptSecret,
    SecretPlace,
    SecretsChanged,
    SecretsStatus,
    SecretUse,
    SignInState,
    SignInStatus,
)

if TYPE_CHECKING:
    from tests.helpers.fake_host import FakeHost

__all__ = ["FakeSecretDesk", "kept", "many_secrets", "some_lines", "some_secrets", "some_sign_ins"]

SET_AT = 1_780_000_000.0


class FakeSecretDesk:
    """What `SecretDesk` promises.

    Attributes:
        secrets: What there is.
        lines: What a `.env` file holds.
    """

    def __init__(self, host: FakeHost) -> None:
        self._host = host
        self.secrets: tuple[KeptSecret, ...] = ()
        self.lines: tuple[EnvLine, ...] = ()

    async def overview(self) -> tuple[KeptSecret, ...]:
        return self.secrets

    async def read_env(self, path: Path) -> tuple[EnvLine, ...]:
        await self._host._noted("read_env", path.name)
        return self.lines

    async def import_env(self, path: Path, names: Collection[str]) -> int:
        await self._host._noted("import_env", path.name, *sorted(names))
        for name in names:
            self.mark(name, is_set=True)
        return len(names)

    def mark(self, name: str, *, is_set: bool) -> None:
        """A secret was set or taken away."""
        if name not in {secret.name for secret in self.secrets}:
            self.secrets = (*self.secrets, KeptSecret(name=name))
        place = SecretPlace.STORE if is_set else SecretPlace.NOWHERE
        at = SET_AT if is_set else None
        changed = (
            replace(secret, place=place, set_at=at) if secret.name == name else secret for secret in self.secrets
        )
        self.show(*(secret for secret in changed if secret.uses or secret.place is not SecretPlace.NOWHERE))

    def show(self, *secrets: KeptSecret) -> None:
        """These are what there is now."""
        self.secrets = tuple(sorted(secrets, key=lambda secret: secret.name))
        self._host.events.publish(SecretsChanged())


def some_secrets() -> tuple[KeptSecret, ...]:
    """One of each sort."""
    about = "Create a token under Settings → Developer settings → Personal access tokens"
    github = SecretUse(
        server="github-official", title="GitHub", enabled=True, variable="GITHUB_PERSONAL_ACCESS_TOKEN", about=about
    )
    slack = SecretUse(
        server="slack",
        title="Slack",
        enabled=True,
        variable="SLACK_BOT_TOKEN",
        about="From the page of your app, under OAuth & Permissions; it looks like xoxb-…",
    )
    brave = SecretUse(server="brave", title="Brave Search", variable="BRAVE_API_KEY")
    return (
        KeptSecret(name="brave.api_key", uses=(brave,), place=SecretPlace.SESSION, set_at=SET_AT + 3600),
        KeptSecret(name="github.personal_access_token", uses=(github,), place=SecretPlace.STORE, set_at=SET_AT),
        KeptSecret(name="nobody.asks", place=SecretPlace.STORE, set_at=SET_AT - 90_000),
        KeptSecret(
            name="notion.token",
            uses=(SecretUse(server="notion-remote", title="Notion", enabled=True),),
            place=SecretPlace.SIGN_IN,
            app="Notion",
        ),
        KeptSecret(
            name="postgres.url",
            uses=(SecretUse(server="postgres", title="PostgreSQL", enabled=True, variable="DATABASE_URL"),),
            place=SecretPlace.ENV_FILE,
        ),
        KeptSecret(name="slack.bot_token", uses=(slack,)),
        KeptSecret(name="slack.team", uses=(replace(slack, variable="SLACK_TEAM_ID", is_required=False),)),
    )


def many_secrets(count: int) -> tuple[KeptSecret, ...]:
    """Some, and more of them, one with a very long name."""
    more = (
        KeptSecret(
            name=f"server{number:03}.token" if number else "long" * 50,
            uses=(
                SecretUse(server=f"server{number}", title=f"Server {number} " + "long " * (40 if not number else 0)),
            ),
            place=SecretPlace.STORE,
            set_at=SET_AT - number * 7_000,
        )
        for number in range(max(0, count - len(some_secrets())))
    )
    return (*some_secrets(), *more)


def some_sign_ins() -> tuple[SignInStatus, ...]:
    """One in each state."""
    return (
        SignInStatus(
            app="github",
            title="GitHub",
            state=SignInState.SIGNED_IN,
            servers=("github-official",),
            scopes=("repo", "read:user", "read:org"),
            expires_at=SET_AT + 3600,
        ),
        SignInStatus(
            app="linear",
            title="Linear",
            state=SignInState.SIGNING_IN,
            servers=("playwright",),
            link="https://linear.example.org/oauth/authorize",
        ),
        SignInStatus(
            app="notion",
            title="Notion",
            state=SignInState.NEEDED,
            servers=("notion-remote",),
            scopes=("read_content", "openid", "offline_access"),
            reason="Notion has ended the sign-in",
            hint="Sign in again",
        ),
        SignInStatus(
            app="slack",
            title="Slack",
            state=SignInState.SIGNING_IN,
            servers=("slack",),
            link="https://slack.example.org/device",
            user_code="WDJB-MJHT",
        ),
        SignInStatus(
            app="time",
            title="Time",
            state=SignInState.SIGNED_IN,
            servers=("time",),
            scopes=("clocks:read",),
            wanted=("clocks:write",),
        ),
        SignInStatus(app="zotero", title="Zotero " + "with a long title " * 10, servers=()),
    )


def some_lines() -> tuple[EnvLine, ...]:
    """Lines of a `.env` file, one of each sort."""
    return (
        EnvLine(variable="SLACK_BOT_TOKEN", name="slack.bot_token", servers=("Slack",)),
        EnvLine(
            variable="GITHUB_PERSONAL_ACCESS_TOKEN",
            name="github.personal_access_token",
            servers=("GitHub",),
            replaces=True,
        ),
        EnvLine(variable="API_KEY", name="API_KEY", alternatives=("brave.api_key", "exa.api_key")),
        EnvLine(variable="bad name", name="bad name", refused="a secret's name consists of letters and digits"),
    )


def kept(how: str) -> SecretsStatus:
    """How secrets are kept, by a short word."""
    match how:
        case "locked":
            return SecretsStatus(protection="passphrase", reason="The secrets are sealed with a passphrase")
        case "session":
            return SecretsStatus(protection="this session only")
        case "waiting":
            return SecretsStatus(
                protection="keychain",
                reason="The keychain hasn't answered for 5 seconds",
                hint="Unlock it in the window it shows",
            )
        case _:
            return SecretsStatus(protection=how)
