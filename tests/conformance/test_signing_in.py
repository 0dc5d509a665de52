"""The official conformance suite's authorization scenarios for clients, with the gateway as the client, in both eras."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from pathlib import Path

import pytest

from tests.helpers.node import node, node_environment, tool_path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]
CLIENT = Path(__file__).with_name("oauth_client.py")
BOTH_ERAS = (
    "metadata-default",
    "metadata-var1",
    "metadata-var2",
    "metadata-var3",
    "basic-cimd",
    "scope-from-www-authenticate",
    "scope-from-scopes-supported",
    "scope-omitted-when-undefined",
    "scope-step-up",
    "scope-retry-limit",
    "token-endpoint-auth-basic",
    "token-endpoint-auth-post",
    "token-endpoint-auth-none",
    "pre-registration",
)
MODERN = (
    "resource-mismatch",
    "offline-access-scope",
    "offline-access-not-supported",
    "authorization-server-migration",
    "iss-supported",
    "iss-not-advertised",
    "iss-supported-missing",
    "iss-wrong-issuer",
    "iss-unexpected",
    "iss-normalized",
    "metadata-issuer-mismatch",
)
SCENARIOS = [
    ("2025-03-26", "2025-03-26-oauth-metadata-backcompat"),
    ("2025-03-26", "2025-03-26-oauth-endpoint-fallback"),
    *(("2025-11-25", name) for name in BOTH_ERAS),
    *(("2026-07-28", name) for name in (*BOTH_ERAS, *MODERN)),
]


def test_every_required_authorization_scenario_is_run() -> None:
    import yaml

    for revision in ("2025-11-25", "2026-07-28"):
        path = tool_path("@modelcontextprotocol/conformance") / "requirements" / f"{revision}.yaml"
        required = yaml.safe_load(path.read_text(encoding="utf-8"))["client"]
        wanted = {name.removeprefix("auth/") for name in required if name.startswith("auth/")}
        assert wanted == {name for of, name in SCENARIOS if of == revision}


@pytest.mark.parametrize(("revision", "scenario"), SCENARIOS)
async def test_the_gateway_passes_as_a_client(revision: str, scenario: str, tmp_path: Path) -> None:
    suite = tool_path("@modelcontextprotocol/conformance")
    command = [str(node()), str(suite / "dist" / "index.js"), "client"]
    options = {
        "--command": shlex.join([sys.executable, str(CLIENT)]),
        "--scenario": f"auth/{scenario}",
        "--spec-version": revision,
        "--timeout": "90000",
        "-o": str(tmp_path),
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        *(word for option in options.items() for word in option),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
        env=node_environment(),
    )
    out, _ = await process.communicate()
    checks = [check for file in tmp_path.rglob("checks.json") for check in json.loads(file.read_text(encoding="utf-8"))]
    wrong = [f"{check['id']}: {check['status']}" for check in checks if check["status"] in ("FAILURE", "WARNING")]
    assert wrong == []
    assert sum(check["status"] == "SUCCESS" for check in checks) > 0
    assert process.returncode == 0, out.decode()[-2000:]
