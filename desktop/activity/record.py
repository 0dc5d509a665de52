"""One tool call that has ended, as it is kept and shown."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["CallDetails", "CallFilter", "CallRecord", "Outcome", "Span"]


class Outcome(enum.Enum):
    """How a call ended; the value is the word shown to people and stored."""

    OK = "ok"
    TOOL_ERROR = "tool error"
    ERROR = "error"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call.

    Attributes:
        id: Grows with every call.
        at: Wall-clock seconds (`time.time()`) of its end.
        client: Name and version of the client.
        server: Catalog name of the server; empty when none was reached.
        tool: The name the client used.
        seconds: From its coming to its answer.
        sent, received: Bytes of its parameters, and of its answer.
        outcome: How it ended.
        reason: The first line of the error; empty when it went well.
    """

    id: int
    at: float
    client: str
    server: str
    tool: str
    seconds: float
    sent: int
    received: int
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDetails:
    """What a call was made with and what came back: JSON texts without secrets, cut where they were too long to keep."""

    arguments: str = ""
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls are wanted; empty members don't limit.

    Attributes:
        text: Part of client, server, tool or reason, whatever its case.
        server, client: Exactly this one.
        failed: Only those that did not go well.
    """

    text: str = ""
    server: str = ""
    client: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of time: when it began (wall-clock seconds), its calls and errors, and their median and 95 % duration."""

    at: float
    calls: int = 0
    errors: int = 0
    median: float = 0.0
    slow: float = 0.0
