"""Code cards: Copy, growing, colours, lines that are far too long."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.ui.shared_labels import COPIED, COPY
from app.ui.text import code_view
from app.ui.text.code_colours import LONGEST_LINE
from app.ui.text.code_view import COPY_CODE, OPEN_DRAWING, CodeBlock, CodeText
from app.ui.text.links import drawing_of_link
from app.ui.text.pieces import Code
from app.ui.text.step_limit import StepTooLong, limited_step
from app.ui.theme import Theme


def colours(document: QTextDocument, line: int) -> list[str]:
    layout = document.findBlockByNumber(line).layout()
    return [run.format.foreground().color().name().upper() for run in layout.formats()]


def test_copy_has_the_code_and_says_so(qtbot: QtBot, theme: Theme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_view, "COPIED_MS", 50)
    card = CodeBlock(theme)
    qtbot.addWidget(card)
    card.set_code(Code("python", "x = 1\ny = 2"))
    card.resize(600, card.height_for(600))
    card.show()
    button = next(b for b in card.findChildren(QPushButton) if b.accessibleName() == COPY_CODE)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "x = 1\ny = 2"
    assert button.text() == COPIED
    qtbot.waitUntil(lambda: button.text() == COPY)


def test_code_is_coloured_after_a_moment_and_while_it_grows(qtbot: QtBot, theme: Theme) -> None:
    card = CodeBlock(theme)
    qtbot.addWidget(card)
    text = card.findChild(CodeText)
    assert text is not None
    card.set_code(Code("python", "return 1", open=True))
    qtbot.waitUntil(lambda: not card.highlighter.busy)
    assert colours(text.document(), 0) == [theme.tokens.code_keyword, theme.tokens.code_number]
    card.set_code(Code("python", "return 1\n# end", open=False))
    qtbot.waitUntil(lambda: not card.highlighter.busy)
    assert text.toPlainText() == "return 1\n# end"
    assert colours(text.document(), 1) == [theme.tokens.code_comment]


def test_unknown_languages_and_very_long_code_stay_plain(qtbot: QtBot, theme: Theme) -> None:
    card = CodeBlock(theme)
    qtbot.addWidget(card)
    text = card.findChild(CodeText)
    assert text is not None
    card.set_code(Code("no-such-language", "return 1"))
    qtbot.waitUntil(lambda: not card.highlighter.busy)
    assert colours(text.document(), 0) == []
    card.set_code(Code("python", "return 1\n" * 4_000))
    assert not card.highlighter.busy


def test_a_line_that_is_far_too_long_is_broken_for_the_eye_only(qtbot: QtBot, theme: Theme) -> None:
    card = CodeBlock(theme)
    qtbot.addWidget(card)
    long = "x" * (3 * LONGEST_LINE + 10)
    card.set_code(Code("", long))
    text = card.findChild(CodeText)
    assert text is not None
    assert text.document().blockCount() == 4
    assert card.code.text == long


def test_the_wheel_over_wide_code_turns_the_page_and_shift_turns_the_code(qtbot: QtBot, theme: Theme) -> None:
    area = QScrollArea()
    qtbot.addWidget(area)
    column = QWidget()
    column.resize(400, 2_000)
    card = CodeBlock(theme, column)
    card.set_code(Code("", "word " * 100))
    card.setGeometry(0, 50, 400, card.height_for(400))
    area.setWidget(column)
    area.resize(420, 300)
    area.show()
    qtbot.waitExposed(area)
    text = card.findChild(CodeText)
    assert text is not None
    page, code = area.verticalScrollBar(), text.horizontalScrollBar()
    for widget in (text.viewport(), code):
        wheel(widget, Qt.KeyboardModifier.NoModifier)
        assert page.value() > 0
        assert code.value() == 0
        page.setValue(0)
    wheel(text.viewport(), Qt.KeyboardModifier.ShiftModifier)
    assert page.value() == 0
    assert code.value() > 0


def wheel(widget: QWidget, modifier: Qt.KeyboardModifier) -> None:
    """One notch towards the person, as the system sends it."""
    window = widget.window()
    place = widget.mapTo(window, widget.rect().center())
    QTest.wheelEvent(window.windowHandle(), QPointF(place), QPoint(0, -120), QPoint(), modifier)
    QApplication.processEvents()


def test_long_lines_are_wrapped_on_request_and_only_then(qtbot: QtBot, theme: Theme) -> None:
    card = CodeBlock(theme)
    qtbot.addWidget(card)
    card.show()
    card.set_code(Code("python", "x = 1"))
    card.resize(400, card.height_for(400))
    assert not card.wrap.isVisible()
    card.set_code(Code("python", "x = 1" + " + 1" * 60))
    before = card.height_for(400)
    assert card.wrap.isVisible()
    with qtbot.waitSignal(card.resized):
        qtbot.mouseClick(card.wrap, Qt.MouseButton.LeftButton)
    assert card.height_for(400) > before
    text = card.findChild(CodeText)
    assert text is not None
    card.resize(400, card.height_for(400))
    assert text.horizontalScrollBar().maximum() == 0
    qtbot.mouseClick(card.wrap, Qt.MouseButton.LeftButton)
    assert card.height_for(400) == before


def test_a_drawing_can_be_opened_once_it_is_whole_and_buttons_fit_a_narrow_card(qtbot: QtBot, theme: Theme) -> None:
    card = CodeBlock(theme)
    qtbot.addWidget(card)
    card.show()
    card.set_code(Code("mermaid", "graph TD", open=True))
    assert not card.draw.isVisible()
    card.set_code(Code("mermaid", "graph TD\n  A --> B" + "x" * 90))
    for width in (600, 230):
        card.resize(width, card.height_for(width))
        buttons = [card.draw, card.wrap, *card.findChildren(QPushButton)]
        assert all(card.rect().contains(button.geometry()) for button in buttons if button.isVisible())
    assert (card.draw.text(), card.draw.accessibleName()) == ("", OPEN_DRAWING)
    with qtbot.waitSignal(card.link_clicked) as told:
        qtbot.mouseClick(card.draw, Qt.MouseButton.LeftButton)
    assert drawing_of_link(told.args[0]) == ("mermaid", card.code.text)
    card.set_code(Code("python", "x"))
    assert not card.draw.isVisible()


def test_code_cannot_look_like_other_code_and_is_copied_as_it_is(qtbot: QtBot, theme: Theme) -> None:
    """Trojan Source (CVE-2021-42574): what a compiler reads is not what a person would see."""
    source = "if access != '\u202e\u2066user\u2069 \u2066':"
    block = CodeBlock(theme)
    qtbot.addWidget(block)
    block.set_code(Code("python", source))
    text = next(one for one in block.findChildren(CodeText) if "access" in one.toPlainText())
    assert text.toPlainText() == "if access != '\ufffd\ufffduser\ufffd \ufffd':"
    text.selectAll()
    assert text.createMimeDataFromSelection().text() == source


SLOW = "<a [" + "[" * 1800 + "\n"


def test_code_that_was_made_to_take_long_stays_plain_and_the_window_goes_on(
    qtbot: QtBot, theme: Theme, caplog: pytest.LogCaptureFixture
) -> None:
    """Also when it grows: it is not tried again."""
    card = CodeBlock(theme)
    qtbot.addWidget(card)
    with caplog.at_level("INFO"):
        card.set_code(Code("html+ng2", SLOW * 10))
        qtbot.waitUntil(lambda: "takes too long to colour" in caplog.text, timeout=60_000)
    assert not card.highlighter.busy
    card.set_code(Code("html+ng2", SLOW * 11))
    assert not card.highlighter.busy
    card.set_code(Code("python", "x = 1"))
    qtbot.waitUntil(lambda: not card.highlighter.busy, timeout=60_000)
    text = next(one for one in card.findChildren(CodeText) if "x = 1" in one.toPlainText())
    assert colours(text.document(), 0)


def test_a_step_ends_within_one_search() -> None:
    with pytest.raises(StepTooLong), limited_step(0.05):
        re.match(r"(a+)+$", "a" * 40 + "b")
    with limited_step(0.05):
        assert re.match("a", "a")
