"""``docker-mcp policy``: the person's policy as a text, and what they have agreed to."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Final

from desktop.cli import output
from desktop.cli.commands import Command, Group
from desktop.cli.parser import Parser
from desktop.errors import GatewayError, UsageError
from desktop.state.paths import Paths

if TYPE_CHECKING:
    from desktop.policy.consent import ConsentStore
    from desktop.policy.policy_file import PolicyFile

__all__ = ["GROUP"]

_RULES: Final = """\
Replace the policy. One rule a line:

  SECRET allows SERVER     this secret goes to this server (or image) alone
  deny tool SERVER:TOOL    the tool is neither listed nor called
  ask tool SERVER:TOOL     each call waits for you, asked in the tray
  allow tool SERVER:TOOL   of the rules for tools the first that fits decides
  default tool hints       what no rule fits: allow (the usual), ask, deny, or
                           hints: ask where a tool says it may destroy something

* and ? stand for any characters, a TOOL without SERVER is any server's, # begins
a comment. Without a rule every server gets the secrets its entry declares."""


def _set_arguments(parser: Parser) -> None:
    parser.description = _RULES
    parser.add_argument(
        "content", metavar="RULES", nargs="?", help="the whole policy; left out: read from standard input"
    )


def _set(arguments: argparse.Namespace) -> int:
    text = arguments.content
    if text is None:
        if sys.stdin.isatty():
            output.remark("Type the policy, then Ctrl+D.")
        text = _standard_input()
    _file().replace(text)
    return 0


def _dump(arguments: argparse.Namespace) -> int:
    text = _file().text()
    sys.stdout.write(text)
    if text and not text.endswith("\n") and sys.stdout.isatty():
        print()
    return 0


def _consents_arguments(parser: Parser) -> None:
    parser.switch("json", "print a JSON array")


def _consents(arguments: argparse.Namespace) -> int:
    consents = _store().all()
    if arguments.json:
        rows = [{"kind": item.kind, "subject": item.subject, "grantedAt": item.granted_at} for item in consents]
        output.print_json(rows)
    elif not consents:
        print("You have agreed to nothing yet")
    else:
        rows_shown = [
            (str(number), item.kind, item.granted_at, item.subject) for number, item in enumerate(consents, start=1)
        ]
        output.print_table(("NUMBER", "KIND", "SINCE", "WHAT"), rows_shown, whole=True)
    return 0


def _revoke_arguments(parser: Parser) -> None:
    parser.add_argument("numbers", metavar="NUMBER", nargs="*", help="as docker-mcp policy consents shows them")
    parser.switch("all", "take back everything")


def _revoke(arguments: argparse.Namespace) -> int:
    store = _store()
    consents = store.all()
    if arguments.all == bool(arguments.numbers):
        raise UsageError("either name the consents by their numbers or use --all", "See docker-mcp policy consents")
    for text in arguments.numbers:
        if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= len(consents)):
            raise GatewayError(f"consent {text} not found", "See docker-mcp policy consents")
    chosen = consents if arguments.all else [consents[int(text) - 1] for text in dict.fromkeys(arguments.numbers)]
    for item in chosen:
        store.revoke(item.kind, item.subject)
    return 0


def _standard_input() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError("standard input is not UTF-8 text", "Save the policy as UTF-8") from error


def _file() -> PolicyFile:
    from desktop.policy.policy_file import PolicyFile  # here: its modules take a while to import

    paths = Paths.of_user()
    return PolicyFile(paths.policy, paths.lock_for(paths.policy))


def _store() -> ConsentStore:
    from desktop.policy.consent import ConsentStore  # here: its modules take a while to import

    return ConsentStore(Paths.of_user().consents)


GROUP: Final = Group(
    "policy",
    "Policy: which server may have which secret, which tools may be called, and what you have agreed to.",
    (
        Command(
            ("set",),
            "Replace the policy (from standard input without RULES).",
            "'my-secret allows postgres'",
            _set,
            _set_arguments,
        ),
        Command(("dump",), "Print the policy as it is.", "", _dump),
        Command(
            ("consents",), "List what you have agreed to when you were asked.", "--json", _consents, _consents_arguments
        ),
        Command(("revoke",), "Take back what you have agreed to.", "2", _revoke, _revoke_arguments),
    ),
)
