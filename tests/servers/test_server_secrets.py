"""A server gets the secrets its entry declares; what is missing is named, with how to set it and where it comes from."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest

from desktop.catalog.model import CatalogServer, SecretReference
from desktop.errors import KeychainLockedError, MissingSettingError
from desktop.secrets import lookup
from desktop.secrets.lookup import SecretLookup
from desktop.secrets.redaction import MASK, Redactor
from desktop.secrets.sources import SignInSource, StoreSource
from desktop.servers.server_secrets import ServerSecrets
from tests.helpers.secret_store import MemoryStore


class Locked:
    label = "the secret store"

    async def read(self, references: Sequence[lookup.SecretReference]) -> dict[str, str]:
        raise KeychainLockedError("The keychain is locked", "Unlock it and try again")


def server(*secrets: SecretReference, **more: object) -> CatalogServer:
    return CatalogServer(name="one", secrets=list(secrets), **more)  # type: ignore[arg-type]


async def test_a_server_gets_what_its_entry_declares_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    redactor = Redactor()
    store = MemoryStore({"a": "hush-a", "b": "hush-b"})
    secrets = ServerSecrets(SecretLookup([StoreSource(store)]), redactor)
    with caplog.at_level(logging.INFO, "desktop"):
        assert await secrets.find(server(SecretReference(name="a", env="A")), {}) == {"a": "hush-a"}
    assert caplog.messages == ["one: secret a comes from the secret store"]
    assert redactor.clean("hush-a hush-b") == f"{MASK} hush-b"


@pytest.mark.parametrize(
    ("secret", "hint"),
    [
        (SecretReference(name="a"), "Set it with: docker-mcp secret set a"),
        (SecretReference(name="a", example="ghp_…"), "Set it with: docker-mcp secret set a (it looks like ghp_…)"),
        (
            SecretReference(name="a", example="x", description="Made at\n example.com/tokens."),
            "Set it with: docker-mcp secret set a (Made at example.com/tokens)",
        ),
    ],
)
async def test_a_missing_secret_is_named_with_the_command_and_what_the_catalog_says(
    secret: SecretReference, hint: str
) -> None:
    with pytest.raises(MissingSettingError) as caught:
        await ServerSecrets(SecretLookup([StoreSource(MemoryStore())]), Redactor()).find(server(secret), {})
    assert (caught.value.message, caught.value.hint) == ("a is not set", hint)


async def test_a_secret_that_is_locked_away_is_told_from_one_that_was_never_set() -> None:
    with pytest.raises(MissingSettingError) as caught:
        await ServerSecrets(SecretLookup([Locked()]), Redactor()).find(server(SecretReference(name="a")), {})
    assert caught.value.message == "one needs a, which can't be read: The keychain is locked"
    assert caught.value.hint == "Unlock it and try again"


async def test_a_value_that_is_missing_is_named_with_its_file() -> None:
    config = [{"name": "one", "properties": {"url": {"type": "string"}}, "required": ["url"]}]
    with pytest.raises(MissingSettingError) as caught:
        await ServerSecrets(SecretLookup([]), Redactor()).find(server(config=config), {})
    assert (caught.value.message, caught.value.hint) == ("url is not set", "Set it for one in config.yaml")


async def test_what_a_sign_in_supplies_has_no_value_of_its_own() -> None:
    store = MemoryStore()
    await store.set("a", "", provider="oauth/github")
    with pytest.raises(MissingSettingError):
        await ServerSecrets(SecretLookup([StoreSource(store)]), Redactor()).find(server(SecretReference(name="a")), {})


async def test_a_secret_that_was_handed_to_a_sign_in_is_its_token() -> None:
    store = MemoryStore()
    await store.set("a", "", provider="oauth/github")
    await store.set("b", "typed in")

    async def token(app: str) -> str | None:
        return {"github": "fresh"}.get(app)

    found = await ServerSecrets(SecretLookup([StoreSource(store), SignInSource(store, token)]), Redactor()).find(
        server(SecretReference(name="a"), SecretReference(name="b")), {}
    )
    assert found == {"a": "fresh", "b": "typed in"}


async def test_a_token_of_a_sign_in_is_no_server_s_to_ask_for() -> None:
    store = MemoryStore({"oauth/github": "hush", "oauth-client/github": "hush"})
    for name in ("oauth/github", "oauth-client/github"):
        with pytest.raises(MissingSettingError):
            await ServerSecrets(SecretLookup([StoreSource(store)]), Redactor()).find(
                server(SecretReference(name=name)), {}
            )


async def test_a_changed_secret_is_noticed_and_one_that_can_not_be_read_is_not_taken_for_changed() -> None:
    store = MemoryStore({"a": "1", "other": "1"})
    source = StoreSource(store)
    secrets = ServerSecrets(SecretLookup([source]), Redactor())
    one = server(SecretReference(name="a"))
    assert not await secrets.are_other(one)  # it was given none yet
    await secrets.find(one, {})
    await store.set("other", "2")
    assert not await secrets.are_other(one)
    await store.set("a", "2")
    assert await secrets.are_other(one)
    await secrets.find(one, {})
    assert not await secrets.are_other(one)
    source.read = Locked().read  # type: ignore[method-assign]
    assert not await secrets.are_other(one)
    del source.read
    await store.delete("a")
    assert await secrets.are_other(one)
