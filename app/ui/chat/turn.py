"""One turn of a conversation: what question and answer have in common, and the actions under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QColor, QEnterEvent, QKeyEvent, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QWidget

from app.core.events import Role
from app.store.conversations import StoredMessage
from app.ui.chat.documents import BranchDocuments
from app.ui.i18n import tr
from app.ui.icons import icon
from app.ui.theme import Theme
from app.ui.widgets.buttons import IconButton, text_button

if TYPE_CHECKING:
    from app.ui.chat.editor import TurnEditor

ACTIONS_PX = 40
ROW_PX = 30
"""The room below a turn, and of that the actions themselves: they keep their distance from what is above and below."""
ICON_PX = 17
BUTTON_PX = (25, 29)
GAP_PX = 6


@dataclass(frozen=True)
class Action:
    """Something to do with a turn: its name in code, its glyph, its name for people."""

    name: str
    glyph: str
    label: str
    checked: bool = False


class ActionRow(QWidget):
    """Icon buttons, ‹ 2/3 › where versions exist, and a note at the other end."""

    pressed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("turn_actions")
        self._theme = theme
        self._actions: tuple[Action, ...] = ()
        self._version = ""
        self._buttons: list[IconButton] = []
        self._count: QPushButton = text_button("", "quiet", self)
        self._count.setObjectName("versions")
        self._count.clicked.connect(lambda _=False: self.pressed.emit("map"))
        self._note: QPushButton = text_button("", "quiet", self)
        self._note.setObjectName("answer_note")
        self._note.clicked.connect(lambda _=False: self.pressed.emit("details"))
        self._about = IconButton(theme, "info", tr("About this answer"), size_px=ICON_PX, parent=self)
        self._about.clicked.connect(lambda _=False: self.pressed.emit("details"))
        for button in (self._count, self._note):
            button.setAutoDefault(True)  # Return presses it, too
        theme.dress(self._count, font=(13, 500))
        theme.dress(self._note, font=(12.5, 500))

    def show_actions(self, actions: Sequence[Action], version: str, note: str) -> None:
        """Replaces the buttons where they differ; `version` is "2/3" or empty."""
        self._note.setText(note)
        self._note.setAccessibleName(tr("About this answer: {words}", words=note))
        self._note.setToolTip(tr("About this answer"))
        self._count.setText(version)
        place, _, count = version.partition("/")
        self._count.setAccessibleName(tr("Version {place} of {count}: a map of all", place=place, count=count))
        self._count.setToolTip(tr("A map of all versions"))
        if tuple(actions) != self._actions or bool(version) != bool(self._version):
            self._actions = tuple(actions)
            for button in self._buttons:
                button.hide()
                button.deleteLater()
            self._buttons = [self._new_button(action) for action in actions]
            if version:
                self._buttons.append(self._new_button(Action("previous", "caret-left", tr("Previous version"))))
                self._buttons.append(self._new_button(Action("next", "caret-right", tr("Next version"))))
        if version:
            number, _, count = version.partition("/")
            self._buttons[-2].setEnabled(number != "1")
            self._buttons[-1].setEnabled(number != count)
        self._version = version
        self.arrange()

    def button(self, label: str) -> IconButton | None:
        return next((button for button in self._buttons if button.accessibleName() == label), None)

    def arrange(self) -> None:
        """Buttons at the leading end for an answer, at the trailing end for a question; see `align_end`.

        The versions are outermost, so that they stay where they are when the actions come.
        """
        px = self._theme.px
        button_width, button_height, gap = px(BUTTON_PX[0]), px(BUTTON_PX[1]), px(GAP_PX)
        count_width = self._count.sizeHint().width() if self._version else 0
        width = len(self._buttons) * (button_width + gap) - gap + count_width
        is_end = bool(self.property("align_end")) != self.isRightToLeft()
        x = self.width() - width if is_end else 0
        order = list(self._buttons)
        if self._version and not self.property("align_end"):
            order = [*order[-2:], *order[:-2]]
        for button in order:
            if self._version and button is self._buttons[-1]:
                self._count.setGeometry(x, (self.height() - button_height) // 2, count_width, button_height)
                x += count_width
            button.setGeometry(x, (self.height() - button_height) // 2, button_width, button_height)
            x += button_width + gap
        self._count.setVisible(bool(self._version))
        self._place_note(self.width() - width)

    @property
    def about(self) -> QWidget:
        """What is pressed for more about the answer."""
        return self._note if self._note.isVisible() else self._about

    @property
    def versions(self) -> QWidget:
        """What is pressed for a map of all versions."""
        return self._count

    def _place_note(self, room: int) -> None:
        """At the other end; where it has no room a glyph stands for it."""
        note_width, height = self._note.sizeHint().width(), self._theme.px(BUTTON_PX[1])
        about_width, top = self._theme.px(BUTTON_PX[0]), (self.height() - height) // 2
        is_room = note_width < room
        self._note.setVisible(is_room and bool(self._note.text()))
        self._about.setVisible(not is_room and about_width < room and bool(self._note.text()))
        for widget, width in ((self._note, note_width), (self._about, about_width)):
            widget.setGeometry(0 if self.isRightToLeft() else self.width() - width, top, width, height)

    def resizeEvent(self, _event: object) -> None:
        self.arrange()

    def _new_button(self, action: Action) -> IconButton:
        button = IconButton(self._theme, action.glyph, action.label, size_px=ICON_PX, parent=self)
        button.setCheckable(action.checked)
        button.setChecked(action.checked)
        button.clicked.connect(lambda: self.pressed.emit(action.name))
        button.show()
        return button


class Turn(QWidget):
    """A question or an answer. It is a tab stop; its actions appear under the pointer or with the focus."""

    wanted = Signal(str, object)
    """An action's name and this turn."""
    resized = Signal(object)
    """The turn needs another height."""
    link_clicked = Signal(str)
    place_wanted = Signal(int, object)
    """A document's id, and the `Mark` in it or None for its beginning."""

    role: ClassVar[Role]
    """Who speaks in it: what a turn is can be asked without what draws it."""
    has_actions_at_end: ClassVar[bool] = False
    """Whether the actions of the last turn are shown at any time."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.message: StoredMessage | None = None
        self.is_last = False
        self.is_forgotten = False
        """Whether the model is not shown it any more."""
        self.row: ActionRow | None = None
        """The actions, once they were needed."""
        self.editor: TurnEditor | None = None
        """In the place of its words, while they are changed."""
        self._is_hovered = False
        self._is_focused = False
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
            self.update()

    def arrange(self, width: int, *, is_again: bool = False) -> int:
        """Places the parts for this width; returns the height."""
        raise NotImplementedError

    def show_documents(self, documents: BranchDocuments) -> None:
        """The documents of the branch, of which this turn shows what is its own."""

    def actions_offered(self) -> Sequence[Action]:
        raise NotImplementedError

    def note(self) -> str:
        """What stands at the end of the row."""
        return ""

    @property
    def is_kept(self) -> bool:
        """Whether a person would miss something if it were made anew from its message."""
        return self.is_changing

    @property
    def is_changing(self) -> bool:
        """Whether it is being written or edited, and nothing else can be done with it."""
        return self.editor is not None

    def start_editing(self, text: str) -> TurnEditor:
        """Its words as they were written, to be changed."""
        from app.ui.chat.editor import TurnEditor  # nobody edits before the window is seen

        if self.editor is None:
            self.editor = editor = TurnEditor(self.theme, text, self, is_answer=self.role is Role.ASSISTANT)
            editor.resized.connect(lambda: self.resized.emit(self))
            editor.saved.connect(lambda: self.wanted.emit("keep" if self.role is Role.ASSISTANT else "save", self))
            editor.cancelled.connect(self.stop_editing)
            editor.picture_pasted.connect(lambda: self.wanted.emit("picture", self))
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
            self.wanted.emit("edited", self)
            self.update_actions()
            self.resized.emit(self)

    def update_actions(self) -> None:
        """Makes, changes or hides the actions."""
        self.update()
        is_wanted = self._is_hovered or self._is_focused or (self.is_last and self.has_actions_at_end)
        is_whole = is_wanted and self.message is not None and not self.is_changing
        if not is_whole and not self._version():
            if self.row is not None:
                self.row.hide()
            return
        if self.row is None:
            self.row = ActionRow(self.theme, self)
            self.row.setProperty("align_end", self.property("align_end"))
            self.row.pressed.connect(lambda name: self.wanted.emit(name, self))
        self.row.setGeometry(self.row_rect())
        is_pinned = self.message is not None and self.message.pinned
        offered = self.actions_offered() if is_whole else ()
        actions = self._with_memory(offered) if is_whole or is_pinned else ()
        self.row.show_actions(actions, self._version(), self.note() if is_whole else "")
        self.row.show()

    def show_copied(self) -> None:
        button = self.row.button(tr("Copy")) if self.row is not None else None
        if button is not None:
            button.show_done(tr("Copied"))

    def row_rect(self) -> QRect:
        """Where the actions are: in the middle of the room at the bottom."""
        px = self.theme.px
        return QRect(0, self.height() - (px(ACTIONS_PX) + px(ROW_PX)) // 2, self.width(), px(ROW_PX))

    def _with_memory(self, actions: Sequence[Action]) -> list[Action]:
        """What keeps a message before the model's eyes goes before the last action, which deletes."""
        message = self.message
        if message is None or not message.text:
            return list(actions)
        if message.pinned:
            memory = Action("unpin", "push-pin-slash", tr("Unpin"))
        elif self.is_forgotten:
            memory = Action("pin", "arrow-u-down-left", tr("Bring back"))
        else:
            memory = Action("pin", "push-pin", tr("Pin: the model always sees this"))
        return [*actions[:-1], memory, *actions[-1:]]

    def _version(self) -> str:
        """That there is another version is seen at any time, not only under the pointer."""
        versions = self.message.versions if self.message is not None and not self.is_changing else ()
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

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C on a turn copies all of it."""
        if event.matches(QKeySequence.StandardKey.Copy) and self.hasFocus():
            self.wanted.emit("copy", self)
            return
        super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self.message is not None and self.message.pinned and (self.row is None or self.row.isHidden()):
            self._paint_pin()

    def _paint_pin(self) -> None:
        """A pinned message says so where its actions appear."""
        px, tokens = self.theme.px, self.theme.tokens
        painter = QPainter(self)
        painter.setFont(self.theme.font(12.5, 500))
        painter.setPen(QColor(tokens.muted))
        row, size, words = self.row_rect(), px(14), tr("Pinned")
        width = size + px(6) + painter.fontMetrics().horizontalAdvance(words)
        is_right = bool(self.property("align_end")) != self.isRightToLeft()
        left = row.right() - width - px(4) if is_right else px(2)
        glyph = QRect(left + (width - size if self.isRightToLeft() else 0), row.center().y() - size // 2, size, size)
        icon("push-pin", tokens.muted, size).paint(painter, glyph)
        room = QRect(left + (0 if self.isRightToLeft() else size + px(6)), row.y(), width, row.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)

    def _on_theme_changed(self) -> None:
        self.update_actions()
        self.resized.emit(self)
