"""A server's settings and secrets are entered in a form made from its schema, and nothing else of them is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QWidget

from desktop.errors import UsageError
from desktop.host import SecretNeed
from desktop.tray.actions import Actions
from desktop.tray.schema_fields import ObjectField
from desktop.tray.server_settings_dialog import ServerSettingsDialog
from desktop.tray.theme import Theme
from tests.helpers.fake_host import FakeHost
from tests.tray.conftest import Run

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["paths"],
    "properties": {
        "paths": {"type": "array", "items": {"type": "string"}, "description": "Folders it may see"},
        "level": {"type": "string", "enum": ["read", "write"], "default": "read"},
        "limit": {"type": "integer", "default": 100},
        "share": {"type": "number"},
        "threads": {"type": "boolean", "default": True},
        "jira": {"type": "object", "properties": {"url": {"type": "string"}, "port": {"type": "integer"}}},
        "odd": {"description": "says nothing of its type"},
    },
}


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def form(qapp: QApplication) -> Iterator[ObjectField]:
    made = ObjectField(SCHEMA)
    yield made
    made.widget.deleteLater()


def part(form: ObjectField, name: str, kind: type[QWidget]) -> Any:
    widget = form.fields[name].widget
    assert isinstance(widget, kind)
    return widget


def test_nothing_entered_is_nothing_set(form: ObjectField) -> None:
    form.set_value({})
    assert form.value() is None


def test_each_type_has_its_field_and_gives_its_type_back(form: ObjectField) -> None:
    form.set_value({})
    part(form, "paths", QPlainTextEdit).setPlainText(" /a \n\n/b c\n")
    part(form, "level", QComboBox).setCurrentText("write")
    part(form, "limit", QLineEdit).setText("7")
    part(form, "share", QLineEdit).setText("0.5")
    part(form, "threads", QCheckBox).setChecked(False)
    part(form, "odd", QLineEdit).setText("text")
    jira = form.fields["jira"]
    assert isinstance(jira, ObjectField)
    part(jira, "port", QLineEdit).setText("8080")
    assert form.value() == {
        "paths": ["/a", "/b c"],
        "level": "write",
        "limit": 7,
        "share": 0.5,
        "threads": False,
        "odd": "text",
        "jira": {"port": 8080},
    }


def test_a_default_is_shown_and_not_written(form: ObjectField) -> None:
    form.set_value({})
    assert part(form, "limit", QLineEdit).placeholderText() == "100"
    assert part(form, "threads", QCheckBox).isChecked()
    assert "read" in part(form, "level", QComboBox).currentText()


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "paths": st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1), min_size=1),
        "level": st.sampled_from(["read", "write", "of another version"]),
        "limit": st.integers(-(2**31), 2**31 - 1),
        "share": st.floats(allow_nan=False, allow_infinity=False, width=32),
        "threads": st.booleans(),
        "jira": st.fixed_dictionaries(
            {}, optional={"url": st.just("https://x"), "port": st.just(1), "more": st.just(2)}
        ),
        "odd": st.one_of(st.just("text"), st.just(["a", {"b": 1}]), st.just({"c": None})),
        "unknown to the schema": st.one_of(st.none(), st.integers(), st.just({"deep": [1]})),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=VALUES)
def test_what_is_shown_and_not_touched_is_kept_as_it_was(qapp: QApplication, values: dict[str, Any]) -> None:
    made = ObjectField(SCHEMA)
    made.set_value(values)
    given_back = made.value() or {}
    made.widget.deleteLater()
    assert given_back == {name: value for name, value in values.items() if value != {}}


def lines(dialog: ServerSettingsDialog) -> dict[str, QLineEdit]:
    return {line.accessibleName(): line for line in dialog.findChildren(QLineEdit) if line.accessibleName()}


def test_the_dialog_saves_settings_and_only_the_secrets_that_were_typed(
    run: Run, host: FakeHost, actions: Actions, theme: Theme
) -> None:
    host.settings_desk.schemas["slack"] = SCHEMA
    host.settings_desk.values["slack"] = {"limit": 5, "kept": "as it is"}
    host.secrets["slack"] = (
        SecretNeed(name="slack.bot_token", variable="SLACK_BOT_TOKEN", about="From your app's page"),
        SecretNeed(name="slack.team", variable="SLACK_TEAM", is_required=False, is_set=True),
    )

    async def story() -> None:
        parent = QWidget()
        actions.edit_settings("slack", theme, parent)
        await until(lambda: parent.findChild(ServerSettingsDialog))
        dialog = parent.findChild(ServerSettingsDialog)
        assert dialog is not None
        fields = lines(dialog)
        assert fields["SLACK_BOT_TOKEN"].echoMode() is QLineEdit.EchoMode.Password
        assert fields["SLACK_TEAM"].placeholderText() == "set; type to replace it"
        assert "From your app's page" in [label.text() for label in dialog.findChildren(QLabel)]
        fields["SLACK_BOT_TOKEN"].setText(" xoxb-1\n")
        fields["limit"].setText("9")
        dialog.save.click()
        await until(lambda: "slack" in host.settings_desk.values and host.settings_desk.values["slack"]["limit"] == 9)
        assert ("write_settings", "slack", {"limit": 9, "kept": "as it is"}, ("slack.bot_token",)) in host.calls
        assert ("set_secret", "slack.bot_token", "xoxb-1") in host.calls
        await until(lambda: not parent.findChildren(ServerSettingsDialog))
        parent.deleteLater()

    run(story())


def test_what_can_not_be_saved_stays_entered_with_the_reason(
    run: Run, host: FakeHost, actions: Actions, theme: Theme
) -> None:
    host.settings_desk.schemas["slack"] = SCHEMA
    host.settings_desk.refusal = UsageError("Slack can't be set like this: paths is missing")

    async def story() -> None:
        parent = QWidget()
        actions.edit_settings("slack", theme, parent)
        await until(lambda: parent.findChild(ServerSettingsDialog))
        dialog = parent.findChild(ServerSettingsDialog)
        assert dialog is not None
        lines(dialog)["limit"].setText("3")
        dialog.save.click()
        await until(lambda: "paths is missing." in dialog._problem.text())
        assert dialog.isVisible()
        assert dialog.save.isEnabled()
        assert lines(dialog)["limit"].text() == "3"
        dialog.reject()
        parent.deleteLater()

    run(story())


def test_a_server_without_settings_says_so(run: Run, host: FakeHost, actions: Actions, theme: Theme) -> None:
    async def story() -> None:
        parent = QWidget()
        actions.edit_settings("time", theme, parent)
        await until(lambda: parent.findChild(ServerSettingsDialog))
        dialog = parent.findChild(ServerSettingsDialog)
        assert dialog is not None
        assert "There is nothing to set for this server." in [label.text() for label in dialog.findChildren(QLabel)]
        dialog.reject()
        parent.deleteLater()

    run(story())
