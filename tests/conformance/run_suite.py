"""Runs the official conformance suite's server scenarios against one URL, or against two and compares them.

    python -m tests.conformance.run_suite --direct http://127.0.0.1:9000/mcp --gateway http://127.0.0.1:8811/mcp

With both, the exit code is 1 when a scenario passes directly but not through the gateway; with one, when a scenario the
revision requires fails. The suite cannot send an Authorization header, so the gateway must allow unauthenticated calls.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.node import node, node_environment, tool_path

__all__ = ["REVISIONS", "Outcome", "lost", "run_suite"]

REVISIONS = ("2025-11-25", "2026-07-28")
# Results lie in folders named server-SCENARIO-TIME; the time has no colons, for the sake of Windows.
_FOLDER = re.compile(r"server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z")


@dataclass(frozen=True)
class Outcome:
    """What became of one scenario. What a revision only recommends gives warnings, which do not keep a scenario from passing."""

    passed: bool
    scored: bool
    checks: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def run_suite(url: str, revision: str, *, time_limit: float = 300) -> dict[str, Outcome]:
    """Run every scenario of a revision against ``url``; returns what became of each, by name."""
    suite = tool_path("@modelcontextprotocol/conformance")
    required = _required(suite / "requirements" / f"{revision}.yaml")
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        command = [
            node(),
            suite / "dist" / "index.js",
            "server",
            "--url",
            url,
            "--requirements",
            revision,
            "-o",
            folder,
        ]
        done = subprocess.run(
            command, cwd=folder, env=node_environment(), text=True, capture_output=True, timeout=time_limit, check=False
        )
        outcomes: dict[str, Outcome] = {}
        for results in sorted(Path(folder).glob("server-*/checks.json")):
            if match := _FOLDER.fullmatch(results.parent.name):
                checks = json.loads(results.read_text(encoding="utf-8"))
                outcomes[match[1]] = _outcome(checks, scored=match[1] in required)
    for name in required - outcomes.keys():
        outcomes[name] = Outcome(False, True, 0, ("The suite gave no result",))
    if not any(outcome.checks for outcome in outcomes.values()):
        raise RuntimeError(
            f"The conformance suite ran nothing against {url}: {done.stdout[-1000:]}{done.stderr[-1000:]}"
        )
    return outcomes


def _required(path: Path) -> set[str]:
    import yaml

    return set(yaml.safe_load(path.read_text(encoding="utf-8"))["server"])


def _outcome(checks: list[dict], *, scored: bool) -> Outcome:
    problems, warnings = (
        tuple(
            f"{check['id']}: {check.get('errorMessage', 'no reason given')}"
            for check in checks
            if check["status"] == status
        )
        for status in ("FAILURE", "WARNING")
    )
    return Outcome(not problems, scored, len(checks), problems, warnings)


def lost(direct: dict[str, Outcome], gateway: dict[str, Outcome]) -> list[str]:
    """Scenarios that pass directly but not through the gateway, required or not."""
    return [
        name for name, outcome in direct.items() if outcome.passed and not (name in gateway and gateway[name].passed)
    ]


def _print_table(revision: str, columns: dict[str, dict[str, Outcome]]) -> None:
    names = {name: None for outcomes in columns.values() for name in outcomes}
    order = sorted(names, key=lambda name: (not any(o[name].scored for o in columns.values() if name in o), name))
    width = max(map(len, names))
    print(f"\n{revision:<{width}}  " + "  ".join(f"{title:>8}" for title in columns))
    for name in order:
        cells = []
        for outcomes in columns.values():
            outcome = outcomes.get(name)
            cells.append("-" if outcome is None else "passed" if outcome.passed else "FAILED")
        scored = any(outcomes[name].scored for outcomes in columns.values() if name in outcomes)
        print(f"{name:<{width}}  " + "  ".join(f"{cell:>8}" for cell in cells) + ("" if scored else "  (not scored)"))
    for title, outcomes in columns.items():
        scored = [outcome for outcome in outcomes.values() if outcome.scored]
        print(f"{title}: {sum(outcome.passed for outcome in scored)} of {len(scored)} required scenarios passed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--direct", metavar="URL", help="the server itself")
    parser.add_argument("--gateway", metavar="URL", help="the gateway in front of it")
    parser.add_argument("--revision", action="append", choices=REVISIONS, help="one revision instead of all")
    options = parser.parse_args()
    targets = {title: url for title, url in (("direct", options.direct), ("gateway", options.gateway)) if url}
    if not targets:
        parser.error("give --direct, --gateway, or both")
    status = 0
    for revision in options.revision or REVISIONS:
        columns = {title: run_suite(url, revision) for title, url in targets.items()}
        _print_table(revision, columns)
        if len(columns) == 2:
            bad = lost(columns["direct"], columns["gateway"])
        else:
            bad = [n for outcomes in columns.values() for n, o in outcomes.items() if o.scored and not o.passed]
        for name in bad:
            problems = columns[list(columns)[-1]].get(name)
            print(f"{name}: " + "; ".join(problems.problems if problems else ("no result",)), file=sys.stderr)
        status = status or bool(bad)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
