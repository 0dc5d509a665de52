"""The calls of a fake host, in memory."""

from __future__ import annotations

import dataclasses
import random
import time
from pathlib import Path
from typing import Any

from desktop.activity.record import CallDetails, CallFilter, CallRecord, Outcome, Span
from desktop.activity.retention import Retention

__all__ = ["FakeActivity", "some_calls"]


class FakeActivity:
    """Does what `desktop.host.Activity` promises.

    Attributes:
        records: The calls, oldest first.
        asked: What was asked of it.
    """

    def __init__(self, records: list[CallRecord] | None = None) -> None:
        self.records = list(records or ())
        self.retention = Retention()
        self.not_kept = 0
        self.asked: list[tuple[Any, ...]] = []

    async def calls(self, wanted: CallFilter, *, limit: int = 500, before: int | None = None) -> tuple[CallRecord, ...]:
        found = [
            record
            for record in reversed(self.records)
            if (before is None or record.id < before)
            and all(
                word in f"{record.client} {record.server} {record.tool} {record.reason}".lower()
                for word in wanted.text.lower().split()
            )
            and wanted.server in ("", record.server)
            and wanted.client in ("", record.client)
            and not (wanted.failed and record.outcome is Outcome.OK)
        ]
        return tuple(found[:limit])

    async def details(self, id: int) -> CallDetails | None:
        if all(record.id != id for record in self.records):
            return None
        return CallDetails(arguments='{\n  "query": "tools listed twice"\n}', result='{\n  "content": []\n}')

    async def spans(self, *, seconds: float, count: int) -> tuple[Span, ...]:
        now, width = time.time(), seconds / count
        spans = []
        for number in range(count):
            at = now - seconds + number * width
            calls = sorted(record.seconds for record in self.records if at <= record.at < at + width)
            errors = sum(at <= record.at < at + width and record.outcome is not Outcome.OK for record in self.records)
            median, slow = (calls[len(calls) // 2], calls[-1]) if calls else (0.0, 0.0)
            spans.append(Span(at=at, calls=len(calls), errors=errors, median=median, slow=slow))
        return tuple(spans)

    async def clear(self) -> None:
        self.asked.append(("clear",))
        self.records.clear()

    async def export(self, path: Path, wanted: CallFilter) -> int:
        self.asked.append(("export", path, wanted))
        return len(await self.calls(wanted, limit=10**9))

    async def set_retention(self, retention: Retention) -> None:
        self.asked.append(("set_retention", retention))
        self.retention = retention

    def add(self, **values: Any) -> CallRecord:
        """One more call."""
        usual: dict[str, Any] = {
            "id": self.records[-1].id + 1 if self.records else 1,
            "at": time.time(),
            "client": "claude-code 2.4.1",
            "server": "github-official",
            "tool": "search_issues",
            "seconds": 0.412,
            "sent": 128,
            "received": 9_214,
            "outcome": Outcome.OK,
        }
        record = CallRecord(**{**usual, **values})
        self.records.append(record)
        return record


def some_calls(count: int) -> list[CallRecord]:
    """Calls as a busy hour has them, the same each time."""
    chance = random.Random(7)
    activity = FakeActivity()
    now = time.time()
    tools = [
        ("github-official", "search_issues"),
        ("time", "get_current_time"),
        ("notion", "search"),
        ("fetch", "fetch"),
    ]
    for number in range(count):
        server, tool = chance.choice(tools)
        failed = chance.random() < 0.08
        activity.add(
            at=now - 3600 * (count - number) / max(count, 1),
            server=server,
            tool=tool,
            client=chance.choice(["claude-code 2.4.1", "Cursor 2.3.0", "Visual Studio Code 1.119"]),
            seconds=chance.lognormvariate(-2.5, 1.4),
            received=int(chance.lognormvariate(8, 1.6)),
            outcome=Outcome.TOOL_ERROR if failed else Outcome.OK,
            reason="The repository was not found" if failed else "",
        )
    return [dataclasses.replace(record) for record in activity.records]
