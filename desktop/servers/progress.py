"""What the client of one call is told of its progress: what the server reports, and signs of life while it is silent."""

from __future__ import annotations

import time
from typing import Final

from msgspec import Raw

from desktop import jsonrpc
from desktop.jsonrpc import Envelope

__all__ = ["Progress", "taken_over"]

_STEP: Final = 1e-6


class Progress:
    """The progress notifications of one call (MCP 2025-11-25, basic/utilities/progress: values only rise).

    A sign of life has a value a hair above the last one. Should the server's next report not be above that (it began with 0,
    or repeats itself), it is lifted by as little.

    Args:
        token: The client's progress token.

    Attributes:
        told: Monotonic seconds of the last notification; 0.0 when there was none.
    """

    __slots__ = ("_highest", "_last", "token", "told")

    def __init__(self, token: Raw) -> None:
        self.token = token
        self.told = 0.0
        self._last: dict[str, Raw] = {}
        self._highest: float | None = None

    def reported(self, params: dict[str, Raw]) -> bytes:
        """The notification to pass on when the server reports ``params``."""
        self.told = time.monotonic()
        params["progressToken"] = self.token
        self._last = params
        if self._highest is not None:  # only a client that has got signs of life could see values fall
            value = _number(params)
            if value is not None and value <= self._highest:
                params["progress"] = Raw(jsonrpc.encode(self._above(value)))
            elif value is not None:
                self._highest = value
        return jsonrpc.notification("notifications/progress", jsonrpc.encode(params))

    def sign_of_life(self, words: str, now: float) -> bytes:
        """A notification of our own at ``now`` (monotonic seconds): what the server said last, else ``words``."""
        self.told = now
        params = {"message": Raw(jsonrpc.encode(words)), **self._last, "progressToken": self.token}
        params["progress"] = Raw(jsonrpc.encode(self._above(_number(self._last) or 0.0)))
        return jsonrpc.notification("notifications/progress", jsonrpc.encode(params))

    def _above(self, value: float) -> float:
        value = value if self._highest is None else max(value, self._highest)
        self._highest = value + max(abs(value), 1.0) * _STEP
        return self._highest


def _number(params: dict[str, Raw]) -> float | None:
    value = jsonrpc.decode(params["progress"]) if "progress" in params else None
    return float(value) if isinstance(value, int | float) else None


def taken_over(message: Envelope, call: int) -> Progress | None:
    """Put our id in the place of a request's progress token.

    Args:
        message: The request; its params are replaced.
        call: Our id of it.

    Returns:
        The progress of the request; None when its client did not ask for it.
    """
    params = jsonrpc.fields(message.params)
    meta = jsonrpc.fields(params["_meta"]) if "_meta" in params else {}
    token = meta.get("progressToken")
    if token is None:
        return None
    meta["progressToken"] = Raw(b"%d" % call)
    params["_meta"] = Raw(jsonrpc.encode(meta))
    message.params = Raw(jsonrpc.encode(params))
    return Progress(token)
