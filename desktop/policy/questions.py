"""What only the person may decide: asked where they look (the tray), answered in time or refused, remembered."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import Any, Final

from desktop.errors import ConsentRequiredError
from desktop.events import EventStream
from desktop.policy.consent import ConsentKind, ConsentStore, joined
from desktop.policy.question import Answer, Question

__all__ = ["Questions"]

_OPEN_AT_ONCE: Final = 5
_REFUSED_FOR: Final = 600.0


class _Open:
    def __init__(self, question: Question) -> None:
        self.question = question
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting = 0
        self.spent = False


class Questions:
    """The questions that wait for the person.

    Args:
        consent: Where a yes is remembered, for the server and what it was asked for.
        time_limit: Seconds the person has.

    Attributes:
        changed: An event whenever a question comes or goes.
    """

    def __init__(self, consent: ConsentStore, *, time_limit: float = 120.0) -> None:
        self.changed: EventStream[None] = EventStream()
        self._consent = consent
        self._time_limit = time_limit
        self._attended = False
        self._ids = itertools.count(1)
        self._open: dict[tuple[str, str], _Open] = {}
        self._refused: dict[str, float] = {}
        self._shown: tuple[Question, ...] = ()

    @property
    def attended(self) -> bool:
        """Whether somebody is there to answer."""
        return self._attended

    def attend(self) -> None:
        """From now on somebody sees the questions; before, all are refused."""
        self._attended = True

    def open(self) -> tuple[Question, ...]:
        """Those that wait, oldest first. May be read from any thread."""
        return self._shown

    def answer(self, id: int, answer: Answer) -> None:
        """Take the person's answer; one that comes too late changes nothing."""
        for item in self._open.values():
            if item.question.id == id and not item.answer.done():
                item.answer.set_result(answer)

    async def ask(
        self, kind: ConsentKind, *, server: str, title: str, asker: str, matters: Sequence[str], instead: str
    ) -> None:
        """Return when the person allows it, now or earlier for the same matters.

        Args:
            kind: What is to be allowed.
            server, title, asker, matters: See `Question`.
            instead: What the person can do by themselves, for the hint of a refusal.

        Raises:
            ConsentRequiredError: The person refused, did not answer in time, or nobody is there to ask.
            StateFileError: What was allowed before can't be read or written.
        """
        subject = f"{server}: {joined(matters)}"
        if await asyncio.to_thread(self._consent.granted, kind, subject):
            return
        await self._decided(subject, kind, server, title, asker, tuple(matters), instead)
        await asyncio.to_thread(self._consent.grant, kind, subject)

    async def ask_about_call(
        self, *, session: str, server: str, title: str, asker: str, tool: str, arguments: str, instead: str
    ) -> Answer:
        """Return the person's yes to one call, and how far it reaches; nothing of it is remembered here.

        Equal calls of a session are one question, but a yes for once is good for one of them; the next is asked about anew.

        Args:
            session: The client session that calls.
            server, title, asker: See `Question`.
            tool: The tool's original name.
            arguments: What it is called with, for people, without secrets.
            instead: What the person can do by themselves, for the hint of a refusal.

        Raises:
            ConsentRequiredError: As `ask` does.
        """
        matter = f"call its tool {tool}"
        subject = f"{server}: {matter} with {arguments}"
        return await self._decided(
            subject,
            "call-tool",
            server,
            title,
            asker,
            (matter,),
            instead,
            session=session,
            details=arguments,
            repeats=True,
        )

    async def _decided(
        self,
        subject: str,
        kind: ConsentKind,
        server: str,
        title: str,
        asker: str,
        matters: tuple[str, ...],
        instead: str,
        session: str = "",
        **more: Any,
    ) -> Answer:
        """The person's yes; everything else is a `ConsentRequiredError`."""
        named = f"{title} may not {' and '.join(matters)}"
        key = (session, subject)
        while True:
            if not self._attended:
                raise ConsentRequiredError(f"{named} before a person has agreed, and no tray runs to ask", instead)
            if time.monotonic() - self._refused.get(subject, -_REFUSED_FOR) < _REFUSED_FOR:
                raise ConsentRequiredError(f"The person has refused: {named}", instead)
            item = self._open.get(key)
            if item is None:
                if len(self._open) >= _OPEN_AT_ONCE:
                    raise ConsentRequiredError(f"{named} yet: too many questions wait for the person", instead)
                question = Question(
                    id=next(self._ids),
                    kind=kind,
                    server=server,
                    title=title,
                    asker=asker,
                    matters=matters,
                    seconds=self._time_limit,
                    asked_at=time.monotonic(),
                    **more,
                )
                item = self._begin(key, question)
            answer = await self._answer_to(item, key)
            if answer is None:
                raise ConsentRequiredError(f"{named}: nobody answered within {self._time_limit:.0f} s", instead)
            if answer is Answer.REFUSE:
                self._remember_refusal(subject)
                raise ConsentRequiredError(f"The person has refused: {named}", instead)
            if answer is not Answer.ONCE or not item.spent:
                item.spent = True
                return answer

    def _remember_refusal(self, subject: str) -> None:
        now = time.monotonic()
        self._refused = {other: since for other, since in self._refused.items() if now - since < _REFUSED_FOR}
        self._refused[subject] = now

    def _begin(self, key: tuple[str, str], question: Question) -> _Open:
        item = self._open[key] = _Open(question)
        self._tell()
        return item

    async def _answer_to(self, item: _Open, key: tuple[str, str]) -> Answer | None:
        """The answer, None when the time is up; the question goes with the last that waits for it."""
        item.waiting += 1
        left = item.question.asked_at + self._time_limit - time.monotonic()
        try:
            async with asyncio.timeout(max(left, 0)):
                return await asyncio.shield(item.answer)
        except TimeoutError:
            return None
        finally:
            item.waiting -= 1
            if self._open.get(key) is item and (item.answer.done() or not item.waiting):
                del self._open[key]
                self._tell()

    def _tell(self) -> None:
        self._shown = tuple(item.question for item in self._open.values())
        self.changed.publish(None)
