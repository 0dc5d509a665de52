"""``docker-mcp gateway run`` as a client and a person see it: what it serves, what it says, and how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Run, command, refusal
from tests.helpers.processes import wait_until

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
LIST_TOOLS = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


@pytest.fixture
def enabled(docker_mcp: Path, run: Run) -> None:
    """The tiny server is enabled."""
    assert run("server", "enable", "tiny", "--without-container").returncode == 0


class Running:
    """A gateway in the foreground."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log

    @property
    def said(self) -> str:
        """Standard error so far."""
        return self._log.read_text("utf-8")

    def wait_for(self, text: str) -> None:
        """Wait until it has said this."""
        wait_until(lambda: text in self.said or self.process.poll() is not None, what=repr(text), seconds=30)
        assert text in self.said, self.said

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=10)


@contextlib.contextmanager
def gateway(environment: Mapping[str, str], folder: Path, *flags: str, **more: str) -> Iterator[Running]:
    """``gateway run`` with these flags."""
    log = folder / "gateway.log"
    with (
        log.open("wb") as stderr,
        subprocess.Popen(
            command("gateway", "run", *flags),
            env={**environment, **more},
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
        ) as process,
    ):
        try:
            yield Running(process, log)
        finally:
            process.kill()


def ask_over_http(url: str, token: str = "") -> int:
    """The HTTP status of ``initialize``."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, json.dumps(INITIALIZE).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def url_of(running: Running) -> str:
    """The URL it has said."""
    running.wait_for("> Gateway URL: ")
    line = next(line for line in running.said.splitlines() if line.startswith("> Gateway URL: "))
    return line.removeprefix("> Gateway URL: ")


@pytest.mark.usefixtures("enabled")
def test_a_dry_run_lists_the_tools_and_ends(run: Run) -> None:
    result = run("gateway", "run", "--dry-run")
    assert (result.returncode, result.stdout) == (0, "")
    lines = result.stderr.splitlines()
    assert lines[0] == "- Reading configuration..."
    assert "- Those servers are enabled: tiny" in lines
    assert "  > tiny: (2 tools)" in lines
    assert any(line.startswith("> 2 tools listed in ") for line in lines)


@pytest.mark.usefixtures("docker_mcp")
def test_a_server_that_can_not_start_is_named_with_its_reason(run: Run) -> None:
    result = run("gateway", "run", "--dry-run", "--servers", "boxed,nosuch")
    assert result.returncode == 0
    assert "  > Can't start boxed: " in result.stderr
    assert "  > Can't start nosuch: " in result.stderr


@pytest.mark.usefixtures("enabled")
def test_on_stdio_nothing_but_mcp_goes_to_standard_output_and_the_end_of_input_ends_it(
    environment: dict[str, str], tmp_path: Path
) -> None:
    call = {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "add", "arguments": {"a": 2}}}
    lines = "".join(json.dumps(message) + "\n" for message in (INITIALIZE, LIST_TOOLS, call))
    with gateway(environment, tmp_path, "--verbose", "--log-calls") as running:
        output, _ = running.process.communicate(lines.encode(), timeout=30)
        assert running.process.returncode == 0
        answers = {answer.get("id"): answer for answer in map(json.loads, output.splitlines())}
        assert [tool["name"] for tool in answers[2]["result"]["tools"]][-2:] == ["add", "fail"]
        assert answers[3]["result"]["content"][0]["text"] == '{"a": 2}'
        assert "> Start stdio server" in running.said
        assert "  - tiny: the tiny server is up" in running.said
        assert "  > Calling tool add took: " in running.said


def conversation(*calls: tuple[str, dict[str, object]]) -> bytes:
    """A client's side of a session on stdio."""
    messages: list[dict[str, object]] = [INITIALIZE, LIST_TOOLS]
    for number, (name, arguments) in enumerate(calls, 3):
        params = {"name": name, "arguments": arguments}
        messages.append({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
    return "".join(json.dumps(message) + "\n" for message in messages).encode()


def answers_of(running: Running, sent: bytes) -> dict[object, dict[str, dict[str, object]]]:
    """All answers by their id, after the end of input."""
    output, _ = running.process.communicate(sent, timeout=30)
    assert running.process.returncode == 0
    return {answer.get("id"): answer for answer in map(json.loads, output.splitlines())}


@pytest.mark.usefixtures("enabled")
def test_each_call_is_logged_without_its_values_and_with_how_it_ended(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with gateway(environment, tmp_path, "--log", "copy.log") as running:
        answers_of(running, conversation(("add", {"a": "hush", "b": 2}), ("fail", {})))
    lines = running.said.splitlines()
    assert "  - Calling tool add with arguments: object with 2 field(s)" in lines
    assert "  - Calling tool fail with arguments: object with 0 field(s)" in lines
    for step in ("arguments", "response"):
        assert lines.count(f"  - Scanning tool call {step} for secrets...") == 2
        assert lines.count(f"  > No secret found in {step}.") == 2
    (add,) = [line for line in lines if line.startswith("  > Calling tool add took: ")]
    (fail,) = [line for line in lines if line.startswith("  > Calling tool fail took: ")]
    assert not add.endswith(")")
    assert fail.endswith(" (the tool reports an error)")
    assert "hush" not in running.said
    assert (tmp_path / "copy.log").read_text("utf-8") == running.said


@pytest.mark.usefixtures("enabled")
def test_nothing_is_said_of_calls_when_they_are_not_to_be_logged(environment: dict[str, str], tmp_path: Path) -> None:
    with gateway(environment, tmp_path, "--log-calls=false") as running:
        answers_of(running, conversation(("add", {"a": 1})))
    assert "Calling tool" not in running.said
    assert "Scanning" not in running.said


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], "a secret is being passed to tool add: GitHub token"),
        (["--block-secrets=redact"], '{"a": "[GitHub token removed]"}'),
        (["--block-secrets=false"], None),
    ],
)
def test_secrets_are_blocked_unless_told_otherwise(
    environment: dict[str, str], tmp_path: Path, flags: list[str], expected: str | None
) -> None:
    token = "gh" + "p_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"
    with gateway(environment, tmp_path, *flags) as running:
        answer = json.dumps(answers_of(running, conversation(("add", {"a": token})))[3])
    assert (token in answer) is (expected is None)
    assert json.dumps(expected or token)[1:-1] in answer
    assert token not in running.said


@pytest.mark.usefixtures("enabled")
def test_interceptors_stand_around_calls_in_the_order_given(environment: dict[str, str], tmp_path: Path) -> None:
    flags = [
        "--interceptor",
        "before:exec:echo seen, twice >&2; cat > seen.json",
        '--interceptor=after:exec:echo \'{"content":[{"type":"text","text":"a,b"}]}\'',
    ]
    with gateway(environment, tmp_path, *flags) as running:
        answer = answers_of(running, conversation(("add", {"a": 1})))[3]
    assert answer["result"]["content"] == [{"type": "text", "text": "a,b"}]
    seen = json.loads((tmp_path / "seen.json").read_text("utf-8"))
    assert (seen["params"]["arguments"], seen["server"]) == ({"a": 1}, "tiny")
    assert "  - interceptor 1 (before:exec): seen, twice" in running.said.splitlines()


@pytest.mark.usefixtures("docker_mcp")
def test_static_starts_nothing_and_says_where_it_looks_for_servers(run: Run) -> None:
    result = run("gateway", "run", "--dry-run", "--static", "--servers", "boxed")
    assert result.returncode == 0
    assert "mcp-boxed:4444" in result.stderr
    assert "Watching" not in result.stderr


def test_a_log_file_that_can_not_be_written_is_named(run: Run, docker_mcp: Path) -> None:
    result = run("gateway", "run", "--dry-run", f"--log={docker_mcp}")
    assert result.returncode == 1
    assert refusal(result) == f"{docker_mcp}: Is a directory. --log names it."


@pytest.mark.usefixtures("enabled")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(environment: dict[str, str], tmp_path: Path, number: int) -> None:
    with gateway(environment, tmp_path) as running:
        running.wait_for("> Initialized in ")
        begun = time.monotonic()
        assert running.stop(number) == 0
        assert time.monotonic() - begun < 10
        assert "Traceback" not in running.said


@pytest.mark.usefixtures("enabled")
def test_streaming_asks_for_the_token_and_tells_how_to_get_it(
    environment: dict[str, str], tmp_path: Path, run: Run
) -> None:
    with gateway(environment, tmp_path, "--port=0", "--transport", "streamable-http") as running:
        url = url_of(running)
        assert url.startswith("http://127.0.0.1:")
        token = run("gateway", "token").stdout.strip()
        assert ask_over_http(url) == 401
        assert ask_over_http(url, token) == 200
        assert "docker-mcp gateway token" in running.said
        assert token not in running.said
        assert running.stop() == 0


@pytest.mark.usefixtures("enabled")
def test_the_token_may_come_from_the_environment(environment: dict[str, str], tmp_path: Path) -> None:
    flags = ("--transport=sse", "--port=0")
    with gateway(environment, tmp_path, *flags, MCP_GATEWAY_AUTH_TOKEN="chosen-by-me") as running:
        url = url_of(running)
        assert url.endswith("/sse")
        assert ask_over_http(url.removesuffix("sse") + "mcp", "chosen-by-me") == 200
        assert "> Clients need the bearer token of MCP_GATEWAY_AUTH_TOKEN" in running.said


@pytest.mark.usefixtures("enabled")
def test_no_token_is_asked_for_when_told_so(environment: dict[str, str], tmp_path: Path) -> None:
    with gateway(environment, tmp_path, "--transport=http", "--port=0", "--allow-unauthenticated") as running:
        assert ask_over_http(url_of(running)) == 200


@pytest.mark.usefixtures("docker_mcp")
def test_a_port_in_use_is_one_sentence(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("gateway", "run", "--transport", "streaming", f"--port={port}")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"docker-mcp: Port {port} is in use by another program.")


@pytest.mark.usefixtures("docker_mcp")
def test_a_change_of_the_registry_is_followed(environment: dict[str, str], tmp_path: Path, run: Run) -> None:
    with gateway(environment, tmp_path) as running:
        running.wait_for("- Watching for configuration updates...")
        assert "- No server is enabled" in running.said
        assert run("server", "enable", "tiny", "--without-container").returncode == 0
        running.wait_for("- Those servers are enabled: tiny")
        running.wait_for("  > tiny: (2 tools)")


@pytest.mark.usefixtures("docker_mcp")
def test_a_broken_registry_is_named_and_the_gateway_runs_on(environment: dict[str, str], tmp_path: Path) -> None:
    broken = tmp_path / ".docker" / "mcp" / "registry.yaml"
    broken.write_text("registry:\n  a: [\n", "utf-8")
    with gateway(environment, tmp_path) as running:
        running.wait_for("> Initialized in ")
        assert f"- Problem: {broken}, line " in running.said


@pytest.mark.usefixtures("docker_mcp")
@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="Docker's command line has no such socket here")
def test_it_ends_when_dockers_command_line_wants_it_to(environment: dict[str, str], tmp_path: Path) -> None:
    address = f"@docker_cli_test_{os.getpid()}" if Path("/proc").exists() else str(tmp_path / "cli.sock")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0" + address[1:] if address.startswith("@") else address)
        listening.listen()
        with gateway(environment, tmp_path, DOCKER_CLI_PLUGIN_SOCKET=address) as running:
            connection, _ = listening.accept()
            running.wait_for("> Initialized in ")
            connection.close()
            assert running.process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--port", "80"], "--port can't be used with the stdio transport."),
        (["--transport", "carrier-pigeon"], 'unknown transport "carrier-pigeon", expected'),
        (["--memory", "lots"], "--memory: 'lots' is not an amount of memory."),
        (["--cpus", "-1"], "--cpus: '-1' is not a number from 0 upwards"),
        (["--port=70000", "--transport=sse"], "--port: '70000' is not a port."),
        (["--watch=maybe"], "--watch is either true or false, not 'maybe'."),
        (["--wacth"], "unknown option --wacth. Did you mean --watch?"),
        (["--block-network=some"], "--block-network is listed, all, true or false, not 'some'"),
        (["--verify-signatures=perhaps"], "--verify-signatures is either true or false, not 'perhaps'"),
        (["--profile=work", "--servers=a"], "--profile and --servers can't be used together."),
        (["--profile=work", "--oci-ref=a"], "--profile and --oci-ref can't be used together."),
        (["--keep"], "--keep is not available: containers are always removed when they end. "),
        (["--block-secrets=maybe"], "--block-secrets is block, redact, true or false, not 'maybe'."),
        (["--interceptor", "before"], "invalid interceptor spec 'before', expected format is 'when:type:argument'"),
        (["--interceptor=never:exec:true"], "invalid interceptor spec 'never:exec:true': 'never' is not a moment"),
        (["--interceptor-timeout=0"], "--interceptor-timeout: an interceptor needs some time."),
        (["--servers=a", "--enable-all-servers"], "--servers and --enable-all-servers can't be used together"),
        (["extra"], "unexpected argument extra."),
    ],
)
def test_wrong_flags_are_refused_with_one_sentence(run: Run, flags: list[str], sentence: str) -> None:
    result = run("gateway", "run", *flags)
    assert result.returncode == 2
    assert refusal(result).startswith(sentence)


def test_a_missing_secrets_file_is_named(run: Run) -> None:
    result = run("gateway", "run", "--secrets=docker-desktop:./.env")
    assert result.returncode == 1
    assert "./.env: there is no such file" in result.stderr.splitlines()[-1]


@pytest.mark.usefixtures("docker_mcp")
def test_flags_that_ask_for_nothing_are_accepted(run: Run) -> None:
    flags = ["--block-secrets=false", "--verify-signatures=false", "--static=0", "--keep=F", "--log-calls=false"]
    assert run("gateway", "run", "--dry-run", *flags).returncode == 0


def test_status_says_that_nothing_runs(run: Run) -> None:
    result = run("gateway", "status")
    assert (result.returncode, result.stdout) == (1, "not running\n")
    told = run("gateway", "status", "--format", "json")
    assert (told.returncode, json.loads(told.stdout)) == (1, {"running": False, "address": ""})


def test_the_token_stays_the_same(run: Run) -> None:
    first, second = run("gateway", "token"), run("gateway", "token")
    assert len(first.stdout.strip()) == 50
    assert first.stdout == second.stdout
    assert run("gateway", "token", more={"MCP_GATEWAY_AUTH_TOKEN": "mine"}).stdout == "mine\n"
