"""A parser for one command: understands Go's way of writing flags, and says what is wrong in one sentence."""

from __future__ import annotations

import argparse
import sys

from desktop.cli.program import as_typed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, NoReturn

__all__ = ["Parser", "closest", "complain"]

_TRUE = frozenset({"1", "t", "true"})
_FALSE = frozenset({"0", "f", "false"})


def complain(message: str, hint: str = "") -> None:
    """One sentence about what went wrong, and what to do about it, on standard error."""
    ending = "" if message.endswith((".", "!", "?")) else "."
    text = f"{message}{ending} {hint.rstrip('.')}." if hint else message
    print(f"docker-mcp: {as_typed(text.replace('?.', '?'))}", file=sys.stderr)


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or empty."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def _of_fixed_width(prog: str) -> argparse.HelpFormatter:
    """What argparse asks for with each argument; it need not know the terminal."""
    return argparse.HelpFormatter(prog, width=80)


class Parser(argparse.ArgumentParser):
    """Reads the arguments of one command.

    Args:
        prog: The command as it is typed.
        summary: What it does.
        example: One line that shows its use; or several, each of them the whole command.
    """

    def __init__(self, prog: str, summary: str, example: str) -> None:
        super().__init__(
            prog=prog,
            usage=prog,
            description=summary,
            add_help=False,
            allow_abbrev=False,
            formatter_class=_of_fixed_width,
        )
        self.add_argument("-h", "--help", action="store_true", help=argparse.SUPPRESS)
        self._example = example
        self._switches: dict[str, str] = {}
        self._choices: dict[str, dict[str, str]] = {}
        self._valued: set[str] = set()

    def switch(self, name: str, help: str | None, *, default: bool = False) -> None:
        """A flag that is on or off: ``--watch``, ``--no-watch``, ``--watch=false``; no help hides it."""
        hidden = argparse.SUPPRESS
        plain, opposite = f"--{name}", f"--no-{name}"
        shown, shown_opposite = (hidden, help or hidden) if default else (help or hidden, hidden)
        self.add_argument(plain, action="store_true", default=default, help=shown)
        self.add_argument(
            opposite, action="store_false", default=default, dest=name.replace("-", "_"), help=shown_opposite
        )
        self._switches[plain] = opposite

    def choice(self, name: str, words: Sequence[str], help: str, *, default: str) -> None:
        """A switch with ways to be on: ``--name`` and ``--name=true`` mean the first word; off is the empty word."""
        plain = f"--{name}"
        self.add_argument(plain, default=default, metavar="|".join(words), help=help)
        self.add_argument(
            f"--no-{name}", action="store_const", const="", dest=name.replace("-", "_"), help=argparse.SUPPRESS
        )
        values = {word: word for word in words} | dict.fromkeys(_TRUE, words[0]) | dict.fromkeys(_FALSE, "")
        self._choices[plain] = values

    def option(self, *names: str, **settings: Any) -> None:
        """An option with one value, which may begin with a dash."""
        self.add_argument(*names, **settings)
        self._valued.update(names)

    def take_both_forms_of_json(self) -> None:
        """Where results can be had as JSON by ``--json``, ``--format json`` is understood as well, and the other way round."""
        options = self._option_string_actions
        format = options.get("--format")
        if "--json" in self._switches and format is None:
            self.option("--format", dest="json", choices=["json"], default=False, help=argparse.SUPPRESS)
        elif format is not None and "json" in (format.choices or ()) and "--json" not in options:
            self.add_argument(
                "--json",
                action="store_const",
                const="json",
                dest=format.dest,
                default=format.default,
                help=argparse.SUPPRESS,
            )

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Understand the arguments; options and names may be mixed. Exits with code 2 when they are wrong.

        When help is asked for, it is printed, and the exit code is 0.
        """
        words = list(self._in_plain_form(arguments))
        if any(word in ("-h", "--help") for word in words[: words.index("--") if "--" in words else None]):
            self.print_help()
            raise SystemExit(0)
        for word in words[: words.index("--") if "--" in words else None]:
            if self._is_unknown_option(word):  # said before anything else is missed
                self.error(f"unrecognized arguments: {word}")
        return self.parse_intermixed_args(words)

    def _is_unknown_option(self, word: str) -> bool:
        name = word.partition("=")[0]
        if not word.startswith("-") or word == "-" or " " in name or name[1:2].isdigit():
            return False
        is_known = name in self._option_string_actions or (name[1] != "-" and name[:2] in self._option_string_actions)
        return not is_known

    def known_options(self) -> list[str]:
        """The names of options that help shows, and the opposites of its switches."""
        shown = [action for action in self._actions if action.option_strings and action.help != argparse.SUPPRESS]
        names = {name: None for action in shown for name in action.option_strings}
        pairs = [pair for pair in self._switches.items() if names.keys() & set(pair)]
        return list({**names, **{name: None for pair in pairs for name in pair}, "--help": None})

    def format_help(self) -> str:
        """How the command is typed, what it does, its options, and examples."""
        from desktop.cli import help

        self.formatter_class = help.HelpFormatter
        formatter = self._get_formatter()
        formatter.add_text(self.description)
        for group in self._action_groups:
            formatter.start_section({"positional arguments": "arguments"}.get(group.title or "", group.title))
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
        body = as_typed(formatter.format_help()).rstrip()
        examples = help.examples(self._example.splitlines())
        return f"{help.usage(f'usage: {self._usage()}')}\n\n{body}\n\n{examples}\n"

    def _usage(self) -> str:
        shown = [action for action in self._actions if action.help != argparse.SUPPRESS]
        words = [_typed(action) for action in shown if not action.option_strings]
        named = [action for action in shown if action.option_strings]
        needed = [f"{action.option_strings[0]} {action.metavar or ''}" for action in named if action.required]
        has_options = len(named) > len(needed)
        return " ".join([self.prog, *words, *needed, *(["[options]"] if has_options else [])])

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit with code 2."""
        what, _, rest = message.partition(": ")
        hint = f"See {self.prog} --help"
        if what == "unrecognized arguments":
            first = rest.split()[0].partition("=")[0]
            message = f"{'unknown option' if first.startswith('-') else 'unexpected argument'} {first}"
            meant = closest(first, self.known_options()) if first.startswith("-") else ""
            hint = f"Did you mean {meant}?" if meant else hint
        complain(message.removeprefix("argument "), hint)
        raise SystemExit(2)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            words = [str(choice) for choice in action.choices]
            meant = closest(str(value), words)
            raise argparse.ArgumentError(
                action, f"{value!r} is not one of {', '.join(words)}" + (f". Did you mean {meant}?" if meant else "")
            )

    def _in_plain_form(self, arguments: Sequence[str]) -> Iterator[str]:
        rest = iter(arguments)
        for argument in rest:
            name, equals, value = argument.partition("=")
            if argument == "--":
                yield argument
                yield from rest
            elif equals and name in self._switches:
                yield name if self._truth(name, value) else self._switches[name]
            elif name in self._choices:
                yield f"{name}={self._chosen(name, value if equals else 'true')}"
            elif not equals and name in self._valued:
                following = next(rest, None)
                yield argument if following is None else f"{argument}={following}"
            else:
                yield argument

    def _chosen(self, name: str, value: str) -> str:
        found = self._choices[name].get(value.lower())
        if found is None:
            words = [word for word in self._choices[name] if word not in _TRUE | _FALSE]
            self.error(f"{name} is {', '.join(words)}, true or false, not {value!r}")
        return found

    def _truth(self, name: str, value: str) -> bool:
        if value.lower() not in _TRUE | _FALSE:
            self.error(f"{name} is either true or false, not {value!r}")
        return value.lower() in _TRUE


def _typed(action: argparse.Action) -> str:
    """A positional argument in the line that says how a command is typed."""
    name = str(action.metavar or action.dest.upper())
    return {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} [{name} ...]"}.get(str(action.nargs), name)
