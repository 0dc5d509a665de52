"""A typed event stream: services publish frozen dataclasses, faces (tray, command line) subscribe."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["EventStream"]

E = TypeVar("E")
log = logging.getLogger(__name__)


class EventStream(Generic[E]):
    """Delivers each published event to every subscriber, in the order of publication, on the publisher's thread.

    All services live on one event loop and publish there only; a subscriber that lives elsewhere (Qt on another thread)
    has to hand the event over by itself. A subscriber that raises is logged and does not disturb the others.
    """

    def __init__(self) -> None:
        self._subscribers: list[Callable[[E], None]] = []

    def subscribe(self, callback: Callable[[E], None]) -> Callable[[], None]:
        """Add a subscriber; returns the function that takes it away again (safe to call twice)."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def publish(self, event: E) -> None:
        """Hand ``event`` to every subscriber now."""
        for callback in tuple(self._subscribers):
            try:
                callback(event)
            except Exception:
                log.exception("an event subscriber failed on %r", event)
