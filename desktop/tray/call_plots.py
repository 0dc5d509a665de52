"""Three small plots over the last hour: calls, errors, and how long calls took."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStyle, QWidget

from desktop.activity.record import Span
from desktop.tray import words
from desktop.tray.theme import Theme

__all__ = ["CallPlots"]

PADDING = 12


class CallPlots(QWidget):
    """The plots side by side."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._calls = _Plot(theme, self.tr("Calls"), lambda span: float(span.calls), "accent")
        self._errors = _Plot(theme, self.tr("Errors"), lambda span: float(span.errors), "bad")
        self._times = _Plot(theme, self.tr("Slow calls took"), lambda span: span.slow, "ok", words.took)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for plot in (self._calls, self._errors, self._times):
            row.addWidget(plot)

    def show_spans(self, spans: Sequence[Span]) -> None:
        """Draw these pieces of time, oldest first."""
        total = sum(span.calls for span in spans)
        errors = sum(span.errors for span in spans)
        slowest = max((span.slow for span in spans), default=0.0)
        hour = self.tr("in the last hour")
        self._calls.show_spans(spans, f"{total:,}", hour)
        self._errors.show_spans(spans, f"{errors:,}", hour)
        self._times.show_spans(spans, words.took(slowest) if total else "–", self.tr("at most, in the last hour"))


class _Plot(QWidget):
    """One value over time, as an area under a line."""

    def __init__(
        self,
        theme: Theme,
        title: str,
        value: Callable[[Span], float],
        shade: str,
        told: Callable[[float], str] = lambda value: f"{value:,.0f}",
    ) -> None:
        super().__init__()
        self._theme = theme
        self._title = title
        self._value = value
        self._shade = shade
        self._told = told
        self._spans: Sequence[Span] = ()
        self._number = ""
        self._unit = ""
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def show_spans(self, spans: Sequence[Span], number: str, unit: str) -> None:
        """Draw them, under a number."""
        self._spans, self._number, self._unit = spans, number, unit
        self.setAccessibleDescription(f"{number} {unit}")
        self.setToolTip(f"{self._title}: {number} {unit}")
        self.update()

    def sizeHint(self) -> QSize:
        """Two lines of text over a strip."""
        return QSize(160, self.fontMetrics().height() * 4 + 2 * PADDING)

    def minimumSizeHint(self) -> QSize:
        """May become narrow."""
        return QSize(96, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(card, 8, 8)
        metrics = self.fontMetrics()
        inner = self.rect().adjusted(PADDING, PADDING - 2, -PADDING, -PADDING)
        start = Qt.AlignmentFlag.AlignTop | QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignLeft)
        end = Qt.AlignmentFlag.AlignTop | QStyle.visualAlignment(self.layoutDirection(), Qt.AlignmentFlag.AlignRight)
        painter.setPen(QColor(tokens.muted))
        room = inner.width() - metrics.horizontalAdvance(self._number) - 12
        painter.drawText(inner, int(start), words.elided_to(self._title, metrics, room))
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text))
        painter.drawText(inner, int(end), self._number)
        self._draw_line(painter, QRectF(inner.adjusted(0, metrics.height() + 8, 0, 0)))

    def _draw_line(self, painter: QPainter, strip: QRectF) -> None:
        tokens = self._theme.tokens
        values = [self._value(span) for span in self._spans]
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.drawLine(strip.bottomLeft(), strip.bottomRight())
        if len(values) < 2 or not any(values):
            return
        if self.layoutDirection() is Qt.LayoutDirection.RightToLeft:
            values.reverse()
        top = max(values)
        step = strip.width() / (len(values) - 1)
        points = [
            QPointF(strip.left() + number * step, strip.bottom() - value / top * (strip.height() - 2))
            for number, value in enumerate(values)
        ]
        colour = QColor(getattr(tokens, self._shade))
        fill = QColor(colour)
        fill.setAlphaF(0.16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF([*points, strip.bottomRight(), strip.bottomLeft()]))
        painter.setPen(QPen(colour, 1.5))
        painter.drawPolyline(QPolygonF(points))
