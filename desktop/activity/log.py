"""The log of calls: takes what the gateway tells in passing, and keeps it in batches on a thread of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from desktop.activity.record import CallDetails, CallFilter, CallRecord, Outcome, Span
from desktop.activity.retention import Retention
from desktop.activity.store import ActivityStore
from desktop.errors import StateFileError
from desktop.events import EventStream
from desktop.state.atomic_file import write_text

__all__ = ["LONGEST_TEXT", "ActivityLog", "EndedCall"]

LONGEST_TEXT: Final = 16 * 1024
"""Bytes of a call's arguments, and of its answer, that are kept at most."""
_PAUSE: Final = 0.1
_MOST_AT_ONCE: Final = 200
_TIDY_EVERY: Final = 600.0
_DAY: Final = 86_400.0
_EXPORT_PAGE: Final = 500
_USUAL: Final = Retention()
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class EndedCall:
    """What the gateway tells of a call that has ended.

    Attributes:
        at: Wall-clock seconds.
        client, server, tool: See `CallRecord`.
        seconds: How long it took.
        params: The beginning of its parameters, as JSON; at most `LONGEST_TEXT` bytes.
        sent: Length of all of them.
        answer: The beginning of the answering message, or None when it was abandoned.
        received: Length of all of it.
    """

    at: float
    client: str
    server: str
    tool: str
    seconds: float
    params: bytes
    sent: int
    answer: bytes | None
    received: int


class ActivityLog:
    """Keeps calls and tells of new ones.

    Args:
        path: Where they are kept.
        clean: Takes secrets out of a text.
        retention: How much is kept.

    Attributes:
        added: Calls that were just kept, oldest first, in batches.
    """

    def __init__(self, path: Path, clean: Callable[[str], str], retention: Retention = _USUAL) -> None:
        self.added: EventStream[tuple[CallRecord, ...]] = EventStream()
        self.retention = retention
        self._store = ActivityStore(path)
        self._clean = clean
        self._waiting: list[EndedCall] = []
        self._not_kept = 0
        self._keeping: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "activity")
        self._tidied = 0.0
        self._complained = False

    @property
    def not_kept(self) -> int:
        """Calls since the start that came too fast to be kept one by one."""
        return self._not_kept

    def ended(self, call: EndedCall) -> None:
        """Take a call; costs the caller next to nothing."""
        if not self.retention.on:
            return
        if len(self._waiting) >= _MOST_AT_ONCE:
            self._not_kept += 1
            return
        self._waiting.append(call)
        if self._keeping is None:
            self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def find(
        self,
        wanted: CallFilter,
        *,
        limit: int = 500,
        before: int | None = None,
    ) -> tuple[CallRecord, ...]:
        """Calls, newest first; see `ActivityStore.find`."""
        return await self._run(lambda: self._store.find(wanted, limit=limit, before=before))

    async def details(self, id: int) -> CallDetails | None:
        """Arguments and result of one call."""
        return await self._run(lambda: self._store.details(id))

    async def spans(self, *, seconds: float, count: int) -> tuple[Span, ...]:
        """The last ``seconds`` in ``count`` equal pieces, oldest first."""
        now = time.time()
        return await self._run(lambda: self._store.spans(since=now - seconds, until=now, count=count))

    async def clear(self) -> None:
        """Forget every call."""
        self._waiting.clear()
        await self._run(self._store.clear)

    async def export(self, path: Path, wanted: CallFilter) -> int:
        """Write calls with their details to a file of JSON lines, newest first; returns how many.

        Raises:
            StateFileError: The file can't be written.
        """
        return await self._run(lambda: self._export(path, wanted))

    async def close(self) -> None:
        """Keep what still waits, then close."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        if self._waiting:
            await self._keep_batch()
        await self._run(self._store.close)
        self._thread.shutdown(wait=False)

    async def _keep(self) -> None:
        """Keep what comes, a batch at a time, until nothing comes any more."""
        while self._waiting:
            await asyncio.sleep(_PAUSE)
            await self._keep_batch()
        self._keeping = None

    async def _keep_batch(self) -> None:
        calls, self._waiting = self._waiting, []
        try:
            records = await self._run(lambda: self._kept(calls))
        except StateFileError as error:
            if not self._complained:  # once; the next batch would fail the same way
                log.warning("%s", error)
                self._complained = True
            return
        except Exception:  # whatever is odd about these calls, the next ones are kept
            log.exception("%d calls can't be kept", len(calls))
            return
        self._complained = False
        self.added.publish(tuple(records))

    def _kept(self, calls: list[EndedCall]) -> list[CallRecord]:
        records = self._store.add([self._told(call) for call in calls])
        now = time.time()
        if now - self._tidied > _TIDY_EVERY:
            self._tidied = now
            self._store.forget(older_than=now - self.retention.days * _DAY, most=self.retention.calls)
        return records

    def _told(self, call: EndedCall) -> tuple[CallRecord, CallDetails]:
        outcome, reason = _outcome(call.answer)
        record = CallRecord(
            id=0,
            at=call.at,
            client=_storable(call.client),
            server=_storable(call.server),
            tool=_storable(call.tool),
            seconds=call.seconds,
            sent=call.sent,
            received=call.received,
            outcome=outcome,
            reason=_storable(self._clean(reason)),
        )
        if not self.retention.details:
            return record, CallDetails()
        return record, CallDetails(
            arguments=_storable(self._clean(_member(call.params, "arguments"))),
            result=_storable(self._clean(_result(call.answer or b""))),
        )

    def _export(self, path: Path, wanted: CallFilter) -> int:
        lines: list[str] = []
        before: int | None = None
        while page := self._store.find(wanted, limit=_EXPORT_PAGE, before=before):
            for record in page:
                details = self._store.details(record.id) or CallDetails()
                lines.append(json.dumps(_exported(record, details), ensure_ascii=False))
            before = page[-1].id
        write_text(path, "".join(f"{line}\n" for line in lines), mode=0o600)
        return len(lines)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _outcome(answer: bytes | None) -> tuple[Outcome, str]:
    """How a call ended, and the first line of why."""
    if answer is None:
        return Outcome.CANCELLED, ""
    message = _parsed(answer)
    if isinstance(message, dict):
        error, result = message.get("error"), message.get("result")
        if isinstance(error, dict):
            return Outcome.ERROR, _first_line(error.get("message"))
        if isinstance(result, dict) and result.get("isError"):
            content = result.get("content")
            texts = (
                [item.get("text") for item in content if isinstance(item, dict)] if isinstance(content, list) else []
            )
            return Outcome.TOOL_ERROR, _first_line(next(iter(texts), ""))
        return Outcome.OK, ""
    # Too long to have been kept whole: what it is stands at its beginning.
    head = answer[:400]
    return (Outcome.ERROR, "") if b'"error"' in head and b'"result"' not in head else (Outcome.OK, "")


def _first_line(text: Any) -> str:
    lines = str(text or "").strip().splitlines()
    return lines[0][:300] if lines else ""


def _storable(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON may hold and no file can."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _member(data: bytes, name: str) -> str:
    """One member of a JSON object laid out for people; what was cut is shown as it is."""
    message = _parsed(data)
    if not isinstance(message, Mapping):
        return data.decode("utf-8", "replace")
    return json.dumps(message.get(name), indent=2, ensure_ascii=False) if name in message else ""


def _result(answer: bytes) -> str:
    message = _parsed(answer)
    if not isinstance(message, Mapping):
        return answer.decode("utf-8", "replace")
    return json.dumps(message.get("result", message.get("error")), indent=2, ensure_ascii=False)


def _exported(record: CallRecord, details: CallDetails) -> dict[str, Any]:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.at))
    return {
        "at": at,
        "client": record.client,
        "server": record.server,
        "tool": record.tool,
        "seconds": round(record.seconds, 6),
        "sent": record.sent,
        "received": record.received,
        "outcome": record.outcome.value,
        "reason": record.reason,
        "arguments": details.arguments,
        "result": details.result,
    }
