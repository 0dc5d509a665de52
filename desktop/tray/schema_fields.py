"""Fields for the settings of a server, made from the JSON schema of its catalog entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from PySide6.QtCore import QCoreApplication, QLocale
from PySide6.QtGui import QDoubleValidator, QIntValidator
from PySide6.QtWidgets import QCheckBox, QComboBox, QGroupBox, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from desktop.tray.parts import caption, muted

__all__ = ["Field", "ObjectField", "field_for"]

LINES = 3
UNSET: Any = None


class Field(Protocol):
    """One setting on the screen."""

    @property
    def widget(self) -> QWidget:
        """What is shown."""

    def value(self) -> Any:
        """What was entered, in the schema's type; None when nothing was."""

    def set_value(self, value: Any) -> None:
        """Show a value."""


class ObjectField:
    """The properties of an object, one below the other.

    Args:
        schema: Its schema.
        title: A heading, or empty for the outermost.
    """

    def __init__(self, schema: Mapping[str, Any], title: str = "") -> None:
        self.widget: QWidget = QGroupBox(title) if title else QWidget()
        self._fields: dict[str, Field] = {}
        self._unknown: dict[str, Any] = {}
        column = QVBoxLayout(self.widget)
        column.setContentsMargins(0 if not title else 12, 0 if not title else 8, 0 if not title else 12, 8)
        column.setSpacing(4)
        required = set(schema.get("required") or ())
        properties = schema.get("properties")
        for name, inner in properties.items() if isinstance(properties, Mapping) else ():
            if not isinstance(inner, Mapping):
                continue
            made = self._fields[str(name)] = field_for(inner, str(name))
            if not isinstance(made, ObjectField) and not isinstance(made.widget, QCheckBox):
                label = str(name)
                if name in required:
                    label += "  · " + QCoreApplication.translate("ServerSettings", "required")
                named = caption(label)
                named.setBuddy(made.widget)
                column.addWidget(named)
            column.addWidget(made.widget)
            about = str(inner.get("description") or "").strip()
            if about:
                words = muted(" ".join(about.split()))
                words.setWordWrap(True)
                column.addWidget(words)
                made.widget.setAccessibleDescription(about)
            column.addSpacing(8)

    @property
    def fields(self) -> Mapping[str, Field]:
        """The fields by property."""
        return self._fields

    def value(self) -> Any:
        """What was entered; values of properties the schema doesn't name are kept."""
        entered = {name: value for name, field in self._fields.items() if (value := field.value()) is not UNSET}
        whole = {**self._unknown, **entered}
        return whole or UNSET

    def set_value(self, value: Any) -> None:
        """Show values."""
        given = dict(value) if isinstance(value, Mapping) else {}
        for name, field in self._fields.items():
            field.set_value(given.pop(name, UNSET))
        self._unknown = given


class _Text:
    """A line of text; also what a schema says nothing of."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.widget: QWidget = QLineEdit()
        self._line = self.widget
        assert isinstance(self._line, QLineEdit)
        default = schema.get("default")
        shown = schema.get("placeholder") or (default if isinstance(default, (str, int, float)) else "")
        self._line.setPlaceholderText(str(shown))
        self._kept: Any = UNSET

    def value(self) -> Any:
        """The text, or a value that can't be shown as one line and was left alone."""
        assert isinstance(self._line, QLineEdit)
        return self._line.text() or self._kept

    def set_value(self, value: Any) -> None:
        """Show it."""
        assert isinstance(self._line, QLineEdit)
        self._kept = value if isinstance(value, (list, dict)) else UNSET
        self._line.setText("" if value is None or isinstance(value, (list, dict)) else str(value))


class _Number(_Text):
    """A whole or a decimal number; what is no number is given back as the text it is, for the schema to complain of."""

    def __init__(self, schema: Mapping[str, Any], *, whole: bool) -> None:
        super().__init__(schema)
        assert isinstance(self.widget, QLineEdit)
        self._whole = whole
        validator = QIntValidator(self.widget) if whole else QDoubleValidator(self.widget)
        validator.setLocale(QLocale.c())
        self.widget.setValidator(validator)

    def value(self) -> Any:
        """The number."""
        text = super().value()
        if not isinstance(text, str):
            return text
        try:
            return int(text) if self._whole else float(text)
        except ValueError:
            return text


class _Switch:
    """Yes or no."""

    def __init__(self, schema: Mapping[str, Any], name: str) -> None:
        self.widget: QWidget = QCheckBox(name)
        self._default = bool(schema.get("default"))
        self._given = False

    def value(self) -> Any:
        """Whether it is on; nothing where it stands as it does without being set."""
        assert isinstance(self.widget, QCheckBox)
        on = self.widget.isChecked()
        return on if self._given or on is not self._default else UNSET

    def set_value(self, value: Any) -> None:
        """Show it."""
        assert isinstance(self.widget, QCheckBox)
        self._given = value is not UNSET
        self.widget.setChecked(self._default if value is UNSET else bool(value))


class _Choice:
    """One of several values."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.widget: QWidget = QComboBox()
        box = self.widget
        assert isinstance(box, QComboBox)
        self._values: list[Any] = [UNSET, *schema["enum"]]
        default = schema.get("default")
        nothing = QCoreApplication.translate("ServerSettings", "not set")
        box.addItem(nothing if default is None else f"{nothing} ({default})")
        box.addItems([str(value) for value in schema["enum"]])

    def value(self) -> Any:
        """The chosen one."""
        assert isinstance(self.widget, QComboBox)
        return self._values[self.widget.currentIndex()]

    def set_value(self, value: Any) -> None:
        """Choose it; one that isn't among them is added, so that it isn't lost."""
        assert isinstance(self.widget, QComboBox)
        if value not in self._values:
            self._values.append(value)
            self.widget.addItem(str(value))
        self.widget.setCurrentIndex(self._values.index(value))


class _Lines:
    """Several texts, one a line."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.widget: QWidget = QPlainTextEdit()
        text = self.widget
        assert isinstance(text, QPlainTextEdit)
        items = schema.get("items")
        self._kind = items.get("type") if isinstance(items, Mapping) else "string"
        text.setObjectName("entry")
        text.setTabChangesFocus(True)
        text.setFixedHeight(text.fontMetrics().lineSpacing() * LINES + 14)
        default = schema.get("default")
        hint = QCoreApplication.translate("ServerSettings", "one a line")
        text.setPlaceholderText("\n".join(map(str, default)) if isinstance(default, list) and default else hint)

    def value(self) -> Any:
        """The lines that say something."""
        assert isinstance(self.widget, QPlainTextEdit)
        lines = [line.strip() for line in self.widget.toPlainText().splitlines() if line.strip()]
        return [_item(line, self._kind) for line in lines] or UNSET

    def set_value(self, value: Any) -> None:
        """Show them."""
        assert isinstance(self.widget, QPlainTextEdit)
        items = value if isinstance(value, list) else [] if value is None else [value]
        self.widget.setPlainText("\n".join(map(str, items)))


def field_for(schema: Mapping[str, Any], name: str) -> Field:
    """The field that suits a property's schema."""
    kind = schema.get("type")
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        made: Field = _Choice(schema)
    elif kind == "boolean":
        made = _Switch(schema, name)
    elif kind == "object" and schema.get("properties"):
        return ObjectField(schema, name)
    elif kind == "array":
        made = _Lines(schema)
    elif kind in ("integer", "number"):
        made = _Number(schema, whole=kind == "integer")
    else:
        made = _Text(schema)
    made.widget.setAccessibleName(name)
    return made


def _item(text: str, kind: Any) -> Any:
    try:
        return int(text) if kind == "integer" else float(text) if kind == "number" else text
    except ValueError:
        return text
