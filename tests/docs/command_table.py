"""``python -m tests.docs.command_table`` writes docs/cli.md: the reference's commands and flags beside ours.

What exists is asked of the program itself; `tests.docs.reference_commands` says what the reference has, and why ours
differs where it does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from desktop.cli import gateway_flags
from desktop.cli import main as program
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser
from tests.docs.reference_commands import ENVIRONMENT, EXPLAINED, REFERENCE, Reference

__all__ = ["FILE", "table", "unexplained"]

FILE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
_ERAS = {"S": "June 2025", "M": "2025", "N": "2026"}
_HEAD = """\
# The command line

Every command and flag of the reference (Docker's MCP Gateway) beside what this program does. `docker-mcp …` and, after
`docker-mcp plugin install`, `docker mcp …` are the same program. This file is written by
`python -m tests.docs.command_table`, and a test compares it with the program.

*works*: as in the reference. *differs*: works, with a difference that is named. *not here*: and why. The year tells when
the reference got it; commands of June 2025 that it has dropped since are all here.

Exit codes: 0 it worked, 1 it failed, 2 the command line is wrong. Results are on standard output, everything else on
standard error. Lists have `--json` or `--format json`.
"""


def _command(words: list[str]) -> Command | None:
    """Our command of this name, when there is one."""
    found: Command | Group | None = program.group(words[0])
    for word in words[1:]:
        found = found.find(word) if isinstance(found, Group) else None
    return found if isinstance(found, Command) else None


def _flags(command: Command) -> dict[str, argparse.Action]:
    parser = command.parser("docker-mcp")
    return {name: action for action in parser._actions for name in action.option_strings}


def _refused_flags() -> dict[str, str]:
    """Flags of ``gateway run`` that are understood only to say why they can't be had."""
    refused = gateway_flags._REFUSED_SWITCHES
    return {f"gateway run --{name}": f"{reason}. {hint}" for name, (reason, hint) in refused.items()}


def _states(reference: Reference) -> Iterator[tuple[str, str, str, str]]:
    """Name, era, state and remark of a command and of its flags."""
    words = reference.command.split()
    command = _command(words)
    alone = reference.command in (*program.commands(), "-v", "--version", "docker-cli-plugin-metadata")
    state = _explained(reference.command, exists=alone or command is not None)
    yield reference.command, reference.era, *state
    ours = {} if command is None else _flags(command)
    refused = _refused_flags()
    for flag, era in reference.flags.items():
        name = f"{reference.command} {flag}"
        if name in refused:
            yield name, era, "not here", refused[name]
        elif command is not None or name in EXPLAINED:
            yield name, era, *_explained(name, exists=flag in ours)


def _refused(name: str) -> str:
    """Why we don't have a command, as the program says it."""
    words = name.split()
    group = program.group(words[0])
    for word in words[1:]:
        found = group.find(word) if group is not None else None
        if group is not None and found is None:
            return group.refused.get(word, "")
        group = found if isinstance(found, Group) else None
    return ""


def _explained(name: str, *, exists: bool) -> tuple[str, str]:
    if name in EXPLAINED:
        kind, why = EXPLAINED[name]
        if kind == "differs" and exists:
            return "differs", why
        if kind == "refused" and not exists:
            return "not here", why
    return ("works", "") if exists else ("not here", _refused(name))


def unexplained() -> list[str]:
    """What the reference has and ours lacks without a reason, and reasons that don't fit what the program does."""
    found = []
    told = set()
    for reference in REFERENCE:
        for name, _, state, why in _states(reference):
            told.add(name)
            if state == "not here" and not why:
                found.append(f"{name} is missing without a reason")
            if name in EXPLAINED and state != {"differs": "differs", "refused": "not here"}[EXPLAINED[name][0]]:
                found.append(f"{name}: it {state}, which is not what is explained")
    return found + [f"{name} is explained, but not in the reference" for name in EXPLAINED if name not in told]


def _rows() -> Iterator[list[str]]:
    for reference in REFERENCE:
        for name, era, state, why in _states(reference):
            is_flag = " -" in name
            shown = f"&nbsp;&nbsp;`{name.rpartition(' ')[2]}`" if is_flag else f"`{name}`"
            meaning = "" if is_flag else reference.meaning
            remark = "; ".join(part for part in (meaning, why) if part)
            yield [shown, _ERAS[era], state, remark]


def _own() -> Iterator[list[str]]:
    """Our commands and flags that the reference doesn't have."""
    theirs = {reference.command: reference for reference in REFERENCE}
    for name in program.commands():
        group = program.group(name)
        if group is None:
            if name not in theirs:
                yield [f"`{name}`", program.commands()[name]]
            continue
        for path, command in group.walk():
            within = path.removeprefix("docker-mcp ")
            same = [theirs[key] for other in command.names if (key := f"{within} {other}") in theirs]
            if not same:
                yield [f"`{within} {command.names[0]}`", command.summary.removesuffix(".")]
                continue
            known = {flag for reference in same for flag in reference.flags}
            for flag, help in _shown_flags(command.parser("docker-mcp"), known):
                yield [f"`{within} {command.names[0]} {flag}`", help]


def _shown_flags(parser: Parser, known: set[str]) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        names = [name for name in action.option_strings if name.startswith("--")]
        counterpart = {name.replace("--no-", "--") for name in names}
        if names and action.help != argparse.SUPPRESS and not known & {*action.option_strings, *counterpart}:
            yield names[0], str(action.help or "")


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def table() -> str:
    """The whole file."""
    rows = list(_rows())
    counts = {state: sum(row[2] == state for row in rows) for state in ("works", "differs", "not here")}
    summary = f"Of {len(rows)} commands and flags {counts['works']} work as they do there, {counts['differs']} differ, "
    summary += f"{counts['not here']} are not here."
    environment = [[f"`{name}`", state, text] for name, (state, text) in ENVIRONMENT.items()]
    return (
        "\n\n".join(
            [
                _HEAD.rstrip(),
                "## The reference's commands",
                summary,
                _markdown(["command, flag", "since", "here", "what it does; what differs"], rows),
                "## Environment variables",
                _markdown(["variable", "here", "what it does"], environment),
                "## What this program has in addition",
                _markdown(["command, flag", "what it does"], list(_own())),
            ]
        )
        + "\n"
    )


def main() -> int:
    """Write the file; says what is unexplained."""
    FILE.write_text(table(), encoding="utf-8")
    for line in unexplained():
        print(line, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
