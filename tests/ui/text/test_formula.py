"""Formulas are typeset, follow size and colour, and are heard in words."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QImage, QTextCursor
from pytestqt.qtbot import QtBot

from app.ui.models.model_facts import ATTENTION, HEADS, PRODUCT
from app.ui.text import formula as formulas
from app.ui.text.formula import FormulaView, drawing_of
from app.ui.text.formula_object import is_drawn
from app.ui.text.markdown import MarkdownStream
from app.ui.text.pieces import Prose
from app.ui.text.prose import DisplayFormulaView, ProseView
from app.ui.text.selectable import PICTURE
from app.ui.text.table_view import TableView
from app.ui.text.text_body import MessageBody
from app.ui.theme import Theme


def darkest(picture: QImage) -> int:
    pixels = (picture.pixelColor(x, y).lightness() for x in range(picture.width()) for y in range(picture.height()))
    return min(pixels)


@pytest.mark.parametrize("formula", [ATTENTION, HEADS, PRODUCT])
def test_it_is_drawn_in_the_colour_of_the_text(theme: Theme, qtbot: QtBot, formula: tuple[str, str]) -> None:
    view = FormulaView(theme, *formula)
    qtbot.addWidget(view)
    qtbot.waitUntil(lambda: view.is_drawn)
    view.setStyleSheet("background: white")
    view.resize(view.sizeHint())
    view.show()
    assert darkest(view.grab().toImage()) <= QColor(theme.tokens.text).lightness() + 12
    assert view.accessibleName() == formula[1]


def test_it_is_shrunk_where_it_has_no_room_and_never_cut(theme: Theme, qtbot: QtBot) -> None:
    view = FormulaView(theme, *ATTENTION)
    qtbot.addWidget(view)
    qtbot.waitUntil(lambda: view.is_drawn)
    view.setStyleSheet("background: white")
    view.resize(view.sizeHint().width() // 2, view.sizeHint().height())
    view.show()
    picture = view.grab().toImage()
    edge = [picture.pixelColor(picture.width() - 1, y).lightness() for y in range(picture.height())]
    assert min(edge) > 200
    assert darkest(picture) < 140


def test_the_same_formula_is_drawn_once() -> None:
    assert drawing_of(PRODUCT[0]) is drawing_of(PRODUCT[0])


def shown(theme: Theme, qtbot: QtBot, markdown: str) -> MessageBody:
    """An answer's text whose formulas have been looked at."""
    stream = MarkdownStream()
    stream.feed(markdown)
    stream.finish()
    body = MessageBody(theme)
    qtbot.addWidget(body)
    body.set_blocks(stream.closed, stream.open_blocks(), stream.revision)
    body.arrange(600)
    texts = [view for view in body.views if isinstance(view, ProseView | TableView)]
    sources = {span.text for view in texts for span in view.spans() if span.formula}
    qtbot.waitUntil(lambda: all(map(formulas.is_known, sources)))
    return body


def pictures(view: ProseView | TableView) -> int:
    """The number of formulas that are typeset."""
    found = view.document().find(PICTURE)
    count = 0
    while not found.isNull():
        count += is_drawn(found.charFormat())
        found = view.document().find(PICTURE, found)
    return count


def test_formulas_of_an_answer_are_typeset_in_lines_blocks_and_tables(theme: Theme, qtbot: QtBot) -> None:
    text = "With $a^2$ and \\(b_1\\).\n\n$$\n\\frac{a}{b}.\n$$\n\n| a |\n|---|\n| $x_1$ |\n\nAnd `$code$` for $5 or $6."
    body = shown(theme, qtbot, text)
    qtbot.waitUntil(lambda: [pictures(v) for v in body.views if isinstance(v, ProseView | TableView)] == [2, 1, 1, 0])
    last = body.views[-1]
    assert isinstance(last, ProseView)
    assert last.toPlainText() == "And $code$ for $5 or $6."


def test_what_stands_in_its_place_is_told_so_that_the_answer_gets_its_height(theme: Theme, qtbot: QtBot) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    stream = MarkdownStream()
    stream.feed("$$\\frac{q}{\\frac{r}{s}}$$\n")
    stream.finish()
    (piece,) = (piece for block in stream.blocks() for piece in block.pieces)
    with qtbot.waitSignal(view.drawn):
        assert view.set_lines(piece.lines)  # type: ignore[union-attr]
        before = view.height_for(600)
        assert view.toPlainText() == "\ufffc", "a bar, never the source"
        assert pictures(view) == 0
    assert view.height_for(600) != before
    assert pictures(view) == 1


def test_a_formula_that_is_being_written_is_a_bar_until_its_end(theme: Theme, qtbot: QtBot) -> None:
    view = ProseView(theme)
    qtbot.addWidget(view)
    stream, growing = MarkdownStream(), list[bool]()
    for part in ("With $a", "^2 + b", "^2$", " and so on"):
        stream.feed(part)
        (piece,) = (piece for block in stream.blocks() for piece in block.pieces)
        assert isinstance(piece, Prose)
        growing.append(any(span.is_growing for span in piece.lines[0].spans))
        view.set_lines(piece.lines)
        if growing[-1]:
            assert "$" not in view.toPlainText()
            assert not view._undrawn, "half of it is never typeset"
    assert growing == [False, True, False, False]
    qtbot.waitUntil(lambda: pictures(view) == 1)
    assert not formulas.is_known("$a^2 + b$")


def test_a_wide_formula_scrolls_and_a_narrow_one_stands_in_the_middle(theme: Theme, qtbot: QtBot) -> None:
    body = shown(theme, qtbot, f"A\n\n$$x^2$$\n\nB\n\n$${'x + ' * 60}y$$")
    qtbot.waitUntil(lambda: [pictures(view) for view in body.views if isinstance(view, ProseView)] == [0, 1, 0, 1])
    body.arrange(600)
    body.resize(600, 400)
    body.show()
    _, narrow, below, wide = body.views
    assert isinstance(narrow, DisplayFormulaView)
    assert isinstance(wide, DisplayFormulaView)
    cursor = QTextCursor(narrow.document())
    left = narrow.cursorRect(cursor).x()
    cursor.movePosition(QTextCursor.MoveOperation.End)
    assert left == pytest.approx(600 - narrow.cursorRect(cursor).x(), abs=2)
    assert narrow.horizontalScrollBar().maximum() == 0 < wide.horizontalScrollBar().maximum()
    assert narrow.y() - body.views[0].geometry().bottom() == 13
    assert below.y() > narrow.geometry().bottom()


def test_a_selected_formula_is_copied_as_its_source(theme: Theme, qtbot: QtBot) -> None:
    view = shown(theme, qtbot, "Both \\(a_1\\)\\(a_1\\) and **$b_2$**.").views[0]
    assert isinstance(view, ProseView)
    qtbot.waitUntil(lambda: pictures(view) == 3)
    view.selectAll()
    data = view.createMimeDataFromSelection()
    assert data.text() == "Both \\(a_1\\)\\(a_1\\) and $b_2$."
    assert "<code>\\(a_1\\)</code><code>\\(a_1\\)</code>" in data.html()


BROKEN = "$\\frac{a}$"
DEEP = "$" + "x^{" * 9 + "y" + "}" * 9 + "$"
OPEN = "$" + "{" * 200 + "$"
LONG = "$" + "a+" * 3_000 + "$"


@pytest.mark.parametrize("source", [BROKEN, DEEP, OPEN, LONG])
def test_what_cannot_be_typeset_or_would_take_long_stays_its_source(source: str) -> None:
    began_s = time.thread_time()
    formulas.draw([source])
    assert time.thread_time() - began_s < 20
    assert formulas.is_known(source)
    assert formulas.picture_of(source, 15, "#000000", 1) is None


@given(st.text("\\\\{}$^_&abc12 ", max_size=60))
def test_nothing_that_a_model_writes_raises(text: str) -> None:
    source = f"${text}$"
    formulas.draw([source])
    assert formulas.is_known(source)
    formulas.picture_of(source, 15, "#000000", 2)


def test_formulas_keep_the_lines_apart_as_text_does_and_are_no_wider_than_there_is_room(
    theme: Theme, qtbot: QtBot
) -> None:
    sources = ("x", "-\\infty", "M_{ij}", "\\frac{a}{b}", "e^{-x^2}", "\\sqrt{d_k}", "\\sum_{i=1}^n q_i")
    text = "\\\n".join(f"Word ${source}$ and word" for source in ("x", *sources, "x"))
    view = shown(theme, qtbot, text).views[0]
    assert isinstance(view, ProseView)
    qtbot.waitUntil(lambda: pictures(view) == len(sources) + 2)
    layout = view.document().firstBlock().layout()
    lines = [layout.lineAt(number) for number in range(layout.lineCount())]
    feet = [line.y() + line.ascent() for line in lines]
    assert [below - above for above, below in pairwise(feet)] == pytest.approx([25] * (len(feet) - 1), abs=1)

    view = shown(theme, qtbot, "$" + "+x" * 200 + "$").views[0]
    assert isinstance(view, ProseView)
    qtbot.waitUntil(lambda: pictures(view) == 1)
    assert view.document().idealWidth() <= 600
