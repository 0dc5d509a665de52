"""Every text a person sees can be translated, and German is complete."""

from __future__ import annotations

import ast
import re
import shutil
import string
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import PySide6
import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QTranslator
from PySide6.QtWidgets import QApplication, QDialogButtonBox

from desktop.servers.status import ServerState
from desktop.state.app_settings import LANGUAGES
from desktop.tray import words
from desktop.tray.translation import language_for, languages, translate_into

ROOT = Path(__file__).parents[2]
TRAY = ROOT / "desktop" / "tray"
TRANSLATIONS = ROOT / "resources" / "translations"
QT = Path(PySide6.__file__).parent
FIELDS = re.compile(r"\{(\w*)\}|%n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text and its translation, in one form or several."""

    context: str
    source: str
    forms: tuple[str, ...]
    plural: bool
    finished: bool


def messages(path: Path) -> list[Message]:
    """What a .ts file has."""
    found = []
    for context in ElementTree.parse(path).getroot().iter("context"):
        for message in context.iter("message"):
            translation = message.find("translation")
            assert translation is not None
            forms = [form.text or "" for form in translation.iter("numerusform")] or [translation.text or ""]
            found.append(
                Message(
                    context=context.findtext("name", ""),
                    source=message.findtext("source", ""),
                    forms=tuple(forms),
                    plural=message.get("numerus") == "yes",
                    finished=translation.get("type") is None,
                )
            )
    return found


def tool(name: str, *arguments: object) -> None:
    """Run one of Qt's tools."""
    program = next(QT.glob(f"{name}*")) if sys.platform != "darwin" else QT / name
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, timeout=60)


@pytest.fixture
def german(qapp: QApplication) -> Iterator[None]:
    before = QLocale()
    translate_into(qapp, "de")
    yield
    for translator in qapp.findChildren(QTranslator):
        qapp.removeTranslator(translator)
        translator.deleteLater()
    QLocale.setDefault(before)


def test_german_is_complete() -> None:
    missing = [message for message in messages(TRANSLATIONS / "mcp-gateway_de.ts") if not message.finished]
    assert missing == [], "translate these in mcp-gateway_de.ts, then run `make translations`"


def test_the_collected_texts_are_those_of_the_program(tmp_path: Path) -> None:
    fresh = Path(shutil.copy(TRANSLATIONS / "mcp-gateway_de.ts", tmp_path))
    tool("lupdate", "-no-obsolete", "-locations", "none", *sorted(TRAY.glob("*.py")), "-ts", fresh)
    now = {(message.context, message.source) for message in messages(fresh)}
    kept = {(message.context, message.source) for message in messages(TRANSLATIONS / "mcp-gateway_de.ts")}
    assert now == kept, "run `make translations`"


def test_what_is_loaded_is_what_was_translated(tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.qm"
    tool("lrelease", TRANSLATIONS / "mcp-gateway_de.ts", "-qm", fresh)
    assert fresh.read_bytes() == (TRANSLATIONS / "mcp-gateway_de.qm").read_bytes(), "run `make translations`"


def test_translations_keep_placeholders_and_tone() -> None:
    for message in messages(TRANSLATIONS / "mcp-gateway_de.ts"):
        wanted = sorted(FIELDS.findall(message.source))
        assert len(message.forms) == (2 if message.plural else 1), message
        for form in message.forms:
            assert sorted(FIELDS.findall(form)) == wanted, message
            assert message.source.endswith("…") == form.endswith("…"), message
            assert message.source.endswith(".") == form.endswith("."), message
            assert "!" not in form, message
            assert "bitte " not in form.lower(), message
            assert form == form.strip(), message


@pytest.mark.usefixtures("german")
def test_states_counts_and_buttons_of_qt_are_german() -> None:
    assert words.state_word(ServerState.NEEDS_SETTING) == "Einstellung fehlt"
    assert [words.calls(count) for count in (0, 1, 2)] == ["0 Aufrufe laufen", "1 Aufruf läuft", "2 Aufrufe laufen"]
    box = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
    assert box.button(QDialogButtonBox.StandardButton.Cancel).text() == "Abbrechen"
    assert words.size(9_200) == "9,2 kB"


def test_every_state_a_person_sees_has_a_translation() -> None:
    contexts = {message.context for message in messages(TRANSLATIONS / "mcp-gateway_de.ts")}
    assert {"ServerState", "ServerKind", "ClientState", "EngineState", "Outcome", "Sharing"} <= contexts


@pytest.mark.parametrize(
    ("chosen", "system", "spoken"),
    [
        ("", "de_AT", "de"),
        ("", "fr_FR", "en"),
        ("", "en_GB", "en"),
        ("de", "en_US", "de"),
        ("en", "de_DE", "en"),
        ("tlh", "de_DE", "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_systems(chosen: str, system: str, spoken: str) -> None:
    assert language_for(chosen, QLocale(system)) == spoken


def test_every_language_there_is_can_be_chosen() -> None:
    assert set(languages()) == set(LANGUAGES) - {""}


def test_english_stays_as_it_is_written(qapp: QApplication) -> None:
    before = QLocale()
    assert translate_into(qapp, "en") == "en"
    QLocale.setDefault(before)
    assert QCoreApplication.translate("Places", "Catalog") == "Catalog"
    assert [words.calls(count) for count in (1, 2)] == ["1 call running", "2 calls running"]


SHOWN = {
    "addAction": 0,
    "addItem": 0,
    "addMenu": 0,
    "addTab": 1,
    "caption": 0,
    "heading": 0,
    "muted": 0,
    "notify": 0,
    "QAction": 0,
    "QCheckBox": 0,
    "QGroupBox": 0,
    "QLabel": 0,
    "QPushButton": 0,
    "QRadioButton": 0,
    "say": 0,
    "setAccessibleDescription": 0,
    "setAccessibleName": 0,
    "setInformativeText": 0,
    "setPlaceholderText": 0,
    "setStatusTip": 0,
    "setText": 0,
    "setTitle": 0,
    "setToolTip": 0,
    "setWindowTitle": 0,
    "showMessage": 0,
    "tool_button": 0,
}
"""Calls whose arguments, from that place on, are shown to a person."""
NAMES = {"English", "Deutsch"}
"""Names that are the same in every language."""


def untranslated(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Literals with words in them that are handed to something that shows them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in SHOWN and "_Counts" not in ast.unparse(node.func):
                for argument in node.args[SHOWN[name] :]:
                    yield from ((node.lineno, text) for text in literals(argument))
        elif isinstance(node, ast.keyword) and node.arg in {"title", "word", "note", "about", "text"}:
            yield from ((node.value.lineno, text) for text in literals(node.value))


def literals(node: ast.AST) -> Iterator[str]:
    """Constant words in an expression, except where it calls something."""
    match node:
        case ast.Constant(value=str(text)):
            if any(letter in string.ascii_letters for letter in text) and text not in NAMES and text[0] != "#":
                yield text
        case ast.JoinedStr(values=parts):
            for part in parts:
                yield from literals(part)
        case ast.IfExp(body=first, orelse=second):
            yield from literals(first)
            yield from literals(second)
        case ast.BinOp(left=first, right=second):
            yield from literals(first)
            yield from literals(second)


def test_no_text_is_shown_without_being_translated() -> None:
    found = [
        f"{path.name}:{line}: {text}"
        for path in sorted(TRAY.glob("*.py"))
        for line, text in untranslated(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_untranslated_texts_would_be_found() -> None:
    tree = ast.parse(
        'button.setText(f"{count} things" if count else "")\nQLabel("Hello")\nlabel.setText(self.tr("Fine"))'
    )
    assert [text for _line, text in untranslated(tree)] == [" things", "Hello"]


def test_texts_are_not_put_together_before_they_are_translated() -> None:
    """A text that is not one literal is never collected, so it could never be translated."""
    for path in sorted(TRAY.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                where = {"tr": 0, "translate": 1}.get(name)
                if where is not None:
                    assert isinstance(node.args[where], ast.Constant), f"{path.name}:{node.lineno}"


def asked_for(node: ast.AST, owner: str = "") -> Iterator[tuple[str, str]]:
    """The context and the text of each translation that code asks for; `tr` takes the class it stands in."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Call(func=ast.Attribute(attr="tr"), args=[ast.Constant(value=str(text)), *_]):
                yield owner, text
            case ast.Call(
                func=ast.Attribute(attr="translate") | ast.Name(id="translate"),
                args=[ast.Constant(value=str(context)), ast.Constant(value=str(text)), *_],
            ):
                yield context, text
        yield from asked_for(child, child.name if isinstance(child, ast.ClassDef) else owner)


def test_every_text_asked_for_was_collected() -> None:
    """Qt's tool does not look into f-strings: what is asked for in there stays English."""
    kept = {(message.context, message.source) for message in messages(TRANSLATIONS / "mcp-gateway_de.ts")}
    for path in sorted(TRAY.glob("*.py")):
        asked = set(asked_for(ast.parse(path.read_text(encoding="utf-8"))))
        assert asked <= kept, f"{path.name}: ask for these outside f-strings: {sorted(asked - kept)}"
