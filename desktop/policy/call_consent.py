"""Which calls wait for the person's yes, and for how long a yes holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final

from desktop.policy.consent import ConsentStore
from desktop.policy.question import Answer
from desktop.policy.questions import Questions

__all__ = ["CallConsent"]

_SHOWN: Final = 4000


class CallConsent:
    """Asks before a tool is called that the policy says to ask about.

    Args:
        questions: Where the person is asked.
        store: Where a yes for always is kept.
        clean: Takes secrets out of a text.
    """

    def __init__(self, questions: Questions, store: ConsentStore, clean: Callable[[str], str]) -> None:
        self._questions = questions
        self._store = store
        self._clean = clean
        self._sessions: dict[str, set[tuple[str, str]]] = {}

    async def ask(self, *, session: str, asker: str, server: str, title: str, tool: str, arguments: bytes) -> None:
        """Return when the person allows the call, now, or earlier for this session or for always.

        Args:
            session: The client session's id.
            asker: The client, as it calls itself.
            server: The server's name.
            title: Its name for people.
            tool: The tool's original name.
            arguments: JSON.

        Raises:
            ConsentRequiredError: The person refused, did not answer in time, or nobody is there to ask.
            StateFileError: What was allowed before can't be read or written.
        """
        if (server, tool) in self._sessions.get(session, ()):
            return
        subject = f"{server}: call its tool {tool}"
        if await asyncio.to_thread(self._store.granted, "call-tool", subject):
            return
        answer = await self._questions.ask_about_call(
            session=session,
            server=server,
            title=title,
            asker=asker,
            tool=tool,
            arguments=self._clean(await asyncio.to_thread(_for_people, arguments)),
            instead=f"Allow it when MCP Gateway asks in the tray, or add 'allow tool {server}:{tool}' to the policy",
        )
        if answer is Answer.SESSION:
            self._sessions.setdefault(session, set()).add((server, tool))
        elif answer is Answer.ALWAYS:
            await asyncio.to_thread(self._store.grant, "call-tool", subject)

    def session_ended(self, session: str) -> None:
        """Forget what was allowed for a session."""
        self._sessions.pop(session, None)


def _for_people(arguments: bytes) -> str:
    """The arguments laid out, a member a line; what is too long to read ends with its length."""
    try:
        text = json.dumps(json.loads(arguments or b"{}"), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = arguments.decode("utf-8", "replace")
    shown = "".join(map(_visible, text[:_SHOWN]))
    return shown if len(text) <= _SHOWN else f"{shown}\n… ({len(text):,} characters)"


def _visible(character: str) -> str:
    """One character; those that can't be seen, or turn the text around, by their numbers."""
    return character if character.isprintable() or character == "\n" else f"\\u{ord(character):04x}"
