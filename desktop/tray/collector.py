"""Python's cyclic garbage, collected on the interface's thread alone.

The gateway runs on another thread. A collection there would delete what is left of windows and menus there, and Qt does not
survive that. So collections don't come by themselves while the interface is up, but by a timer of its own.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer

__all__ = ["Collector"]

INTERVAL = 1_000
"""Milliseconds between two looks; a collection of the youngest objects takes well under one."""


class Collector(QObject):
    """Takes collections over from the interpreter until `close`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def close(self) -> None:
        """Give them back."""
        self._timer.stop()
        gc.enable()

    def _look(self) -> None:
        """Collect the oldest generation that is due, by the interpreter's own thresholds."""
        for generation, (count, threshold) in reversed(
            list(enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True)))
        ):
            if count > threshold:
                gc.collect(generation)
                return
