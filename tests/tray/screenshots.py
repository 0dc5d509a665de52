"""Makes the pictures of docs/images from the demo anew: ``python -m tests.tray.screenshots``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.helpers.display import Display, virtual_display
from tests.helpers.processes import started, wait_until

__all__ = ["main"]

ROOT = Path(__file__).parents[2]
PICTURES: dict[str, tuple[str, ...]] = {
    "window-light": (),
    "window-dark": ("--dark",),
    "catalog": ("--place", "catalog", "--servers", "60"),
    "clients": ("--place", "clients"),
    "activity": ("--place", "activity"),
    "secrets": ("--place", "secrets"),
    "settings": ("--place", "settings"),
    "first-steps": ("--welcome",),
}
"""Name of a picture -> what the demo is started with."""
TITLES = {"first-steps": "First steps"}
STILL = 4
"""Pictures in a row that have to be the same before one is kept."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make them; the exit code."""
    parser = argparse.ArgumentParser(description="Makes the pictures of docs/images from the demo anew")
    parser.add_argument("names", nargs="*", help=f"which ones, else all: {', '.join(PICTURES)}")
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images")
    chosen = parser.parse_args(arguments)
    for name in chosen.names or PICTURES:
        with virtual_display(None, size="1200x800") as display:
            _take(display, name, chosen.folder / f"{name}.png")
    return 0


def _take(display: Display, name: str, path: Path) -> None:
    environment = {**display.environment, "HOME": "/home/ada", "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "xcb"}
    command = [sys.executable, "-m", "tests.tray.demo", *PICTURES[name]]
    with started(command, environment, log=display.folder / "demo.log"):
        search = ("xdotool", "search", "--onlyvisible", "--name", f"^{TITLES.get(name, 'MCP Gateway')}")
        wait_until(lambda: bool(display.run(*search, check=False).strip()), what=f"the window of {name}", seconds=30)
        window = display.run(*search).split()[-1]
        seen: list[bytes] = []

        def is_still() -> bool:
            display.run("import", "-silent", "-window", window, "-strip", path)
            seen.append(path.read_bytes())
            return len(seen) >= STILL and len(set(seen[-STILL:])) == 1

        wait_until(is_still, what=f"a still picture of {name}", seconds=30)
    display.run("convert", path, "-dither", "None", "-colors", "256", f"PNG8:{path}")


if __name__ == "__main__":
    raise SystemExit(main())
