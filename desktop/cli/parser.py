"""A parser for one command: understands Go's way of writing flags, and says what is wrong in one sentence."""

from __future__ import annotations

import argparse
import sys

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
    print(f"docker-mcp: {text.replace('?.', '?')}", file=sys.stderr)


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or empty."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


class Parser(argparse.ArgumentParser):
    """Reads the arguments of one command.

    Args:
        prog: The command as it is typed.
        summary: What it does.
        example: One line that shows its use.
    """

    def __init__(self, prog: str, summary: str, example: str) -> None:
        super().__init__(
            prog=prog,
            description=summary,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
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

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Understand the arguments; options and names may be mixed. Exits with code 2 when they are wrong."""
        return self.parse_intermixed_args(list(self._in_plain_form(arguments)))

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit with code 2."""
        what, _, rest = message.partition(": ")
        hint = f"See {self.prog} --help"
        if what == "unrecognized arguments":
            first = rest.split()[0].partition("=")[0]
            message = f"{'unknown option' if first.startswith('-') else 'unexpected argument'} {first}"
            known = [name for action in self._actions for name in action.option_strings]
            meant = closest(first, known) if first.startswith("-") else ""
            hint = f"Did you mean {meant}?" if meant else hint
        complain(message.removeprefix("argument "), hint)
        raise SystemExit(2)

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
