"""A server under two names: the same entry, with values and secrets of its own."""

from __future__ import annotations

from typing import Any

import pytest

from desktop.catalog.duplicates import duplicate, secret_name, with_duplicates
from desktop.catalog.model import (
    CatalogServer,
    EnvVariable,
    OAuthProvider,
    OAuthSettings,
    RemoteEndpoint,
    SecretReference,
)
from desktop.servers.launch import ContainerLimits, container_spec
from desktop.state.server_choices import ServerChoice

GITHUB = CatalogServer(
    name="git.hub",
    title="GitHub",
    image="mcp/github",
    secrets=[SecretReference(name="github.token", env="TOKEN"), SecretReference(name="git.hub.other", env="OTHER")],
    env=[EnvVariable(name="HOST", value="{{git_hub.host}}"), EnvVariable(name="MORE", value="{{ git_hubs.host }}")],
    command=["{{git_hub|volume}}", "--at={{ git_hub.paths|into }}"],
    volumes=["{{git_hub.paths|volume|into}}"],
    config=[{"name": "git.hub", "type": "object", "required": ["host"]}],
    oauth=OAuthSettings(providers=[OAuthProvider(provider="github", secret="github.token", env="TOKEN")]),
)


def limits(server: CatalogServer, values: dict[str, Any], secrets: dict[str, str]) -> Any:
    return container_spec(server, values, secrets, instance="i", limits=ContainerLimits())


@pytest.mark.parametrize(
    ("of", "secret", "expected"),
    [
        ("github-official", "github.personal_access_token", "work.personal_access_token"),
        ("slack", "slack.bot.token", "work.bot.token"),
        ("git.hub", "git.hub.token", "work.token"),
        ("one", "TOKEN", "work.TOKEN"),
    ],
)
def test_a_secret_of_a_duplicate_has_its_name_in_front(of: str, secret: str, expected: str) -> None:
    assert secret_name("work", of, secret) == expected


def test_a_duplicate_reads_values_and_secrets_of_its_own() -> None:
    work = duplicate(GITHUB, "my.work", {})
    assert (work.name, work.title, work.image) == ("my.work", "GitHub (my.work)", "mcp/github")
    assert [item.name for item in work.secrets] == ["my.work.token", "my.work.other"]
    assert [item.env for item in work.secrets] == ["TOKEN", "OTHER"]
    assert work.config[0]["name"] == "my.work"
    values = {"host": "work.example", "paths": ["/data"]}
    of_work = limits(work, values, {"my.work.token": "w"})
    of_original = limits(GITHUB, values, {"github.token": "w"})
    assert (of_work.env, of_work.hidden_env) == ({"HOST": "work.example"}, {"TOKEN": "w"})
    assert (of_work.env, of_work.command, of_work.binds) == (of_original.env, of_original.command, of_original.binds)


def test_a_secret_can_be_shared_or_called_as_one_likes() -> None:
    work = duplicate(GITHUB, "work", {"github.token": "tokens/at-work"})
    assert [item.name for item in work.secrets] == ["tokens/at-work", "work.other"]


def test_a_duplicate_does_not_get_the_token_of_the_original_s_account() -> None:
    assert duplicate(GITHUB, "work", {}).oauth is None
    provider = OAuthProvider(provider="x", secret="x.token", env="X")
    only = CatalogServer(name="x", image="i", oauth=OAuthSettings(providers=[provider]))
    assert duplicate(only, "y", {}).secrets == [SecretReference(name="y.token", env="X")]
    # A remote server is an app of its own, under its own name.
    far = CatalogServer(name="x", remote=RemoteEndpoint(url="https://example.com"), oauth=only.oauth)
    assert duplicate(far, "y", {}).oauth == only.oauth


def test_the_original_stays_as_it_is() -> None:
    before = repr(GITHUB)
    duplicate(GITHUB, "work", {})
    assert repr(GITHUB) == before


def test_a_duplicate_that_can_not_be_is_named() -> None:
    problems: list[str] = []
    choices = {
        "work": ServerChoice(duplicate_of="git.hub"),
        "lost": ServerChoice(duplicate_of="gone"),
        "git.hub": ServerChoice(duplicate_of="other"),
        "usual": ServerChoice(call_timeout=1.0),
    }
    found = with_duplicates({"git.hub": GITHUB}, choices, problems)
    assert sorted(found) == ["git.hub", "work"]
    assert found["git.hub"] is GITHUB
    assert problems == [
        "lost is a duplicate of gone, which no catalog has",
        "git.hub is a server of a catalog, so no duplicate of other can be called so",
    ]
