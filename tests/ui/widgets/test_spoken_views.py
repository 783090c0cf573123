"""Sentences of views: from the caret on, of a selection, of growing answers, without code, formulas and citations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.text.markdown import MarkdownStream
from app.ui.text.selectable import SelectableText
from app.ui.text.text_body import MessageBody
from app.ui.theme import Theme
from app.ui.widgets.input_fields import PlainEdit
from app.ui.widgets.spoken_views import (
    CODE_WORD,
    FORMULA_WORD,
    ReadingMark,
    SpokenPlace,
    SpokenText,
    SpokenViews,
    as_spoken_view,
    text_from_here,
)

WRITTEN = "# Two trains\n\nThe first leaves at 9. The second at 10.\n\n```python\nprint(1)\n```\nGood **luck**!"


def sentences_of(text: SpokenText | None) -> list[str]:
    assert text is not None
    return [sentence.text for sentence in iter(text.next_sentence, None)]


def select(edit: PlainEdit | QPlainTextEdit, start: int, end: int) -> None:
    cursor = edit.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    edit.setTextCursor(cursor)


@pytest.fixture(params=(PlainEdit, QPlainTextEdit))
def edit(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[PlainEdit | QPlainTextEdit]:
    edit: PlainEdit | QPlainTextEdit = request.param()
    qtbot.addWidget(edit)
    edit.setPlainText(WRITTEN)
    edit.resize(300, 200)
    edit.show()
    yield edit


def test_a_text_is_read_from_the_sentence_with_the_caret(edit: PlainEdit | QPlainTextEdit) -> None:
    whole = ["Two trains", "The first leaves at 9.", "The second at 10.", CODE_WORD, "Good luck!"]
    assert sentences_of(text_from_here(edit)) == whole
    select(edit, WRITTEN.index("second"), WRITTEN.index("second"))
    assert sentences_of(text_from_here(edit)) == whole[2:]
    select(edit, WRITTEN.index("print"), WRITTEN.index("print"))
    assert sentences_of(text_from_here(edit)) == whole[3:]
    edit.moveCursor(QTextCursor.MoveOperation.End)
    assert sentences_of(text_from_here(edit)) == whole, "where nothing follows, all is meant"


def test_of_a_selection_no_more_is_read(edit: PlainEdit | QPlainTextEdit) -> None:
    select(edit, WRITTEN.index("leaves"), WRITTEN.index(" at 10"))
    text = text_from_here(edit)
    assert isinstance(text, SpokenViews)
    assert text.sample.startswith("leaves at 9")
    assert sentences_of(text) == ["leaves at 9.", "The second"]


def test_a_sentence_keeps_its_place_while_the_text_is_edited(edit: PlainEdit | QPlainTextEdit) -> None:
    text = text_from_here(edit)
    assert text is not None
    text.next_sentence()
    sentence = text.next_sentence()
    assert sentence is not None
    assert isinstance(sentence.place, SpokenPlace)
    edit.textCursor().insertText("😀 Before. ")
    assert sentence.place.cursor.selectedText() == "The first leaves at 9."
    assert sentences_of(text)[0] == "The second at 10."


def test_fields_of_one_line_are_read_and_passwords_are_not(qtbot: QtBot) -> None:
    field, secret = QLineEdit("One. Two."), QLineEdit("hidden", echoMode=QLineEdit.EchoMode.Password)
    for line in (field, secret):
        qtbot.addWidget(line)
    assert sentences_of(text_from_here(field)) == ["One.", "Two."]
    field.setSelection(5, 4)
    assert sentences_of(text_from_here(field)) == ["Two."]
    assert as_spoken_view(field) is field
    assert as_spoken_view(secret) is None
    assert text_from_here(QLineEdit("  ")) is None


class GrowingAnswer:
    """An answer's body that is written piece by piece."""

    def __init__(self, qtbot: QtBot, theme: Theme) -> None:
        self.body, self._stream = MessageBody(theme), MarkdownStream()
        qtbot.addWidget(self.body)
        self.body.resize(500, 300)
        self.body.show()
        self.is_open = True

    def write(self, text: str) -> None:
        self._stream.feed(text)
        self.body.set_blocks(self._stream.closed, self._stream.open_blocks(), self._stream.revision)
        self.body.arrange(500)

    def spoken(self) -> SpokenViews:
        return SpokenViews(self.views, is_growing=lambda: self.is_open)

    def views(self) -> list[SelectableText]:
        return [
            text
            for view in self.body.views
            for text in ([view] if isinstance(view, SelectableText) else view.findChildren(SelectableText))
        ]


def test_an_answer_is_read_without_markup_code_and_formulas(qtbot: QtBot) -> None:
    answer = GrowingAnswer(qtbot, Theme("light"))
    answer.write(
        "See [the manual](https://example.com/x).[^1] Then $n = 5$ holds, and $\\frac{a}{b}$ too.\n\n"
        "- one\n- two\n\n```\na = 1\n```\n\n| Guest | Years |\n| --- | --- |\n| Ann | 5 |\n\nDone."
    )
    answer.is_open = False
    said = sentences_of(answer.spoken())
    assert said == [
        "See the manual.",
        f"Then n = 5 holds, and {FORMULA_WORD} too.",
        *("one", "two", CODE_WORD, "Guest", "Years", "Ann", "5", "Done."),
    ]


def test_a_growing_answer_is_read_by_whole_sentences(qtbot: QtBot) -> None:
    answer = GrowingAnswer(qtbot, Theme("light"))
    text = answer.spoken()
    answer.write("The first")
    assert sentences_of(text) == []
    answer.write(" one. The sec")
    assert sentences_of(text) == ["The first one."]
    answer.write("ond one.\n\nAnd a **third")
    assert sentences_of(text) == ["The second one."]
    answer.write("** one.")
    assert sentences_of(text) == []
    answer.is_open = False
    assert sentences_of(text) == ["And a third one."]


def test_a_reader_who_scrolled_away_is_not_called_back(qtbot: QtBot) -> None:
    theme, area, inside = Theme("light"), QScrollArea(), QWidget()
    edit = PlainEdit()
    edit.setPlainText("\n".join(f"Sentence {number}." for number in range(200)))
    edit.setFixedHeight(6000)
    QVBoxLayout(inside).addWidget(edit)
    inside.adjustSize()
    area.setWidget(inside)
    qtbot.addWidget(area)
    area.resize(400, 300)
    area.show()
    mark, text = ReadingMark(theme), text_from_here(edit)
    assert text is not None
    places = [sentence.place for sentence in iter(text.next_sentence, None)]
    assert all(isinstance(place, SpokenPlace) for place in places)
    bar = area.verticalScrollBar()
    for place in places[:40]:
        mark.show(place)  # type: ignore[arg-type]
    followed = bar.value()
    assert followed > 0
    assert [selection.cursor.selectedText() for selection in edit.extraSelections()] == ["Sentence 39."]
    bar.setValue(0)
    mark.show(places[40])  # type: ignore[arg-type]
    assert bar.value() == 0
    bar.setValue(followed)
    mark.show(places[41])  # type: ignore[arg-type]
    mark.show(places[60])  # type: ignore[arg-type]
    assert bar.value() > followed
    mark.show(None)
    assert edit.extraSelections() == []
