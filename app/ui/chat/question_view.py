"""A question: a soft bubble with the text as typed, which can be edited in place."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.store.conversations import StoredMessage
from app.ui.chat.branch_documents import BranchDocuments
from app.ui.chat.message_field import MessageField
from app.ui.chat.question_documents import QuestionDocuments
from app.ui.chat.turn import ACTIONS_PX, ROW_PX, Action, Turn
from app.ui.shell.i18n import tr
from app.ui.text.pieces import Line, Span
from app.ui.text.prose import ProseView
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button

WIDEST = 0.8
PADDING_PX = (18, 6)
BOTTOM_PX = 12  # a line has its extra height above its letters
FIRST_CHARACTERS = 1_500
MOST_CHARACTERS = 60_000


class QuestionView(Turn):
    """What the person said. A long question is shown in part, with a button for the rest."""

    def __init__(self, theme: Theme, message: StoredMessage, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setProperty("align_end", True)
        self._bubble = QRect()
        self._end = 0
        self._text = self._new_text()
        self._more: QPushButton | None = None
        self._is_open = False
        self._is_answerless = False
        self._again: QPushButton | None = None
        self.editor: QuestionEditor | None = None
        self.documents = QuestionDocuments(theme, self)
        self.documents.place_wanted.connect(self.place_wanted)
        self.set_message(message)

    @property
    def text(self) -> str:
        """The whole question."""
        return self.message.text if self.message else ""

    def set_message(self, message: StoredMessage) -> None:
        """Shows a stored question."""
        is_new_text = self.message is None or self.message.text != message.text
        self.message = message
        self.setAccessibleName(tr("You: {words}", words=message.text[:200]))
        if is_new_text and not self.is_resting:
            self._show_text()
        self.update_actions()

    def rest(self) -> None:
        if self.editor is None and not self._is_answerless:
            super().rest()
            self._text.hide()
            self._text.deleteLater()

    def wake(self) -> None:
        super().wake()
        self._text = self._new_text()
        self._show_text()

    def show_documents(self, documents: BranchDocuments) -> None:
        if self.message is not None and self.documents.show_documents(documents, self.message.id):
            self.resized.emit(self)

    def actions_offered(self) -> Sequence[Action]:
        return (
            Action("copy", "copy", tr("Copy")),
            Action("edit", "pencil-simple", tr("Edit")),
            Action("delete", "trash", tr("Delete")),
        )

    def are_actions_shown(self) -> bool:
        return self.editor is None and super().are_actions_shown()

    def are_versions_shown(self) -> bool:
        return self.editor is None and super().are_versions_shown()

    def set_answerless(self, is_answerless: bool) -> None:
        """Offers an answer where a crash left none."""
        if is_answerless and self._again is None:
            self._again = text_button(tr("Answer this"), "link", self)
            self._again.clicked.connect(lambda: self.wanted.emit("answer", self))
        if self._again is not None and is_answerless != self._is_answerless:
            self._again.setVisible(is_answerless)
            self._is_answerless = is_answerless
            self.resized.emit(self)

    def start_editing(self) -> QuestionEditor:
        """Turns the bubble into an editor."""
        if self.is_resting:
            self.wake()
        if self.editor is None:
            self.editor = QuestionEditor(self.theme, self.text, self)
            self.editor.field.edit.height_changed.connect(lambda: self.resized.emit(self))
            self.editor.field.edit.submitted.connect(self._on_saved)
            self.editor.save.clicked.connect(self._on_saved)
            self.editor.field.edit.cancelled.connect(self.stop_editing)
            self.editor.field.edit.picture_pasted.connect(lambda: self.wanted.emit("picture", self))
            self.editor.cancel.clicked.connect(self.stop_editing)
            self.editor.show()
            self._text.hide()
            self.update_actions()
            self.resized.emit(self)
        self.editor.field.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        return self.editor

    def stop_editing(self) -> None:
        """Back to the bubble, nothing changed."""
        if self.editor is not None:
            editor, self.editor = self.editor, None
            editor.hide()
            editor.deleteLater()
            self._text.show()
            self.wanted.emit("edited", self)
            self.update_actions()
            self.resized.emit(self)

    def arrange(self, width: int, *, is_again: bool = False) -> int:  # noqa: ARG002
        if self.is_resting:
            return self.height()
        px = self.theme.px
        widest = int(width * WIDEST)
        left, top, bottom = px(PADDING_PX[0]), px(PADDING_PX[1]), px(BOTTOM_PX)
        begin = self.documents.place_above(width)
        if self.editor is not None:
            height = self.editor.sizeHint().height()
            self._bubble = self._at_end(width, widest, height).translated(0, begin)
            self.editor.setGeometry(self._bubble)
            return self.documents.place_below(width, begin + height) + px(ACTIONS_PX)
        self._text.height_for(widest - 2 * left)
        ideal = min(math.ceil(self._text.document().idealWidth()) + 1, widest - 2 * left)
        height = self._text.height_for(ideal)
        more = self._more.sizeHint().height() if self._more is not None else 0
        bubble_width = max(ideal, self._more.sizeHint().width() if self._more else 0) + 2 * left
        self._bubble = self._at_end(width, bubble_width, height + top + bottom + more).translated(0, begin)
        top += begin
        self._text.setGeometry(self._bubble.x() + left, top, ideal, height)
        if self._more is not None:
            self._more.setGeometry(self._bubble.x() + left - px(4), top + height, self._more.sizeHint().width(), more)
        end = self._end = self.documents.place_below(width, self._bubble.bottom() + 1)
        if self._again is not None and self._is_answerless:
            size = self._again.sizeHint()
            self._again.setGeometry(0, end + px(ACTIONS_PX), size.width(), size.height())
            end += size.height()
        return end + px(ACTIONS_PX)

    def row_rect(self) -> QRect:
        px = self.theme.px
        return QRect(0, self._end + (px(ACTIONS_PX) - px(ROW_PX)) // 2, self.width(), px(ROW_PX))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.theme.tokens.bubble))
        radius = self.theme.px(14)
        painter.drawRoundedRect(self._bubble.toRectF(), radius, radius)
        painter.end()
        super().paintEvent(event)

    def _at_end(self, width: int, wanted: int, height: int) -> QRect:
        return QRect(0 if self.isRightToLeft() else width - wanted, 0, wanted, height)

    def _new_text(self) -> ProseView:
        text = ProseView(self.theme, self)
        text.setAccessibleName(tr("Your message"))
        text.show()
        return text

    def _show_text(self) -> None:
        most = MOST_CHARACTERS if self._is_open else FIRST_CHARACTERS
        shown = self.text[:most]
        if len(self.text) > most:
            shown = shown.rstrip() + "…"
        self._text.set_lines(tuple(Line((Span(line),) if line else (), "typed") for line in shown.split("\n")))
        if self._more is not None:
            self._more.hide()
            self._more.deleteLater()
            self._more = None
        if len(self.text) > most and not self._is_open:
            self._more = text_button(tr("Show all {count} characters", count=f"{len(self.text):,}"), "link", self)
            self._more.clicked.connect(self._on_more)
            self._more.show()
        self.resized.emit(self)

    def _on_more(self) -> None:
        self._is_open = True
        self._show_text()

    def _on_saved(self) -> None:
        if self.editor is not None and self.editor.field.text.strip():
            self.wanted.emit("save", self)


class QuestionEditor(QWidget):
    """The editor inside the bubble: Enter saves, Esc cancels."""

    def __init__(self, theme: Theme, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.field = MessageField(theme, self)
        self.field.edit.has_cancel = True
        self.field.edit.setAccessibleName(tr("Edit message"))
        self.field.set_text(text)
        self.cancel = text_button(tr("Cancel"), "quiet")
        self.save = text_button(tr("Save and ask"), "primary")
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        px = theme.px
        column.setContentsMargins(px(PADDING_PX[0]), px(12), px(12), px(10))
        column.setSpacing(px(10))
        column.addWidget(self.field)
        column.addLayout(buttons)
