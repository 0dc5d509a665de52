"""``docker-mcp config dump`` and ``config restore``; secrets only when they are asked for."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run, refusal

PASSPHRASE = {"MCP_GATEWAY_PASSPHRASE": "correct horse"}


def test_a_dump_restores_everything_and_says_what_was_there_before(run: Run, docker_mcp: Path, tmp_path: Path) -> None:
    (docker_mcp / "config.yaml").write_text("tiny: {a: 1}  # mine\n", "utf-8")
    run("server", "enable", "tiny")
    dumped = run("config", "dump")
    assert (dumped.returncode, dumped.stderr, dumped.stdout.count("\n")) == (0, "", 1)
    run("server", "reset")
    run("config", "reset")
    run("catalog", "create", "later")
    restored = run("config", "restore", "-", given=dumped.stdout)
    assert (restored.returncode, restored.stdout, restored.stderr) == (0, "", "")
    assert run("config", "dump").stdout == dumped.stdout
    (tmp_path / "mcp.json").write_text(dumped.stdout, "utf-8")
    assert run("config", "restore", "mcp.json").returncode == 0


def test_secrets_are_in_it_only_with_the_flag(run: Run, docker_mcp: Path) -> None:
    dump = json.dumps({"secrets": [{"name": "boxed.key", "provider": "", "value": "hush"}]})
    left_out = run("config", "restore", "-", given=dump, more=PASSPHRASE)
    assert (left_out.returncode, left_out.stderr.count("\n")) == (0, 1)
    assert "secret" in left_out.stderr
    assert json.loads(run("config", "dump", "--secrets", more=PASSPHRASE).stdout)["secrets"] == []
    assert run("config", "restore", "-", "--secrets", given=dump, more=PASSPHRASE).returncode == 0
    assert "hush" not in run("config", "dump", more=PASSPHRASE).stdout
    with_secrets = json.loads(run("config", "dump", "--secrets", more=PASSPHRASE).stdout)
    assert with_secrets["secrets"] == [{"name": "boxed.key", "provider": "", "value": "hush"}]


def test_secrets_that_could_not_be_kept_are_not_restored_and_nothing_else_is(run: Run, docker_mcp: Path) -> None:
    dump = json.dumps({"config": "a: {}", "secrets": [{"name": "x", "value": "hush"}]})
    refused = run("config", "restore", "-", "--secrets", given=dump)
    assert refused.returncode == 1
    assert refusal(refused).startswith("There is no keychain in this session that could keep the secrets")
    assert not (docker_mcp / "config.yaml").exists()


def test_mistakes_are_one_sentence(run: Run, docker_mcp: Path) -> None:
    assert refusal(run("config", "restore", "nowhere.json")) == "nowhere.json: there is no such file"
    assert refusal(run("config", "restore", "-", given="[]")).startswith("standard input: this is not what config dump")
    without = run("config", "restore", "-", "--secrets", given="{}")
    assert (without.returncode, refusal(without)) == (
        2, "standard input has no secrets in it. Dump with --secrets, or restore without.",
    )  # fmt: skip
