"""The built program: small, quick, complete, and without a trace in what it starts."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PyInstaller.archive.readers import CArchiveReader

from desktop import __version__
from tests.helpers.home import Home
from tests.helpers.keychain import Keychain

pytestmark = pytest.mark.package

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 140 * 2**20
_EVERYTHING = """
import importlib, json, pkgutil, sys
import desktop
for module in pkgutil.walk_packages(desktop.__path__, "desktop."):
    if module.name != "desktop.__main__":
        importlib.import_module(module.name)
print(json.dumps(sorted(name for name, module in sys.modules.items() if getattr(module, "__spec__", None))))
"""
# What is there only in a virtual environment with tools for development, or another way in the built program.
# PySide6 carries the parts of these two inside its libraries.
_NOT_NEEDED = (
    "shibokensupport",
    "signature_bootstrap",
    "__feature__",
    "PySide6.support",
    "__editable__",
    "_distutils_hack",
    "_virtualenv",
    "sitecustomize",
    "usercustomize",
)


def _says(program: Path, *arguments: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [program, *arguments],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_both_programs_work(bundle: Path) -> None:
    assert _says(bundle / "docker-mcp", "version") == f"{__version__}\n"
    assert _says(bundle / "mcp-gateway-desktop", "version") == f"{__version__}\n"
    assert _says(bundle / "docker-mcp").startswith("usage: docker-mcp")


def test_it_is_small(bundle: Path) -> None:
    sizes = {path: path.stat().st_size for path in bundle.rglob("*") if path.is_file() and not path.is_symlink()}
    assert sum(sizes.values()) < LARGEST, sorted(sizes.items(), key=lambda item: -item[1])[:20]


def test_every_module_that_the_source_needs_is_in_it(bundle: Path) -> None:
    command = [sys.executable, "-c", _EVERYTHING]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120, check=True)
    needed = set(json.loads(done.stdout))
    archive = CArchiveReader(str(bundle / "mcp-gateway-desktop"))
    (modules,) = (name for name in archive.toc if name.startswith("PYZ"))
    there = (
        set(archive.toc)
        | set(archive.open_embedded_archive(modules).toc)
        | set(sys.builtin_module_names)
        | {"__main__", "desktop.__main__"}
    )
    inside = bundle / "_internal"
    with zipfile.ZipFile(inside / "base_library.zip") as library:
        for name in library.namelist():
            there.add(name.removesuffix(".pyc").removesuffix("/__init__").replace("/", "."))
    for path in inside.rglob("*.so"):
        parts = path.relative_to(inside).parts
        parts = parts[2:] if parts[0].startswith("python3") else parts
        there.add(".".join((*parts[:-1], parts[-1].partition(".")[0])))
    frozen = {name for name in needed if getattr(sys.modules.get(name), "__spec__", None) and _is_frozen(name)}
    missing = {name for name in needed - there - frozen if not name.startswith(_NOT_NEEDED)}
    assert not {name for name in needed if name.startswith("desktop")} - there
    assert missing == set()


def _is_frozen(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return spec is not None and spec.origin == "frozen"


def _processor_time(command: list[str | Path]) -> float:
    """The least of several starts, since anything else on the machine only adds to it."""
    found = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def test_its_command_line_starts_about_as_quickly_as_the_source(bundle: Path) -> None:
    source = _processor_time([sys.executable, "-m", "desktop", "version"])
    assert _processor_time([bundle / "docker-mcp", "version"]) < 2 * source


@pytest.mark.parametrize("own", ["", "/opt/mine/lib"])
def test_programs_that_it_starts_get_the_environment_of_the_person(bundle: Path, tmp_path: Path, own: str) -> None:
    """An interceptor is handed all that the gateway has."""
    home = Home(tmp_path)
    seen = tmp_path / "seen"
    environment = {
        **{name: value for name, value in home.environment.items() if name != "LD_LIBRARY_PATH"},
        **({"LD_LIBRARY_PATH": own} if own else {}),
        "DOCKER_HOST": f"unix://{tmp_path}/none.sock",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    messages = [
        {
            "method": "initialize",
            "id": 1,
            "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}},
        },
        {"method": "notifications/initialized"},
        {"method": "tools/call", "id": 2, "params": {"name": "no-such-tool", "arguments": {}}},
    ]
    for message in messages:
        message["jsonrpc"] = "2.0"
    messages[0]["params"] |= {"clientInfo": {"name": "test", "version": "1"}}  # type: ignore[operator]
    asked = ["gateway", "run", "--interceptor", f"before:exec:env >{seen}"]
    with subprocess.Popen(
        [bundle / "docker-mcp", *asked],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in messages:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
        while '"id":2' not in (line := process.stdout.readline()).replace(" ", ""):
            assert line, "the gateway ended without an answer"
        process.stdin.close()
        process.wait(timeout=30)
    variables = dict(line.partition("=")[::2] for line in seen.read_text(encoding="utf-8").splitlines())
    assert variables.get("LD_LIBRARY_PATH", "") == own
    added = {name for name in variables if name not in environment} - {"PWD", "OLDPWD", "SHLVL", "_"}
    assert added <= {"SSL_CERT_FILE"}, added


def test_secrets_are_sealed_by_the_keychain(bundle: Path, keychain: Keychain) -> None:
    """Its libraries for the keychain are found by entry points, which a built program hasn't by itself.

    Without a keychain a passphrase would be asked for, and there is no terminal to ask at.
    """
    command = [bundle / "docker-mcp", "secret", "set", "some.key=a value of ours"]
    without = {**keychain.environment, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    refused = subprocess.run(
        command, env=without, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert refused.returncode == 1
    set_ = subprocess.run(
        command, env=keychain.environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert set_.returncode == 0, set_.stderr
    assert "some.key" in _says(bundle / "docker-mcp", "secret", "ls", environment=keychain.environment)
