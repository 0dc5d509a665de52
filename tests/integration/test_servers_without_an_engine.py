"""Where no container engine answers: packages as child processes, and remote servers over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from desktop.app import Application, GatewayOptions, running
from desktop.errors import PassphraseError, UsageError
from desktop.host import SecretNeed, SecretsStatus
from desktop.policy.policy_file import PolicyFile
from desktop.policy.question import Answer
from desktop.servers.status import ServerState
from tests.helpers import package_server
from tests.helpers.fake_mcp import eventually
from tests.helpers.gateway_client import GatewayClient
from tests.helpers.home import Home
from tests.helpers.ports import free_port
from tests.helpers.remote_server import remote_server

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups and scripts of POSIX")
PACKAGE = {
    "type": "server",
    "title": "Package",
    "image": "ghcr.io/astral-sh/uv:latest",
    "command": ["uvx", "package", "--region={{pack.region}}"],
    "env": [{"name": "DECLARED", "value": "{{pack.region}}"}],
    "secrets": [{"name": "pack.key", "env": "PACK_KEY"}],
}
LIMIT = 20.0


@pytest.fixture(autouse=True)
def no_engine(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine, a program called uvx that starts our server, and a secret in a file."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    monkeypatch.setenv("HOME", str(home.root))
    monkeypatch.setenv("UNRELATED_SECRET", "hunter2")
    programs = home.root / "bin"
    programs.mkdir()
    script = programs / "uvx"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{package_server.__file__}"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    (home.root / ".env").write_text("pack.key=the secret value\nremote.token=good\n", encoding="utf-8")
    home.paths.config.write_text("pack:\n  region: north\n", encoding="utf-8")


@contextlib.asynccontextmanager
async def application(home: Home, **more: Any) -> AsyncIterator[Application]:
    async with running(GatewayOptions(secrets=str(home.root / ".env"), **more), home.paths) as found:
        yield found


async def state(found: Application, name: str, *wanted: ServerState) -> Any:
    await eventually(lambda: (status := found.server(name)) and status.state in wanted, seconds=LIMIT)
    return found.server(name)


async def client_of(found: Application) -> GatewayClient:
    client = GatewayClient(found.gateway)
    await client.initialize()
    return client


async def text(client: GatewayClient, name: str, arguments: dict[str, Any] | None = None) -> str:
    result = await client.ask("tools/call", {"name": name, "arguments": arguments or {}}).result()
    assert not result.get("isError"), result
    return str(result["content"][0]["text"])


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Packages.


async def test_a_package_does_not_run_without_a_container_before_its_person_agreed(home: Home) -> None:
    home.catalog({"pack": PACKAGE})
    home.enable("pack")
    async with application(home) as found:
        status = await state(found, "pack", ServerState.NEEDS_SETTING)
        assert status.needs_consent
        assert "pack may not run without a container" in status.reason
        assert "docker-mcp server enable pack --without-container" in status.hint
        await found.allow_without_container("pack")
        status = await state(found, "pack", ServerState.READY)
        assert (status.reason, status.needs_consent) == ("", False)
        await eventually(lambda: (shown := found.server("pack")) and shown.tool_count == 3)


async def test_the_consent_holds_for_the_package_that_was_agreed_to_and_no_other(home: Home) -> None:
    home.catalog({"pack": PACKAGE})
    home.enable("pack")
    async with application(home) as found:
        await found.allow_without_container("pack")
        await state(found, "pack", ServerState.READY)
        home.catalog({"pack": PACKAGE | {"command": ["uvx", "another-package"]}})
        await state(found, "pack", ServerState.NEEDS_SETTING)
        home.catalog({"pack": PACKAGE})
        await state(found, "pack", ServerState.IDLE, ServerState.READY)


async def test_a_package_sees_only_what_is_declared_and_goes_with_all_its_children(home: Home) -> None:
    home.catalog({"pack": PACKAGE})
    home.enable("pack")
    async with application(home) as found:
        await found.allow_without_container("pack")
        await state(found, "pack", ServerState.READY)
        client = await client_of(found)
        environment = json.loads(await text(client, "environment"))
        family = json.loads(await text(client, "family"))
        assert environment["PACK_KEY"] == "the secret value"
        assert environment["DECLARED"] == "north"
        assert "UNRELATED_SECRET" not in environment
        assert "DOCKER_HOST" not in environment
        kept = {
            "HOME",
            "LANG",
            "LC_ALL",
            "LC_CTYPE",
            "LOGNAME",
            "PATH",
            "PWD",
            "SHELL",
            "SHLVL",
            "TMPDIR",
            "TZ",
            "USER",
            "_",
        }
        proxies = {
            name
            for name in environment
            if name.lower().endswith("_proxy") or name.startswith(("SSL_", "UV_", "PIP_", "NODE_"))
        }
        assert environment.keys() - kept - proxies == {"PACK_KEY", "DECLARED"}
        assert all(map(runs, family))
    await eventually(lambda: not any(map(runs, family)))  # killed, which the system takes a moment for


async def test_a_package_that_dies_takes_its_children_along_and_its_last_words_are_the_reason(home: Home) -> None:
    home.catalog({"pack": PACKAGE})
    home.enable("pack")
    async with application(home) as found:
        await found.allow_without_container("pack")
        await state(found, "pack", ServerState.READY)
        client = await client_of(found)
        family = json.loads(await text(client, "family"))
        reason = "pack ended with exit code 9: last words without a line break"
        assert (await client.call("die").error())["message"] == reason
        status = await state(found, "pack", ServerState.FAILING)
        assert status.reason == reason
        await eventually(lambda: not any(map(runs, family)))
        await found.restart("pack")
        assert found.server("pack").state is ServerState.READY  # type: ignore[union-attr]


async def test_a_runner_that_is_not_installed_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home.root))
    home.catalog({"pack": PACKAGE})
    home.enable("pack")
    async with application(home) as found:
        await found.allow_without_container("pack")
        status = await state(found, "pack", ServerState.FAILING)
        assert status.reason == "pack needs uvx, which is not on this computer"
        assert status.hint == "Install uv, or start Docker, which needs neither"


async def test_a_secret_that_is_missing_is_named_and_found_once_it_is_set(home: Home) -> None:
    (home.root / ".env").write_text("", encoding="utf-8")
    home.catalog({"pack": PACKAGE})
    home.enable("pack")
    async with application(home) as found:
        status = await state(found, "pack", ServerState.NEEDS_SETTING)
        assert "pack.key is not set" in status.reason
        assert not status.needs_consent
        (home.root / ".env").write_text("pack.key=now\n", encoding="utf-8")
        await found.allow_without_container("pack")
        await state(found, "pack", ServerState.READY)


async def test_a_secret_set_while_the_gateway_runs_reaches_the_server_that_waits_for_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.catalog({"pack": PACKAGE})
    home.enable("pack")
    monkeypatch.setenv("MCP_GATEWAY_PASSPHRASE", "correct horse")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    async with running(GatewayOptions(), home.paths) as found:
        await found.allow_without_container("pack")
        status = await state(found, "pack", ServerState.NEEDS_SETTING)
        assert status.hint == "Set it with: docker-mcp secret set pack.key"
        await run_command(home, "secret", "set", "pack.key=now")
        await state(found, "pack", ServerState.READY)
        client = await client_of(found)
        assert json.loads(await text(client, "environment"))["PACK_KEY"] == "now"

        # A server that runs with a secret the person changes is started anew, and stops when it is taken away.
        (_, before) = json.loads(await text(client, "family"))
        await run_command(home, "secret", "set", "pack.key=later")
        await eventually(lambda: not runs(before), seconds=LIMIT)
        await state(found, "pack", ServerState.READY)
        assert json.loads(await text(client, "environment"))["PACK_KEY"] == "later"
        await run_command(home, "secret", "rm", "pack.key")
        await state(found, "pack", ServerState.NEEDS_SETTING)


async def test_a_face_sets_secrets_and_unlocks_them_with_a_passphrase(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"name": "pack.key", "env": "PACK_KEY", "description": "Made at example.com."}
    home.catalog({"pack": {**PACKAGE, "secrets": [entry]}})
    home.enable("pack")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    async with running(GatewayOptions(), home.paths) as found:
        await found.allow_without_container("pack")
        await state(found, "pack", ServerState.NEEDS_SETTING)
        assert (await found.secrets_status()).protection == "this session only"
        need = SecretNeed(name="pack.key", variable="PACK_KEY", about="Made at example.com")
        assert await found.secrets_of("pack") == (need,)
        await found.unlock_secrets("correct horse")  # the first one is the one that is chosen
        assert await found.secrets_status() == SecretsStatus(protection="passphrase")
        await found.set_secret("pack.key", "now")
        await state(found, "pack", ServerState.READY)
        assert await found.secrets_of("pack") == (replace(need, is_set=True),)
    async with running(GatewayOptions(), home.paths) as found:
        await found.restart("pack")  # it is listed already, so that nothing else starts it
        status = await state(found, "pack", ServerState.NEEDS_SETTING)
        assert "pack needs pack.key, which can't be read" in status.reason
        assert await found.secrets_of("pack") == (replace(need, is_set=True),)
        assert "nobody gave it" in (await found.secrets_status()).reason
        with pytest.raises(PassphraseError):
            await found.unlock_secrets("battery staple")
        await found.unlock_secrets("correct horse")
        await state(found, "pack", ServerState.IDLE, ServerState.READY)
        for value in ("", "a\0b"):
            with pytest.raises(UsageError):
                await found.set_secret("pack.key", value)
        await found.remove_secret("pack.key")
        await state(found, "pack", ServerState.NEEDS_SETTING)


async def test_secrets_that_can_not_be_opened_any_more_are_among_the_problems(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("MCP_GATEWAY_PASSPHRASE", "correct horse")
    home.paths.secrets.parent.mkdir(parents=True)
    home.paths.secrets.write_text("rubbish", encoding="utf-8")
    async with running(GatewayOptions(), home.paths) as found:
        assert "was damaged" in (await found.secrets_status()).reason
        await found.set_secret("a", "1")
        (kept,) = home.paths.secrets.parent.glob("*unreadable*")
        assert found.problems() == (f"The former secrets can't be opened any more; they are kept in {kept}",)
        assert (await found.secrets_status()).reason == ""


async def run_command(home: Home, *arguments: str) -> None:
    environment = {**home.environment, "MCP_GATEWAY_PASSPHRASE": "correct horse"}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "desktop", *arguments, env=environment)
    assert await process.wait() == 0


async def test_one_server_under_two_names_has_two_accounts(home: Home) -> None:
    (home.root / ".env").write_text("pack.key=mine\nwork.key=theirs\n", encoding="utf-8")
    home.catalog({"pack": PACKAGE})
    home.enable("pack")
    async with application(home) as found:
        await found.duplicate("pack", "work")
        home.paths.config.write_text("pack: {region: north}\nwork: {region: south}\n", encoding="utf-8")
        await eventually(lambda: found.server("work"), seconds=LIMIT)
        await eventually(lambda: found.configuration.current.values.get("work") == {"region": "south"}, seconds=LIMIT)
        for name in ("pack", "work"):
            await found.allow_without_container(name)
            await state(found, name, ServerState.READY)
        client = await client_of(found)
        answers = [json.loads(await text(client, f"{name}__environment")) for name in ("pack", "work")]
        assert [(each["PACK_KEY"], each["DECLARED"]) for each in answers] == [("mine", "north"), ("theirs", "south")]
        await found.drop_duplicate("work")
        assert found.server("work") is None


async def test_a_container_server_says_that_no_engine_answers(home: Home) -> None:
    home.catalog({"box": home.container("echo"), "pack": PACKAGE})
    home.enable("box", "pack")
    async with application(home) as found:
        await found.allow_without_container("pack")
        await state(found, "pack", ServerState.READY)
        status = await state(found, "box", ServerState.FAILING)
        assert "/nonexistent" in status.reason
        assert status.hint


# Remote servers.


def remote(port: int, kind: str, **headers: str) -> dict[str, Any]:
    path = "sse" if kind == "sse" else "mcp"
    return {
        "type": "remote",
        "title": "Remote",
        "remote": {
            "url": f"http://127.0.0.1:{port}/{path}",
            "transport_type": {"streaming": "streamable-http"}.get(kind, kind),
            "headers": headers,
        },
        "secrets": [{"name": "remote.token", "env": "TOKEN"}],
    }


@pytest.mark.parametrize("kind", ["streaming", "sse"])
async def test_a_remote_server_gets_the_headers_of_its_entry_and_answers(home: Home, kind: str) -> None:
    port = free_port()
    entry = remote(port, kind, Authorization="Bearer $TOKEN", **{"X-Region": "north"})
    home.catalog({"far": entry})
    home.enable("far")
    async with remote_server(kind, port, "good"), application(home) as found:
        await state(found, "far", ServerState.READY)
        client = await client_of(found)
        assert await text(client, "header", {"name": "x-region"}) == "north"
        counting = client.ask("tools/call", {"name": "count", "arguments": {"to": 3}, "_meta": {"progressToken": "p"}})
        assert (await counting.result())["content"][0]["text"] == "counted"
        assert [message["params"]["progress"] for message in counting.before] == [1, 2, 3]
        assert {message["params"]["progressToken"] for message in counting.before} == {"p"}
        second = await client_of(found)
        assert await text(second, "process") == await text(client, "process")


async def test_without_a_transport_in_the_entry_the_right_one_is_found_out(home: Home) -> None:
    ports = {kind: free_port() for kind in ("streaming", "sse")}
    home.catalog({kind: {**remote(port, kind), "title": kind} for kind, port in ports.items()})
    text_of = (catalog := home.paths.catalogs / "docker-mcp.yaml").read_text(encoding="utf-8")
    catalog.write_text(
        text_of.replace("transport_type: streamable-http", "transport_type: ''").replace("transport_type: sse", ""),
        encoding="utf-8",
    )
    home.enable("streaming", "sse")
    async with (
        remote_server("streaming", ports["streaming"]),
        remote_server("sse", ports["sse"]),
        application(home) as found,
    ):
        for kind in ports:
            assert (await state(found, kind, ServerState.READY, ServerState.FAILING)).reason == ""


@pytest.mark.parametrize("kind", ["streaming", "sse"])
async def test_a_remote_server_that_was_restarted_is_used_again(home: Home, kind: str) -> None:
    port = free_port()
    home.catalog({"far": remote(port, kind)})
    home.enable("far")
    async with application(home) as found:
        async with remote_server(kind, port):
            await state(found, "far", ServerState.READY)
            client = await client_of(found)
            first = await text(client, "process")
        gone = await client.ask("tools/call", {"name": "process", "arguments": {}}).error()
        assert gone["message"].startswith("far ")
        async with remote_server(kind, port):
            deadline = time.monotonic() + LIMIT
            second = ""
            while not second and time.monotonic() < deadline:
                answer = await client.ask("tools/call", {"name": "process", "arguments": {}}).message()
                if "result" in answer:
                    second = answer["result"]["content"][0]["text"]
                else:
                    await asyncio.sleep(0.1)
            assert second
            assert second != first
            assert found.server("far").state is ServerState.READY  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["streaming", "sse", ""])
async def test_a_remote_server_that_wants_a_sign_in_says_so(home: Home, kind: str) -> None:
    port = free_port()
    home.catalog({"far": remote(port, kind, Authorization="Bearer wrong")})
    home.enable("far")
    async with remote_server(kind or "streaming", port, "good"), application(home) as found:
        status = await state(found, "far", ServerState.NEEDS_SIGN_IN, ServerState.FAILING)
        assert (status.state, status.reason) == (ServerState.NEEDS_SIGN_IN, "far wants you to sign in")
        assert status.hint


@pytest.mark.parametrize("kind", ["streaming", "sse", ""])
async def test_a_remote_server_that_can_not_be_reached_is_one_sentence(home: Home, kind: str) -> None:
    port = free_port()
    home.catalog({"far": remote(port, kind)})
    home.enable("far")
    async with application(home) as found:
        status = await state(found, "far", ServerState.FAILING)
        assert status.reason.startswith(f"far can't be reached at 127.0.0.1:{port}: ")
        assert "\n" not in status.reason


async def test_a_header_with_a_line_break_at_its_end_is_still_a_header(home: Home) -> None:
    port = free_port()
    home.catalog({"far": remote(port, "streaming", Authorization="Bearer $TOKEN\n")})
    home.enable("far")
    async with remote_server("streaming", port, "good"), application(home) as found:
        assert (await state(found, "far", ServerState.READY, ServerState.FAILING)).reason == ""


async def test_an_address_that_is_none_is_one_sentence(home: Home) -> None:
    entry = remote(1, "streaming")
    entry["remote"]["url"] = "ftp://example.invalid"
    home.catalog({"far": entry})
    home.enable("far")
    async with application(home) as found:
        status = await state(found, "far", ServerState.FAILING)
        assert status.reason == "far has no usable address: 'ftp://example.invalid' is not an http(s) URL"


async def test_the_policy_takes_a_secret_back_from_a_running_server_and_gives_it_again(home: Home) -> None:
    port = free_port()
    home.catalog({"far": remote(port, "streaming", Authorization="Bearer $TOKEN")})
    home.enable("far")
    policy = PolicyFile(home.paths.policy, home.paths.lock_for(home.paths.policy))
    async with remote_server("streaming", port, "good"), application(home) as found:
        await state(found, "far", ServerState.READY)
        policy.replace("remote.token allows another")
        refused = await state(found, "far", ServerState.NEEDS_SETTING)
        assert refused.reason == "The policy does not let far have the secret remote.token"
        assert "add 'remote.token allows far'" in refused.hint
        policy.replace("remote.token allows another\nremote.token allows far")
        await state(found, "far", ServerState.IDLE)
        await (await client_of(found)).call("process").result()
        await state(found, "far", ServerState.READY)
        home.paths.policy.write_text("whatever", encoding="utf-8")
        await eventually(found.problems, seconds=LIMIT)
        assert "policy.txt, line 1: a rule is" in found.problems()[0]
        await state(found, "far", ServerState.NEEDS_SETTING)


async def test_a_call_the_policy_asks_about_waits_for_the_answer_of_the_host(home: Home) -> None:
    port = free_port()
    home.catalog({"far": remote(port, "streaming")})
    home.enable("far")
    home.paths.policy.write_text("ask tool far:process\ndeny tool count", encoding="utf-8")
    async with remote_server("streaming", port), application(home) as found:
        found.questions_are_seen()
        await state(found, "far", ServerState.READY)
        client = await client_of(found)
        assert "count" not in await client.tools()
        call = client.call("process")
        await eventually(found.questions)
        (question,) = found.questions()
        assert (question.kind, question.server) == ("call-tool", "far")
        await found.answer(question.id, Answer.ONCE)
        assert (await call.result())["content"][0]["text"].isdecimal()
