"""Prose in a document: growing gives the same as writing anew, and nothing but characters gets in."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor, QTextTable
from pytestqt.qtbot import QtBot

from app.ui.text.markdown import MarkdownStream, read
from app.ui.text.pieces import MarkdownTable, Prose, ProseLine, with_whole_tables
from app.ui.text.prose import ProseView
from app.ui.text.table_view import TableView
from app.ui.text.text_body import MessageBody
from app.ui.theme import Theme
from tests.ui.text.test_markdown import SAMPLE


def prose_lines(stream: MarkdownStream) -> tuple[ProseLine, ...]:
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


def test_tasks_have_boxes_of_the_icon_font_and_keep_their_marker_as_text(qtbot: QtBot, theme: Theme) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    stream = MarkdownStream()
    stream.feed("- [ ] open\n- [x] done\n\n")
    view.set_lines(prose_lines(stream))
    view.resize(300, view.height_for(300))
    view.show()
    picture = view.grab().toImage()
    inked = [
        sum(picture.pixelColor(x, y) != picture.pixelColor(299, 0) for x in range(20) for y in range(top, top + 25))
        for top in (0, 30)
    ]
    assert 30 < inked[0] < inked[1], "the second has its tick"
    assert view.toPlainText() == "☐\topen\n☑\tdone"


@pytest.mark.parametrize(
    ("cell", "width"), [("1", 240), ("some words that need " * 3, None), ("very many words " * 40, 700)]
)
def test_a_table_is_as_wide_as_its_words(qtbot: QtBot, theme: Theme, cell: str, width: int | None) -> None:
    view = TableView(theme)
    qtbot.addWidget(view)
    (piece,) = (piece for block in read(f"| a | b |\n|---|---|\n| {cell} | 2 |") for piece in block.pieces)
    assert isinstance(piece, MarkdownTable)
    view.set_table(piece)
    high = view.height_for(700)
    drawn = view.document().rootFrame().childFrames()[0]
    wide = round(view.document().documentLayout().frameBoundingRect(drawn).width())
    assert wide == width or (width is None and 240 < wide < 700)
    assert view.height_for(700) == high


def test_a_long_table_goes_on_in_views_below_with_the_same_columns(qtbot: QtBot, theme: Theme) -> None:
    body = MessageBody(theme)
    qtbot.addWidget(body)
    rows = "".join(f"| {n} | {'some words ' * (n % 3)} | {n * n} |\n" for n in range(150))
    stream = MarkdownStream()
    for part in ("| No. | Words | Square |\n|--:|---|---|\n", rows):
        stream.feed(part)
        body.set_blocks(stream.closed, stream.open_blocks(), stream.revision)
        body.arrange(600)
    tables = [view for view in body.views if isinstance(view, TableView)]
    assert len(tables) > 3
    assert tables[0].geometry().bottom() + 1 == tables[1].y(), "nothing is between them"
    assert [table.toPlainText().count("Square") for table in tables] == [1, *[0] * (len(tables) - 1)]
    for width in (600, 420):
        body.arrange(width)
        lefts = [[round(cell_left(table, column)) for column in range(3)] for table in tables]
        assert all(left == lefts[0] for left in lefts)
    for table in tables:
        table.selectAll()
    pieces = [piece for table in tables for piece in table.selected()]
    (whole,) = with_whole_tables(pieces)
    assert isinstance(whole, MarkdownTable)
    assert [row[0][0].text for row in whole.rows] == ["No.", *map(str, range(150))]


def cell_left(view: TableView, column: int) -> float:
    table = view.document().rootFrame().childFrames()[0]
    assert isinstance(table, QTextTable)
    block = table.cellAt(0, column).firstCursorPosition().block()
    return view.document().documentLayout().blockBoundingRect(block).left()


def test_an_override_turns_nothing_around_and_copying_gives_what_was_written(qtbot: QtBot, theme: Theme) -> None:
    """Whole and in parts, while it grows too; what is balanced stays, since texts of two directions need it."""
    text = "Pay \u202e0001 now\n\nSee \u2067**שלום** (1)\u2069 and \u2067abc"
    grown = ProseView(theme)
    qtbot.addWidget(grown)
    stream = MarkdownStream()
    for letter in text:
        stream.feed(letter)
        grown.set_lines(prose_lines(stream))
    shown = grown.toPlainText()
    assert "\u202e" not in shown and shown.startswith("Pay \u20600001 now")
    first = grown.document().firstBlock().layout().lineAt(0)
    edges = [first.cursorToX(at)[0] for at in range(5, 13)]  # type: ignore[index]
    assert edges == sorted(edges), "from left to right"
    grown.selectAll()
    copied = grown.createMimeDataFromSelection().text()
    assert copied == text.replace("**", "")
    cursor = grown.textCursor()
    cursor.setPosition(2)
    cursor.setPosition(9, QTextCursor.MoveMode.KeepAnchor)
    grown.setTextCursor(cursor)
    assert grown.createMimeDataFromSelection().text() == "y \u202e0001"


def test_a_pair_of_marks_within_a_run_stays_however_it_came(qtbot: QtBot, theme: Theme) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    stream = MarkdownStream()
    for letter in "a \u2067שלום 12\u2069 b":
        stream.feed(letter)
        view.set_lines(prose_lines(stream))
    assert view.toPlainText() == "a \u2067שלום 12\u2069 b"
