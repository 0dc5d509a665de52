"""Why a server can't be used now, and when it may be tried again."""

from __future__ import annotations

import time
from typing import Final

from desktop.errors import (
    EnginePermissionError,
    EngineUnavailableError,
    GatewayError,
    MissingSettingError,
    SignInRequiredError,
)

__all__ = ["WAITS_FOR_A_CAUSE", "BackOff"]

# Failures that are over when something else has changed; they are not tried again by the clock.
WAITS_FOR_A_CAUSE: Final = (EngineUnavailableError, EnginePermissionError, MissingSettingError)


class BackOff:
    """The last failure, and a pause after it that doubles with each failure in a row.

    Args:
        longest: The longest pause in seconds.

    Attributes:
        failure: The last failure; None when all is well.
        retry_at: Monotonic seconds before which nothing is tried.
    """

    def __init__(self, longest: float) -> None:
        self.failure: GatewayError | None = None
        self.retry_at = 0.0
        self._longest = longest
        self._failures = 0

    def failed(self, error: GatewayError) -> float | None:
        """Something failed; returns the pause in seconds, None when the clock does not help."""
        self.failure = error
        self._failures += 1
        if isinstance(error, (*WAITS_FOR_A_CAUSE, SignInRequiredError)):
            self.retry_at = 0.0  # tried again as soon as somebody asks, or when the cause has gone
            return None
        pause = min(2.0 ** min(self._failures, 12) / 2, self._longest)
        self.retry_at = time.monotonic() + pause
        return pause

    def check(self) -> None:
        """Raise the last failure while its pause lasts."""
        if self.failure is not None and self.retry_at > time.monotonic():
            raise self.failure.with_traceback(None)

    def worked(self) -> None:
        """It has done what was asked of it: pauses begin short again."""
        self._failures = 0

    def reset(self) -> None:
        """Forget everything."""
        self.failure, self._failures, self.retry_at = None, 0, 0.0
