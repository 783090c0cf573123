"""The page as an editor: continuations as one step of undo, tints, keys of code, colours, very long pages."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.write.page_document import PageContent
from app.ui.write.page_edit import PageEdit, unit_of

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
KEY = Qt.Key


@pytest.fixture
def edit(qtbot: QtBot, theme: Theme) -> PageEdit:
    made = PageEdit(theme)
    made.resize(900, 500)
    qtbot.addWidget(made)
    made.show()
    made.setFocus()
    return made


def show(edit: PageEdit, text: str, *, written: tuple[tuple[int, int], ...] = (), cursor: int = -1) -> None:
    edit.show_state(PageContent(text, written, len(text) if cursor < 0 else cursor))


def select(edit: PageEdit, start: int, end: int) -> None:
    cursor = edit.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    edit.setTextCursor(cursor)


def write_run(edit: PageEdit, *parts: str) -> None:
    edit.begin_run()
    for part in parts:
        edit.grow_run(part)
    edit.page.end_run()


def tinted(edit: PageEdit) -> list[str]:
    state = edit.state
    return [state.text[start:end] for start, end in state.written]


def test_a_continuation_is_one_step_of_undo_and_comes_back_with_its_tint(edit: PageEdit, qtbot: QtBot) -> None:
    show(edit, "")
    qtbot.keyClicks(edit, "Deep learning is")
    write_run(edit, " a", " branch", " of 漢字\U0001f600\nmore")
    qtbot.keyClicks(edit, ", yes")
    after = "Deep learning is a branch of 漢字\U0001f600\nmore"
    assert edit.text == after + ", yes"
    assert tinted(edit) == [" a branch of 漢字\U0001f600\nmore"]
    edit.undo_last()
    assert edit.text == after
    edit.undo_last()
    assert (edit.text, tinted(edit)) == ("Deep learning is", [])
    edit.redo_last()
    assert (edit.text, tinted(edit)) == (after, [" a branch of 漢字\U0001f600\nmore"])


@pytest.mark.parametrize(("place", "typed", "left"), [(9, "x", []), (7, "x", ["model"]), (12, "x", ["model"])])
def test_only_an_edit_inside_takes_the_tint(
    edit: PageEdit, qtbot: QtBot, place: int, typed: str, left: list[str]
) -> None:
    show(edit, "person model person", written=((7, 12),), cursor=place)
    qtbot.keyClicks(edit, typed)
    assert tinted(edit) == left
    edit.undo_last()
    assert tinted(edit) == ["model"]


def test_another_one_in_its_place_can_be_taken_back(edit: PageEdit) -> None:
    show(edit, "Once")
    write_run(edit, " upon")
    edit.begin_run((4, 9))
    edit.grow_run(" more")
    edit.grow_run(" again")
    assert edit.page.end_run() == (4, 15)
    assert (edit.text, tinted(edit)) == ("Once more again", [" more again"])
    edit.undo_last()
    assert (edit.text, tinted(edit)) == ("Once upon", [" upon"])
    edit.undo_last()
    assert (edit.text, tinted(edit)) == ("Once", [])


def test_where_the_model_begins_to_read_is_drawn(edit: PageEdit) -> None:
    show(edit, "one\ntwo\nthree", cursor=0)
    plain = edit.grab().toImage()
    edit.reading_line.show_at(4)
    assert edit.grab().toImage() != plain
    edit.reading_line.show_at(None)
    assert edit.grab().toImage() == plain


# Keys of code.


def test_tab_indents_to_the_next_step_and_what_is_selected(edit: PageEdit, qtbot: QtBot) -> None:
    edit.show_language("python", is_code=True)
    show(edit, "if a:\n    b\n")
    qtbot.keyClick(edit, KEY.Key_Tab)
    assert edit.text == "if a:\n    b\n    "
    select(edit, 0, 12)
    qtbot.keyClick(edit, KEY.Key_Tab)
    assert edit.text == "    if a:\n        b\n    "
    qtbot.keyClick(edit, KEY.Key_Backtab, SHIFT)
    qtbot.keyClick(edit, KEY.Key_Backtab, SHIFT)
    assert edit.text == "if a:\nb\n    "


def test_return_keeps_the_indent_and_backspace_goes_back_a_step(edit: PageEdit, qtbot: QtBot) -> None:
    edit.show_language("python", is_code=True)
    show(edit, "def f(a):")
    for key in (KEY.Key_Return, KEY.Key_X, KEY.Key_Return):
        qtbot.keyClick(edit, key)
    assert edit.text == "def f(a):\n    x\n    "
    qtbot.keyClick(edit, KEY.Key_Backspace)
    assert edit.text == "def f(a):\n    x\n"
    qtbot.keyClick(edit, KEY.Key_Backspace)
    qtbot.keyClick(edit, KEY.Key_Backspace)
    assert edit.text == "def f(a):\n    "


@pytest.mark.parametrize(
    ("text", "unit"),
    [("", "    "), ("a\n\tb\n\tc\n", "\t"), ("a\n  b\n    c\n", "  "), ("a\n        b", "        "), ("a\n b", "    ")],
)
def test_a_step_is_as_the_file_has_it(text: str, unit: str) -> None:
    assert unit_of(text) == unit


def test_tab_leaves_prose_and_after_escape_code_too(edit: PageEdit, qtbot: QtBot) -> None:
    assert edit.tabChangesFocus()
    edit.show_language("python", is_code=True)
    show(edit, "a")
    assert not edit.focusNextPrevChild(True)
    qtbot.keyClick(edit, KEY.Key_Escape)
    assert edit.code_keys.may_leave
    qtbot.keyClicks(edit, "b")
    assert not edit.focusNextPrevChild(True)


def test_what_is_pasted_is_plain_text_with_one_kind_of_line_end(edit: PageEdit) -> None:
    show(edit, "")
    data = QMimeData()
    data.setHtml("<b>bold</b>")
    data.setText("one\r\ntwo\rthree\0")
    edit.insertFromMimeData(data)
    assert edit.text == "one\ntwo\nthree"
    QGuiApplication.clipboard().clear()


# Colours.


def colours_of(edit: PageEdit, line: int) -> list[tuple[int, int, str]]:
    formats = edit.document().findBlockByNumber(line).layout().formats()
    return [(one.start, one.length, one.format.foreground().color().name().upper()) for one in formats]


def test_code_has_colours_that_follow_and_are_no_steps_of_undo(edit: PageEdit, qtbot: QtBot, theme: Theme) -> None:
    edit.show_language("python", is_code=True)
    show(edit, 'x = """\ntext\n"""\nreturn')
    qtbot.waitUntil(lambda: not edit.colours.is_busy)
    string, keyword = theme.tokens.code_string, theme.tokens.code_keyword
    assert colours_of(edit, 1) == [(0, 4, string)]
    assert colours_of(edit, 3) == [(0, 6, keyword)]
    assert not edit.document().isUndoAvailable()
    select(edit, 0, 0)
    qtbot.keyClicks(edit, "#")
    qtbot.waitUntil(lambda: not edit.colours.is_busy and colours_of(edit, 1) == [])
    edit.show_language("", is_code=False)
    assert colours_of(edit, 3) == []


def sizes_of(edit: PageEdit, line: int) -> list[tuple[int, int, int]]:
    formats = edit.document().findBlockByNumber(line).layout().formats()
    return [(one.start, one.length, one.format.font().pixelSize()) for one in formats]


def test_headings_are_set_as_such_at_once_and_keep_their_marks_and_the_steps_of_undo(
    edit: PageEdit, qtbot: QtBot, theme: Theme
) -> None:
    show(edit, "# The 🔥 sun\n\n## Its light\n#hash\nwide", cursor=0)
    assert sizes_of(edit, 0) == [(0, 2, 21), (2, 10, 21)]
    assert colours_of(edit, 0)[0][2] == theme.tokens.muted.upper()
    assert [sizes_of(edit, line) for line in (2, 3, 4)] == [[(0, 3, 17), (3, 9, 17)], [], []]
    height = edit.document().size().height()
    assert not edit.document().isUndoAvailable()
    qtbot.keyClick(edit, KEY.Key_Delete)
    assert sizes_of(edit, 0) == []
    assert edit.document().size().height() < height
    qtbot.keyClicks(edit, "##")
    assert sizes_of(edit, 0) == [(0, 3, 17), (3, 10, 17)]
    edit.undo_last()
    edit.undo_last()
    assert edit.text.startswith("# The")
    assert sizes_of(edit, 0) == [(0, 2, 21), (2, 10, 21)]
    assert not edit.document().isUndoAvailable()
    edit.show_language("python", is_code=True)
    assert sizes_of(edit, 2) == [], "in code it is a comment"
    edit.show_language("markdown", is_code=False)
    qtbot.waitUntil(lambda: not edit.colours.is_busy)
    assert sizes_of(edit, 2) == [(0, 3, 17), (3, 9, 17)]


def test_a_key_in_a_long_page_touches_its_own_line_only(edit: PageEdit, monkeypatch: pytest.MonkeyPatch) -> None:
    show(edit, "# Heading\nand its text\n" * 3000, cursor=10)
    touched: list[int] = []
    put_on = edit.colours._put_on
    monkeypatch.setattr(
        edit.colours, "_put_on", lambda block, colours: touched.append(block.blockNumber()) or put_on(block, colours)
    )
    edit.textCursor().insertText("# ")
    assert touched == [1]
