"""Base class of question and answer views: their actions, when those are visible, and the editor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QAccessible, QColor, QContextMenuEvent, QEnterEvent, QHideEvent, QKeyEvent, QPaintEvent, QPen
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
from app.ui.chat.message_field import MessageEdit, MessageField
from app.ui.i18n import tr
from app.ui.screen_reader import read_as
from app.ui.shared_labels import ABOUT_THIS_ANSWER, CANCEL, DELETE, SAVE
from app.ui.theme import Theme, smooth_painter
from app.ui.widgets.buttons import text_button
from app.ui.widgets.elevation import PaintedShadow
from app.ui.widgets.labels import plain_label
from app.ui.widgets.layouts import drop_focus, fill_layout

if TYPE_CHECKING:
    from app.ui.text.selectable import SelectableText

TURN_GAP_PX = 36
"""Room from an answer to the next question, 40 px as the eye measures it, from baseline to edge."""
LEAD_PX = 10
"""Room above an answer that begins with a box; a line of text has it above its letters."""
ROW_PX = 28
ROW_BOTTOM_PX = 4
"""Space between a row of actions in that room and what follows."""


class TurnHost(QObject):
    """What the turns of a chat tell, for all of them together: a long chat has thousands."""

    action_requested = Signal(str, object)
    """An action was chosen: a `TurnCommand`, or an action of the window (`PersonMessage.action`), and the turn."""
    resized = Signal(object)
    """A turn needs another height."""
    opened = Signal(object)
    """Something in a turn was opened or closed by the user; emitted before it needs another height."""
    key_pressed = Signal(object)
    """A `QKeyEvent` for a turn or a widget in it; a handler that uses the key accepts the event."""
    menu_wanted = Signal(object)
    """A `QContextMenuEvent`; a handler with its own menu accepts it, otherwise the turn shows its menu."""
    link_clicked = Signal(str)
    place_wanted = Signal(int, object)
    """A place in a document was requested: its id, and the `Mark` in it or None for its beginning."""
    message_wanted = Signal(int)
    """A message of the chat should be scrolled to."""
    read_aloud: Callable[[TurnView], object] | None = None
    """Reads a turn; None where nothing can be read aloud, and turns don't offer it."""
    read_selection: Callable[[], object] | None = None
    """Reads what is selected in the chat; None as above."""


class TurnView(QWidget):
    """A question or an answer. It is a tab stop; its actions appear on hover or focus."""

    role: ClassVar[Role]
    """Role of the speaker, so that callers can tell the kind of turn without importing its view."""
    is_only_last: ClassVar[bool] = False
    """True if the turn is replaced as soon as another one follows."""
    has_actions_at_end: ClassVar[bool] = False
    """True if the actions are always visible while it is the last turn."""
    overhang_px: ClassVar[float] = 0
    """How far the turn reaches over the empty top of the next one, where its actions appear."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, host: TurnHost | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.host = host or TurnHost(self)
        self.message: StoredMessage | None = None
        self.is_last = False
        self.is_read_aloud = False
        """True while a sentence of the turn is read, also where it was scrolled out of sight."""
        self.holds_selection = False
        """True if a text selection begins or ends in the turn."""
        self.is_forgotten = False
        """True if the turn is no longer in the model's context."""
        self.toolbar = TurnToolbar(self)
        self.editor: TurnEditor | None = None
        """The editor that replaces the text while the turn is edited."""
        self.shows_versions = True
        """True if the turn shows its version number."""
        # Of a list's item that takes the keyboard Orca says its name and then all that is in it once more.
        read_as(self, QAccessible.Role.Section)
        # A click goes to the texts; only Tab comes to the turn as a whole.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._on_theme_changed)

    def set_message(self, message: StoredMessage) -> None:
        """Show the stored state of the turn's message."""
        raise NotImplementedError

    def set_last(self, is_last: bool) -> None:
        """Set whether this is the last turn, which affects its actions."""
        if is_last != self.is_last:
            self.is_last = is_last
            self.update_actions()

    def set_forgotten(self, is_forgotten: bool) -> None:
        """Set whether the model no longer sees the turn, which then offers to be brought back."""
        if is_forgotten != self.is_forgotten:
            self.is_forgotten = is_forgotten
            self.update_actions()

    def set_focused(self, is_focused: bool) -> None:
        """Set whether the keyboard focus is on the turn or in it."""
        if is_focused != self.toolbar.is_focused:
            self.toolbar.is_focused = is_focused
            self.update_actions()

    def arrange(self, width: int, *, is_again: bool = False) -> int:
        """Lay out the parts for a width. Return the height needed."""
        raise NotImplementedError

    def show_documents(self, documents: BranchDocuments) -> None:
        """Show the documents of the branch that belong to this turn."""

    def actions_offered(self) -> Sequence[TurnAction]:
        """Return the actions of this kind of turn, listed before the common ones."""
        raise NotImplementedError

    def note(self) -> str:
        """Return the text at the end of the row of actions."""
        return ""

    @property
    def is_kept(self) -> bool:
        """True if rebuilding the turn from its message would lose something, such as an edit or a selection."""
        return self.is_changing or self.holds_selection or self.is_read_aloud

    def spoken_views(self) -> Sequence[SelectableText]:
        """Return the views of the turn's own words in reading order, without thinking and citations."""
        return ()

    @property
    def is_changing(self) -> bool:
        """True while the turn is being written or edited and offers no actions."""
        return self.editor is not None

    def start_editing(self, text: str) -> TurnEditor:
        """Open the editor with the turn's source text."""
        if self.editor is None:
            self.editor = TurnEditor(self.theme, text, self)
            self.editor.show()
            self.update_actions()
            self.host.resized.emit(self)
        self.editor.take_keyboard()
        return self.editor

    def stop_editing(self) -> None:
        if self.editor is not None:
            editor, self.editor = self.editor, None
            drop_focus(editor)
            editor.hide()
            editor.deleteLater()
            self.host.action_requested.emit(TurnCommand.EDITED, self)
            self.update_actions()
            self.host.resized.emit(self)

    @property
    def offers(self) -> list[TurnAction]:
        """All current actions in menu order; empty while the turn is written or edited."""
        if self.message is None or self.is_changing:
            return []
        memory = memory_actions(self.message, is_forgotten=self.is_forgotten)
        about = (TurnAction(TurnCommand.DETAILS, "info", tr(ABOUT_THIS_ANSWER), group=MORE),) if self.note() else ()
        delete = TurnAction(TurnCommand.DELETE, "trash", tr(DELETE), begins=True)
        return [*self.actions_offered(), *memory, *version_actions(self.toolbar.version), *about, delete]

    def update_actions(self) -> None:
        """Create, update or hide the row of actions."""
        self.toolbar.update()

    def row_rect(self) -> QRect:
        """Return the rectangle of the actions, in the room below the text."""
        px = self.theme.px
        return QRect(0, self.height() - px(ROW_BOTTOM_PX) - px(ROW_PX), self.width(), px(ROW_PX))

    def resizeEvent(self, _event: object) -> None:
        self.toolbar.fit_turn()

    def moveEvent(self, _event: object) -> None:
        self.toolbar.place_shadow()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.toolbar.hide_shadow()

    def enterEvent(self, event: QEnterEvent) -> None:
        self.toolbar.is_hovered = True
        self.update_actions()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.toolbar.is_hovered = False
        self.update_actions()
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Open the menu at the pointer, or at the icons for the keyboard's menu key."""
        # Asked first: the selection and links have menus of their own.
        event.ignore()
        self.host.menu_wanted.emit(event)
        if event.isAccepted():
            return
        event.accept()
        by_keyboard = event.reason() is QContextMenuEvent.Reason.Keyboard
        self.toolbar.show_menu(None if by_keyboard else event.globalPos(), by_keyboard=by_keyboard)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Run the action whose shortcut was pressed, or open the menu."""
        # Asked first: steps between turns, and copying what is selected.
        event.ignore()
        self.host.key_pressed.emit(event)
        if event.isAccepted():
            return
        event.accept()
        action = action_for(event, self.offers)
        if opens_menu(event) and not self.toolbar.has_menu:
            self.toolbar.show_menu(by_keyboard=True)
        elif action is None:
            super().keyPressEvent(event)
        # A held key must not run an action again and again.
        elif not event.isAutoRepeat():
            self.host.action_requested.emit(action.name, self)

    def _on_theme_changed(self) -> None:
        self.update_actions()
        self.host.resized.emit(self)


class TurnToolbar:
    """Row of actions of a turn, made only where somebody may use it: a chat has hundreds of turns."""

    def __init__(self, turn: TurnView) -> None:
        self._turn = turn
        self.row: ActionRow | None = None
        """The row of actions, created when first needed."""
        self.is_hovered = False
        self.is_focused = False
        self.has_menu = False
        self._shadow: PaintedShadow | None = None

    @property
    def has_marks(self) -> bool:
        """True if a version number or a pin is visible even without hover."""
        return bool(self.version) or self._is_pinned

    @property
    def version(self) -> str:
        """The version as "2/3"; "" for a single version. It is visible even without hover."""
        turn, message = self._turn, self._turn.message
        versions = message.versions if message is not None and turn.shows_versions and not turn.is_changing else ()
        if message is None or len(versions) < 2 or message.id not in versions:
            return ""
        return f"{versions.index(message.id) + 1}/{len(versions)}"

    @property
    def _is_pinned(self) -> bool:
        message = self._turn.message
        return message is not None and message.pinned and not self._turn.is_changing

    def update(self) -> None:
        """Create, update or hide the row of actions."""
        turn = self._turn
        has_row = turn.is_last and turn.has_actions_at_end
        actions = turn.offers if self.is_hovered or self.is_focused or self.has_menu or has_row else []
        if not actions and not self.has_marks:
            if self.row is not None:
                self.row.hide()
                self._show_shadow()
            return
        if self.row is None:
            self.row = ActionRow(turn.theme, turn, run_action=self._on_pressed)
            self.row.setProperty("align_end", turn.property("align_end"))
        self.row.setGeometry(turn.row_rect())
        note = turn.note() if actions else ""
        self.row.show_actions(actions, self.version, note, is_pinned=self._is_pinned, is_raised=not has_row)
        self.row.show()
        self._show_shadow()

    def show_menu(self, place: QPoint | None = None, *, by_keyboard: bool = False, without_row: bool = False) -> None:
        """Show the menu of actions at a screen position, or at the icons.

        `without_row` omits actions that the visible row of icons offers already.
        """
        turn = self._turn
        actions = [offer for offer in turn.offers if not (without_row and (offer.is_quick or offer.name in IN_ROW))]
        if not actions:
            return

        def closed() -> None:
            self.has_menu = False
            turn.update_actions()

        # The menu takes the focus, which would hide the row of icons.
        self.has_menu = True
        turn.update_actions()
        menu = ActionMenu(turn.theme, actions, turn, run_action=self._on_chosen)
        menu.aboutToHide.connect(closed)
        if by_keyboard:
            menu.setActiveAction(menu.actions()[0])
        # The menu opens where its button is.
        if place is None and self.row is not None:
            menu.popup_at(self.row.more)
        else:
            menu.popup(place or turn.mapToGlobal(turn.rect().bottomLeft()))

    def fit_turn(self) -> None:
        if self.row is not None:
            self.row.setGeometry(self._turn.row_rect())
            self._show_shadow()

    def place_shadow(self) -> None:
        if self._shadow is not None and self._shadow.isVisible():
            self._show_shadow()

    def hide_shadow(self) -> None:
        if self._shadow is not None:
            self._shadow.hide()

    def _show_shadow(self) -> None:
        """Place the shadow of raised actions, in the column: it reaches beyond the turn."""
        turn, row = self._turn, self.row
        around = turn.parentWidget()
        if row is None or around is None or row.isHidden() or row.pill.isEmpty():
            self.hide_shadow()
            return
        if self._shadow is None:
            self._shadow = PaintedShadow(around)
            turn.destroyed.connect(self._shadow.deleteLater)
        # Above the next turn, over whose empty top the actions reach.
        turn.raise_()
        self._shadow.put_below(row.pill.translated(row.pos() + turn.pos()))
        self._shadow.stackUnder(turn)
        self._shadow.show()

    def _on_pressed(self, name: str) -> None:
        if name == MORE:
            self.show_menu(by_keyboard=self.row is not None and self.row.more.hasFocus(), without_row=True)
        else:
            self._on_chosen(name)

    def _on_chosen(self, name: str) -> None:
        self._turn.host.action_requested.emit(name, self._turn)


PADDING_PX = 18
ANSWER_PADDING_PX = 14
ANSWER_LINES = 16


class TurnEditor(QWidget):
    """Editor of a question in its bubble, or of an answer's Markdown over the full width."""

    def __init__(self, theme: Theme, text: str, turn: TurnView) -> None:
        super().__init__(turn)
        self._theme, self._turn = theme, turn
        self._is_answer = is_answer = turn.role is Role.ASSISTANT
        self._field = MessageField(theme, self)
        self.edit: MessageEdit = self._field.edit
        self.edit.has_cancel = True
        if is_answer:
            # An answer has paragraphs, so Enter doesn't save it.
            self.edit.enter_sends, self.edit.most_lines = False, ANSWER_LINES
            self.edit.set_text(text)
        else:
            self._field.set_text(text)
        self.edit.setAccessibleName(tr("Edit answer") if is_answer else tr("Edit message"))
        self.edit.submitted.connect(self._on_saved)
        self.edit.cancelled.connect(turn.stop_editing)
        self.edit.height_changed.connect(partial(turn.host.resized.emit, turn))
        self.edit.picture_pasted.connect(lambda _: turn.host.action_requested.emit(TurnCommand.PICTURE, turn))
        hint = plain_label(tr("Saved as a new version; the original answer is kept."), kind="muted", wraps=True)
        hint.setVisible(is_answer)
        self.cancel = text_button(tr(CANCEL), "quiet", on_click=turn.stop_editing)
        self.save = text_button(tr(SAVE) if is_answer else tr("Save and ask"), "primary", on_click=self._on_saved)
        self.save.setToolTip(tr("Ctrl+Enter") if is_answer else tr("Enter"))
        buttons = fill_layout(QHBoxLayout(), (hint, 1))
        if not is_answer:
            buttons.addStretch(1)
        fill_layout(buttons, self.cancel, self.save)
        column = QVBoxLayout(self)
        theme.dress(column, margins=(ANSWER_PADDING_PX if is_answer else PADDING_PX, 12, 12, 10), spacing=10)
        theme.dress(hint, font="small")
        fill_layout(column, self._field, buttons)

    @property
    def text(self) -> str:
        """Edited text, cleaned of NUL and lone surrogates."""
        return clean_text(self.edit.toPlainText()) if self._is_answer else self._field.text

    def take_keyboard(self) -> None:
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_saved(self) -> None:
        # An empty message is none; deleting it is another action.
        if self.text.strip():
            command = TurnCommand.KEEP if self._is_answer else TurnCommand.SAVE
            self._turn.host.action_requested.emit(command, self._turn)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the frame of an edited answer; a question has its bubble already."""
        if not self._is_answer:
            return
        tokens, radius = self._theme.tokens, self._theme.px(10)
        painter = smooth_painter(self)
        painter.setPen(QPen(QColor(tokens.outline), 1))
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), radius, radius)
