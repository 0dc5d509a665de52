"""What the person's policy says: which server may have a secret, and which tools may be called (spec 7).

One rule a line::

    github.personal_access_token allows github-official   # this secret goes to these servers or images alone
    deny tool *:delete_*                                   # neither listed nor called
    ask tool github-official:*                             # each call waits for the person
    allow tool time:*
    default tool hints                                     # or allow (as without this line), ask, deny

Names are compared without regard to case; ``*`` and ``?`` stand for any characters. Of the rules for tools the first that fits
decides. ``#`` begins a comment.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

__all__ = [
    "NO_POLICY",
    "Action",
    "Policy",
    "PolicySyntaxError",
    "SecretRule",
    "ToolRule",
    "parse_policy",
    "rules_about",
]

_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_LONGEST: Final = 1_000_000


class Action(enum.Enum):
    """What happens to a call of a tool."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class PolicySyntaxError(Exception):
    """A line that is no rule.

    Args:
        line: 1-based.
        reason: What is wrong with it.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRule:
    """Secrets whose names fit ``secret`` may go to a server whose name, or whose image, fits ``target``."""

    secret: re.Pattern[str]
    target: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRule:
    """Calls of tools that fit: ``tool`` any server's, ``server:tool`` one server's."""

    action: Action
    server: re.Pattern[str] | None
    tool: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules in force.

    Attributes:
        secrets: For secrets, in their order.
        tools: For tools, in their order.
        default: What happens to a tool no rule fits; None goes by what the tool says of itself.
        broken: Why there are no rules to go by; then no secret is given away and no tool can be called.
    """

    secrets: tuple[SecretRule, ...] = ()
    tools: tuple[ToolRule, ...] = ()
    default: Action | None = Action.ALLOW
    broken: str = ""

    @property
    def decides_on_tools(self) -> bool:
        """Whether any tool may be treated in another way than being allowed."""
        return bool(self.tools or self.broken) or self.default is not Action.ALLOW

    def may_have(self, secret: str, server: str, image: str) -> bool:
        """Whether a server that declares a secret gets it.

        A secret that no rule names goes to every server that declares it.

        Args:
            secret: The secret's name.
            server: The server's name.
            image: Its image as its entry has it, or empty; a rule may leave tag and digest out.
        """
        if self.broken:
            return False
        targets = [rule.target for rule in self.secrets if rule.secret.fullmatch(secret)]
        return not targets or any(target.fullmatch(form) for target in targets for form in _forms(server, image))

    def on_tool(self, server: str, tool: str, *, read_only: bool, destructive: bool) -> Action:
        """What happens to a call.

        Args:
            server: The server's name.
            tool: The tool's original name.
            read_only: The tool says that it changes nothing (``readOnlyHint``).
            destructive: The tool says that it may destroy something (``destructiveHint``).
        """
        if self.broken:
            return Action.DENY
        for rule in self.tools:
            if (rule.server is None or rule.server.fullmatch(server)) and rule.tool.fullmatch(tool):
                return rule.action
        if self.default is not None:
            return self.default
        return Action.ASK if destructive and not read_only else Action.ALLOW


NO_POLICY: Final = Policy()


def parse_policy(text: str) -> Policy:
    """Understand a policy.

    Raises:
        PolicySyntaxError: A line is no rule.
    """
    secrets: list[SecretRule] = []
    tools: list[ToolRule] = []
    default: Action | None = Action.ALLOW
    if len(text) > _LONGEST:
        raise PolicySyntaxError(1, f"it is longer than {_LONGEST:,} characters")
    for number, words in _lines(text):
        match [word.lower() for word in words]:
            case [_, "allows", _]:
                secrets.append(SecretRule(secret=_glob(words[0]), target=_glob(words[2])))
            case ["allow" | "ask" | "deny" as action, "tool", pattern]:
                server, colon, tool = pattern.rpartition(":")
                tools.append(ToolRule(action=Action(action), server=_glob(server) if colon else None, tool=_glob(tool)))
            case ["default", "tool", "hints"]:
                default = None
            case ["default", "tool", "allow" | "ask" | "deny" as action]:
                default = Action(action)
            case ["default", "tool", *_]:
                raise PolicySyntaxError(number, "after 'default tool' stands allow, ask, deny or hints")
            case ["allow" | "ask" | "deny" as action, *_]:
                raise PolicySyntaxError(
                    number, f"after '{action}' stands 'tool' and one name, such as {action} tool x:*"
                )
            case _:
                raise PolicySyntaxError(number, "a rule is '<secret> allows <server or image>' or 'deny tool <name>'")
    return Policy(secrets=tuple(secrets), tools=tuple(tools), default=default)


def rules_about(text: str, *, server: str, secrets: Collection[str], tools: Collection[str]) -> tuple[str, ...]:
    """The rules of a policy that concern one server, as they are written but for comments and needless blanks.

    Args:
        text: The policy.
        server: The server's name.
        secrets: Names of the secrets it declares.
        tools: Its tools, by their original names; empty when they aren't known, and then any rule for tools may concern it.

    Raises:
        PolicySyntaxError: A line is no rule.
    """
    found = []
    for _, words in _lines(text):
        rule = " ".join(words)
        policy = parse_policy(rule)
        about_secret = any(each.secret.fullmatch(secret) for each in policy.secrets for secret in secrets)
        about_tool = any(
            (each.server is None or each.server.fullmatch(server))
            and (not tools or any(each.tool.fullmatch(tool) for tool in tools))
            for each in policy.tools
        )
        if about_secret or about_tool or policy.default is not Action.ALLOW:
            found.append(rule)
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = _COMMENT.sub("", line).split()
        if words:
            yield number, words


def _glob(text: str) -> re.Pattern[str]:
    """A name with ``*`` and ``?``; each star is atomic up to what follows it, so matching takes no exponential time."""
    pieces = [re.escape(piece).replace(r"\?", ".") for piece in re.split(r"\*+", text)]
    middle = "".join(rf"(?>.*?{piece})" for piece in pieces[1:-1])
    pattern = pieces[0] if len(pieces) == 1 else f"{pieces[0]}{middle}.*{pieces[-1]}"
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def _forms(server: str, image: str) -> tuple[str, ...]:
    """What a rule may call a server: its name, its image, and the image without digest, and without tag."""
    plain = image.partition("@")[0]
    head, slash, last = plain.rpartition("/")
    return tuple(dict.fromkeys(form for form in (server, image, plain, head + slash + last.partition(":")[0]) if form))
