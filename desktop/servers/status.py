"""States of a server, in the words that tray, windows and command line all use."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from desktop.errors import GatewayError, MissingSettingError, SignInRequiredError
from desktop.sharing import Sharing

__all__ = ["OfferedTool", "ServerKind", "ServerState", "ServerStatus", "state_of"]


class ServerState(enum.Enum):
    """Where a server is in its life; the value is the word shown to people."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    IDLE = "idle"
    NEEDS_SIGN_IN = "needs sign-in"
    NEEDS_SETTING = "needs setting"
    FAILING = "failing"


class ServerKind(enum.Enum):
    """How a server is reached; the value is the word shown to people."""

    CONTAINER = "container"
    PACKAGE = "package"
    REMOTE = "remote"
    TOOLS = "tools in containers"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStatus:
    """One server as the faces show it; immutable, replaced at each change.

    Attributes:
        name: Catalog name.
        title: Display name.
        description: One line.
        kind: How it is reached.
        source: Image reference, package or URL.
        enabled: Whether the person has turned it on.
        state: See `ServerState`; `OFF` when not enabled or while everything is paused.
        reason: Why it is failing or what it needs, one sentence; empty otherwise.
        hint: What to do about it; empty otherwise.
        tool_count, prompt_count, resource_count: From its last listing; None when it was never listed.
        last_used: Wall-clock seconds (`time.time()`) of the last call, 0.0 when never used.
        sharing: Who shares a running instance.
        reveals_secrets: True when its image can't take secrets in unseen, so that ``docker inspect`` shows them.
        needs_consent: True when the only thing missing is the consent to run its package without a container.
    """

    name: str
    title: str = ""
    description: str = ""
    kind: ServerKind = ServerKind.CONTAINER
    source: str = ""
    enabled: bool = False
    state: ServerState = ServerState.OFF
    reason: str = ""
    hint: str = ""
    tool_count: int | None = None
    prompt_count: int | None = None
    resource_count: int | None = None
    last_used: float = 0.0
    sharing: Sharing = Sharing.SHARED
    reveals_secrets: bool = False
    needs_consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedTool:
    """A server's tool.

    Attributes:
        name: What the server calls it.
        exposed: Under which name clients see it; empty when they don't.
        title, description: What it does.
        read_only: It says that it changes nothing (``readOnlyHint``).
        destructive: It says that it may destroy something (``destructiveHint``).
        tokens: About how many tokens its definition takes in a model's context, by its length; 0 when that isn't known.
    """

    name: str
    exposed: str = ""
    title: str = ""
    description: str = ""
    read_only: bool = False
    destructive: bool = False
    tokens: int = 0


def state_of(failure: GatewayError | None, *, listed: bool, up: bool, starting: bool) -> ServerState:
    """The state of a server that is on.

    Args:
        failure: Why it can't be used now.
        listed: Whether it is known what it offers.
        up: Whether any connection is.
        starting: Whether one is being started.
    """
    if up and (listed or failure is None):
        return ServerState.READY
    if starting:
        return ServerState.STARTING
    if isinstance(failure, SignInRequiredError):
        return ServerState.NEEDS_SIGN_IN
    if isinstance(failure, MissingSettingError):
        return ServerState.NEEDS_SETTING
    if failure is not None:
        return ServerState.FAILING
    return ServerState.IDLE if listed else ServerState.STARTING
