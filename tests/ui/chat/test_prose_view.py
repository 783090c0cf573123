"""Prose in a document: growing gives the same as writing anew, and nothing but characters gets in."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QTextCursor, QTextDocument
from pytestqt.qtbot import QtBot

from app.ui.chat.markdown import MarkdownStream, read
from app.ui.chat.pieces import Line, Prose
from app.ui.chat.prose_view import ProseView
from app.ui.theme import Theme
from tests.ui.chat.test_markdown import SAMPLE


def prose_lines(stream: MarkdownStream) -> tuple[Line, ...]:
    return tuple(line for b in stream.blocks() for p in b.pieces if isinstance(p, Prose) for line in p.lines)


def look(view: ProseView) -> list[tuple[str, int, float, list[tuple[str, bool, bool, str]]]]:
    found = []
    block = view.document().begin()
    while block.isValid():
        runs = []
        iterator = block.begin()
        while not iterator.atEnd():
            fragment = iterator.fragment()
            style = fragment.charFormat()
            runs.append((fragment.text(), style.font().bold(), style.font().italic(), style.anchorHref()))
            iterator += 1
        style = block.blockFormat()
        found.append((block.text(), style.indent(), style.topMargin(), runs))
        block = block.next()
    return found


def test_growing_looks_like_writing_anew(qtbot: QtBot, theme: Theme) -> None:
    grown = ProseView(theme)
    qtbot.addWidget(grown)
    stream = MarkdownStream()
    for position in range(0, len(SAMPLE), 7):
        stream.feed(SAMPLE[position : position + 7])
        grown.set_lines(prose_lines(stream))
    stream.finish()
    grown.set_lines(prose_lines(stream))
    anew = ProseView(theme)
    qtbot.addWidget(anew)
    anew.set_lines(prose_lines(stream))
    assert look(grown) == look(anew)
    assert grown.height_for(700) == anew.height_for(700)


def test_text_is_selected_and_copied_across_paragraphs(qtbot: QtBot, theme: Theme) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    view.set_lines(read("One.\n\nTwo.\n\n- three")[0].pieces[0].lines + read("Two.\n\n- three")[0].pieces[0].lines)  # type: ignore[union-attr]
    view.selectAll()
    assert view.textCursor().selectedText().replace("\u2029", "\n") == "One.\nTwo."


def test_a_selection_above_stays_while_the_text_grows(qtbot: QtBot, theme: Theme) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    stream = MarkdownStream()
    stream.feed("First paragraph.\n\nSecond ")
    view.set_lines(prose_lines(stream))
    cursor = view.textCursor()
    cursor.setPosition(0)
    cursor.setPosition(5, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    stream.feed("is **longer** now.\n\nThird.")
    view.set_lines(prose_lines(stream))
    assert view.textCursor().selectedText() == "First"


def test_markup_in_the_text_stays_text(qtbot: QtBot, theme: Theme) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    stream = MarkdownStream()
    stream.feed("<img src='file:///etc/passwd'> <a href='x'>y</a> ![a](https://x.org/a.png)\n\nend")
    view.set_lines(prose_lines(stream))
    assert "<img src='file:///etc/passwd'> <a href='x'>y</a>" in view.toPlainText()
    assert "\ufffc" not in view.toPlainText()


def test_nothing_is_loaded(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    (tmp_path / "page.html").write_text("<b>loaded</b>")
    view.setSource(QUrl.fromLocalFile(str(tmp_path / "page.html")))
    assert view.toPlainText() == ""
    image = QUrl.fromLocalFile(str(tmp_path / "page.html"))
    found = view.document().resource(QTextDocument.ResourceType.ImageResource.value, image)
    assert found.isEmpty()


def test_paragraphs_have_their_own_direction(qtbot: QtBot, theme: Theme) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    stream = MarkdownStream()
    stream.feed("English first.\n\nمرحبا **بالعالم** 🎉\n\n1. عنصر\n\nEnd.")
    stream.finish()
    view.set_lines(prose_lines(stream))
    directions = [view.document().findBlockByNumber(n).textDirection() for n in range(4)]
    left, right = Qt.LayoutDirection.LeftToRight, Qt.LayoutDirection.RightToLeft
    assert directions == [left, right, right, left]
    assert "🎉" in view.toPlainText()
