"""Builds the images of real and faulty MCP servers that the tests run; quick when nothing changed.

Nothing is pulled: the root file system comes from debootstrap, the servers from PyPI and npm at pinned versions.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import docker
from docker.errors import BuildError, DockerException, ImageNotFound

from tests.helpers.cache import cache_folder, content_hash
from tests.helpers.node import node, npm_ci

HERE = Path(__file__).resolve().parent
FIXTURE = [HERE.parent / "conformance" / f"fixture_{part}.py" for part in ("server", "asking", "content")]
ONE_ERA = HERE.parent / "helpers" / "one_era.py"
PREFIX = "mcp-gateway-test"
RECIPE_LABEL = "io.mcp-gateway-desktop.test-recipe"

SUITE = "bookworm"
INCLUDE = ("python3", "ca-certificates")
PYTHON_VERSION = "3.11"
LEFT_OUT = (
    "dev",
    "proc",
    "sys",
    "var/cache",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
)


class CannotBuild(Exception):
    """Says in one sentence what went wrong."""


@dataclass(frozen=True)
class Recipe:
    """One image: what it is made of, and how the files of its build context are brought together."""

    name: str
    dockerfile: str
    fill: Callable[[Path], None] = lambda context: None
    inputs: tuple[str | bytes | Path, ...] = ()
    parent: Recipe | None = field(default=None)

    @property
    def tag(self) -> str:
        return f"{PREFIX}/{self.name}"

    @property
    def key(self) -> str:
        return content_hash(self.dockerfile, *self.inputs, self.parent.key if self.parent else "")


# --- what goes into the images ----------------------------------------------------------------------------------------


def say(message: str) -> None:
    print(message, flush=True)


def as_root(*command: str) -> list[str]:
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


def run(what: str, command: list[str], *, tries: int = 1) -> None:
    for attempt in range(tries):
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode == 0:
            return
        if attempt + 1 < tries:
            time.sleep(3)
    ending = "\n".join(done.stdout.splitlines()[-15:])
    raise CannotBuild(f"{what} failed (exit code {done.returncode}); its last lines were:\n{ending}")


def root_file_system() -> Path:
    """A tar file of a minimal Debian with Python, made once and kept in the cache folder."""
    key = content_hash(SUITE, INCLUDE, LEFT_OUT, platform.machine())
    archive = cache_folder() / f"rootfs-{SUITE}-{key}.tar"
    if archive.is_file():
        return archive
    program = shutil.which("debootstrap", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if program is None:
        raise CannotBuild("debootstrap is not installed; `make test` installs it on Debian and Ubuntu.")
    say(f"  making a root file system of Debian {SUITE} (about a minute, once)")
    folder = Path(tempfile.mkdtemp(prefix="rootfs-", dir=cache_folder()))
    try:
        target = folder / "root"
        include = "--include=" + ",".join(INCLUDE)
        run("debootstrap", as_root(program, "--variant=minbase", include, SUITE, str(target)), tries=2)
        unfinished = folder / archive.name
        excludes = [f"--exclude=./{path}/*" for path in LEFT_OUT]
        run("tar", as_root("tar", "--one-file-system", *excludes, "-C", str(target), "-cf", str(unfinished), "."))
        unfinished.rename(archive)
    finally:
        subprocess.run(as_root("rm", "-rf", str(folder)), check=False)
    for old in cache_folder().glob("rootfs-*.tar"):
        if old != archive:
            old.unlink(missing_ok=True)
    return archive


def fill_python_servers(context: Path) -> None:
    machine = platform.machine()
    platforms = [f"--platform={tag}_{machine}" for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
    options = ["--disable-pip-version-check", "--quiet", "--require-hashes", "--only-binary=:all:", "--no-deps"]
    target = ["--target", str(context / "python"), f"--python-version={PYTHON_VERSION}", *platforms]
    command = [sys.executable, "-m", "pip", "install", *options, *target, "-r", str(HERE / "requirements.txt")]
    run("pip install of the Python servers", command, tries=2)


def fill_node_servers(context: Path) -> None:
    shutil.copy(node(), context / "node")
    (context / "servers").mkdir()
    npm_ci(HERE, context / "servers")


def fill_conformance(context: Path) -> None:
    for path in FIXTURE:
        shutil.copy(path, context)
    folder = context / "tests" / "helpers"
    folder.mkdir(parents=True)
    shutil.copy(ONE_ERA, folder)


def fill_compiled(context: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise CannotBuild("No C compiler was found; `make test` installs gcc on Debian and Ubuntu.")
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s"]
    run("compiling server.c", [compiler, *flags, "-o", str(context / "server"), str(HERE / "server.c")])


def fill_busybox(context: Path) -> None:
    busybox = shutil.which("busybox")
    if busybox is None:
        raise CannotBuild("busybox is not installed; `make test` installs busybox-static on Debian and Ubuntu.")
    (context / "bin").mkdir()
    shutil.copy(busybox, context / "bin" / "busybox")
    for name in ("sh", "cat", "echo", "env", "sleep", "true", "false", "ls", "id", "wget", "nc", "head", "yes", "test"):
        (context / "bin" / name).symlink_to("busybox")


# --- the images -------------------------------------------------------------------------------------------------------

COMPILED = 'FROM scratch\nCOPY server /server\nENTRYPOINT ["/server"]\n'
BASE = Recipe("base", "", inputs=(SUITE, "\n".join(INCLUDE), "\n".join(LEFT_OUT), platform.machine()))
PYTHON_SERVERS = Recipe(
    "python-servers",
    f"FROM {BASE.tag}\nCOPY python /opt/python\n"
    'ENV PYTHONPATH=/opt/python PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1\nCMD ["python3"]\n',
    fill_python_servers,
    (HERE / "requirements.txt",),
    BASE,
)
NODE_SERVERS = Recipe(
    "node-servers",
    f'FROM {BASE.tag}\nCOPY node /usr/local/bin/node\nCOPY servers /opt/servers\nCMD ["node"]\n',
    fill_node_servers,
    (HERE / "package.json", HERE / "package-lock.json"),
    BASE,
)


def python_server(name: str, module: str) -> Recipe:
    dockerfile = f'FROM {PYTHON_SERVERS.tag}\nENTRYPOINT ["python3", "-m", "{module}"]\n'
    return Recipe(name, dockerfile, parent=PYTHON_SERVERS)


def node_server(name: str) -> Recipe:
    script = f"/opt/servers/node_modules/@modelcontextprotocol/server-{name}/dist/index.js"
    dockerfile = f'FROM {NODE_SERVERS.tag}\nENTRYPOINT ["node", "{script}"]\n'
    return Recipe(name, dockerfile, parent=NODE_SERVERS)


RECIPES = (
    Recipe("echo", COMPILED, fill_compiled, (HERE / "server.c",)),
    Recipe("faulty", COMPILED + 'CMD ["exit-at-once"]\n', fill_compiled, (HERE / "server.c",)),
    Recipe("busybox", 'FROM scratch\nCOPY bin /bin\nENV PATH=/bin\nCMD ["sh"]\n', fill_busybox),
    BASE,
    PYTHON_SERVERS,
    python_server("time", "mcp_server_time"),
    python_server("fetch", "mcp_server_fetch"),
    Recipe(
        "conformance",
        f"FROM {PYTHON_SERVERS.tag}\nCOPY . /opt/fixture/\n"
        'ENTRYPOINT ["python3", "/opt/fixture/fixture_server.py"]\nCMD ["--stdio"]\n',
        fill_conformance,
        (*FIXTURE, ONE_ERA),
        PYTHON_SERVERS,
    ),
    NODE_SERVERS,
    node_server("everything"),
    node_server("filesystem"),
    node_server("memory"),
)
NAMES = tuple(recipe.name for recipe in RECIPES)


# --- building ---------------------------------------------------------------------------------------------------------


def is_current(client: docker.DockerClient, recipe: Recipe) -> bool:
    try:
        image = client.images.get(recipe.tag)
    except ImageNotFound:
        return False
    return image.labels.get(RECIPE_LABEL) == recipe.key


def import_base(client: docker.DockerClient, recipe: Recipe) -> None:
    changes = [f"LABEL {RECIPE_LABEL}={recipe.key}", 'CMD ["sh"]']
    answer = client.api.import_image_from_file(str(root_file_system()), repository=recipe.tag, changes=changes)
    if '"error"' in answer:
        raise CannotBuild(f"The engine refused the root file system: {answer.strip()[-500:]}")


def build(client: docker.DockerClient, recipe: Recipe) -> None:
    with tempfile.TemporaryDirectory(prefix="image-", dir=cache_folder()) as folder:
        context = Path(folder)
        recipe.fill(context)
        (context / "Dockerfile").write_text(recipe.dockerfile, encoding="utf-8")
        with tempfile.TemporaryFile() as archive:
            with tarfile.open(fileobj=archive, mode="w") as tar:
                tar.add(context, arcname=".", filter=_owned_by_root)
            archive.seek(0)
            labels = {RECIPE_LABEL: recipe.key}
            client.images.build(
                fileobj=archive, custom_context=True, tag=recipe.tag, labels=labels, rm=True, forcerm=True
            )


@contextlib.contextmanager
def replaced(client: docker.DockerClient, recipe: Recipe) -> Iterator[None]:
    """Remove the image that lost its name to a new one, unless something still stands on it."""
    try:
        old = client.images.get(recipe.tag).id
    except ImageNotFound:
        old = None
    yield
    if old is not None and client.images.get(recipe.tag).id != old:
        with contextlib.suppress(DockerException):
            client.images.remove(old)


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"images to build, of: {', '.join(NAMES)}")
    parser.add_argument("--force", action="store_true", help="build them even if nothing changed")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"there is no image named {', '.join(sorted(unknown))}")
    try:
        client = docker.from_env(timeout=300)
        client.ping()
    except DockerException as error:
        print(f"No container engine answers: {error}", file=sys.stderr)
        return 1
    wanted = set(options.names or NAMES)
    for recipe in RECIPES:  # a parent that a wanted image stands on is wanted too
        if recipe.name in wanted:
            while recipe.parent is not None:
                recipe = recipe.parent
                wanted.add(recipe.name)
    try:
        for recipe in (recipe for recipe in RECIPES if recipe.name in wanted):
            if not options.force and is_current(client, recipe):
                continue
            started = time.monotonic()
            with replaced(client, recipe):
                import_base(client, recipe) if recipe is BASE else build(client, recipe)
            say(f"  {recipe.tag} built in {time.monotonic() - started:.1f} s")
    except (CannotBuild, BuildError, DockerException, RuntimeError) as error:
        print(f"{recipe.tag} could not be built: {error}", file=sys.stderr)
        return 1
    say("The test images are up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
