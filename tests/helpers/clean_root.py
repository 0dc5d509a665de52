"""A system of its own below a folder: what debootstrap makes, kept as an archive, and entered by `chroot`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.helpers.cache import cache_folder
from tests.helpers.processes import started

__all__ = ["CleanRoot", "clean_root"]

_MOUNTS = """
mount --make-rprivate /
for place in proc dev sys; do mount --rbind "/$place" "$ROOT/$place"; done
mkdir -p "$ROOT/run/engine" && mount --bind /var/run "$ROOT/run/engine"
mount --rbind /tmp "$ROOT/tmp"
mkdir -p "$ROOT/var/cache/apt/archives" && mount --bind "$DOWNLOADS" "$ROOT/var/cache/apt/archives"
echo ready
exec sleep infinity
"""
# What belongs to the machine beneath, or changes whenever packages are installed.
_PASSED_OVER = ("/proc", "/dev", "/sys", "/run", "/tmp", "/var/cache", "/var/lib/apt", "/var/lib/dpkg", "/var/log")


class CleanRoot:
    """The root folder of a small system; programs run in it with the machine's network, engine and display.

    Args:
        folder: Where it is.
        holder: The process that has its mounts.
    """

    def __init__(self, folder: Path, holder: int) -> None:
        self.folder = folder
        self._holder = holder

    def command(self, *command: str | Path, environment: Mapping[str, str] | None = None) -> list[str]:
        """The command line that runs a command inside."""
        variables = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": "/root",
            "DEBIAN_FRONTEND": "noninteractive",
            "DOCKER_HOST": "unix:///run/engine/docker.sock",
            **{name: os.environ[name] for name in ("http_proxy", "https_proxy") if name in os.environ},
            **(environment or {}),
        }
        words = [*(f"{name}={value}" for name, value in variables.items()), *map(str, command)]
        return [*self.beneath, "chroot", str(self.folder), "env", "-i", *words]

    @property
    def beneath(self) -> list[str]:
        """What a command begins with that runs on the machine, but sees the mounts of this system."""
        return ["nsenter", f"--mount=/proc/{self._holder}/ns/mnt"]

    def run(self, *command: str | Path, environment: Mapping[str, str] | None = None, check: bool = True) -> str:
        """Run a command inside to its end, and give what it printed."""
        done = subprocess.run(
            self.command(*command, environment=environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}: {done.stdout[-2000:]}")
        return done.stdout

    @contextlib.contextmanager
    def started(
        self, *command: str | Path, environment: Mapping[str, str], log: Path
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A program inside, ended afterwards."""
        with started(self.command(*command, environment=environment), os.environ, log=log) as process:
            yield process

    def files(self) -> set[str]:
        """Every file of the system, with the places left out that change by themselves."""
        found = set()
        for place, folders, files in os.walk(self.folder):
            inside = Path("/", Path(place).relative_to(self.folder))
            folders[:] = [name for name in folders if str(inside / name) not in _PASSED_OVER]
            found.update(str(inside / name) for name in (*files, *folders))
        return found


@contextlib.contextmanager
def clean_root(suite: str) -> Iterator[CleanRoot]:
    """A fresh Debian of this suite, as small as it can be.

    Args:
        suite: As debootstrap takes it.
    """
    cache = cache_folder()
    archive = cache / f"clean-{suite}.tar"
    downloads = cache / f"downloads-{suite}"
    downloads.mkdir(exist_ok=True)
    if not archive.exists():
        _make(suite, archive)
    folder = Path(tempfile.mkdtemp(prefix=f"clean-{suite}-", dir=cache))
    try:
        subprocess.run(["tar", "-xpf", archive, "-C", folder], check=True, timeout=300)
        shutil.copy("/etc/resolv.conf", folder / "etc" / "resolv.conf")
        with _mounted(folder, downloads) as holder:
            yield CleanRoot(folder, holder)
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _mounted(folder: Path, downloads: Path) -> Iterator[int]:
    """What a system needs of the machine beneath, seen by a process of its own and gone with it."""
    environment = {**os.environ, "ROOT": str(folder), "DOWNLOADS": str(downloads)}
    command = ["unshare", "--mount", "sh", "-e", "-c", _MOUNTS]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n", "a system's mounts could not be made; that takes root"
            yield holder.pid
        finally:
            holder.kill()


def _make(suite: str, archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        target = Path(folder) / "root"
        program = shutil.which("debootstrap", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program is None:
            raise RuntimeError("debootstrap is not installed; `make package-test` installs it on Debian and Ubuntu")
        subprocess.run(
            [program, "--variant=minbase", suite, target], check=True, timeout=600, stdout=subprocess.DEVNULL
        )
        for name in (target / "var" / "cache" / "apt" / "archives").glob("*.deb"):
            name.unlink()
        new = archive.with_suffix(f".{os.getpid()}.new")
        subprocess.run(["tar", "-cpf", new, "-C", target, "."], check=True, timeout=300)
        new.replace(archive)
