"""A question that only the person may answer."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Answer", "Question"]


class Answer(enum.Enum):
    """What the person says: no, or yes and for how long."""

    REFUSE = "refuse"
    ONCE = "once"
    SESSION = "session"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question to the person.

    Attributes:
        id: For the answer.
        kind: What is to be allowed.
        server: The server's name in the catalog.
        title: Its name for people.
        asker: The client that wants it, as it calls itself.
        matters: What it is about, each a phrase such as "use the secret SLACK_TOKEN".
        seconds: How long the answer is waited for.
        asked_at: Monotonic seconds.
        details: More to look at before deciding, such as a call's arguments, without secrets; may have many lines.
        repeats: Whether the same may be asked again, so that a yes can also be for once or for the client's session.
    """

    id: int
    kind: str
    server: str
    title: str
    asker: str
    matters: tuple[str, ...]
    seconds: float
    asked_at: float
    details: str = ""
    repeats: bool = False
