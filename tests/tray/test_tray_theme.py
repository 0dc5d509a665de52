"""Colours are legible and drawings are sharp, in every look."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from desktop.servers.status import ServerState
from desktop.tray import artwork
from desktop.tray.icon import INKS, PanelTone, TrayState, panel_tone, tray_icon
from desktop.tray.theme import DARK, DARK_CONTRAST, LIGHT, LIGHT_CONTRAST, Look, Theme, Tokens, contrast, state_colour

ALL = (LIGHT, DARK, LIGHT_CONTRAST, DARK_CONTRAST)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1.0


@pytest.mark.parametrize("tokens", ALL)
def test_text_and_state_words_are_legible_on_every_ground(tokens: Tokens) -> None:
    grounds = (tokens.background, tokens.surface, tokens.raised, tokens.hover, tokens.selection)
    inks = [tokens.text, tokens.muted, tokens.accent, *(state_colour(tokens, state) for state in ServerState)]
    for ground in grounds:
        for ink in inks:
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5


@pytest.mark.parametrize("tokens", ALL)
def test_edges_of_controls_stand_out(tokens: Tokens) -> None:
    assert contrast(tokens.strong_border, tokens.surface) >= 3
    assert contrast(tokens.strong_border, tokens.background) >= 3


def test_the_high_contrast_sets_go_further() -> None:
    for tokens in (LIGHT_CONTRAST, DARK_CONTRAST):
        assert contrast(tokens.text, tokens.surface) >= 15
        assert contrast(tokens.muted, tokens.surface) >= 7


def test_all_tokens_are_colours() -> None:
    for tokens in ALL:
        for field in fields(tokens):
            if field.name != "dark":
                assert QColor(getattr(tokens, field.name)).isValid()


def test_the_tray_icon_is_legible_on_its_panel() -> None:
    line, accent, warn = INKS[PanelTone.UNKNOWN]
    for panel in ("#FFFFFF", "#000000", "#F0F0F0", "#2B2B2B"):
        assert contrast(line, panel) >= 3
        assert contrast(warn, panel) >= 3
        assert contrast(accent, panel) >= 3
    assert all(contrast(ink, "#F0F0F0") >= 4.5 for ink in INKS[PanelTone.LIGHT])
    assert all(contrast(ink, "#202020") >= 4.5 for ink in INKS[PanelTone.DARK])


def test_a_theme_changes_palette_and_tells_it(qapp: QApplication) -> None:
    theme = Theme(qapp, Look.LIGHT)
    told: list[Tokens] = []
    theme.changed.connect(lambda: told.append(theme.tokens))
    theme.set_look(Look.DARK)
    assert told == [DARK]
    assert qapp.palette().window().color() == QColor(DARK.background)
    theme.set_look(Look.DARK)
    assert told == [DARK]
    theme.set_look(Look.LIGHT)
    assert qapp.palette().window().color() == QColor(LIGHT.background)


def test_every_drawing_is_a_sound_svg(qapp: QApplication) -> None:
    drawings = sorted(artwork.icons_directory().glob("*.svg"))
    assert {f"state-{state.value.replace(' ', '-')}" for state in ServerState} <= {path.stem for path in drawings}
    for path in drawings:
        assert QSvgRenderer(str(path)).isValid(), path.name


def test_states_differ_by_shape_and_not_only_by_colour(qapp: QApplication) -> None:
    shapes = [
        _shape(artwork.pixmap(artwork.state_drawing(state), 16, QColor("black")).toImage()) for state in ServerState
    ]
    assert len(set(shapes)) == len(ServerState)
    icons = [_shape(tray_icon(state, PanelTone.MASK).pixmap(16, 16).toImage()) for state in TrayState]
    assert len(set(icons)) == len(TrayState)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("size", [16, 22, 24, 32])
def test_the_tray_icon_is_not_scaled_up(qapp: QApplication, size: int, ratio: float) -> None:
    icon = tray_icon(TrayState.OK, PanelTone.DARK)
    assert icon.pixmap(QSize(size, size), ratio).size() == QSize(size, size) * ratio


def test_the_panel_of_gnome_is_dark_and_others_may_be_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    assert panel_tone(False) is PanelTone.DARK
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "KDE")
    assert panel_tone(False) is PanelTone.LIGHT
    assert panel_tone(True) is PanelTone.DARK
    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "XFCE")
    assert panel_tone(True) is PanelTone.UNKNOWN
    monkeypatch.setattr("sys.platform", "darwin")
    assert panel_tone(True) is PanelTone.MASK


def test_icons_are_found_in_a_frozen_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    icons = tmp_path / "resources" / "icons"
    icons.mkdir(parents=True)
    (icons / "app.svg").write_text("<svg/>", encoding="utf-8")
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)
    artwork.icons_directory.cache_clear()
    try:
        assert artwork.icons_directory() == icons
    finally:
        artwork.icons_directory.cache_clear()


def _shape(image: QImage) -> bytes:
    alpha = image.convertToFormat(QImage.Format.Format_Alpha8)
    return bytes(alpha.constBits())
