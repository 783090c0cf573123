"""One turn of a conversation: what question and answer have in common, when its actions are seen, and its editor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QEnterEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.core.events import Role
from app.core.visible import clean_text
from app.store.conversations import StoredMessage
from app.ui.chat.actions import (
    IN_ROW,
    MORE,
    ActionMenu,
    ActionRow,
    TurnAction,
    TurnCommand,
    action_for,
    memory_actions,
    opens_menu,
    version_actions,
)
from app.ui.chat.branch_documents import BranchDocuments
from app.ui.chat.composer import MessageEdit, MessageField
from app.ui.i18n import tr
from app.ui.shared_labels import ABOUT_THIS_ANSWER, CANCEL, DELETE, SAVE
from app.ui.theme import Theme
from app.ui.widgets.buttons import text_button
from app.ui.widgets.labels import plain_label

ACTIONS_PX = 40
ROW_PX = 30
"""The room below a turn, and of that the actions themselves: they keep their distance from what is above and below."""


class TurnView(QWidget):
    """A question or an answer. It is a tab stop; its actions appear under the pointer or with the focus."""

    action_requested = Signal(str, object)
    """A `TurnCommand`, or the name of an action of the whole window (`PersonMessage.action`), and this turn."""
    resized = Signal(object)
    """The turn needs another height."""
    key_pressed = Signal(object)
    """A `QKeyEvent` for it or for something in it; who takes the key accepts the event."""
    menu_wanted = Signal(object)
    """A `QContextMenuEvent`; who has a menu for its place accepts it, else the turn shows its own."""
    link_clicked = Signal(str)
    place_wanted = Signal(int, object)
    """A document's id, and the `Mark` in it or None for its beginning."""
    message_wanted = Signal(int)
    """Another message of the chat, which is to be seen."""

    role: ClassVar[Role]
    """Who speaks in it: what a turn is can be asked without what draws it."""
    is_only_last: ClassVar[bool] = False
    """Whether another turn takes its place as soon as something follows."""
    has_actions_at_end: ClassVar[bool] = False
    """Whether the actions of the last turn are shown at any time."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.message: StoredMessage | None = None
        self.is_last = False
        self.holds_selection = False
        """Whether a selection begins or ends in it."""
        self.is_forgotten = False
        """Whether the model is not shown it any more."""
        self.row: ActionRow | None = None
        """The actions, once they were needed."""
        self.editor: TurnEditor | None = None
        """In the place of its words, while they are changed."""
        self.shows_versions = True
        """Whether it says which version it is."""
        self._is_hovered = False
        self._is_focused = False
        self._has_menu = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._on_theme_changed)

    def set_message(self, message: StoredMessage) -> None:
        """Shows what is stored now."""
        raise NotImplementedError

    def set_last(self, is_last: bool) -> None:
        """Whether it is the conversation's last turn."""
        if is_last != self.is_last:
            self.is_last = is_last
            self.update_actions()

    def set_forgotten(self, is_forgotten: bool) -> None:
        """Whether the model is not shown it any more: it can then be brought back."""
        if is_forgotten != self.is_forgotten:
            self.is_forgotten = is_forgotten
            self.update_actions()

    def set_focused(self, is_focused: bool) -> None:
        """Whether the keyboard is on it or in it."""
        if is_focused != self._is_focused:
            self._is_focused = is_focused
            self.update_actions()

    def arrange(self, width: int, *, is_again: bool = False) -> int:
        """Places the parts for this width; returns the height."""
        raise NotImplementedError

    def show_documents(self, documents: BranchDocuments) -> None:
        """The documents of the branch, of which this turn shows what is its own."""

    def actions_offered(self) -> Sequence[TurnAction]:
        """What this kind of turn offers before what all of them do."""
        raise NotImplementedError

    def note(self) -> str:
        """What stands at the end of the row."""
        return ""

    @property
    def is_kept(self) -> bool:
        """Whether a person would miss something if it were made anew from its message."""
        return self.is_changing or self.holds_selection

    @property
    def is_changing(self) -> bool:
        """Whether it is being written or edited, and nothing else can be done with it."""
        return self.editor is not None

    def start_editing(self, text: str) -> TurnEditor:
        """Its words as they were written, to be changed."""
        if self.editor is None:
            self.editor = editor = TurnEditor(self.theme, text, self, is_answer=self.role is Role.ASSISTANT)
            editor.resized.connect(lambda: self.resized.emit(self))
            save = TurnCommand.KEEP if self.role is Role.ASSISTANT else TurnCommand.SAVE
            editor.saved.connect(lambda: self.action_requested.emit(save, self))
            editor.cancelled.connect(self.stop_editing)
            editor.picture_pasted.connect(lambda: self.action_requested.emit(TurnCommand.PICTURE, self))
            editor.show()
            self.update_actions()
            self.resized.emit(self)
        self.editor.take_keyboard()
        return self.editor

    def stop_editing(self) -> None:
        """Back to what it says, nothing changed."""
        if self.editor is not None:
            editor, self.editor = self.editor, None
            editor.hide()
            editor.deleteLater()
            self.action_requested.emit(TurnCommand.EDITED, self)
            self.update_actions()
            self.resized.emit(self)

    @property
    def offers(self) -> list[TurnAction]:
        """Everything that can be done with it now, in the order of the menu; nothing while it is written or edited."""
        if self.message is None or self.is_changing:
            return []
        memory = memory_actions(self.message, is_forgotten=self.is_forgotten)
        about = (TurnAction(TurnCommand.DETAILS, "info", tr(ABOUT_THIS_ANSWER), group=MORE),) if self.note() else ()
        delete = TurnAction(TurnCommand.DELETE, "trash", tr(DELETE), begins=True)
        return [*self.actions_offered(), *memory, *version_actions(self._version()), *about, delete]

    def update_actions(self) -> None:
        """Makes, changes or hides the icons."""
        is_wanted = self._is_hovered or self._is_focused or self._has_menu or (self.is_last and self.has_actions_at_end)
        actions = self.offers if is_wanted else []
        is_pinned = self.message is not None and self.message.pinned and not self.is_changing
        if not actions and not self._version() and not is_pinned:
            if self.row is not None:
                self.row.hide()
            return
        if self.row is None:
            self.row = ActionRow(self.theme, self)
            self.row.setProperty("align_end", self.property("align_end"))
            self.row.pressed.connect(self._on_pressed)
        self.row.setGeometry(self.row_rect())
        self.row.show_actions(actions, self._version(), self.note() if actions else "", is_pinned=is_pinned)
        self.row.show()

    def show_menu(self, place: QPoint | None = None, *, by_keyboard: bool = False, without_row: bool = False) -> None:
        """Everything that can be done with it, at a place on the screen or else at its icons.

        `without_row` leaves out what the row of icons offers in sight.
        """
        actions = [offer for offer in self.offers if not (without_row and (offer.is_quick or offer.name in IN_ROW))]
        if not actions:
            return

        def closed() -> None:
            self._has_menu = False
            self.update_actions()

        self._has_menu = True
        self.update_actions()
        menu = ActionMenu(self.theme, actions, self)
        menu.chosen.connect(lambda name: self.action_requested.emit(name, self))
        menu.aboutToHide.connect(closed)
        if place is None and self.row is not None:
            place = self.row.more.mapToGlobal(QPoint(0, self.row.more.height()))
        menu.show_at(place or self.mapToGlobal(self.rect().bottomLeft()), by_keyboard=by_keyboard)

    def row_rect(self) -> QRect:
        """Where the actions are: in the middle of the room at the bottom."""
        px = self.theme.px
        return QRect(0, self.height() - (px(ACTIONS_PX) + px(ROW_PX)) // 2, self.width(), px(ROW_PX))

    def _version(self) -> str:
        """That there is another version is seen at any time, not only under the pointer."""
        is_told = self.shows_versions and self.message is not None and not self.is_changing
        versions = self.message.versions if self.message is not None and is_told else ()
        if self.message is None or len(versions) < 2 or self.message.id not in versions:
            return ""
        return f"{versions.index(self.message.id) + 1}/{len(versions)}"

    def resizeEvent(self, _event: object) -> None:
        if self.row is not None:
            self.row.setGeometry(self.row_rect())

    def enterEvent(self, event: QEnterEvent) -> None:
        self._is_hovered = True
        self.update_actions()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._is_hovered = False
        self.update_actions()
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """By the right button where the pointer is; by the keyboard at its icons."""
        event.ignore()
        self.menu_wanted.emit(event)
        if event.isAccepted():
            return
        event.accept()
        by_keyboard = event.reason() is QContextMenuEvent.Reason.Keyboard
        self.show_menu(None if by_keyboard else event.globalPos(), by_keyboard=by_keyboard)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Everything has a key while the keyboard is in the turn, and so has the menu."""
        event.ignore()
        self.key_pressed.emit(event)
        if event.isAccepted():
            return
        event.accept()
        action = action_for(event, self.offers)
        if opens_menu(event) and not self._has_menu:
            self.show_menu(by_keyboard=True)
        elif action is None:
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self.action_requested.emit(action.name, self)

    def _on_pressed(self, name: str) -> None:
        if name == MORE:
            self.show_menu(by_keyboard=self.row is not None and self.row.more.hasFocus(), without_row=True)
        else:
            self.action_requested.emit(name, self)

    def _on_theme_changed(self) -> None:
        self.update_actions()
        self.resized.emit(self)


PADDING_PX = 18
ANSWER_PADDING_PX = 14
ANSWER_LINES = 16


class TurnEditor(QWidget):
    """A question in its bubble, or an answer as Markdown over the full measure."""

    saved = Signal()
    cancelled = Signal()
    resized = Signal()
    picture_pasted = Signal()

    def __init__(self, theme: Theme, text: str, parent: QWidget, *, is_answer: bool) -> None:
        super().__init__(parent)
        self._theme, self._is_answer = theme, is_answer
        self._field = MessageField(theme, self)
        self.edit: MessageEdit = self._field.edit
        self.edit.has_cancel = True
        if is_answer:
            self.edit.enter_sends, self.edit.most_lines = False, ANSWER_LINES
            self.edit.set_text(text)
        else:
            self._field.set_text(text)
        self.edit.setAccessibleName(tr("Edit answer") if is_answer else tr("Edit message"))
        self.edit.submitted.connect(self._on_saved)
        self.edit.cancelled.connect(self.cancelled)
        self.edit.height_changed.connect(self.resized)
        self.edit.picture_pasted.connect(self.picture_pasted)
        hint = plain_label(tr("Saved as a new version; the original answer is kept."), kind="muted", wraps=True)
        hint.setVisible(is_answer)
        self.cancel = text_button(tr(CANCEL), "quiet")
        self.save = text_button(tr(SAVE) if is_answer else tr("Save and ask"), "primary")
        self.save.setToolTip(tr("Ctrl+Enter") if is_answer else tr("Enter"))
        self.cancel.clicked.connect(lambda _=False: self.cancelled.emit())
        self.save.clicked.connect(lambda _=False: self._on_saved())
        buttons = QHBoxLayout()
        buttons.addWidget(hint, 1)
        if not is_answer:
            buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.save)
        column = QVBoxLayout(self)
        theme.dress(column, margins=(ANSWER_PADDING_PX if is_answer else PADDING_PX, 12, 12, 10), spacing=10)
        theme.dress(hint, font=(13, 400))
        column.addWidget(self._field)
        column.addLayout(buttons)

    @property
    def text(self) -> str:
        """All of it, cleaned."""
        return clean_text(self.edit.toPlainText()) if self._is_answer else self._field.text

    def take_keyboard(self) -> None:
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_saved(self) -> None:
        if self.text.strip():
            self.saved.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A question has its bubble around it already."""
        if not self._is_answer:
            return
        tokens, radius = self._theme.tokens, self._theme.px(10)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.outline), 1))
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
