"""Segments side by side: a hundred thousand of them, what keys and mouse do, selecting, editing, the marks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.core.errors.database_errors import DatabaseDamaged
from app.documents.segments import Content, Mark, Segment, SegmentKind, plain
from app.features.translate.translation_events import Flag, FlagKind, Row, Translated, TranslationSource
from app.ui.shared_labels import KEEP_LABEL
from app.ui.theme import Theme
from app.ui.translate.rows import NOT_TRANSLATED_YET, SOURCE, TARGET
from app.ui.translate.segment_editor import MISSING_MARKS
from app.ui.translate.segment_table import SEGMENTS, SegmentTable
from app.ui.translate.translation_texts import Remedy
from tests.helpers.desks.translate import link_rect

MANY = 100_000
BOLD: Content = ("The tenant pays ", Mark("open", 1, "bold"), "1,240.00", Mark("close", 1), " a month.")
FETT: Content = ("Der Mieter zahlt ", Mark("open", 1, "bold"), "1.240,00", Mark("close", 1), " im Monat.")
KEYS: Content = ("Keys (", Mark("single", 1, "code", "{box}"), ")", Mark("single", 2, "break"), "and a seal ",
                 Mark("single", 3, "image"))  # fmt: skip
TERM = Flag(FlagKind.GLOSSARY, "interest", "Verzugszinsen")


class Rows:
    """Rows in memory; `asked` says which parts were looked at."""

    def __init__(self, *pairs: tuple[Content, Content | None, tuple[Flag, ...]], count: int = 0) -> None:
        self._pairs = pairs
        self.count = count or len(pairs)
        self.asked: list[int] = []
        self.error: DatabaseDamaged | None = None

    def rows(self, start: int, count: int) -> list[Row]:
        if self.error is not None:
            raise self.error
        self.asked.append(start)
        return [self._row(number) for number in range(start, min(start + count, self.count + 1))]

    def _row(self, number: int) -> Row:
        source, target, flags = self._pairs[(number - 1) % len(self._pairs)]
        kind = SegmentKind.HEADING if number % 9 == 1 else SegmentKind.PARAGRAPH
        is_kept = bool(flags) and flags[0].kind is FlagKind.UNTRANSLATED
        origin = TranslationSource.KEPT if is_kept else TranslationSource.MODEL
        translated = Translated(number, target, origin, flags) if target is not None else None
        return Row(Segment(number, source, kind), translated)


LONG: Content = ("Pets are allowed with the consent of the landlord, which is not refused without reason. " * 3,)
FEW = (
    (("Rent",), ("Miete",), ()),
    (BOLD, FETT, ()),
    (("Late payment bears interest.",), ("Bei Verzug fallen Zinsen an.",), (TERM,)),
    (LONG, LONG, (Flag(FlagKind.SAME),)),
    (KEYS, None, ()),
)  # fmt: skip

Make = Callable[..., SegmentTable]


@pytest.fixture
def make(qtbot: QtBot, qapp: QApplication) -> Iterator[Make]:
    def view(
        rows: Rows | None = None, *, scheme: str = "light", rtl: tuple[bool | None, bool | None] = (False, False)
    ) -> SegmentTable:
        theme = Theme(scheme)
        theme.install(qapp)
        made = SegmentTable(theme)
        qtbot.addWidget(made)
        made.resize(760, 480)
        made.show_source(rows or Rows(*FEW), ("English", "Deutsch"), rtl)
        made.show()
        qtbot.waitExposed(made)
        made.activateWindow()
        qtbot.waitUntil(made.isActiveWindow)
        made.setFocus()
        return made

    yield view
    qapp.setStyleSheet("")


def press(view: QWidget, qtbot: QtBot, *keys: Qt.Key, with_control: bool = False) -> None:
    """Keys to whatever has the keyboard."""
    for key in keys:
        focus = QApplication.focusWidget() or view
        qtbot.keyClick(
            focus, key, Qt.KeyboardModifier.ControlModifier if with_control else Qt.KeyboardModifier.NoModifier
        )


def picture(view: SegmentTable) -> QImage:
    image = QImage(view.viewport().size(), QImage.Format.Format_RGB32)
    image.fill(QColor(view._theme.tokens.surface))
    view.viewport().render(image, QPoint(), renderFlags=view.RenderFlag.DrawChildren)
    return image


def has_color(image: QImage, color: str, area: QRect) -> bool:
    wanted, columns = QColor(color), range(area.left(), area.right())
    return any(image.pixelColor(x, y) == wanted for x in columns for y in range(area.top(), area.bottom()))


def test_of_a_hundred_thousand_rows_only_those_in_view_are_asked_for(make: Make, qtbot: QtBot) -> None:
    rows = Rows(*FEW, count=MANY)
    view = make(rows)
    assert rows.asked == [1]
    assert view.rows.rowCount() == MANY
    press(view, qtbot, Qt.Key.Key_End)
    assert view.current == MANY - 1
    assert view.rowViewportPosition(MANY - 1) + view.rowHeight(MANY - 1) <= view.viewport().height()
    assert sorted(set(rows.asked)) == [1, MANY - 99]
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 2)
    assert len(set(rows.asked)) <= 4


def test_rows_are_measured_as_they_come_and_what_is_in_view_does_not_jump(make: Make) -> None:
    view = make(Rows(*FEW, count=MANY))
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 3)
    for step in (-70, 55, -130, 90):
        row = view.rowAt(view.viewport().height() // 2)
        before = view.rowViewportPosition(row)
        view.verticalScrollBar().setValue(view.verticalScrollBar().value() + step)
        assert view.rowViewportPosition(row) == before - step
        top = view.rowAt(0)
        while 0 <= view.rowViewportPosition(top) + 1 < view.viewport().height() and top < MANY:
            assert view.rowHeight(top) == view.laid.row(top).height_px
            top += 1


def test_a_narrower_window_lays_out_anew_and_keeps_the_row_in_view(make: Make) -> None:
    view = make(Rows(*FEW, count=1000))
    view.go_to(500)
    high = view.rowHeight(503)
    view.resize(420, 480)
    QApplication.processEvents()
    assert view.rowHeight(503) > high
    assert 0 <= view.rowViewportPosition(500) < view.viewport().height()


def test_a_place_is_found_again_after_other_rows_were_shown(make: Make) -> None:
    view = make(Rows(*FEW, count=2000))
    view.go_to(1200)
    view.verticalScrollBar().setValue(view.verticalScrollBar().value() + 17)
    place = view.place
    view.show_source(Rows(*FEW), ("English", "Deutsch"), (False, False))
    assert view.place == (0, 0)
    view.show_source(Rows(*FEW, count=2000), ("English", "Deutsch"), (False, False))
    view.go_to_place(place)
    assert view.place == place


def test_arrows_pages_and_ends_move_between_rows(make: Make, qtbot: QtBot) -> None:
    view = make(Rows(*FEW, count=300))
    press(view, qtbot, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up)
    assert view.current == 1
    press(view, qtbot, Qt.Key.Key_PageDown)
    assert view.current > 3
    press(view, qtbot, Qt.Key.Key_Home)
    assert view.current == 0
    press(view, qtbot, Qt.Key.Key_Up)
    assert view.current == 0


def test_a_flag_says_its_reason_and_its_links_are_followed_by_mouse_and_keys(make: Make, qtbot: QtBot) -> None:
    view = make()
    followed: list[tuple[int, Remedy]] = []
    view.remedy_wanted.connect(lambda number, link: followed.append((number, link.remedy)))
    line = view.laid.row(2).flags[0].cell.written.plain()
    assert (
        line.replace("\u00a0", " ").strip() == f"The glossary has “Verzugszinsen” for “interest”. Use it · {KEEP_LABEL}"
    )
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=link_rect(view, 2, 0).center())
    view.go_to(2)
    press(view, qtbot, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return)
    view.go_to(3)
    press(view, qtbot, Qt.Key.Key_Right, Qt.Key.Key_Space)
    assert followed == [(3, Remedy.USE_TERM), (3, Remedy.KEEP), (4, Remedy.AGAIN)]


def test_what_is_being_written_grows_and_then_is_there(make: Make) -> None:
    view = make()
    assert view.laid.row(4).target.written.text == ""
    view.rows.grow(5, "")
    assert view.laid.row(4).target.written.text == "…"
    view.rows.grow(5, "Schlüssel")
    assert view.laid.row(4).target.written.text == "Schlüssel"
    assert "Schlüssel" in view.rows.spoken(4, TARGET)
    view.rows.set_translated(Translated(5, KEYS))
    assert "{box}" in view.laid.row(4).target.written.text
    view.rows.grow(5, "Neu")
    view.rows.drop_growing()
    assert "{box}" in view.laid.row(4).target.written.text


def test_a_persons_own_words_are_not_replaced_by_what_the_model_still_tells(make: Make) -> None:
    view = make()
    view.rows.set_translated(Translated(1, ("Mein Wort",), TranslationSource.EDITED))
    view.rows.set_translated(Translated(1, ("Miete",)))
    assert view.laid.row(0).target.written.text == "Mein Wort"


def test_text_is_selected_over_rows_of_one_column_and_copied(make: Make, qtbot: QtBot) -> None:
    view = make()
    left = view.columnViewportPosition(TARGET)
    top = view.rowViewportPosition(0) + view.rowHeight(0) // 2
    end = view.rowViewportPosition(1) + view.rowHeight(1) // 2
    qtbot.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(left + 1, top))
    qtbot.mouseMove(view.viewport(), QPoint(view.viewport().width() - 4, end))
    qtbot.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(view.viewport().width() - 4, end))
    press(view, qtbot, Qt.Key.Key_C, with_control=True)
    assert QApplication.clipboard().text() == f"Miete\n{plain(FETT)}"
    assert has_color(picture(view), view._theme.tokens.selection, QRect(left, top - 10, 60, 20))
    press(view, qtbot, Qt.Key.Key_Escape)
    assert view.selection.text() == ""


def test_two_clicks_on_the_translation_open_its_editor_and_esc_leaves_it_as_it_was(make: Make, qtbot: QtBot) -> None:
    view = make()
    edited: list[int] = []
    view.edited.connect(lambda number, _content: edited.append(number))
    at = QPoint(view.columnViewportPosition(TARGET) + 34, view.rowViewportPosition(0) + view.rowHeight(0) // 2)
    qtbot.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert view.editor is not None
    assert view.editor.text.hasFocus()
    qtbot.keyClicks(view.editor.text, " neu")
    press(view, qtbot, Qt.Key.Key_Escape)
    assert view.editor is None
    assert edited == []
    assert view.hasFocus()


def test_enter_edits_and_enter_keeps_what_was_typed(make: Make, qtbot: QtBot) -> None:
    view = make()
    edited: list[tuple[int, Content]] = []
    view.edited.connect(lambda number, content: edited.append((number, content)))
    view.go_to(1)
    press(view, qtbot, Qt.Key.Key_Return)
    assert view.editor is not None
    qtbot.keyClicks(view.editor.text, "!")
    press(view, qtbot, Qt.Key.Key_Return)
    assert edited == [(2, (*FETT[:-1], " im Monat.!"))]
    assert view.editor is None


def test_control_enter_accepts_and_asks_for_the_next_flagged(make: Make, qtbot: QtBot) -> None:
    view = make()
    told: list[str] = []
    view.edited.connect(lambda number, _content: told.append(f"edited {number}"))
    view.accepted.connect(lambda number: told.append(f"accepted {number}"))
    view.next_wanted.connect(lambda number: told.append(f"next {number}"))
    view.go_to(2)
    press(view, qtbot, Qt.Key.Key_F2)
    assert view.editor is not None
    qtbot.keyClicks(view.editor.text, "!")
    press(view, qtbot, Qt.Key.Key_Return, with_control=True)
    press(view, qtbot, Qt.Key.Key_Return, with_control=True)
    assert told == ["edited 3", "accepted 3", "next 3", "accepted 3", "next 3"]


def test_a_chip_is_one_character_that_is_taken_out_whole_and_its_loss_is_told(make: Make, qtbot: QtBot) -> None:
    view = make()
    edited: list[Content] = []
    view.edited.connect(lambda _number, content: edited.append(content))
    view.edit_row(1)
    editor = view.editor
    assert editor is not None
    assert editor.content == FETT
    press(view, qtbot, Qt.Key.Key_Home)
    press(view, qtbot, *[Qt.Key.Key_Right] * len("Der Mieter zahlt "), Qt.Key.Key_Delete)
    assert MISSING_MARKS.format(marks="‹B") in editor.words.text()
    press(view, qtbot, Qt.Key.Key_Return)
    assert edited == []
    assert view.editor is editor, "it stays open"
    assert editor.back.isVisible()
    qtbot.mouseClick(editor.back, Qt.MouseButton.LeftButton)
    assert editor.is_whole
    assert not editor.back.isVisible()
    press(view, qtbot, Qt.Key.Key_Return)
    assert [part.key for part in edited[0] if isinstance(part, Mark)] == [("open", 1), ("close", 1)]
    assert plain(edited[0]) == plain(FETT)


def test_what_is_typed_beside_a_chip_is_text(make: Make, qtbot: QtBot) -> None:
    view = make()
    view.edit_row(1)
    editor = view.editor
    assert editor is not None
    press(view, qtbot, Qt.Key.Key_Home)
    press(view, qtbot, *[Qt.Key.Key_Right] * (len("Der Mieter zahlt ") + 1))
    qtbot.keyClicks(editor.text, "rund ")
    assert editor.content == (FETT[0], FETT[1], "rund 1.240,00", *FETT[3:])
    press(view, qtbot, Qt.Key.Key_Z, with_control=True)
    assert editor.content == FETT


def test_the_editor_keeps_what_was_typed_when_the_keyboard_goes_elsewhere(make: Make, qtbot: QtBot) -> None:
    view = make()
    window = QWidget()
    qtbot.addWidget(window)
    field = QLineEdit()
    column = QVBoxLayout(window)
    column.addWidget(field)
    column.addWidget(view)
    window.resize(800, 600)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    edited: list[Content] = []
    view.edited.connect(lambda _number, content: edited.append(content))
    view.edit_row(0)
    assert view.editor is not None
    qtbot.keyClicks(view.editor.text, "!")
    field.setFocus()
    assert edited == [("Miete!",)]
    assert view.editor is None
    assert field.hasFocus()
    view.setParent(None)


def test_other_rows_end_the_editing_with_marks_put_back(make: Make, qtbot: QtBot) -> None:
    view = make()
    edited: list[Content] = []
    view.edited.connect(lambda _number, content: edited.append(content))
    view.edit_row(1)
    assert view.editor is not None
    view.editor.text.selectAll()
    qtbot.keyClicks(view.editor.text, "Neu")
    view.show_source(Rows(*FEW), ("English", "Deutsch"), (False, False))
    assert edited == [("Neu", Mark("open", 1, "bold"), Mark("close", 1))]


def test_each_column_runs_in_its_own_direction(make: Make) -> None:
    view = make(Rows((("Rent",), ("الإيجار",), (Flag(FlagKind.SAME),))), rtl=(False, True))
    laid = view.laid.row(0)
    room = view.columnWidth(TARGET)
    assert laid.source.rect_of(0, 4)[0].left() < 2
    assert laid.target.rect_of(0, 7)[0].right() > room - 60
    assert laid.flags[0].cell.rect_of(0, 5)[0].right() < room
    assert laid.flags[0].cell.rect_of(0, len(laid.flags[0].cell.written.text))[0].right() > room - 60
    view.edit_row(0)
    assert view.editor is not None
    assert view.editor.text.document().defaultTextOption().textDirection() == Qt.LayoutDirection.RightToLeft


def test_screen_readers_find_a_table_whose_cells_say_text_and_flags(make: Make) -> None:
    view = make()
    table = QAccessible.queryAccessibleInterface(view)
    assert table.role() in (QAccessible.Role.Table, QAccessible.Role.List)
    assert view.accessibleName() == SEGMENTS
    cell = view.rows.index(2, TARGET)
    said = str(cell.data(Qt.ItemDataRole.AccessibleTextRole))
    assert said.startswith("Bei Verzug fallen Zinsen an.")
    assert f"Flagged: The glossary has “Verzugszinsen” for “interest”. Use it · {KEEP_LABEL}" in said
    assert view.rows.spoken(4, TARGET) == NOT_TRANSLATED_YET
    assert view.rows.spoken(4, SOURCE).startswith("5. Keys ({box})")
    assert view.rows.headerData(TARGET, Qt.Orientation.Horizontal) == "Deutsch"
