"""``docker-mcp oauth``: listing, signing in, signing out, and clients registered by hand."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from desktop.state.paths import Paths
from tests.cli.conftest import Run, command, refusal
from tests.helpers.authorization_server import Person, authorization_server
from tests.helpers.guarded_server import guarded_server
from tests.helpers.ports import free_port


def test_what_one_can_sign_in_to_is_listed(typed: Run, docker_mcp: Path) -> None:
    listed = typed("oauth", "ls")
    lines = listed.stdout.splitlines()
    assert any(re.fullmatch(r"hosted +\| not authorized", line) for line in lines)
    assert not any(line.startswith(("tiny", "boxed")) for line in lines)
    found = json.loads(typed("oauth", "ls", "--json").stdout)
    hosted = next(entry for entry in found if entry["app"] == "hosted")
    assert hosted == {"app": "hosted", "authorized": False, "provider": "hosted", "scopes": [], "tools": []}


def test_nothing_unknown_can_be_signed_in_to(typed: Run, docker_mcp: Path) -> None:
    for name in ("authorize", "revoke"):
        assert "sign-in nowhere not found" in refusal(typed("oauth", name, "nowhere"))


def test_without_a_place_to_keep_it_a_sign_in_is_refused_before_the_browser_opens(typed: Run, docker_mcp: Path) -> None:
    assert "a sign-in could not be kept" in refusal(typed("oauth", "authorize", "hosted", "--no-browser"))


def test_a_client_registered_by_hand_is_set_and_taken_away(
    typed: Run, docker_mcp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_GATEWAY_PASSPHRASE", "correct horse")
    done = typed(
        *("oauth", "client", "hosted", "--client-id", "Iv1", "--client-secret", "--port", "4000", "--scopes", "a b"),
        given="hush\n",
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    paths = Paths.of_user()
    written = yaml.safe_load(paths.oauth_settings.read_text("utf-8"))
    assert written == {
        "schema_version": 1,
        "apps": {"hosted": {"client_id": "Iv1", "port": 4000, "scopes": ["a", "b"]}},
    }
    assert "hush" not in paths.secrets.read_text("utf-8")
    assert "oauth-client-secret/hosted" in typed("secret", "ls", "--all").stdout
    assert "oauth-client-secret/hosted" not in typed("secret", "ls").stdout
    monkeypatch.setenv("MCP_GATEWAY_PASSPHRASE", "correct horse")
    assert typed("oauth", "client", "hosted", "--client-id=").returncode == 0
    assert "oauth-client-secret/hosted" not in typed("secret", "ls", "--all").stdout
    assert "client_id" not in paths.oauth_settings.read_text("utf-8")
    assert "not a port" in refusal(typed("oauth", "client", "hosted", "--port", "80"))
    assert "nothing to set" in refusal(typed("oauth", "client", "hosted"))


@pytest.mark.slow
async def test_signing_in_and_out_on_the_command_line(
    run: Run, environment: Mapping[str, str], docker_mcp: Path, tmp_path: Path
) -> None:
    more = {"MCP_GATEWAY_PASSPHRASE": "correct horse", "MCP_GATEWAY_OAUTH_PORT": str(free_port())}
    async with authorization_server() as provider, guarded_server(free_port(), provider.issuer) as url:
        entry = {
            "type": "remote",
            "title": "Notes",
            "remote": {"url": url},
            "oauth": {"providers": [{"provider": "notes"}]},
        }
        text = yaml.safe_dump({"name": "docker-mcp", "registry": {"notes": entry}})
        (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(text, "utf-8")
        (docker_mcp / "registry.yaml").write_text("registry:\n  notes:\n    ref: ''\n", "utf-8")
        assert "▲ required" in run("server", "ls").stdout
        process = await asyncio.create_subprocess_exec(
            *command("oauth", "authorize", "notes", "--no-browser"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment, **more},
            cwd=tmp_path,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        link = b""
        async with asyncio.timeout(60):
            while not link.startswith(b"http"):
                link = await process.stdout.readline()
                assert link, await process.communicate()
            person = Person(comes_back=False)
            await person.browse(link.decode().strip())
            process.stdin.write(b"something else\n" + person.address.encode() + b"\n")
            out, err = await process.communicate()
        assert process.returncode == 0, err
        assert "You are signed in to Notes. It may: mcp:tools." in out.decode()
        assert "that is not the address the browser ended at" in err.decode()
        assert (
            run("oauth", "ls", more=more).stdout.splitlines() == ["notes | authorized"]
            or "notes" in run("oauth", "ls", more=more).stdout
        )
        listed = json.loads(run("oauth", "ls", "--json", more=more).stdout)
        notes = next(entry for entry in listed if entry["app"] == "notes")
        assert notes["authorized"] is True
        assert [scope["name"] for scope in notes["scopes"]] == ["mcp:tools"]
        assert "✓ done" in run("server", "ls").stdout
        revoked = run("oauth", "revoke", "notes", more=more)
        assert (revoked.returncode, revoked.stdout) == (0, "You are signed out of Notes.\n"), revoked.stderr
        assert (await provider.counts())["revocation"] == 1
        assert "▲ required" in run("server", "ls").stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="BROWSER is a Unix convention")
async def test_the_browser_of_the_system_is_opened(
    environment: Mapping[str, str], docker_mcp: Path, tmp_path: Path
) -> None:
    browser = tmp_path / "browser.py"
    browser.write_text(
        "import asyncio, sys\nfrom tests.helpers.authorization_server import Person\n"
        "asyncio.run(Person().browse(sys.argv[1]))\n",
        "utf-8",
    )
    more = {
        "MCP_GATEWAY_PASSPHRASE": "correct horse",
        "MCP_GATEWAY_OAUTH_PORT": str(free_port()),
        "BROWSER": f"{sys.executable} {browser} %s &",
    }
    async with authorization_server() as provider, guarded_server(free_port(), provider.issuer) as url:
        entry = {"type": "remote", "title": "Notes", "remote": {"url": url}}
        text = yaml.safe_dump({"name": "docker-mcp", "registry": {"notes": entry}})
        (docker_mcp / "catalogs" / "docker-mcp.yaml").write_text(text, "utf-8")
        process = await asyncio.create_subprocess_exec(
            *command("oauth", "authorize", "notes"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**environment, **more},
            cwd=tmp_path,
        )
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert process.returncode == 0, (out, err)
        assert "Opening your browser to sign in to Notes. If it does not open, visit:" in out.decode()
