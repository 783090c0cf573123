"""Statements on the screen: how they look in both schemes, and what mouse and keys do with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.features.shown_document import TextHighlight
from app.features.summarize.summary_result import Check, CheckReason, Form, Statement
from app.ui.summarize.statement_ground import StatementGround
from app.ui.summarize.statement_text import StatementRange
from app.ui.summarize.statements import StatementView, WholeStatementView
from app.ui.summarize.summary_texts import Chip, ShownStatement
from app.ui.theme import Theme
from app.ui.widgets.spoken_views import text_from_here

Make = Callable[..., StatementView]
KILN = "The kiln holds its heat overnight and needs a fifth less for each firing."
MONEY = "Two lawsuits were settled for 3.1 million."
ARABIC = "ارتفعت الإيرادات بنسبة ثمانية في المئة هذا العام."


def told(text: str, *pages: int, note: str = "", group: str = "", paragraph: int = 0) -> ShownStatement:
    check = Check(False, CheckReason.NUMBER, "3.1 million", "3.7 million") if note else Check()
    chips = tuple(Chip(f"p. {page}", f"page {page} of report.pdf", 1, TextHighlight(page)) for page in pages)
    return ShownStatement(Statement(text, (), check, group, paragraph), chips, note, text)


ALL = (told(KILN, 6, 30), told(MONEY, 27, note="The page says 3.7 million."), told(ARABIC, 3))


@pytest.fixture
def make(qtbot: QtBot, qapp: QApplication) -> Iterator[Make]:
    def view(
        statements: Sequence[ShownStatement] = ALL, form: Form = Form.BULLETS, scheme: str = "light"
    ) -> StatementView:
        theme = Theme(scheme)
        theme.install(qapp)
        made = StatementView(theme)
        qtbot.addWidget(made)
        made.resize(640, 420)
        made.show_statements(statements, form)
        made.show()
        qtbot.waitExposed(made)
        made.activateWindow()
        qtbot.waitUntil(made.isActiveWindow)
        return made

    yield view
    qapp.setStyleSheet("")


def picture(view: StatementView) -> QImage:
    image = QImage(view.viewport().size(), QImage.Format.Format_RGB32)
    image.fill(QColor(view._theme.tokens.background))
    view.viewport().render(image, QPoint(), renderFlags=view.RenderFlag.DrawChildren)
    return image


def share(image: QImage, rect: QRectF, color: str) -> float:
    """How much of a rectangle has exactly this colour."""
    wanted, found, all_ = QColor(color), 0, 0
    for x in range(round(rect.left()) + 1, round(rect.right()) - 1):
        for y in range(round(rect.top()) + 1, round(rect.bottom()) - 1):
            all_ += 1
            found += image.pixelColor(x, y) == wanted
    return found / max(1, all_)


def test_what_differs_lies_in_a_tinted_box_with_a_sign_and_what_is_found_does_not(make: Make) -> None:
    view = make(scheme="dark")
    image, tokens = picture(view), view._theme.tokens
    assert share(image, view.ground.statement_rect(1), tokens.bubble) > 0.6
    assert share(image, view.ground.statement_rect(0), tokens.bubble) == 0
    sign = QRectF(0, view.ground.statement_rect(1).top(), 30, 20)
    assert share(image, sign, tokens.warning) > 0, "an exclamation mark"
    bullet = QRectF(0, view.ground.statement_rect(0).top(), 30, 20)
    assert share(image, bullet, tokens.muted) > 0
    assert share(image, bullet, tokens.success) == 0


def test_chips_have_their_ground_and_lie_within_the_column(make: Make) -> None:
    view = make(scheme="dark")
    image = picture(view)
    for number, stretch in enumerate(view.ranges):
        for place in range(len(stretch.chips)):
            rect = view.ground.chip_rect(number, place)
            assert share(image, rect, view._theme.tokens.chip) > 0.3
            assert rect.left() >= 0
            assert rect.right() <= view.viewport().width()


def test_in_prose_only_what_differs_is_tinted_and_says_so_in_its_place(make: Make) -> None:
    view = make((*ALL[:2], told(KILN, 9)), Form.PARAGRAPHS, "dark")
    assert view.document().blockCount() == 1
    assert "! Two lawsuits" in view.toPlainText().replace("\u00a0", " ")
    assert "The page says 3.7 million. The kiln" in view.toPlainText()
    image, bubble = picture(view), view._theme.tokens.bubble
    assert share(image, view.ground.chip_rect(1, 0).adjusted(-60, 4, -20, -4), bubble) > 0.3
    assert share(image, view.ground.chip_rect(0, 0).adjusted(-60, 4, -20, -4), bubble) == 0


def test_headings_and_questions_stand_above_what_belongs_to_them(make: Make) -> None:
    view = make(
        (told(KILN, 1, group="Energy"), told(KILN, 2, group="Energy"), told(MONEY, 3, group="Law")), Form.SECTIONS
    )
    lines = view.toPlainText().split("\n")
    assert [lines.index("Energy"), lines.index("Law")] == [0, 3]
    asked = make((told(KILN, 1, group="What does a firing need?"),), Form.QUESTIONS)
    assert asked.toPlainText().startswith("What does a firing need?\n")
    assert not asked.ranges[0].is_marked, "an answer has no bullet"


def test_right_to_left_the_bullet_is_at_the_right(make: Make) -> None:
    view = make((told(ARABIC, 3),))
    image, muted = picture(view), view._theme.tokens.muted
    rect = view.ground.statement_rect(0)
    assert share(image, QRectF(rect.right() - 30, rect.top(), 30, 20), muted) > 0
    assert share(image, QRectF(0, rect.top(), 30, 20), muted) == 0


def test_arrows_move_between_statements_and_chips_and_enter_opens(make: Make, qtbot: QtBot) -> None:
    view = make()
    opened: list[Chip] = []
    view.opened.connect(opened.append)
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    assert view.current == 0
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Space)
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert [chip.text for chip in opened] == ["p. 6", "p. 30", "p. 27", "p. 3"]
    assert view.current == 0


def test_esc_is_told_and_tab_leaves(make: Make, qtbot: QtBot) -> None:
    view = make()
    view.setFocus()
    with qtbot.waitSignal(view.left):
        qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert view.tabChangesFocus()


def test_a_click_on_a_chip_opens_it_and_one_beside_it_does_not(make: Make, qtbot: QtBot) -> None:
    view = make()
    opened: list[Chip] = []
    view.opened.connect(opened.append)
    middle = view.ground.chip_rect(0, 1).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(round(middle.x()), round(middle.y())))
    qtbot.mouseClick(
        view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(100, round(view.ground.statement_rect(0).top()) + 8)
    )
    assert [chip.spoken for chip in opened] == ["page 30 of report.pdf"]


def test_what_is_selected_is_copied_as_it_reads(make: Make, qtbot: QtBot) -> None:
    view = make((told("Heat falls by a fifth.", 6), told(MONEY, 27, note="The page says 3.7 million.")))
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == (
        "Heat falls by a fifth p. 6.\nTwo lawsuits were settled for 3.1 million p. 27.\nThe page says 3.7 million."
    )


def test_a_statement_is_text_whatever_it_holds(make: Make) -> None:
    view = make((told("<b>bold</b> <img src='file:///etc/passwd'> & [link](http://x)", 1),))
    assert "<b>bold</b> <img src='file:///etc/passwd'> & [link](http://x)" in view.toPlainText()


def test_hundreds_of_statements_are_there_and_only_those_in_view_are_looked_at_for_painting(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [
        told(f"Number {n}. {KILN}", n, n + 1, note="The page says 3.7 million." if n % 9 == 0 else "")
        for n in range(200)
    ]
    view = make(many)
    bar = view.verticalScrollBar()
    assert bar.maximum() > 5_000
    in_all, looked_at = 0, list[StatementRange]()
    rect_of = StatementGround.rect_of

    def noted(self: StatementGround, stretch: StatementRange) -> QRectF:
        looked_at.append(stretch)
        return rect_of(self, stretch)

    monkeypatch.setattr(StatementGround, "rect_of", noted)
    for step in range(20):
        bar.setValue(bar.maximum() * step // 20)
        QApplication.processEvents()
        looked_at.clear()
        view.viewport().repaint()
        assert len(looked_at) < 20
        in_all += len(looked_at)
    assert in_all > 3 * 20


def test_whoever_reads_above_is_not_moved_when_more_comes_and_whoever_is_at_the_end_follows(make: Make) -> None:
    view = make([told(KILN, n) for n in range(1, 40)])
    bar = view.verticalScrollBar()
    bar.setValue(100)
    view.add([told(MONEY, 5)])
    assert bar.value() == 100
    bar.setValue(bar.maximum())
    view.add([told(KILN, 6), told(KILN, 7)])
    assert bar.value() == bar.maximum()


def test_what_stands_below_gives_way_piece_by_piece_and_whoever_reads_it_stays_at_it(make: Make) -> None:
    below = [told(f"{KILN} {number}", number) for number in range(1, 20)]
    view = make([])
    view.show_below("Sentences of the document.", below)
    assert view.toPlainText().startswith("Sentences of the document.")
    bar = view.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    read = next(number for number in range(19) if view.ground.statement_rect(number).top() >= 0)
    told_there, top = view.ranges[read].shown, view.ground.statement_rect(read).top()
    view.open_place(read)
    for number in range(3):
        view.add([told(MONEY, number)], below[number + 1 :])
    now = next(number for number, one in enumerate(view.ranges) if one.shown is told_there)
    assert (now, view.below) == (read, 16), "three came above, and three below have gone"
    assert abs(view.ground.statement_rect(now).top() - top) <= 2
    assert (view.current, view.open_chip) == (now, (now, 0))
    assert view.toPlainText().index(MONEY[:-1]) < view.toPlainText().index("Sentences of the document.")
    view.show_below("Sentences of the document.", [])
    assert view.toPlainText().count(MONEY[:-1]) == 3
    assert "Sentences" not in view.toPlainText()
    assert view.open_chip is None
    view.add([told(ARABIC, 3)])
    assert len(view.ranges) == 4


def test_shown_whole_it_is_as_high_as_its_text_and_says_where_the_keyboard_is(qtbot: QtBot) -> None:
    view = WholeStatementView(Theme("light"))
    qtbot.addWidget(view)
    view.resize(640, 40)
    view.show_statements([told(f"{KILN} {number}", number) for number in range(1, 20)], Form.BULLETS)
    view.show()
    high = view.height()
    assert high >= view.document().size().height()
    places: list[QRect] = []
    view.moved.connect(places.append)
    view.go_to(18)
    assert places == [view.place_of(18)]
    assert 0 < places[0].bottom() <= high
    view.resize(320, high)
    assert view.height() > high


def test_a_statement_is_read_aloud_without_its_sources(make: Make) -> None:
    text = text_from_here(make())
    assert text is not None
    said = [sentence.text for sentence in iter(text.next_sentence, None)]
    assert said == [KILN, MONEY, "The page says 3.7 million.", ARABIC]
