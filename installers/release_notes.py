"""``python installers/release_notes.py VERSION`` prints the section of CHANGELOG.md about a version.

It fails when the program has another version or the section is missing, so that no release goes out without either.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def program_version() -> str:
    """The version, as the one place that has it says."""
    text = ROOT.joinpath("desktop", "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    assert found is not None
    return found[1]


def section(changelog: str, version: str) -> str:
    """What a change log says of a version, without its heading; empty when it says nothing."""
    heading = re.compile(rf"^## \[?v?{re.escape(version)}\]?(?:\s.*)?$", re.MULTILINE)
    found = heading.search(changelog)
    if found is None:
        return ""
    rest = changelog[found.end() :]
    following = re.search(r"^## ", rest, re.MULTILINE)
    return (rest[: following.start()] if following else rest).strip()


def main(version: str) -> int:
    """Print it; returns the exit code."""
    if version != program_version():
        print(f"The tag says {version}, desktop/__init__.py says {program_version()}.", file=sys.stderr)
        return 1
    text = section(ROOT.joinpath("CHANGELOG.md").read_text(encoding="utf-8"), version)
    if not text:
        print(f"CHANGELOG.md has no section about {version}.", file=sys.stderr)
        return 1
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
