"""Selecting with the keyboard, across turns and beyond the viewport."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QTextCursor
from PySide6.QtWidgets import QAbstractButton, QApplication

from app.ui.chat.selection import BEFORE, BEHIND, ChatSelection, TextPosition
from app.ui.chat.transcript import ChatTranscript
from app.ui.i18n import tr_count
from app.ui.text.block_selection import SelectionMouse
from app.ui.text.formats import cursor_over
from app.ui.widgets.labels import announce

if TYPE_CHECKING:
    pass

LOOKED_PX = 2_000
"""Pixels searched above or below a line for the next one when moving vertically."""
_STEPS = (
    (QKeySequence.StandardKey.SelectNextChar, QTextCursor.MoveOperation.Right),
    (QKeySequence.StandardKey.SelectPreviousChar, QTextCursor.MoveOperation.Left),
    (QKeySequence.StandardKey.SelectNextWord, QTextCursor.MoveOperation.WordRight),
    (QKeySequence.StandardKey.SelectPreviousWord, QTextCursor.MoveOperation.WordLeft),
    (QKeySequence.StandardKey.SelectStartOfLine, QTextCursor.MoveOperation.StartOfLine),
    (QKeySequence.StandardKey.SelectEndOfLine, QTextCursor.MoveOperation.EndOfLine),
)
_LINES = (
    (QKeySequence.StandardKey.SelectNextLine, 1, False),
    (QKeySequence.StandardKey.SelectPreviousLine, -1, False),
    (QKeySequence.StandardKey.SelectNextPage, 1, True),
    (QKeySequence.StandardKey.SelectPreviousPage, -1, True),
)


class SelectionEvents(QObject):
    """Turns key events that the text widgets ignore into a selection, as `mouse` does with those of the mouse."""

    def __init__(
        self, selection: ChatSelection, transcript: ChatTranscript, *, on_settled: Callable[[], object]
    ) -> None:
        super().__init__(transcript)
        self.on_settled = on_settled
        """The mouse button was released or a key was pressed, so that the selection is complete."""
        self._selection, self._transcript = selection, transcript
        self._column_x: float | None = None
        """Horizontal position kept while moving vertically over lines of different length."""
        # What `SELECTS_TEXTS` says, without importing what draws texts.
        transcript.column.setProperty("selects_texts", True)
        self._mouse = SelectionMouse(selection, transcript, transcript.column, transcript.theme)
        self._mouse.pressed.connect(self._on_pressed)
        self._mouse.dragged.connect(self._on_dragged)
        self._mouse.clicked.connect(self._on_clicked)
        self._mouse.settled.connect(self.on_settled)
        transcript.column.installEventFilter(self._mouse)
        transcript.maker.key_pressed.connect(self._on_key)

    def copy(self) -> None:
        QGuiApplication.clipboard().setMimeData(self._selection.data())

    def copy_markdown(self) -> None:
        QGuiApplication.clipboard().setText(self._selection.markdown())

    def _on_pressed(self, spot: TextPosition) -> None:
        self._column_x = None
        # So that keys continue from there.
        if spot.view is not None and not spot.view.hasFocus():
            spot.view.setFocus(Qt.FocusReason.MouseFocusReason)

    def _on_dragged(self) -> None:
        if self._selection.ends is not None:
            # A growing answer must not scroll away what is being selected.
            self._transcript.is_following = False

    def _on_clicked(self, spot: TextPosition | None, place: QPointF) -> None:
        if spot is not None and spot.view is not None:
            spot.view.follow_link_at(QPointF(spot.view.viewport().mapFromGlobal(place)))

    def _on_key(self, event: QKeyEvent) -> None:
        """Handle the keys for copying, selecting all and extending; accepts only the events it uses."""
        is_selected = self._selection.ends is not None
        if event.key() == Qt.Key.Key_Escape and is_selected:
            self._selection.clear()
        elif event.matches(QKeySequence.StandardKey.Copy) and is_selected:
            self.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._selection.select_all()
            count = self._transcript.places.count
            words = tr_count("{count} message is selected", "All {count} messages are selected", count)
            announce(self._transcript, words)
        elif not self._step(event):
            return
        event.accept()
        self.on_settled()

    def _step(self, event: QKeyEvent) -> bool:
        """Extend the selection by a Shift+arrow key. Return whether the key was one for that."""
        where = self._selection.head or self._where_the_keyboard_is()
        if where is None or not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            return False
        spot: TextPosition | None = None
        by_lines = next((entry for entry in _LINES if event.matches(entry[0])), None)
        operation = next((move_operation for keys, move_operation in _STEPS if event.matches(keys)), None)
        if by_lines is not None:
            spot = self._move_vertically(where, by_lines[1], is_page=by_lines[2])
        elif operation is not None:
            # Moving sideways sets another column to keep.
            self._column_x = None
            spot = self._move_by_operation(where, operation)
        elif event.matches(QKeySequence.StandardKey.SelectStartOfDocument):
            spot = TextPosition(0, BEFORE)
        elif event.matches(QKeySequence.StandardKey.SelectEndOfDocument):
            spot = TextPosition(self._transcript.places.count - 1, BEHIND)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            spot = self._move_by_turn(where, event.key())
        if spot is None:
            return False
        if self._selection.head is None:
            self._selection.begin(where)
        self._selection.extend(spot)
        self._bring_into_view(spot)
        return True

    def _where_the_keyboard_is(self) -> TextPosition | None:
        """Return the beginning of the focused text or turn, also of one whose button has the focus, or None."""
        focus = QApplication.focusWidget()
        for turn, place in self._transcript.places.made.items():
            if focus is turn or (isinstance(focus, QAbstractButton) and turn.isAncestorOf(focus)):
                return self._selection.beginning_of(place.number)
            for at, view in enumerate(self._selection.texts(turn)):
                if view is focus:
                    return TextPosition(place.number, at, 0, view)
        return None

    def _move_by_operation(self, spot: TextPosition, operation: QTextCursor.MoveOperation) -> TextPosition | None:
        """Move a position by a cursor operation, continuing in the neighbouring text where its own ends."""
        if (view := self._with_widget(spot).view) is None:
            return None
        spot = self._with_widget(spot)
        cursor = cursor_over(view.document(), view.position_at(spot.offset))
        if cursor.movePosition(operation):
            return replace(spot, offset=view.offset_at(cursor.position()))
        # These end at their own line.
        if operation in (QTextCursor.MoveOperation.StartOfLine, QTextCursor.MoveOperation.EndOfLine):
            return spot
        # A cursor that can't move at position 0 was to go back.
        return self._neighbour_text(spot, 1 if cursor.position() else -1) or spot

    def _with_widget(self, spot: TextPosition) -> TextPosition:
        """Return the same position with a widget, creating its turn if necessary."""
        if spot.view is not None:
            return spot
        self._transcript.column.turn_at(spot.number)
        beginning, end = self._selection.beginning_of(spot.number), self._selection.end_of(spot.number)
        return beginning if spot.text == BEFORE else end

    def _neighbour_text(self, spot: TextPosition, step: int) -> TextPosition | None:
        """Return the beginning of the next text (1) or the end of the previous one (-1), or None."""
        texts = self._selection.texts(self._transcript.column.turn_at(spot.number))
        at = spot.text + step
        if 0 <= at < len(texts):
            return TextPosition(spot.number, at, 0 if step > 0 else texts[at].offset_at(texts[at].length), texts[at])
        number = spot.number + step
        if not 0 <= number < self._transcript.places.count:
            return None
        self._transcript.column.turn_at(number)
        return self._selection.beginning_of(number) if step > 0 else self._selection.end_of(number)

    def _move_vertically(self, spot: TextPosition, step: int, *, is_page: bool) -> TextPosition | None:
        """Move a position a line or a page down (1) or up (-1), keeping the horizontal position."""
        spot = self._with_widget(spot)
        # So that there is a text to arrive at.
        neighbour = spot.number + step
        if 0 <= neighbour < self._transcript.places.count:
            self._transcript.column.turn_at(neighbour)
        if (rect := self._selection.rect_of(spot)) is None:
            return None
        self._column_x = self._column_x if self._column_x is not None else float(rect.center().x())
        y = float(rect.bottom() if step > 0 else rect.top())
        if is_page:
            # The page moves along, or the turns there wouldn't exist yet.
            bar = self._transcript.verticalScrollBar()
            bar.setValue(bar.value() + step * bar.pageStep())
            y += step * bar.pageStep()
        # Half a line at a time: no line is missed, however small its letters are.
        line = max(4.0, rect.height() / 2)
        for further in range(1, int(LOOKED_PX / line)):
            found = self._selection.spot_at(QPointF(self._column_x, y + step * further * line), is_inside=True)
            if found is not None and (found.key > spot.key) == (step > 0) and found.key != spot.key:
                # The extra line height is above the letters, so its middle is aimed at.
                middle = self._selection.rect_of(found)
                there = QPointF(self._column_x, middle.center().y()) if middle is not None else QPointF()
                return self._selection.spot_at(there) or found
        return TextPosition(self._transcript.places.count - 1, BEHIND) if step > 0 else TextPosition(0, BEFORE)

    def _move_by_turn(self, spot: TextPosition, key: int) -> TextPosition | None:
        """Move a position to the end or beginning of its turn, or of the next one if it is there already."""
        if key not in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            return None
        is_down = key == Qt.Key.Key_Down
        self._transcript.column.turn_at(spot.number)
        here = self._selection.end_of(spot.number) if is_down else self._selection.beginning_of(spot.number)
        if (here.key > spot.key) == is_down and here.key != spot.key:
            return here
        number = min(max(spot.number + (1 if is_down else -1), 0), self._transcript.places.count - 1)
        self._transcript.column.turn_at(number)
        return self._selection.end_of(number) if is_down else self._selection.beginning_of(number)

    def _bring_into_view(self, spot: TextPosition) -> None:
        if spot.view is None:
            bar = self._transcript.verticalScrollBar()
            bar.setValue(bar.minimum() if spot.text == BEFORE else bar.maximum())
            return
        if (rect := self._selection.rect_of(spot)) is not None:
            self._transcript.ensureVisible(0, rect.center().y(), 0, self._transcript.theme.px(40))
