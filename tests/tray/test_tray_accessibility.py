"""Keyboard, screen reader and weak eyes: all places and windows can be used by all of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from desktop.tray.actions import Actions
from desktop.tray.bridge import Bridge
from desktop.tray.focus import keep_focus_in_view
from desktop.tray.main_window import MainWindow
from desktop.tray.theme import (
    DARK,
    DARK_CONTRAST,
    LIGHT,
    LIGHT_CONTRAST,
    Look,
    Theme,
    Tokens,
    contrast,
    style_sheet,
)
from tests.helpers.fake_host import FakeHost
from tests.tray.conftest import Run
from tests.tray.tour import PLACES, WINDOWS, Stage

CONTROLS = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView, QPlainTextEdit, QTextEdit)
WHOLES = (QLineEdit, QComboBox, QAbstractSpinBox, QHeaderView, QScrollBar)
"""Widgets whose inner parts are no controls of their own."""
STEPS = 80
EVERYTHING = [*PLACES, *WINDOWS]


@pytest.fixture
def stage(
    run: Run,
    window: MainWindow,
    host: FakeHost,
    bridge: Bridge,
    actions: Actions,
    theme: Theme,
    qtbot: QtBot,
    qapp: QApplication,
) -> Iterator[Stage]:
    stage = Stage(window=window, host=host, bridge=bridge, actions=actions, theme=theme, run=run)
    stage.furnish()
    keep_focus_in_view(qapp)
    window.resize(1040, 680)
    with qtbot.waitExposed(window):
        window.show()
    yield stage
    qapp.focusChanged.disconnect()


@pytest.fixture
def shown(stage: Stage, request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[QWidget]:
    """The window of the place or the window named by the test's parameter, with the focus."""
    name = request.param
    widget = stage.visit(name) if name in PLACES else WINDOWS[name](stage)
    widget.activateWindow()
    qtbot.waitUntil(lambda: QApplication.activeWindow() is widget)
    yield widget
    stage.close(widget)


def controls(root: QWidget) -> list[QWidget]:
    """What a person can use in a window now."""
    found = []
    for widget in root.findChildren(QWidget):
        if not isinstance(widget, CONTROLS) or not widget.isVisible() or not widget.isEnabled():
            continue
        if widget.window() is not root:
            continue
        parent = widget.parentWidget()
        while parent is not None and not isinstance(parent, WHOLES):
            parent = parent.parentWidget()
        if parent is None and not isinstance(widget, QHeaderView):
            found.append(widget)
    return found


def focusable(root: QWidget) -> list[QWidget]:
    return [widget for widget in controls(root) if widget.focusPolicy() & Qt.FocusPolicy.TabFocus]


def name_of(widget: QWidget) -> str:
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name).strip() if interface is not None else ""


def told(widget: QWidget) -> str:
    """Which widget it is, for the person who reads the failure."""
    return f"{type(widget).__name__} {name_of(widget) or widget.objectName() or '(no name)'!r}"


def walk(root: QWidget, key: Qt.Key) -> list[QWidget]:
    """Press a key until the focus has come round; the widgets it was on, in order."""
    QTest.keyClick(root.focusWidget() or root, key)
    first = root.focusWidget()
    assert first is not None, "nothing can be reached"
    order = [first]
    for _ in range(STEPS):
        before = root.focusWidget()
        QTest.keyClick(before, key)
        now = root.focusWidget()
        if now is before and len(focusable(root)) > 1:
            pytest.fail(f"the focus can't leave {told(before)}")
        if now is first:
            return order
        order.append(now)
    pytest.fail(f"the focus does not come round, it goes {[told(widget) for widget in order[-6:]]}")


def of_groups(reached: list[QWidget]) -> set[QWidget]:
    """Buttons of which only the chosen one is reached by Tab, and the arrow keys reach the others."""
    found: set[QWidget] = set()
    for widget in reached:
        group = widget.group() if isinstance(widget, QAbstractButton) else None
        if group is None or not group.exclusive():
            continue
        chosen = group.checkedButton()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Up):
            for _ in group.buttons():
                now = widget.window().focusWidget()
                if now in group.buttons():
                    QTest.keyClick(now, key)
                    found.add(widget.window().focusWidget())
        if chosen is not None:
            chosen.click()
            chosen.setFocus(Qt.FocusReason.TabFocusReason)
    return found


def walked_from_elsewhere(views: set[QWidget], reached: list[QWidget]) -> set[QWidget]:
    """Lists whose rows are chosen by the arrow keys while the focus stays in a field."""
    found: set[QWidget] = set()
    for view in views:
        if isinstance(view, QAbstractItemView):
            for field in reached:
                before = view.currentIndex().row()
                if isinstance(field, QLineEdit):
                    QTest.keyClick(field, Qt.Key.Key_Down)
                if view.currentIndex().row() != before:
                    found.add(view)
    return found


@pytest.mark.parametrize("shown", EVERYTHING, indirect=True)
def test_the_keyboard_reaches_every_control_and_none_holds_it(shown: QWidget, stage: Stage) -> None:
    wanted = controls(shown)
    reached = stage.within(lambda: walk(shown, Qt.Key.Key_Tab))
    assert set(stage.within(lambda: walk(shown, Qt.Key.Key_Backtab))) == set(reached)
    missed = set(wanted) - set(reached) - stage.within(lambda: of_groups(reached))
    missed -= stage.within(lambda: walked_from_elsewhere(missed, reached))
    assert sorted(map(told, missed)) == []


@pytest.mark.parametrize("shown", EVERYTHING, indirect=True)
def test_every_control_and_row_has_a_name_for_screen_readers(shown: QWidget) -> None:
    for widget in controls(shown):
        assert name_of(widget), told(widget)
        if isinstance(widget, QAbstractItemView) and widget.model() is not None and widget.model().rowCount():
            index = widget.model().index(0, 0)
            spoken = index.data(Qt.ItemDataRole.AccessibleTextRole) or index.data(Qt.ItemDataRole.DisplayRole)
            assert str(spoken or "").strip(), told(widget)
    assert shown.windowTitle()


@pytest.mark.parametrize("look", [Look.LIGHT, Look.DARK])
@pytest.mark.parametrize("shown", EVERYTHING, indirect=True)
def test_the_focus_can_be_seen_on_every_control(shown: QWidget, stage: Stage, look: Look) -> None:
    stage.theme.set_look(look)
    QApplication.processEvents()
    reached = stage.within(lambda: walk(shown, Qt.Key.Key_Tab))  # the first time round, panes open and are laid out
    assert stage.within(lambda: unmarked(shown, reached)) == []


def unmarked(shown: QWidget, reached: list[QWidget]) -> list[str]:
    """The widgets that look the same with the focus and without it."""
    before = picture(shown)
    unseen = []
    for _ in reached if len(reached) > 1 else ():
        QTest.keyClick(shown.focusWidget(), Qt.Key.Key_Tab)
        now = picture(shown)
        widget = shown.focusWidget()
        place = QRect(widget.mapTo(shown, widget.rect().topLeft()), widget.size()).adjusted(-3, -3, 3, 3)
        if changed(before.copy(place), now.copy(place)) < min(place.width(), 40):
            unseen.append(told(widget))
        before = now
    return unseen


def picture(root: QWidget) -> QImage:
    return root.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)


def changed(before: QImage, now: QImage) -> int:
    """How many pixels differ so much that one sees it (3:1, as WCAG 2.2 asks of a focus mark)."""
    pairs = Counter(
        (old, new)
        for old, new in zip(
            memoryview(before.constBits()).cast("I"), memoryview(now.constBits()).cast("I"), strict=True
        )
        if old != new
    )
    return sum(count for (old, new), count in pairs.items() if contrast(_colour(old), _colour(new)) >= 3)


def _colour(pixel: int) -> str:
    return f"#{pixel & 0xFFFFFF:06x}"


RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
EDGED = ("QPushButton", "QToolButton#boxed", "QLineEdit", "QComboBox", "QSpinBox", "QCheckBox::indicator", "#entry")


def declarations(tokens: Tokens) -> Iterator[tuple[str, dict[str, str]]]:
    """The rules of the style sheet, one selector each."""
    for selectors, body in RULE.findall(style_sheet(tokens)):
        pairs = (item.partition(":") for item in body.split(";") if ":" in item)
        values = {name.strip(): value.strip() for name, _, value in pairs}
        for selector in selectors.split(","):
            yield selector.strip(), values


@pytest.mark.parametrize("tokens", [LIGHT, DARK, LIGHT_CONTRAST, DARK_CONTRAST])
def test_every_rule_of_the_style_sheet_is_legible(tokens: Tokens) -> None:
    grounds = (tokens.background, tokens.surface, tokens.raised)
    checked = 0
    for selector, values in declarations(tokens):
        for ink, ground in (("color", "background"), ("selection-color", "selection-background-color")):
            if ink in values:
                own = values.get(ground, "transparent")
                for behind in grounds if own == "transparent" else (own,):
                    assert contrast(values[ink], behind) >= 4.5, (selector, values[ink], behind)
                    checked += 1
    assert checked > 20


@pytest.mark.parametrize("tokens", [LIGHT, DARK, LIGHT_CONTRAST, DARK_CONTRAST])
def test_edges_of_controls_and_focus_marks_stand_out_in_every_rule(tokens: Tokens) -> None:
    grounds = (tokens.background, tokens.surface, tokens.raised)
    checked = 0
    for selector, values in declarations(tokens):
        edge = values.get("border-color") or values.get("border", "none").rpartition(" ")[2]
        if edge in ("none", "transparent") or ":disabled" in selector:
            continue
        if "QAbstractItemView" in selector:
            continue  # the edge of a list that drops down is no control's
        if ":focus" in selector or any(selector.startswith(name) or name in selector for name in EDGED):
            for ground in grounds:
                seen = contrast(edge, ground) >= 3 or contrast(values.get("background", ground), ground) >= 3
                assert seen, (selector, edge, ground)
                checked += 1
    assert checked > 20
