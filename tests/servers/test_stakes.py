"""What the person is told is at stake when a server they have not turned on begins to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop.catalog.model import CatalogServer, RemoteEndpoint, SecretReference, ToolContainer, ToolEntry
from desktop.errors import ServerStartError
from desktop.servers.stakes import folder_matter, stakes

DIGEST = "sha256:" + "ab" * 32


def told(server: CatalogServer, *, values: Any = None, chosen: Any = None, trusted: Any = ()) -> tuple[str, ...]:
    return stakes(server, values or {}, chosen or {}, trusted)


@pytest.mark.parametrize(
    ("entry", "matter"),
    [
        ({"image": "mcp/x"}, "run the image mcp/x"),
        ({"image": f"mcp/x@{DIGEST}"}, "run the image mcp/x@sha256:abababababab"),
        (
            {"image": "ghcr.io/astral-sh/uv:latest", "command": ["uvx", "mcp-server-time"]},
            "run the package uvx mcp-server-time",
        ),
        ({"remote": RemoteEndpoint(url="https://mcp.example.com/v1/mcp?key=1")}, "be reached at mcp.example.com"),
        (
            {"type": "poci", "tools": [ToolEntry(name="curl", container=ToolContainer(image="alpine/curl"))]},
            "run the image alpine/curl",
        ),
    ],
)
def test_what_runs_is_named_unless_a_server_that_is_on_runs_it_too(entry: dict[str, Any], matter: str) -> None:
    server = CatalogServer(name="new", **entry)
    assert told(server) == (matter,)
    assert told(server, trusted=[CatalogServer(name="on", **entry)]) == ()


def test_another_digest_of_the_same_image_is_new() -> None:
    other = CatalogServer(name="on", image="mcp/x@sha256:" + "cd" * 32)
    assert told(CatalogServer(name="new", image=f"mcp/x@{DIGEST}"), trusted=[other])


def test_secrets_and_folders_are_named_whatever_else_is_on(tmp_path: Path) -> None:
    server = CatalogServer(
        name="s",
        image="mcp/x",
        secrets=[SecretReference(name="s.key", env="S_KEY"), SecretReference(name="plain")],
        volumes=["{{s.paths|volume|into}}", "cache:/cache", "/anonymous", f"{tmp_path}:/more:ro"],
    )
    folder = tmp_path / "notes"
    assert told(server, values={"paths": [str(folder)]}, trusted=[server]) == (
        "use the secret S_KEY",
        "use the secret plain",
        f"read and change the folder {folder}",
        f"read the folder {tmp_path}",
    )


def test_fixed_folders_of_tools_in_containers_are_named(tmp_path: Path) -> None:
    container = ToolContainer(image="x", volumes=[f"{tmp_path}:/data", "{{folder|volume}}"])
    server = CatalogServer(name="t", type="poci", tools=[ToolEntry(name="t", container=container)])
    assert told(server) == ("run the image x", f"read and change the folder {tmp_path}")


def test_a_folder_that_may_never_be_mounted_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ServerStartError, match="can't be mounted"):
        told(CatalogServer(name="s", image="x", volumes=["/etc:/etc"]))


def test_control_of_docker_is_named_as_what_it_is() -> None:
    server = CatalogServer(name="s", image="x", volumes=["/var/run/docker.sock:/var/run/docker.sock"])
    assert told(server, trusted=[server]) == ("control Docker itself, and through it this machine",)


def test_settings_of_the_clients_choice_are_shown_and_every_other_choice_is_another_matter() -> None:
    server = CatalogServer(name="s", image="x")

    def matter(**chosen: Any) -> str:
        return told(server, chosen=chosen, trusted=[server])[0]

    assert matter(url="https://a.example", level=2) == (
        "run with settings the client has chosen (level = 2, url = https://a.example)"
    )
    long = "x" * 100
    assert matter(url=long + "1") != matter(url=long + "2")
    assert "\n" not in matter(text="one\ntwo\u202e")
    assert "\u202e" not in matter(text="one\ntwo\u202e")


@pytest.mark.parametrize(
    ("bind", "phrase"),
    [
        ("/home/a:/data", "read and change the folder /home/a"),
        ("/home/a:/data:ro", "read the folder /home/a"),
        ("C:/Users/a:/data:ro", "read the folder C:/Users/a"),
    ],
)
def test_a_mount_in_words(bind: str, phrase: str) -> None:
    assert folder_matter(bind) == phrase
