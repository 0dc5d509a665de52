"""The figures that matter in one table, beside those of Docker's own gateway and what is wanted.

Docker's gateway was measured on another machine with two CPUs; what is asked straight tells the machines apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.calls import CONTAINER_BASE, REMOTE_BASE
from tests.bench.scale import CLIENTS, SERVERS, SESSIONS, TOOLS
from tests.bench.startup import DOCKER_BASE, REAL
from tests.bench.table import Row

__all__ = ["overview"]

_START = "Start to answer of tools/list"
_MEMORY = "Resident memory of the gateway"
_MANY = f"{SERVERS} servers with {SERVERS * TOOLS} tools"
_STDIO = "gateway run over stdio → container"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line: what it says, and where its figures stand in the other tables.

    Attributes:
        what: What was measured.
        group, name, column: Where our figure is.
        straight: The name of the row of the same group where nothing was in between.
        theirs: The figure of Docker's gateway, and in brackets the one without it, in the same unit.
        wanted: What is to be reached.
    """

    what: str
    group: str
    name: str
    column: str
    straight: str = ""
    theirs: str = ""
    wanted: str = ""


def _calls(callers: int) -> str:
    return f"tools/call, {callers} at a time"


def _throughput(what: str, way: str, straight: str, theirs: dict[int, str], wanted: tuple[int, str]) -> list[Line]:
    return [
        Line(
            what=f"{what}, {callers} session{'s' if callers > 1 else ''}, calls/s",
            group=_calls(callers),
            name=way,
            column="calls/s",
            straight=straight,
            theirs=figure,
            wanted=wanted[1] if callers == wanted[0] else "",
        )
        for callers, figure in theirs.items()
    ]


_LINES = (
    *(
        Line(
            what=f"spawn to tools/list, {count} listed server{'s' if count > 1 else ''}, {how}, ms",
            group=_START,
            name=f"{way}, {count} server{'s' if count > 1 else ''}{', listings cached' if way == 'gateway' else ''}",
            column="ms",
            straight=DOCKER_BASE,
            theirs=theirs,
            wanted=wanted,
        )
        for way, how, wanted in (
            ("gateway", "hosted itself", "400"),
            ("shim to a running gateway", "by the shim", "150"),
        )
        for count, theirs in ((1, "510 (310)"), (10, "2,770"))
    ),
    Line(
        what="spawn to tools/list, 10 servers never listed, ms",
        group=_START,
        name="gateway, 10 servers, nothing cached",
        column="ms",
        straight=DOCKER_BASE,
        theirs="2,770",
    ),
    *(
        Line(
            what=f"spawn to tools/list, 10 × {REAL}, {known}, ms",
            group=_START,
            name=f"gateway, 10 × {REAL}, {cached}",
            column="ms",
            straight=f"docker run -i ({REAL})",
            theirs="12,300 (1,350)",
            wanted=wanted,
        )
        for known, cached, wanted in (("listed", "listings cached", "400"), ("never listed", "nothing cached", ""))
    ),
    Line(
        what="tools/call, default mode, p50 ms",
        group=_calls(1),
        name=_STDIO,
        column="p50 ms",
        straight=CONTAINER_BASE,
        theirs="424 (0.31)",
        wanted="+0.25",
    ),
    *(
        Line(
            what=f"tools/call, one session, {how}, p50 ms",
            group=_calls(1),
            name=name,
            column="p50 ms",
            straight=CONTAINER_BASE,
            theirs="0.50 (0.31)" if name == _STDIO else "",
            wanted="+0.25",
        )
        for how, name in (
            ("stdio", _STDIO),
            ("HTTP", "gateway on uvloop → container"),
            ("tray", "gateway on thread → container"),
        )
    ),
    *_throughput(
        "one container",
        "gateway on uvloop → container",
        CONTAINER_BASE,
        {1: "765", 8: "900", 32: "1,145", 64: "880"},
        (32, "5,000"),
    ),
    Line(
        what="one container, 32 sessions, p50 ms",
        group=_calls(32),
        name="gateway on uvloop → container",
        column="p50 ms",
        straight=CONTAINER_BASE,
        theirs="24",
    ),
    Line(
        what="one container, 32 sessions, p99 ms",
        group=_calls(32),
        name="gateway on uvloop → container",
        column="p99 ms",
        straight=CONTAINER_BASE,
        theirs="118",
        wanted="4 × p50",
    ),
    *_throughput(
        "remote server",
        "gateway on uvloop → HTTP",
        REMOTE_BASE,
        {1: "1,470 (14,000)", 8: "2,180 (17,900)", 32: "2,140 (27,200)"},
        (32, "8,000"),
    ),
    Line(
        what=f"{SESSIONS} sessions, every answer checked, calls/s",
        group=f"{SESSIONS} sessions on one container",
        name="tools/call, no call failed",
        column="calls/s",
        wanted="none fails",
    ),
    *(
        Line(
            what=f"tray on {name}, 32 sessions, calls/s",
            group="beside a window at rest",
            name=name,
            column="32 callers, calls/s",
            wanted="4,000",
        )
        for name in ("qasync", "thread")
    ),
    *(
        Line(
            what=f"tray on {name}, a 16 ms timer's lateness at 1,000 calls/s, p99 ms",
            group="beside a window at rest",
            name=name,
            column="16 ms timer late p99 ms",
            wanted="16",
        )
        for name in ("qasync", "thread")
    ),
    *(
        Line(
            what=f"tray on {name}, window busy 100 ms twice a second, p99 ms",
            group="beside a window that is busy 100 ms twice a second",
            name=name,
            column="p99 ms",
        )
        for name in ("qasync", "thread")
    ),
    Line(
        what="10 MB result, memory at the peak, MB more",
        group="A result of 10 MB",
        name="uvloop",
        column="memory at the peak, MB more",
        wanted="40",
    ),
    Line(
        what="10 MB result, longest call of another session, ms",
        group="A result of 10 MB",
        name="uvloop",
        column="its longest call meanwhile ms",
        wanted="50",
    ),
    Line(
        what=f"tools/list, {SERVERS} servers, {SERVERS * TOOLS:,} tools, p50 ms",
        group=_MANY,
        name="tools/list from cache, one session",
        column="p50 ms",
        wanted="30",
    ),
    Line(
        what=f"{CLIENTS} clients at once, connecting to their list, p99 ms",
        group=_MANY,
        name=f"{CLIENTS} clients at once, from connecting to their list",
        column="p99 ms",
    ),
    *(
        Line(what=f"memory, {what}, MB", group=_MEMORY, name=f"uvloop: {name}", column="MB", theirs=theirs)
        for what, name, theirs in (
            ("idle", "one container live", "40"),
            ("after load", "after load of 32 sessions", "60"),
            ("each further container", "each further container", "25"),
        )
    ),
)


def overview(rows: Sequence[Row]) -> list[Row]:
    """The lines for which there are figures among ``rows``."""
    cells = {(row.group, row.name): row.cells for row in rows}
    found = []
    for line in _LINES:
        ours = cells.get((line.group, line.name), {}).get(line.column, "")
        if ours:
            straight = cells.get((line.group, line.straight), {}).get(line.column, "")
            told = {
                "Docker's (straight)": line.theirs,
                "straight": straight,
                "this gateway": ours,
                "wanted": line.wanted,
            }
            found.append(Row(group="All in one", name=line.what, cells=told))
    return found
