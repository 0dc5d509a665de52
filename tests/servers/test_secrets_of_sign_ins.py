"""Tokens of sign-ins in the place of secrets (spec 1.7.5, 4.5)."""

from __future__ import annotations

import pytest

from desktop.catalog.model import CatalogServer, OAuthProvider, OAuthSettings, RemoteEndpoint, SecretReference
from desktop.errors import ProviderUnavailableError, ScopeMissingError, SignInRequiredError
from desktop.secrets.lookup import SecretLookup
from desktop.secrets.redaction import Redactor
from desktop.secrets.sources import StoreSource
from desktop.servers.launch import environment
from desktop.servers.server_secrets import ServerSecrets
from desktop.servers.sign_in_apps import apps_of, with_sign_in_secrets
from tests.helpers.secret_store import MemoryStore

GITHUB = OAuthProvider(provider="github", secret="github.token", env="GITHUB_TOKEN")


class Token:
    """An `Authorization` with one token, or an error."""

    def __init__(self, token: str = "", error: Exception | None = None) -> None:
        self.current = token
        self._error = error

    async def bearer(self) -> str:
        if self._error is not None:
            raise self._error
        return self.current

    async def instead_of(self, refused: str) -> str:
        return self.current

    async def more_wanted(self, scope: str) -> ScopeMissingError:
        return ScopeMissingError("more")


def container(*, declared: bool = True, providers: tuple[OAuthProvider, ...] = (GITHUB,)) -> CatalogServer:
    secrets = [SecretReference(name="github.token", env="GITHUB_TOKEN")] if declared else []
    return CatalogServer(
        name="hub", image="example/hub", secrets=secrets, oauth=OAuthSettings(providers=list(providers))
    )


def remote() -> CatalogServer:
    return CatalogServer(
        name="notes",
        title="Notes",
        type="remote",
        remote=RemoteEndpoint(url="https://notes.example/mcp", headers={"X-Token": "${NOTES_TOKEN}"}),
        secrets=[SecretReference(name="notes.token", env="NOTES_TOKEN")],
        oauth=OAuthSettings(providers=[OAuthProvider(provider="n", secret="notes.token")], scopes=["a"]),
    )


async def find(server: CatalogServer, token: Token, **stored: str) -> dict[str, str]:
    store = MemoryStore({name.replace("_", "."): value for name, value in stored.items()})
    asked: list[str] = []

    def tokens(app: str) -> Token:
        asked.append(app)
        return token

    secrets = ServerSecrets(SecretLookup([StoreSource(store)]), Redactor(), tokens=tokens)
    found = await secrets.find(server, {})
    assert set(asked) == {"notes" if server.name == "notes" else "github"}
    return found


async def test_the_token_of_a_sign_in_goes_before_a_secret_that_was_typed_in() -> None:
    assert await find(container(), Token("fresh"), github_token="typed") == {"github.token": "fresh"}


async def test_a_secret_that_was_typed_in_does_while_nobody_is_signed_in() -> None:
    assert await find(container(), Token(), github_token="typed") == {"github.token": "typed"}
    assert await find(container(), Token(error=SignInRequiredError("over")), github_token="typed") == {
        "github.token": "typed"
    }


async def test_with_neither_a_sign_in_is_asked_for_and_the_other_way_is_named() -> None:
    with pytest.raises(SignInRequiredError, match="hub wants you to sign in to github") as error:
        await find(container(), Token())
    assert "docker-mcp oauth authorize github, or docker-mcp secret set github.token" in error.value.hint


async def test_a_provider_that_is_down_is_no_reason_to_use_another_account() -> None:
    with pytest.raises(ProviderUnavailableError):
        await find(container(), Token(error=ProviderUnavailableError("down")), github_token="typed")


async def test_a_secret_that_only_the_sign_in_names_reaches_the_variable_all_the_same() -> None:
    server = with_sign_in_secrets(container(declared=False))
    found = await find(container(declared=False), Token("fresh"))
    assert environment(server, {}, found) == {"GITHUB_TOKEN": "fresh"}


async def test_a_remote_server_s_own_sign_in_stands_in_for_its_secret() -> None:
    assert await find(remote(), Token("fresh")) == {"notes.token": "fresh"}
    with pytest.raises(SignInRequiredError, match="Notes wants you to sign in"):
        await find(remote(), Token())


def test_apps_are_remote_servers_and_the_providers_of_others() -> None:
    two = CatalogServer(name="two", image="example/two", oauth=OAuthSettings(providers=[GITHUB], scopes=["repo"]))
    plain = CatalogServer(name="plain", type="remote", remote=RemoteEndpoint(url="https://plain.example/mcp"))
    apps = apps_of({server.name: server for server in (container(), two, remote(), plain)})
    assert set(apps) == {"github", "notes", "plain"}
    github, notes = apps["github"], apps["notes"]
    assert (github.title, github.url, github.servers, github.scopes) == ("GitHub", "", ("hub", "two"), ("repo",))
    assert (notes.title, notes.url, notes.servers, notes.scopes) == (
        "Notes",
        "https://notes.example/mcp",
        ("notes",),
        ("a",),
    )
    assert [app.declared for app in (github, notes, apps["plain"])] == [True, True, False]
