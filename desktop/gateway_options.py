"""What one run of the gateway is told: by the command line's flags, or by the tray."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from desktop.catalog.selection import Selection
from desktop.engine.ports import PullProgress
from desktop.gateway.interceptors import TIME_LIMIT, Interceptor
from desktop.gateway.session import CallLog
from desktop.servers.network_fence import FenceMode

__all__ = ["GatewayOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayOptions:
    """What the command line (or the tray) has chosen.

    Attributes:
        selection: Which files and servers.
        tools: ``--tools`` patterns.
        secrets: ``--secrets`` text (spec 5.2).
        long_lived: A container of its own for every session.
        cpus, memory: Limits of each container; 0 means none, memory in bytes.
        watch: Follow changes of the files.
        dynamic_tools: Let clients find and add servers by tools of our own; never with chosen servers, nor where the
            feature ``dynamic-tools`` is turned off.
        most_running: The most containers and processes with a server that run at once.
        start_timeout: Seconds a server has to answer ``initialize``.
        static: Servers are connected to where somebody else has started them; no container is.
        interceptors: Programs that see tool calls, in their order.
        interceptor_timeout: Seconds each of them may take.
        block_secrets: ``block`` lets a call fail that would pass a secret on, ``redact`` takes it out; empty does neither.
        block_network: ``listed`` lets servers whose entries have ``allowHosts`` reach those hosts alone, ``all`` also keeps
            every other container from any network; empty does neither.
        verify_signatures: Use images of Docker's namespace only with signatures that fit.
        records_calls: Keep calls for the person to look at.
        on_stderr: Called with server and line.
        on_interceptor: Called with an interceptor's name and a line of its standard error.
        on_scan: Called with each step of the search for secrets.
        call_log: Is told of tool calls.
        on_pull: Called with server and progress of a pull.
        on_egress: Called with server, host, port and whether it was let through, for servers behind the fence.
    """

    selection: Selection = field(default_factory=Selection)
    tools: tuple[str, ...] = ()
    secrets: str = "docker-desktop"
    long_lived: bool = False
    cpus: float = 1.0
    memory: int = 2 * 1024**3
    watch: bool = True
    dynamic_tools: bool = True
    most_running: int = 40
    start_timeout: float = 60.0
    static: bool = False
    interceptors: tuple[Interceptor, ...] = ()
    interceptor_timeout: float = TIME_LIMIT
    block_secrets: str = ""
    block_network: FenceMode = ""
    verify_signatures: bool = False
    records_calls: bool = False
    on_stderr: Callable[[str, str], None] | None = None
    on_interceptor: Callable[[str, str], None] | None = None
    on_scan: Callable[[str], None] | None = None
    call_log: CallLog | None = None
    on_pull: Callable[[str, PullProgress], None] | None = None
    on_egress: Callable[[str, str, int, bool], None] | None = None

    @property
    def is_usual(self) -> bool:
        """Whether a gateway run with these serves what the person's files say, so that others may use it too."""
        usual = GatewayOptions()
        mine, theirs = (
            (
                replace(each.selection, all_profiles=False),
                each.tools,
                each.secrets,
                each.static,
                each.block_network,
                each.verify_signatures,
            )
            for each in (self, usual)
        )
        return mine == theirs and not self.interceptors
