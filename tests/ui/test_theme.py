"""Colours with enough contrast, sizes that follow the zoom, schemes that follow the system."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFontInfo, QGuiApplication
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

import app.ui.theme as theme_module
from app.core.paths import resource_path
from app.ui.application_style import fill_style_sheet
from app.ui.inside.flow import blended
from app.ui.inside.tokens import GROUNDS as UNSURE_SHARES
from app.ui.theme import DARK, FONTS, HIGH_DARK, HIGH_LIGHT, LIGHT, LateTheme, Theme, Tokens
from app.ui.widgets.buttons import text_button

UI = Path(theme_module.__file__).parent
OWN_SIZES = {
    "document/document_look.py",
    "inside/maps.py",
    "summarize/statement_ground.py",
    "summarize/statement_text.py",
    "text/prose.py",
    "text/text_view.py",
    "translate/mark_chips.py",
    "translate/row_layout.py",
    "translate/segment_layout.py",
    "write/page_edit.py",
}
GROUNDS = ("background", "sidebar", "surface", "raised", "bubble")
WORDS = (
    "text", "title", "muted", "accent", "danger", "success", "warning",
    "code_keyword", "code_string", "code_comment", "code_number", "code_name",
)  # fmt: skip
MEETING_GROUNDS = (*GROUNDS, "code", "chip", "written")
"""Any words may stand on these; on selected and on marked letters only `text` does, and `muted` in a chosen row."""
TEXT_ON = [
    *[(words, ground) for words in WORDS for ground in MEETING_GROUNDS],
    *[("text", ground) for ground in ("selection", "mark", "chosen", "pressed")],
    *[("muted", ground) for ground in ("chosen", "pressed")],
    *[("on_accent", ground) for ground in ("accent", "danger")],
]
HIGH_TEXT_ON = [
    *[(words, ground) for words in WORDS for ground in (*MEETING_GROUNDS, "selection", "mark", "chosen", "pressed")],
    *[("on_accent", ground) for ground in ("accent", "danger")],
]
HIGH_LINES_ON = [
    (line, ground)
    for line in ("line", "edge", "outline", "scroll", "focus", "accent", "danger", "success", "warning")
    for ground in (*MEETING_GROUNDS, "selection", "mark")
]
CONTROL_ON = [
    *[("outline", ground) for ground in ("background", "surface", "sidebar", "raised")],
    *[("focus", ground) for ground in GROUNDS],
    *[(dot, "surface") for dot in ("success", "warning", "danger", "muted")],
    *[(mark, "bubble") for mark in ("accent", "outline")],
    ("accent", "background"),
]


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _contrast_of(tokens: Tokens, one: str, other: str) -> float:
    return contrast(getattr(tokens, one), getattr(tokens, other))


def _luminance(color: str) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in QColor(color).getRgbF()]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_the_chosen_row_of_a_menu_is_seen(tokens: Tokens) -> None:
    assert contrast(tokens.chosen, tokens.raised) > 1.25


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_and_controls_be_seen(tokens: Tokens) -> None:
    for least, pairs in ((4.5, TEXT_ON), (3, CONTROL_ON)):
        faint = [pair for pair in pairs if contrast(*(getattr(tokens, name) for name in pair)) < least]
        assert not faint


@pytest.mark.parametrize("tokens", [HIGH_LIGHT, HIGH_DARK], ids=["light", "dark"])
def test_high_contrast_reaches_aaa_on_every_ground(tokens: Tokens) -> None:
    faint = [(words, ground) for words, ground in HIGH_TEXT_ON if _contrast_of(tokens, words, ground) < 7]
    faint += [(line, ground) for line, ground in HIGH_LINES_ON if _contrast_of(tokens, line, ground) < 3]
    assert not faint
    assert contrast(tokens.chosen, tokens.raised) > 1.25


@pytest.mark.parametrize(
    ("tokens", "least"),
    [(LIGHT, 4.5), (DARK, 4.5), (HIGH_LIGHT, 7), (HIGH_DARK, 7)],
    ids=["light", "dark", "high light", "high dark"],
)
def test_tinted_tokens_can_be_read(tokens: Tokens, least: float) -> None:
    levels = [blended(tokens.surface, tokens.unsure, share) for share in UNSURE_SHARES[tokens in (DARK, HIGH_DARK)]]
    assert min(contrast(tokens.text, ground) for ground in levels) >= least
    # A guess below a tenth is written in `muted`.
    assert contrast(tokens.muted, blended(tokens.surface, tokens.selection, 0.1)) >= least


def test_high_contrast_is_chosen_or_the_systems(qtbot: QtBot) -> None:
    is_wanted = False
    theme = Theme("dark", system_wants_contrast=lambda: is_wanted)
    assert theme.tokens == DARK
    theme.high_contrast = True
    assert theme.tokens == HIGH_DARK
    theme.high_contrast = False
    assert theme.tokens == DARK
    is_wanted = True
    with qtbot.waitSignal(theme.changed):
        QGuiApplication.styleHints().accessibility().contrastPreferenceChanged.emit(Qt.ContrastPreference.HighContrast)
    assert theme.tokens == HIGH_DARK


def test_the_system_scheme_is_followed_live(qtbot: QtBot) -> None:
    dark = False
    theme = Theme("system", system_is_dark=lambda: dark)
    assert theme.tokens == LIGHT
    dark = True
    with qtbot.waitSignal(theme.changed):
        QGuiApplication.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.tokens == DARK


def test_a_new_scheme_reaches_open_windows(qtbot: QtBot, qapp: QApplication) -> None:
    theme = Theme("light")
    theme.install(qapp)
    window = QWidget()
    window.setObjectName("content")
    window.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    qtbot.addWidget(window)
    window.show()
    assert window.grab().toImage().pixelColor(5, 5) == QColor(LIGHT.background)
    theme.scheme = "dark"
    assert window.grab().toImage().pixelColor(5, 5) == QColor(DARK.background)
    assert qapp.palette().text().color() == QColor(DARK.text)


def test_what_is_built_without_the_style_sheet_looks_as_with_it(qtbot: QtBot, qapp: QApplication) -> None:
    theme, pictures = Theme("light"), []
    theme.install(qapp)
    for around in (contextlib.nullcontext(), theme.without_sheet()):
        window = QWidget()
        qtbot.addWidget(window)
        with around:
            button = theme.dress(QPushButton("Word"), font="strong")
            button.setProperty("kind", "primary")
            QVBoxLayout(window).addWidget(button)
            assert (qapp.styleSheet() == "") is bool(pictures)
        window.show()
        pictures.append(window.grab().toImage())
    assert pictures[0] == pictures[1]
    assert pictures[0].pixelColor(pictures[0].rect().center().x(), 16) == QColor(LIGHT.accent)


def test_zoom_scales_sizes_and_fonts(qtbot: QtBot) -> None:
    theme = Theme("light")
    size, font_px = theme.px(8), theme.font().pixelSize()
    with qtbot.waitSignal(theme.changed):
        theme.zoom = 2.0
    assert (theme.px(8), theme.font().pixelSize()) == (2 * size, 2 * font_px)
    assert theme.px(0) == 0


def test_every_button_is_a_control_unless_it_is_dressed_as_something_else(qtbot: QtBot, qapp: QApplication) -> None:
    theme = Theme("light")
    theme.install(qapp)
    window = QWidget()
    qtbot.addWidget(window)
    box, plain, quiet = QWidget(), text_button("One"), text_button("Two", "quiet")
    small = theme.dress(text_button("Three"), font="small")
    for button in (plain, quiet, small):
        button.setParent(box)
    box.setParent(window)
    window.show()
    assert [type_of(button) for button in (plain, quiet, small)] == [(14, 500), (14, 500), (13, 400)]
    theme.scheme = "dark"
    assert type_of(quiet) == (14, 400), "light letters on a dark ground look bolder than they are"
    theme.zoom = 1.5
    assert [type_of(button) for button in (plain, small)] == [(21, 500), (20, 400)]


def type_of(button: QPushButton) -> tuple[int, int]:
    return button.font().pixelSize(), int(button.font().weight())


def test_zoom_goes_in_steps_and_ends(qtbot: QtBot) -> None:
    theme = Theme("light")
    theme.zoom_by(1)
    assert theme.zoom == 1.1
    for _ in range(20):
        theme.zoom_by(1)
    assert theme.zoom == 3.0
    for _ in range(30):
        theme.zoom_by(-1)
    assert theme.zoom == 0.5


def test_the_shipped_fonts_are_used_when_they_are_there(qtbot: QtBot) -> None:
    assert list(resource_path("fonts").glob("*.otf")), "resources/fonts is empty: run `make setup`"
    theme = Theme("light")
    assert QFontInfo(theme.font()).family() == "Inter"
    assert QFontInfo(theme.fonts.code()).family() == "JetBrains Mono"


def test_the_interface_has_six_sizes_of_type_and_only_texts_and_drawings_their_own() -> None:
    assert len({size for size, _ in FONTS.values()}) == 6
    written = {str(path.relative_to(UI)) for path in UI.rglob("*.py") if ".fonts.text(" in path.read_text("utf-8")}
    assert written == {"theme.py"} | OWN_SIZES


def test_the_style_sheet_has_no_placeholder_left(qtbot: QtBot) -> None:
    sheet = fill_style_sheet(dataclasses.asdict(DARK), Theme("dark").px)
    assert "$" not in sheet
    assert "px(" not in sheet


def test_a_look_is_worn_at_once_and_after_every_change_before_it_is_told(qtbot: QtBot) -> None:
    theme, label, button, row = Theme(), QLabel("Words"), QToolButton(), QHBoxLayout()
    qtbot.addWidget(label)
    qtbot.addWidget(button)
    theme.dress(label, font="strong", margins=(4, 0, 8, 0))
    theme.dress(row, spacing=6)
    theme.dress(button, glyph=("check", "accent", 20))
    assert label.font().pixelSize() == theme.px(14)
    before, told = button.icon().pixmap(20).toImage(), []
    theme.changed.connect(lambda: told.append((label.font().pixelSize(), row.spacing())))
    theme.zoom = 2.0
    assert told == [(theme.px(14), theme.px(6))]
    assert label.contentsMargins().right() == theme.px(8)
    assert button.iconSize().width() == theme.px(20)
    theme.scheme = "dark" if not theme.is_dark else "light"
    assert button.icon().pixmap(20).toImage() != before


def test_what_is_not_named_again_stays_and_what_is_gone_is_forgotten(qtbot: QtBot) -> None:
    theme, label = Theme(), QLabel("Words")
    theme.dress(label, font="row", least_width=50)
    theme.dress(label, font="title")
    theme.zoom = 1.5
    assert (label.font().pixelSize(), label.minimumWidth()) == (theme.px(21), theme.px(50))
    shiboken6.delete(label)
    theme.zoom = 1.0
    assert len(theme._dressed) == 0


def test_a_part_that_is_off_screen_is_dressed_when_it_catches_up(qtbot: QtBot) -> None:
    theme, label = Theme(), QLabel("Words")
    qtbot.addWidget(label)
    late = LateTheme(theme)
    late.dress(label, font="row")
    before = label.font().pixelSize()
    theme.zoom = 2.0
    assert label.font().pixelSize() == before
    late.catch_up()
    assert label.font().pixelSize() == theme.px(14)
