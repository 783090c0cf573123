"""The text form: a window of stretches that moves with the reader, exact marks, characters and never markup."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.documents.blocks import Block, BlockKind
from app.features.shown_document import TextHighlight
from app.ui.document.document_text import DocumentText
from app.ui.document.document_window import MOST_RANGES
from app.ui.theme import LIGHT, Theme
from tests.helpers.counting import lines_run
from tests.helpers.shown_documents import DocumentInMemory, every_kind, many_blocks


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    theme = Theme("light")
    theme.install(qapp)
    yield theme
    qapp.setStyleSheet("")


@pytest.fixture
def text(qtbot: QtBot, theme: Theme) -> DocumentText:
    text = DocumentText(theme)
    qtbot.addWidget(text)
    text.resize(420, 600)
    text.show()
    return text


def show(text: DocumentText, document: DocumentInMemory, mark: TextHighlight | None = None) -> None:
    text.show_range(document, 1, document.block_count, mark)
    text.show_marks(mark, ())
    text.scroll_to_mark()
    settle(text)


def settle(text: DocumentText) -> None:
    for _ in range(30):
        QApplication.processEvents()


def one_block(words: str, kind: BlockKind = BlockKind.PARAGRAPH) -> DocumentInMemory:
    return DocumentInMemory("a.txt", [Block(1, kind, words)])


@pytest.mark.parametrize(
    ("document", "block_id", "words"),
    [
        (one_block("😀😀 the kiln 🔥 is hot"), 1, "kiln 🔥 is"),
        (one_block("first line\nsecond line"), 1, "line\u2028second"),
        (every_kind(), 5, "with a lamp"),
        (every_kind(), 8, "11.9 %"),
        (every_kind(), 10, "for step in"),
        (every_kind(), 13, "Maria"),
        (one_block("before. " * 2000 + "Here it is. " + "after. " * 2000), 1, "Here it is."),
        (one_block("row\tcell\n" * 900 + "the\tone\n" + "row\tcell\n" * 900, BlockKind.TABLE), 1, "the\tone"),
    ],
)
def test_a_mark_is_exact_and_is_what_is_selected(
    text: DocumentText, document: DocumentInMemory, block_id: int, words: str
) -> None:
    block = document.read_blocks(block_id, 1)[0]
    start = block.text.index(words.replace("\u2028", "\n"))
    show(text, document, TextHighlight(block_id, start, start + len(words)))
    assert text.textCursor().selectedText() == words
    marked = [one for one in text.extraSelections() if one.format.background().color() == QColor(LIGHT.mark)]
    assert [one.cursor.selectedText() for one in marked] == [words]
    assert 0 <= text.cursorRect().top() < text.viewport().height()
    image = text.viewport().grab().toImage()
    wanted = QColor(LIGHT.mark).rgb()
    assert any(image.pixel(x, y) == wanted for x in range(0, image.width(), 2) for y in range(0, image.height(), 2))


def test_a_mark_over_several_stretches_is_marked_to_its_end(text: DocumentText) -> None:
    words = "word " * 1500
    show(text, one_block(words), TextHighlight(1, 10, 7000))
    assert text.textCursor().selectedText().replace("\u2029", "") == words[10:7000]


def test_markup_in_a_document_stays_characters(text: DocumentText) -> None:
    hostile = "<b>bold</b> <img src='http://127.0.0.1/x.png'> &amp; \ufdd0\ufdd1\0\u2029\r <!-- gone? -->"
    show(text, one_block(hostile))
    plain = text.toPlainText()
    assert "<b>bold</b> <img src='http://127.0.0.1/x.png'> &amp; \ufffd\ufffd\ufffd\n  <!-- gone? -->" in plain
    assert "<img" not in text.toHtml()


def test_what_is_copied_is_plain_text(text: DocumentText, qapp: QApplication) -> None:
    document = every_kind()
    show(text, document)
    text.setFocus()
    text.selectAll()
    data = text.createMimeDataFromSelection()
    assert not data.hasHtml()
    assert "2024\t396 million\t11.9 %" in data.text()


def test_the_caret_walks_and_selects_by_keyboard(text: DocumentText, qtbot: QtBot) -> None:
    show(text, one_block("one two three"))
    text.setFocus()
    for _ in range(3):
        qtbot.keyClick(text, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert text.textCursor().selectedText() == "one"
    qtbot.keyClicks(text, "typed")
    assert text.toPlainText() == "one two three"


def test_scrolling_to_the_end_and_back_shows_every_block_in_order(text: DocumentText) -> None:
    count = 1100
    document = many_blocks(count)
    show(text, document)
    bar, seen = text.verticalScrollBar(), set[int]()
    for direction in (1, -1):
        seen.clear()
        for _ in range(4000):
            seen.add(text.top_block_id)
            before, top = bar.value(), text.top_block_id
            bar.setValue(bar.value() + direction * text.viewport().height() // 2)
            QApplication.processEvents()
            if (bar.value(), text.top_block_id) == (before, top):
                break
            assert text.loaded <= MOST_RANGES + 40
        numbers = [int(line.split(".")[0].split()[1]) for line in text.toPlainText().split("\n")]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert numbers[-1 if direction > 0 else 0] == (count if direction > 0 else 1)
        assert all(any(n + step in seen for step in range(6)) for n in range(1, count - 20))


def test_text_that_comes_above_does_not_move_what_is_read(text: DocumentText) -> None:
    document = many_blocks(5000)
    show(text, document, TextHighlight(2500))
    text._marks.let_go()
    bar = text.verticalScrollBar()
    for _ in range(200):
        before = text.cursorForPosition(text.viewport().rect().center())
        number, y = before.block().text().split(".")[0], text.cursorRect(before).top()
        bar.setValue(bar.value() - 40)
        QApplication.processEvents()
        assert before.block().text().split(".")[0] == number
        assert text.cursorRect(before).top() - y == pytest.approx(40, abs=1)


def test_the_ends_are_reached_at_once(text: DocumentText) -> None:
    document = many_blocks(50_000)
    show(text, document)
    document.fetched = 0
    text.go_to_end(1)
    settle(text)
    assert text.toPlainText().rpartition("\n")[2].startswith("Paragraph 50000.")
    assert text.verticalScrollBar().value() == text.verticalScrollBar().maximum()
    text.go_to_end(-1)
    settle(text)
    assert text.top_block_id == 1
    assert document.fetched < 1000


def test_one_enormous_block_never_holds_the_window(text: DocumentText, qtbot: QtBot) -> None:
    for kind, words in ((BlockKind.PARAGRAPH, "word " * 1_000_000), (BlockKind.TABLE, "a\tb\tc\n" * 300_000)):
        show(text, one_block(words, kind))
        most = text.document().characterCount()

        def page_down() -> None:
            qtbot.keyClick(text, Qt.Key.Key_PageDown)
            QApplication.processEvents()

        for _ in range(20):
            assert lines_run(page_down) < 40_000
            most = max(most, text.document().characterCount())
        assert most < 130_000, "only what is near is laid out"


def test_matches_are_marked_only_where_text_is_laid_out(text: DocumentText) -> None:
    document = many_blocks(20_000)
    show(text, document)
    hits = document.search_text("kiln")
    text.show_marks(hits[3], hits)
    found = [one for one in text.extraSelections() if one.format.background().color() == QColor(LIGHT.selection)]
    assert 20 < len(found) <= text.loaded * 4
    assert {one.cursor.selectedText() for one in found} == {"kiln"}


def test_right_to_left_paragraphs_stand_at_the_right(text: DocumentText) -> None:
    show(text, one_block("الفرن هو موقد للطين."))
    line = text.document().firstBlock().layout().lineAt(0)
    assert line.naturalTextRect().left() > text.viewport().width() / 3
